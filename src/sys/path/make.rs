//! What is missing below a root, made: the short way where only the last component is, else the walk.

use super::{Leaf, Links, kind, look, open_inside, peek, walk};
use crate::sys::{At, Call, Fault};
use rustix::fs::{FileType, Mode, OFlags};
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// As [`super::find_or_make`], for a `path` that [`super::find`] has not found.
///
/// # Errors
/// As [`super::find_or_make`].
pub fn make(root: BorrowedFd<'_>, path: &CStr, links: Links, leaf: Leaf) -> Result<OwnedFd, Fault> {
    match make_last(root, path, links, leaf) {
        Some(made) => Ok(made),
        None => walk(root, path, links, leaf),
    }
}

/// Longest parent that [`make_last`] takes.
const SHORT: usize = 256;

/// The usual case, in four calls: only the last component is missing, and its name is a plain one.
/// `None` for anything else, a failure too: the walk goes the whole way and tells.
fn make_last(root: BorrowedFd<'_>, path: &CStr, links: Links, leaf: Leaf) -> Option<OwnedFd> {
    let whole = path.to_bytes_with_nul();
    let slash = whole.iter().rposition(|byte| *byte == b'/')?;
    let (parent, name) = (whole.get(..slash)?, whole.get(slash + 1..)?);
    let name = CStr::from_bytes_with_nul(name).ok()?;
    if matches!(name.to_bytes(), b"" | b"." | b"..") {
        return None;
    }
    let mut text = [0; SHORT];
    text.get_mut(..slash)
        .filter(|_| slash < SHORT)?
        .copy_from_slice(parent);
    let parent = CStr::from_bytes_until_nul(&text).ok()?;
    let parent = open_inside(root, parent, OFlags::PATH | OFlags::DIRECTORY, links).ok()?;
    make_one(parent.as_fd(), name, leaf).ok()?;
    let made = peek(parent.as_fd(), name).ok()?;
    // Whoever is in the root may have put something else there meanwhile.
    let right = matches!(
        (kind(&look(&made).ok()?), leaf),
        (FileType::Directory, Leaf::Directory(_)) | (FileType::RegularFile, Leaf::File(_))
    );
    right.then_some(made)
}

/// Makes one name; EEXIST where there is something, also a link that leads nowhere.
pub(super) fn make_one(dir: BorrowedFd<'_>, name: &CStr, leaf: Leaf) -> Result<(), Fault> {
    match leaf {
        Leaf::MustExist => Err(Fault {
            call: Call::Openat2,
            errno: libc::ENOENT,
        }),
        Leaf::Directory(mode) => {
            rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(mode)).at(Call::Mkdirat)
        }
        Leaf::File(mode) => {
            let flags =
                OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::WRONLY;
            rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(mode))
                .at(Call::Openat)
                .map(drop)
        }
    }
}
