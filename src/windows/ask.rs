//! Questions to the host.

use crate::error::{Cause, Error, Object, Result};
use crate::plan::job::Facts;
use crate::spec::default::{self, SpecFor};
use std::path::{Path, PathBuf};

/// Asks everything that planning needs.
#[must_use]
pub fn ask() -> Facts {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Facts {
        processors: u32::try_from(processors).unwrap_or(1),
    }
}

/// Where containers are remembered: %LOCALAPPDATA%\orbital, which only its user may see.
///
/// # Errors
/// A user without LOCALAPPDATA.
pub fn home() -> Result<PathBuf> {
    match std::env::var_os("LOCALAPPDATA").filter(|folder| !folder.is_empty()) {
        Some(folder) => Ok(PathBuf::from(folder).join("orbital")),
        None => Err(Error::new(
            "find a place for containers",
            Object::Nothing,
            Cause::Refused("LOCALAPPDATA is not set".to_owned()),
        )
        .hint("name a directory of yours with --root")),
    }
}

const FIRST: &str = r#"{
  "ociVersion": "VERSION",
  "process": {
    "args": ["cmd.exe"],
    "cwd": "C:\\",
    "env": ["PATH=C:\\Windows\\System32;C:\\Windows"]
  },
  "windows": {
    "resources": { "memory": { "limit": 1073741824 } }
  }
}
"#;

/// A first config.json, into this bundle: a shell with a limit of memory.
///
/// # Errors
/// As [`default::write`].
pub fn write_first_config(bundle: &Path, _: SpecFor) -> Result<()> {
    default::write(bundle, &FIRST.replace("VERSION", default::VERSION))
}
