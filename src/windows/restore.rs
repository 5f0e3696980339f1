//! Windows has nothing that would let processes from it.

use crate::cli::Restore;
use crate::error::{Error, Result};
use crate::state::Home;

/// Refuses.
///
/// # Errors
/// Always.
pub fn restore(request: &Restore, _: &Home) -> Result<(i32, Vec<String>)> {
    let why = "Windows cannot write processes to disk and let them go on from there";
    Err(Error::container(
        format!("restore {}", request.create.id),
        &request.create.id,
        why,
    ))
}
