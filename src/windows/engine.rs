//! The engine's program, of which Windows has none.

use crate::cli::front::Host;
use crate::error::Error;
use std::ffi::{OsStr, OsString};

/// What to do about an engine that is not there.
pub const ABSENT: &str =
    "images and run IMAGE are orbital-engine's, which there is for Linux alone";

/// This host.
#[derive(Debug)]
pub struct Here;

impl Host for Here {
    fn has_bundle_here(&self) -> bool {
        true
    }

    fn has_container(&self, _: &OsStr) -> bool {
        true
    }
}

/// There is none to execute.
#[must_use]
pub fn execute(_: &[OsString]) -> Option<Error> {
    None
}
