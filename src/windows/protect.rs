//! The runtime's own file. Windows lets nobody write a program that runs, and no process of a container's is ever
//! this program: there is nothing to be done, where on Linux there is.

use crate::error::Result;
use crate::sys::start::Beginning;

/// Nothing.
pub fn early(_: Beginning) {}

/// Nothing.
///
/// # Errors
/// None.
pub fn protect() -> Result<()> {
    Ok(())
}
