//! What stands where an entry belongs, removed: a directory with all that is in it.

use super::because;
use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::CStr;
use std::io::{Error, Result};
use std::os::fd::OwnedFd;

/// Deepest directory; each is a descriptor while it is emptied.
const DEEPEST: u32 = 200;

/// Removes `name` of the directory `parent`. Links are removed, not followed.
pub(super) fn remove(parent: &OwnedFd, name: &CStr) -> Result<()> {
    within(parent, name, 0)
}

fn within(parent: &OwnedFd, name: &CStr, depth: u32) -> Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Err(Errno::ISDIR) => {}
        other => return because(other, "unlinkat"),
    }
    if depth == DEEPEST {
        return Err(Error::other("it replaces a directory that is too deep"));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = because(
        rustix::fs::openat(parent, name, flags, Mode::empty()),
        "openat",
    )?;
    let mut listed = because(Dir::read_from(&directory), "getdents64")?;
    while let Some(entry) = listed.read() {
        let entry = because(entry, "getdents64")?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            within(&directory, entry.file_name(), depth + 1)?;
        }
    }
    because(
        rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR),
        "unlinkat",
    )
}
