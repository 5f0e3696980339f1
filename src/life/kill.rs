//! `orbital kill`: one signal, to the first process or to all.

use super::{Verb, check};
use crate::cli::Reach;
use crate::error::{Error, Result};
use crate::state::status::{self, Now};
use crate::state::{Home, Record, Status};
use crate::sys::proc::Proc;
use crate::sys::{Fault, pidfd};

/// Sends `signal`, 1 to 64.
///
/// # Errors
/// A container that does not exist or does not run.
pub fn kill(id: &str, signal: i32, reach: Reach, home: &Home) -> Result<()> {
    let seat = home.find(&format!("kill {id}"), id)?;
    let Now {
        record,
        status,
        pid,
        proc,
    } = status::now(&seat)?;
    let record = match record {
        // With a shared pid namespace others may live on after the first process.
        Some(record)
            if reach == Reach::All && status == Status::Stopped && has_processes(&record) =>
        {
            record
        }
        Some(record) => {
            check(Verb::Kill, id, status, pid)?;
            record
        }
        None => return check(Verb::Kill, id, status, pid),
    };
    match reach {
        Reach::Init => to_init(&record, &proc, signal),
        Reach::All => to_all(&record, &proc, signal),
    }
}

fn has_processes(record: &Record) -> bool {
    let group = record.group().ok().flatten();
    group.is_some_and(|group| group.is_populated().unwrap_or(false))
}

/// By pidfd, opened before the process is proved to be the recorded one: the number may have been taken over.
fn to_init(record: &Record, proc: &Proc, signal: i32) -> Result<()> {
    let not_running = || {
        Error::container(
            format!("kill {}", record.id),
            &record.id,
            "container not running",
        )
    };
    let Some(process) = record.process else {
        return Err(not_running());
    };
    let told = |fault: Fault| match fault.errno {
        libc::ESRCH => not_running(),
        _ => Error::new(
            format!("kill {}", record.id),
            crate::error::Object::Container(record.id.clone()),
            fault.into(),
        ),
    };
    let init = pidfd::open(process.pid).map_err(told)?;
    if status::alive(proc, process)?.is_none() {
        return Err(not_running());
    }
    pidfd::signal(init, signal).map_err(told)
}

fn to_all(record: &Record, proc: &Proc, signal: i32) -> Result<()> {
    match record.group()? {
        Some(group) if signal == libc::SIGKILL => group.kill_all(),
        Some(group) => group.signal_all(signal),
        // Without a group of its own the first process is all that is known.
        None => to_init(record, proc, signal),
    }
}
