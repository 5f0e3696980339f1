//! `orbital restore`: let a container go on from where its images say it stood.

use super::create::{poststop, removing};
use super::delete;
use crate::backend::foreground::Foreground;
use crate::backend::restore::{self, Work};
use crate::cli::{Attendance, Restore};
use crate::error::Result;
use crate::state::undo::Undo;
use crate::state::{Home, Record, Seat, pid_file};
use std::cell::Cell;
use std::rc::Rc;

/// Brings it back. The status to exit with is the process's own, 128 and the signal for a signalled one; 0
/// for a detached one. With it what the specification says to warn of.
///
/// # Errors
/// What the platform cannot do; whatever keeps it from going on. Nothing of it is left then but CRIU's log.
pub fn restore(request: &Restore, home: &Home) -> Result<(i32, Vec<String>)> {
    let mut work = restore::work(request)?;
    // From here on signals wait until they can be handed on.
    let foreground = match request.attendance {
        Attendance::Foreground => Some(Foreground::begin()?),
        Attendance::Detached => None,
    };
    let mut undo = Undo::default();
    let (seat, record) = match build(&work, home, &mut undo) {
        Ok(restored) => {
            undo.forget();
            restored
        }
        Err(error) => return Err(undo.after(error).quoting(&work.bundle.raw)),
    };
    let mut warnings = std::mem::take(&mut work.plan.warnings);
    let Some(foreground) = foreground else {
        return Ok((0, warnings));
    };
    let (mut born, terminal) = restore::born(work, &record)?;
    let end = foreground.attend(&mut born, terminal, None);
    warnings.extend(delete::bury(&seat, &record)?);
    end.map(|end| (end.status(), warnings))
}

/// From the name to a process that goes on. Every trace that is left is registered for undo on the line after.
fn build(work: &Work<'_>, home: &Home, undo: &mut Undo<'static>) -> Result<(Seat, Record)> {
    let mut wanted = restore::wanted(work)?;

    // Take the name, as create does.
    let seat = home.reserve(&work.plan.id)?;
    undo.push(removing(&seat));
    let record = restore::record(work)?;
    seat.begin(&record)?;
    let is_there = Rc::new(Cell::new(false));
    undo.push(poststop(record.clone(), is_there.clone()));

    // Its processes, complete and going on.
    let record = restore::bring_back(work, &mut wanted, &seat, record, &is_there, undo)?;
    let pid = record.process.map_or(0, |process| process.pid);
    pid_file::write(work.request.create.pid_file.as_deref(), pid)?;
    Ok((seat, record))
}
