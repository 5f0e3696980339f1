//! Windows has nothing that would write processes to disk.

use super::look::Host;
use crate::cli::Checkpoint;
use crate::error::{Error, Result};
use crate::state::{Record, Seat};

/// There is none, as nothing can be witnessed.
#[derive(Clone, Copy, Debug)]
pub enum Witness {}

/// Refuses.
///
/// # Errors
/// Always.
pub fn witness(request: &Checkpoint) -> Result<Witness> {
    let why = "Windows cannot write processes to disk and let them go on from there";
    Err(Error::container(
        format!("checkpoint {}", request.id),
        &request.id,
        why,
    ))
}

/// Nobody comes here.
///
/// # Errors
/// None.
pub fn write(_: &Checkpoint, witness: Witness, _: &Seat, _: &Record, _: &Host) -> Result<()> {
    match witness {}
}
