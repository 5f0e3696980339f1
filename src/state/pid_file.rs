//! `--pid-file`: where callers read which process is the container's, or the second one's.

use crate::error::{Error, Result};
use std::path::Path;

/// Writes the pid as decimal digits without a line end, in one act (callers rely on it: a pid file exists only
/// after success, and is never seen half written). Without a path there is nothing to write.
///
/// # Errors
/// A folder that is none or may not be written to.
pub fn write(path: Option<&Path>, pid: i32) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let fresh = path.with_file_name(name);
    let written =
        std::fs::write(&fresh, pid.to_string()).and_then(|()| std::fs::rename(&fresh, path));
    written.map_err(|error| Error::io("write the pid file", path, "openat", &error))
}
