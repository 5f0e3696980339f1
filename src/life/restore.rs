//! `orbital restore`: let a container go on from where its images say it stood.

use crate::backend;
use crate::cli::Restore;
use crate::error::Result;
use crate::state::Home;

/// Makes it again and lets it go on. The status to exit with is as of `run`; with it what the specification says to warn of.
///
/// # Errors
/// What the platform cannot do, or could not.
pub fn restore(request: &Restore, home: &Home) -> Result<(i32, Vec<String>)> {
    backend::restore::restore(request, home)
}
