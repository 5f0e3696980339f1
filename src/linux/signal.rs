//! What a container that lives is told from outside: signals, to stand still, to go on.

use super::look::alive;
use crate::cgroup::Cgroup;
use crate::error::{Error, Result};
use crate::state::{Record, Seat};
use crate::sys::proc::Proc;
use crate::sys::{Fault, pidfd};

/// Stops all processes where they stand, and returns when they do.
///
/// # Errors
/// As [`Cgroup::freeze`].
pub fn freeze(_: &Seat, _: &Record, group: &Cgroup) -> Result<()> {
    group.freeze()
}

/// Lets them go on, and returns when they do.
///
/// # Errors
/// As [`Cgroup::resume`].
pub fn resume(_: &Seat, _: &Record, group: &Cgroup) -> Result<()> {
    group.resume()
}

/// Signals the first process: by pidfd, opened before the process is proved to be the recorded one: the number may
/// have been taken over.
///
/// # Errors
/// A process that has ended; EPERM.
pub fn to_init(record: &Record, proc: &Proc, signal: i32) -> Result<()> {
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
    if alive(proc, process)?.is_none() {
        return Err(not_running());
    }
    pidfd::signal(init, signal).map_err(told)
}

/// Signals all processes.
///
/// # Errors
/// As [`Cgroup::signal_all`].
pub fn to_all(record: &Record, proc: &Proc, signal: i32) -> Result<()> {
    match record.group()? {
        Some(group) if signal == libc::SIGKILL => group.kill_all(),
        Some(group) => group.signal_all(signal),
        // Without a group of its own the first process is all that is known.
        None => to_init(record, proc, signal),
    }
}
