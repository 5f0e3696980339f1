//! Letting the program begin: its first thread is resumed, and that it was is written down first. A container that is
//! called started and stands still can be killed; one that runs and is called created would be started twice.

use super::birth::Born;
use super::hooks;
use super::look::alive;
use crate::error::{Cause, Error, Object, Result};
use crate::plan::job::Job as Plan;
use crate::state::record::Phase;
use crate::state::{Record, Seat, oci};
use crate::sys::threads;

/// What a container without a process is told. There is none: its plan was refused.
#[must_use]
pub fn missing() -> Error {
    Error::refused("execute the process", "/process", "there is none")
}

/// A container that another invocation has made.
#[derive(Debug)]
pub struct Gate(());

/// Whether it can be started.
///
/// # Errors
/// A process that may not be looked at.
pub fn reach(_: &Seat, record: &Record, doing: &str) -> Result<Gate> {
    let lives = record.process.map(alive).transpose()?.flatten();
    let gone = || Error::container(doing, &record.id, "its process has ended");
    lives.map(|_| Gate(())).ok_or_else(gone)
}

/// Runs the startContainer hooks, and lets the program begin.
///
/// # Errors
/// A hook that failed; as ResumeThread.
pub fn later(_: Gate, seat: &Seat, record: &Record) -> Result<()> {
    let bundle = crate::spec::from_bytes(seat.config()?, record.bundle.clone())?;
    let hooks = crate::plan::job::hooks(&bundle.spec)?;
    start(&hooks.start_container, seat, record).map_err(|error| error.quoting(&bundle.raw))
}

/// The same for a container of this invocation's.
///
/// # Errors
/// As [`later`].
pub fn ourselves(_: &Born, plan: &Plan, seat: &Seat, record: &Record) -> Result<()> {
    start(&plan.hooks.start_container, seat, record)
}

fn start(before: &[crate::plan::hooks::Hook], seat: &Seat, record: &Record) -> Result<()> {
    let pid = record.process.map_or(0, |process| process.pid);
    let group = record.group()?;
    let document = oci::document(record, pid, "created").to_string();
    let inside = group.as_ref().map(|group| &group.job);
    hooks::run(
        before,
        "startContainer",
        &record.bundle,
        document.as_bytes(),
        inside,
    )?;
    advance(seat, record, Phase::Started)?;
    let thread = record.job.as_ref().map_or(0, |job| job.thread);
    let told = |fault| {
        Error::new(
            "let the program begin",
            Object::Process(pid),
            Cause::from(fault),
        )
    };
    match threads::resume(thread).map_err(told)? {
        Some(_) => Ok(()),
        None => Err(Error::container(
            "let the program begin",
            &record.id,
            "its process has ended",
        )),
    }
}

/// Writes down how far the container has come.
///
/// # Errors
/// A record that cannot be written.
pub(super) fn advance(seat: &Seat, record: &Record, phase: Phase) -> Result<()> {
    let mut record = record.clone();
    if let Some(job) = &mut record.job {
        job.phase = phase;
    }
    seat.draft(&record)?;
    seat.publish()
}
