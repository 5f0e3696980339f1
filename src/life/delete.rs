//! `orbital delete`: end it, remove what create made, run the poststop hooks.

use super::{Verb, check};
use crate::cgroup::remove::Emptiness;
use crate::cgroup::{Cgroup, systemd};
use crate::cli::Force;
use crate::error::{Error, Result};
use crate::linux::parent::{hooks, laid, rdt};
use crate::state::record::{Kept, Unit};
use crate::state::status::{self, Now};
use crate::state::{Home, Record, Seat, oci};
use crate::sys::pidfd;
use crate::sys::proc::Proc;
use std::os::fd::AsFd;

/// How long a killed process may take to be gone, in milliseconds.
const PATIENCE: i32 = 10_000;

/// Removes a container.
///
/// # Errors
/// One that does not exist or still lives, except with [`Force::Yes`]; what could not be removed.
/// The poststop hooks that failed are returned as warnings.
pub fn delete(id: &str, force: Force, home: &Home) -> Result<Vec<String>> {
    let doing = format!("delete {id}");
    let seat = match home.take(&doing, id) {
        Err(error) if force == Force::Yes && is_missing(&error) => return Ok(Vec::new()),
        other => other?,
    };
    let Now {
        record,
        status,
        pid,
        proc,
    } = status::now(&seat)?;
    let Some(record) = record else {
        return seat.remove().map(|()| Vec::new());
    };
    if force == Force::No {
        check(Verb::Delete, id, status, pid)?;
    }
    if status.lives() {
        end(&record, &proc)?;
    }
    bury(&seat, &record)
}

fn is_missing(error: &Error) -> bool {
    error.one_line().contains("does not exist")
}

/// Kills everything in it and waits until its first process is gone.
///
/// # Errors
/// A process that does not go.
pub fn end(record: &Record, proc: &Proc) -> Result<()> {
    let first = record
        .process
        .and_then(|process| Some((process, pidfd::open(process.pid).ok()?)));
    if let Some(group) = record.group()? {
        group.kill_all()?;
    }
    let Some((process, init)) = first else {
        return Ok(());
    };
    if status::alive(proc, process)?.is_none() {
        return Ok(());
    }
    let told = |fault| {
        Error::new(
            format!("end {}", record.id),
            crate::error::Object::Process(process.pid),
            crate::error::Cause::from(fault),
        )
    };
    match pidfd::signal(&init, libc::SIGKILL) {
        Ok(())
        | Err(crate::sys::Fault {
            errno: libc::ESRCH, ..
        }) => {}
        Err(fault) => return Err(told(fault)),
    }
    if pidfd::has_ended_within(init.as_fd(), PATIENCE).map_err(told)? {
        return Ok(());
    }
    let why = crate::error::Cause::Refused(format!(
        "it did not end within {} s of SIGKILL",
        PATIENCE / 1000
    ));
    Err(Error::new(
        format!("end {}", record.id),
        crate::error::Object::Process(process.pid),
        why,
    )
    .hint(format!(
        "see where it hangs: cat /proc/{}/stack",
        process.pid
    )))
}

/// Removes group, directory and all, of a container whose first process has ended.
///
/// # Errors
/// What could not be removed; the rest is tried all the same. Failed poststop hooks are returned.
pub fn bury(seat: &Seat, record: &Record) -> Result<Vec<String>> {
    bury_by(seat, record, || remove_group(record))
}

/// The same where the group has been open since it was made.
///
/// # Errors
/// As [`bury`].
pub(super) fn bury_with(
    seat: &Seat,
    record: &Record,
    group: Option<Cgroup>,
) -> Result<Vec<String>> {
    bury_by(seat, record, || remove(record, group))
}

fn bury_by(
    seat: &Seat,
    record: &Record,
    remove: impl FnOnce() -> Result<()>,
) -> Result<Vec<String>> {
    // Before anything is forgotten: what keeps the mount from going can be taken away, and delete repeated.
    record.laid.as_ref().map_or(Ok(()), laid::remove)?;
    let unmade = both(remove(), rdt::remove(&record.resctrl_made));
    let warnings = poststop(record);
    both(unmade, seat.remove()).map(|()| warnings)
}

fn both(first: Result<()>, second: Result<()>) -> Result<()> {
    match (first, second) {
        (Err(first), Err(second)) => Err(first.also([second])),
        (first, second) => first.and(second),
    }
}

/// Removes the container's group, and the unit that it is.
///
/// # Errors
/// Processes that do not go; what systemd or the kernel refuses.
pub(super) fn remove_group(record: &Record) -> Result<()> {
    remove(record, record.group()?)
}

fn remove(record: &Record, group: Option<Cgroup>) -> Result<()> {
    if let (Some(group), None) = (&group, &record.unit) {
        // Nearly always nobody is in it any more, and the kernel says so by removing it.
        match group.undo_if_empty()? {
            Emptiness::Removed => return Ok(()),
            Emptiness::Stays => {}
        }
    }
    if let Some(group) = &group
        && group.is_populated()?
    {
        // Processes of a shared pid namespace that outlived the first one.
        group.kill_all()?;
    }
    match &record.unit {
        None => group.map_or(Ok(()), |group| group.undo()),
        Some(unit) => stop(unit, record),
    }
}

/// systemd removes the group of a unit that has ended.
fn stop(unit: &Unit, record: &Record) -> Result<()> {
    let stopped = systemd::stop(&unit.name, unit.instance);
    match (stopped, record.group()?) {
        (Ok(()), None) => Ok(()),
        (Ok(()), Some(group)) => group.remove(),
        // Without the group there is no unit that could be active.
        (Err(error), None) => {
            tracing::debug!("{}, ignored", error.one_line());
            Ok(())
        }
        (Err(error), Some(_)) => Err(error),
    }
}

/// Runs the poststop hooks; a failure is a warning, and the next ones run (config.md, "Poststop").
pub fn poststop(record: &Record) -> Vec<String> {
    let document = oci::document(record, 0, "stopped").to_string();
    let run = |kept: &Kept| {
        hooks::run_in(
            &[kept.hook()],
            "poststop",
            &record.bundle,
            document.as_bytes(),
            &record.hook_outputs()?,
        )
    };
    record
        .poststop
        .iter()
        .filter_map(|kept| Some(run(kept).err()?.one_line()))
        .collect()
}

/// What the specification wants after a hook of `start` failed: the container is ended and removed, its
/// poststop hooks run, and the failure is told.
///
/// # Errors
/// Always `error`, with what the clean-up could not do.
pub fn after_failure(seat: &Seat, record: &Record, error: Error) -> Result<()> {
    let cleaned = Proc::open()
        .map_err(|fault| Error::file("trust /proc", "/proc", fault))
        .and_then(|proc| end(record, &proc))
        .and_then(|()| bury(seat, record));
    for warning in cleaned.as_ref().into_iter().flatten() {
        tracing::warn!("{warning}");
    }
    Err(error.also(cleaned.err()))
}
