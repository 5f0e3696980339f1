//! The end of a container's processes. Their job is removed by Windows, with its last handle.

use super::group::Group;
use super::look::{Host, alive};
use crate::error::{Cause, Error, Object, Result};
use crate::state::Record;

/// How long a killed process may take to be gone, in milliseconds.
const PATIENCE: u32 = 10_000;

/// Kills everything in it and waits until its first process is gone.
///
/// # Errors
/// A process that does not go.
pub fn end(record: &Record, _: &Host) -> Result<()> {
    let first = record.process.map(alive).transpose()?.flatten();
    if let Some(group) = record.group()? {
        group.kill_all()?;
    }
    let Some(process) = first else {
        return Ok(());
    };
    let pid = record.process.map_or(0, |process| process.pid);
    let told = |cause| Error::new(format!("end {}", record.id), Object::Process(pid), cause);
    match process
        .ended_within(PATIENCE)
        .map_err(|fault| told(Cause::from(fault)))?
    {
        Some(_) => Ok(()),
        None => {
            let why = format!(
                "it did not end within {} s of TerminateJobObject",
                PATIENCE / 1000
            );
            Err(told(Cause::Refused(why)))
        }
    }
}

/// No mounts are laid here.
///
/// # Errors
/// None.
pub fn remove_root(_: &Record) -> Result<()> {
    Ok(())
}

/// The same where the job has been open since it was made.
///
/// # Errors
/// As [`remove_place`].
pub fn remove_open_place(_: &Record, group: Option<Group>) -> Result<()> {
    group.map_or(Ok(()), |group| group.kill_all())
}

/// Ends what has outlived the first process.
///
/// # Errors
/// Processes that do not go.
pub fn remove_place(record: &Record) -> Result<()> {
    match record.group()? {
        Some(group) => group.kill_all(),
        None => Ok(()),
    }
}
