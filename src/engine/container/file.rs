//! Files replaced as a whole, and locks.

use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Writes `bytes` beside `path` and puts them in its place, so that a reader sees the old or the new ones.
///
/// # Errors
/// As openat(2), write(2) and rename(2).
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension(format!("new{}", std::process::id()));
    let told = |call, error| Error::io("write a record", path, call, &error);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(|error| told("openat", error))?;
    file.write_all(bytes)
        .map_err(|error| told("write", error))?;
    fs::rename(&beside, path).map_err(|error| told("rename", error))
}

/// Makes a directory that is only its owner's, and those above it.
///
/// # Errors
/// As mkdir(2).
pub(crate) fn make_private(path: &Path) -> Result<()> {
    let mut maker = fs::DirBuilder::new();
    maker.recursive(true).mode(0o700);
    maker
        .create(path)
        .map_err(|error| Error::io("make a directory", path, "mkdir", &error))
}

/// Waits for the lock of this file, which is made where it is missing; flock(2). It ends with the value.
///
/// # Errors
/// As openat(2) and flock(2).
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| Error::io("open a lock", path, "openat", &error))?;
    file.lock()
        .map_err(|error| Error::io("take a lock", path, "flock", &error))?;
    Ok(file)
}

/// Removes a directory and all in it, without following links; what is not there is gone already.
///
/// # Errors
/// As unlinkat(2).
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove a directory", path, "unlinkat", &error))
        }
        _ => Ok(()),
    }
}
