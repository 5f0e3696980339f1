//! A directory's content, copied into another: files, modes, owners, times, extended attributes, links.
//!
//! Both directories are held by descriptors; below them one name at a time is opened without following
//! it, so that whatever is exchanged for a link meanwhile leads nowhere. The container's child calls
//! this: what it needs is on the stack, and directories deeper than a limit are refused.

use super::{At, Call, Fault, dir, file, node, path};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RawDir, Stat, Timespec, Timestamps, Uid};
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Directories in each other: each takes two descriptors and a frame of the stack.
const DEEPEST: u32 = 64;

/// Names of a directory that are read at once; one takes at most 280 bytes.
const ENTRIES: usize = 1024;

/// Longest list of a file's extended attributes, and longest value of one, that is copied.
const LONGEST_ATTRIBUTE: usize = 16 << 10;

/// Room for the extended attributes of one file.
struct Room {
    names: [u8; LONGEST_ATTRIBUTE],
    value: [u8; LONGEST_ATTRIBUTE],
}

/// Whether a directory itself becomes like the one whose content it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Top {
    /// Mode, owner, times and extended attributes are copied too.
    Alike,
    /// It stays as it is.
    Own,
}

/// Copies what is in the directory `from` into the directory `to`, which has none of it; the content of
/// mounts in it too.
///
/// # Errors
/// ENOSPC, ELOOP for too many directories in each other, EEXIST, ERANGE for attributes that are too long,
/// ESTALE for a file that became something else, EPERM for a device in a user namespace.
pub fn content(from: BorrowedFd<'_>, to: BorrowedFd<'_>, top: Top) -> Result<(), Fault> {
    let mut room = Room {
        names: [0; LONGEST_ATTRIBUTE],
        value: [0; LONGEST_ATTRIBUTE],
    };
    let (from, to) = (dir::open(from, c".")?, dir::open(to, c".")?);
    directory(&from, &to, DEEPEST, &mut room)?;
    match top {
        Top::Alike => dress(&from, &to, &mut room),
        Top::Own => Ok(()),
    }
}

/// Copies what `from` calls `name`, and all in it, into the directory `to`, which has nothing of that name.
///
/// # Errors
/// As [`content`], and ENOENT.
pub fn named(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr) -> Result<(), Fault> {
    let mut room = Room {
        names: [0; LONGEST_ATTRIBUTE],
        value: [0; LONGEST_ATTRIBUTE],
    };
    let (from, to) = (dir::open(from, c".")?, dir::open(to, c".")?);
    one(&from, &to, name, DEEPEST, &mut room)
}

fn directory(from: &OwnedFd, to: &OwnedFd, depth: u32, room: &mut Room) -> Result<(), Fault> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); ENTRIES];
    let mut entries = RawDir::new(from, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry.at(Call::Getdents)?;
        match entry.file_name() {
            name if name == c"." || name == c".." => {}
            name => one(from, to, name, depth, room)?,
        }
    }
    Ok(())
}

fn one(
    from: &OwnedFd,
    to: &OwnedFd,
    name: &CStr,
    depth: u32,
    room: &mut Room,
) -> Result<(), Fault> {
    let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW).at(Call::Fstat)?;
    match path::kind(&stat) {
        FileType::Directory => {
            let Some(left) = depth.checked_sub(1) else {
                return Err(fault(Call::Mkdirat, libc::ELOOP));
            };
            rustix::fs::mkdirat(to, name, Mode::RWXU).at(Call::Mkdirat)?;
            let (from, to) = (dir::open(from, name)?, dir::open(to, name)?);
            directory(&from, &to, left, room)?;
            dress(&from, &to, room)
        }
        FileType::RegularFile => regular(from, to, name, room),
        FileType::Symlink => {
            let mut text = [0; super::text::LONGEST];
            let length = rustix::fs::readlinkat_raw(from, name, text.as_mut_slice());
            // The end mark is the zero after it: a link's text is shorter than the longest path.
            let end = length.at(Call::Readlinkat)?.min(text.len() - 1);
            if let Some(mark) = text.get_mut(end) {
                *mark = 0;
            }
            let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
            rustix::fs::symlinkat(text, to, name).at(Call::Symlinkat)?;
            own(to, name, &stat)
        }
        _ => {
            node::make_node(to.as_fd(), name, stat.st_mode, stat.st_rdev)?;
            own(to, name, &stat)
        }
    }
}

/// A pipe or a device that took the file's place meanwhile is opened without waiting for it, and not read.
fn regular(from: &OwnedFd, to: &OwnedFd, name: &CStr, room: &mut Room) -> Result<(), Fault> {
    let from = file::open(
        from,
        name,
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK,
    )?;
    if path::kind(&path::look(&from)?) != FileType::RegularFile {
        return Err(fault(Call::Openat, libc::ESTALE));
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    let to = file::open(to, name, flags)?;
    file::copy_all(from.as_fd(), to.as_fd())?;
    dress(&from, &to, room)
}

/// Owner, mode, extended attributes and times, in this order: a new owner costs a file its
/// set-user-id bit and its capabilities.
fn dress(from: &OwnedFd, to: &OwnedFd, room: &mut Room) -> Result<(), Fault> {
    let (want, have) = (path::look(from)?, path::look(to)?);
    if (want.st_uid, want.st_gid) != (have.st_uid, have.st_gid) {
        node::set_owner(to.as_fd(), want.st_uid, want.st_gid)?;
    }
    let mode = Mode::from_raw_mode(want.st_mode & 0o7777);
    rustix::fs::fchmod(to, mode).at(Call::Fchmod)?;
    attributes(from, to, room)?;
    rustix::fs::futimens(to, &times(&want)).at(Call::Utimensat)
}

/// The same of what has no descriptor to write through: a link, a node.
fn own(dir: &OwnedFd, name: &CStr, want: &Stat) -> Result<(), Fault> {
    let (uid, gid) = (Uid::from_raw(want.st_uid), Gid::from_raw(want.st_gid));
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::chownat(dir, name, Some(uid), Some(gid), flags).at(Call::Fchown)?;
    rustix::fs::utimensat(dir, name, &times(want), flags).at(Call::Utimensat)
}

fn times(stat: &Stat) -> Timestamps {
    let time = |seconds, nanoseconds: u64| Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds.cast_signed(),
    };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}

/// An attribute that the other file system has no room for (ENOTSUP), or that only a more privileged
/// namespace may set (EPERM), stays behind, as with cp(1).
fn attributes(from: &OwnedFd, to: &OwnedFd, room: &mut Room) -> Result<(), Fault> {
    let length = match flistxattr(from, &mut room.names[..]) {
        Err(rustix::io::Errno::NOTSUP) => return Ok(()),
        length => length.at(Call::Flistxattr)?,
    };
    let names = room.names.get(..length).unwrap_or_default();
    for name in names.split_inclusive(|byte| *byte == 0) {
        let name = CStr::from_bytes_with_nul(name).unwrap_or_default();
        let length = fgetxattr(from, name, &mut room.value[..]).at(Call::Fgetxattr)?;
        let value = room.value.get(..length).unwrap_or_default();
        match fsetxattr(to, name, value, XattrFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOTSUP | rustix::io::Errno::PERM) => {}
            Err(errno) => return Err(errno).at(Call::Fsetxattr),
        }
    }
    Ok(())
}

/// Gives a directory its SELinux label, the attribute `security.selinux`; fsetxattr(2).
///
/// # Errors
/// EINVAL for a label that the policy does not know, ENOTSUP without SELinux.
pub fn label(directory: BorrowedFd<'_>, label: &CStr) -> Result<(), Fault> {
    let directory = dir::open(directory, c".")?;
    let (name, none) = (c"security.selinux", XattrFlags::empty());
    fsetxattr(directory, name, label.to_bytes(), none).at(Call::Fsetxattr)
}

const fn fault(call: Call, errno: i32) -> Fault {
    Fault { call, errno }
}

#[cfg(test)]
mod tests;
