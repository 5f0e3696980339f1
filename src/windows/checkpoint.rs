//! Windows has nothing that would write processes to disk.

use crate::cli::Checkpoint;
use crate::error::{Error, Result};
use crate::state::Home;

/// Refuses.
///
/// # Errors
/// Always.
pub fn checkpoint(request: &Checkpoint, _: &Home) -> Result<Vec<String>> {
    let why = "Windows cannot write processes to disk and let them go on from there";
    Err(Error::container(
        format!("checkpoint {}", request.id),
        &request.id,
        why,
    ))
}
