//! What a carrier connects, and the files that it is told of.

use super::Settings;
use super::ledger::Port;
use std::path::{Path, PathBuf};

/// What a carrier connects.
pub(super) struct Place<'a> {
    /// What is forwarded.
    pub(super) ports: &'a [Port],
    /// The process whose namespaces it enters where no file [holds](held) the network's.
    pub(super) pid: i32,
    /// Its files have this name, each with an ending of its own.
    pub(super) beside: PathBuf,
}

/// The name that all files of a container's carrier share.
#[must_use]
pub fn beside(id: &str, settings: &Settings) -> PathBuf {
    settings.state.join("network").join(id)
}

/// The file that keeps a network namespace for a carrier.
#[must_use]
pub fn held(beside: &Path) -> PathBuf {
    beside.with_extension("netns")
}
