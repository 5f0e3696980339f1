//! What a container that lives is told from outside: to end, to stand still, to go on.

use super::begin::advance;
use super::group::Group;
use super::look::{Host, alive};
use crate::error::{Cause, Error, Object, Result};
use crate::state::record::Phase;
use crate::state::{Record, Seat};
use crate::sys::signal::{KILL, name};
use crate::sys::{Fault, close, console, threads};

/// Signals that ask a process to end.
const ASKING: [&str; 4] = ["TERM", "INT", "HUP", "QUIT"];

/// Tells the container; its first process cannot be told alone.
///
/// # Errors
/// As [`to_all`].
pub fn to_init(record: &Record, host: &Host, signal: i32) -> Result<()> {
    to_all(record, host, signal)
}

/// Ends all processes, or asks them to end.
///
/// # Errors
/// A signal that Windows has nothing for; processes that nobody can ask.
pub fn to_all(record: &Record, _: &Host, signal: i32) -> Result<()> {
    let doing = format!("kill {}", record.id);
    let not_running = || Error::container(doing.as_str(), &record.id, "container not running");
    let group = record.group()?.ok_or_else(not_running)?;
    let known = name(signal);
    if signal == KILL {
        let killed = 128 + KILL.cast_unsigned();
        return group
            .job
            .terminate(killed)
            .map_err(|fault| group.fault("end the processes", fault));
    }
    if known.is_some_and(|name| ASKING.contains(&name)) {
        return ask(record, &group, &doing);
    }
    let word = known.map_or_else(|| signal.to_string(), |name| format!("SIG{name}"));
    let why =
        "Windows has no signals: TERM, INT, HUP and QUIT ask the container to end, KILL ends it"
            .to_owned();
    Err(Error::new(
        doing,
        Object::Argument(word),
        Cause::Refused(why),
    ))
}

/// WM_CLOSE to every window, Ctrl-Break to the console group of the first process.
fn ask(record: &Record, group: &Group, doing: &str) -> Result<()> {
    let pids = group
        .job
        .pids()
        .map_err(|fault| group.fault("list the processes", fault))?;
    let windows = close::ask(&pids);
    let first = record.process.map(alive).transpose()?.flatten();
    let pid = record.process.map_or(0, |process| process.pid);
    let interrupted = match first {
        Some(_) => console::interrupt(pid.cast_unsigned()),
        None => return Err(Error::container(doing, &record.id, "container not running")),
    };
    match interrupted {
        Err(fault) if windows == 0 => {
            let error = Error::new(doing, Object::Process(pid), Cause::from(fault));
            Err(error.hint(format!(
                "it has neither a window nor a console group of its own, so nobody can ask it: orbital kill {} KILL",
                record.id
            )))
        }
        _ => Ok(()),
    }
}

/// Suspends all threads, and returns when no new ones come.
///
/// # Errors
/// As SuspendThread; threads that come faster than they can be suspended.
pub fn freeze(seat: &Seat, record: &Record, group: &Group) -> Result<()> {
    let doing = format!("pause {}", record.id);
    if record
        .job
        .as_ref()
        .is_some_and(|job| job.phase == Phase::Created)
    {
        let why =
            "container not running: on Windows one that waits to be started stands still already";
        return Err(Error::container(doing, &record.id, why));
    }
    let mut stopped: Vec<u32> = Vec::new();
    let done = stop_all(group, &mut stopped).and_then(|()| advance(seat, record, Phase::Paused));
    done.map_err(|error| {
        let again = stopped
            .iter()
            .filter_map(|thread| threads::resume(*thread).err());
        let again: Vec<Error> = again
            .map(|fault| group.fault("let it go on", fault))
            .collect();
        error.doing(&doing).also(again)
    })
}

fn stop_all(group: &Group, stopped: &mut Vec<u32>) -> Result<()> {
    /// Each round finds only what was begun during the one before it.
    const ROUNDS: usize = 100;
    let told = |fault: Fault| group.fault("stop the processes", fault);
    for _ in 0..ROUNDS {
        let pids = group.job.pids().map_err(told)?;
        let mut new = threads::of(&pids).map_err(told)?;
        new.retain(|thread| !stopped.contains(thread));
        if new.is_empty() {
            return Ok(());
        }
        for thread in new {
            if threads::suspend(thread).map_err(told)? {
                stopped.push(thread);
            }
        }
    }
    let why = "its threads come faster than they can be stopped".to_owned();
    let object = Object::Argument(format!("the job {}", group.name));
    Err(Error::new(
        "stop the processes",
        object,
        Cause::Refused(why),
    ))
}

/// Takes back one stop of every thread.
///
/// # Errors
/// As ResumeThread.
pub fn resume(seat: &Seat, record: &Record, group: &Group) -> Result<()> {
    let told = |fault: Fault| group.fault("let the processes go on", fault);
    // First it is written down: what is resumed twice does no harm, what is never resumed does.
    advance(seat, record, Phase::Started)?;
    let pids = group.job.pids().map_err(told)?;
    for thread in threads::of(&pids).map_err(told)? {
        threads::resume(thread).map_err(told)?;
    }
    Ok(())
}
