//! Directories of kernel file systems by descriptor: open, make, list and remove one name at a time.
//!
//! cgroupfs has no links, and every look-up here but [`open_named`] refuses them all the same (O_NOFOLLOW), so that a
//! name in a group that the container may write can never lead out of it.

use super::{At, Call, Fault};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir};
use std::ffi::{CStr, CString, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// How to open a directory: for listing and as the start of further look-ups, never through a link.
const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Magic of cgroup v2's file system; linux/magic.h, CGROUP2_SUPER_MAGIC.
const CGROUP2: u64 = 0x6367_7270;

/// Opens a directory of the host by its path; openat(2).
///
/// # Errors
/// ENOENT, ENOTDIR, EACCES as openat(2).
pub fn open_path(path: &Path) -> Result<OwnedFd, Fault> {
    rustix::fs::open(path, DIRECTORY, Mode::empty()).at(Call::Openat)
}

/// Opens a directory that a user of the host named, through links as well; openat(2).
///
/// # Errors
/// ENOENT, ENOTDIR, EACCES as openat(2).
pub fn open_named(path: &Path) -> Result<OwnedFd, Fault> {
    rustix::fs::open(path, DIRECTORY - OFlags::NOFOLLOW, Mode::empty()).at(Call::Openat)
}

/// Opens the directory `name` in `dir`; `..` is its parent; openat(2).
///
/// # Errors
/// ENOENT, ENOTDIR, ENODEV for a removed cgroup.
pub fn open(dir: impl AsFd, name: &CStr) -> Result<OwnedFd, Fault> {
    rustix::fs::openat(dir, name, DIRECTORY, Mode::empty()).at(Call::Openat)
}

/// Makes the directory `name` in `dir`; mkdirat(2).
///
/// # Errors
/// EEXIST, EACCES, EROFS; ENODEV or ENOENT where `dir` was removed meanwhile; EAGAIN at a limit of cgroups.
pub fn make(dir: impl AsFd, name: &CStr) -> Result<(), Fault> {
    rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(0o755)).at(Call::Mkdirat)
}

/// Removes the directory `name` in `dir`; unlinkat(2), AT_REMOVEDIR.
///
/// # Errors
/// ENOENT where it is gone, EBUSY for a cgroup with processes or sub-groups.
pub fn remove(dir: impl AsFd, name: &CStr) -> Result<(), Fault> {
    rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR).at(Call::Rmdir)
}

/// Whether the descriptor shows a file of cgroup v2; fstatfs(2).
///
/// # Errors
/// As fstatfs(2).
pub fn is_cgroup2(fd: impl AsFd) -> Result<bool, Fault> {
    let magic = rustix::fs::fstatfs(fd).at(Call::Fstatfs)?.f_type;
    Ok(magic as u64 == CGROUP2)
}

/// Whether /sys/fs/cgroup shows cgroup v2; statfs(2). What cannot be asked does not.
#[must_use]
pub fn is_unified() -> bool {
    rustix::fs::statfs(c"/sys/fs/cgroup").is_ok_and(|stat| stat.f_type as u64 == CGROUP2)
}

/// Whether a listing goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// To the next name.
    Continue,
    /// Enough is known.
    Stop,
}

/// Shows each sub-directory of `dir` to `visit`, from the first one on; getdents64(2).
///
/// # Errors
/// As getdents64(2).
pub fn each_directory(
    dir: impl AsFd,
    mut visit: impl FnMut(&CStr) -> Listing,
) -> Result<(), Fault> {
    // Another descriptor, since the position in a listing belongs to the open file.
    let fresh = open(dir, c".")?;
    let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
    let mut entries = RawDir::new(&fresh, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry.at(Call::Getdents)?;
        let dots = entry.file_name() == c"." || entry.file_name() == c"..";
        if entry.file_type() != FileType::Directory || dots {
            continue;
        }
        if visit(entry.file_name()) == Listing::Stop {
            break;
        }
    }
    Ok(())
}

/// The path without links, `.` and `..`; realpath(3). Into a buffer of ours: with one of its own it
/// would be the only one to begin the C library's heap. Not for the child: it allocates.
///
/// # Errors
/// As realpath(3); EINVAL for a NUL in `path`.
pub fn real_path(path: &Path) -> std::io::Result<PathBuf> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut found: Vec<u8> = Vec::with_capacity(PATH_MAX);
    // SAFETY: `path` is a C string, and `found` has the room that realpath(3) asks for, PATH_MAX.
    let answer = unsafe { libc::realpath(path.as_ptr(), found.as_mut_ptr().cast()) };
    if answer.is_null() {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: it has written a C string there.
    let length = unsafe { CStr::from_ptr(found.as_ptr().cast()) }.count_bytes();
    // SAFETY: these bytes have been written, and are within the room.
    unsafe { found.set_len(length) };
    found.shrink_to_fit();
    Ok(PathBuf::from(OsString::from_vec(found)))
}

/// Longest path with its end mark; limits.h.
const PATH_MAX: usize = 4096;
