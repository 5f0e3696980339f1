//! `orbital checkpoint`: write a running container to disk, and remove it.

use crate::backend;
use crate::cli::Checkpoint;
use crate::error::Result;
use crate::state::Home;

/// Writes it to disk. Unless it is to go on, it is removed then; what its poststop hooks complain of is returned.
///
/// # Errors
/// What the platform cannot do, or could not.
pub fn checkpoint(request: &Checkpoint, home: &Home) -> Result<Vec<String>> {
    backend::checkpoint::checkpoint(request, home)
}
