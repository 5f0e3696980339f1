//! Paths without links.

use std::path::{Path, PathBuf};

/// The path without links, `.` and `..`; GetFinalPathNameByHandleW. Where a shorter form means the same it is
/// taken: programs do not like `\\?\` before their current directory.
///
/// # Errors
/// As CreateFileW.
pub fn real_path(path: &Path) -> std::io::Result<PathBuf> {
    let found = std::fs::canonicalize(path)?;
    let Some(text) = found.to_str() else {
        return Ok(found);
    };
    Ok(
        match (text.strip_prefix(r"\\?\UNC\"), text.strip_prefix(r"\\?\")) {
            (Some(share), _) => PathBuf::from(format!(r"\\{share}")),
            (None, Some(drive)) if drive.as_bytes().get(1) == Some(&b':') => PathBuf::from(drive),
            _ => found,
        },
    )
}
