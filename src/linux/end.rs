//! The end of a container's processes, and the removal of the place they had.

use super::look::alive;
use super::parent::{laid, rdt};
use crate::cgroup::remove::Emptiness;
use crate::cgroup::{Cgroup, systemd};
use crate::error::{Error, Result, both};
use crate::state::Record;
use crate::state::record::Unit;
use crate::sys::pidfd;
use crate::sys::proc::Proc;
use std::os::fd::AsFd;

/// How long a killed process may take to be gone, in milliseconds.
const PATIENCE: i32 = 10_000;

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
    if alive(proc, process)?.is_none() {
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

/// Removes what was made for the container: its group, its shares of the machine.
///
/// # Errors
/// What could not be removed; the rest is tried all the same.
pub fn remove_place(record: &Record) -> Result<()> {
    both(remove_group(record), rdt::remove(&record.resctrl_made))
}

/// The same where the group has been open since it was made.
///
/// # Errors
/// As [`remove_place`].
pub fn remove_open_place(record: &Record, group: Option<Cgroup>) -> Result<()> {
    both(remove(record, group), rdt::remove(&record.resctrl_made))
}

/// Removes the mount that was laid over the root file system.
///
/// # Errors
/// As umount(2).
pub fn remove_root(record: &Record) -> Result<()> {
    record.laid.as_ref().map_or(Ok(()), laid::remove)
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
