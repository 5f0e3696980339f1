//! Windows has nothing that would let processes from it.

use super::birth::Born;
use super::foreground::Terminal;
use crate::cli::Restore;
use crate::error::{Error, Result};
use crate::plan::job::Job as Plan;
use crate::spec::Bundle;
use crate::state::undo::Undo;
use crate::state::{Record, Seat};
use std::cell::Cell;
use std::convert::Infallible;

/// What a container is brought back from: nobody has one, and so nobody comes to any function but [`work`].
#[derive(Debug)]
pub struct Work<'a> {
    /// What was typed.
    pub request: &'a Restore,
    /// The bundle.
    pub bundle: Bundle,
    /// Its plan.
    pub plan: Plan,
    nothing: Infallible,
}

/// Refuses.
///
/// # Errors
/// Always.
pub fn work(request: &Restore) -> Result<Work<'_>> {
    let why = "Windows cannot write processes to disk and let them go on from there";
    Err(Error::container(
        format!("restore {}", request.create.id),
        &request.create.id,
        why,
    ))
}

/// Nothing.
///
/// # Errors
/// None.
pub fn wanted(work: &Work<'_>) -> Result<Infallible> {
    match work.nothing {}
}

/// Nothing.
///
/// # Errors
/// None.
pub fn record(work: &Work<'_>) -> Result<Record> {
    match work.nothing {}
}

/// Nothing.
///
/// # Errors
/// None.
pub fn bring_back(
    work: &Work<'_>,
    _: &mut Infallible,
    _: &Seat,
    _: Record,
    _: &Cell<bool>,
    _: &mut Undo<'static>,
) -> Result<Record> {
    match work.nothing {}
}

/// Nothing.
///
/// # Errors
/// None.
pub fn born(work: Work<'_>, _: &Record) -> Result<(Born, Option<Terminal>)> {
    match work.nothing {}
}
