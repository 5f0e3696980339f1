//! Owners, attributes, modes and times of what has been made, in this order: a new owner takes the
//! set-id bits and the file capabilities away.

use super::{Place, Tree, because, told};
use crate::engine::unpack::tar::{Entry, Kind};
use crate::sys::path::{self, Links};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use std::ffi::CString;
use std::io::Result;
use std::os::fd::{AsFd, BorrowedFd};

/// Attributes that are kept, by how their names begin. `trusted.` and overlay's own would tell overlay where
/// to look, and are the engine's to set; labels are the host's.
const KEPT: [&[u8]; 3] = [b"user.", b"security.capability", b"system.posix_acl_"];
const OVERLAYS: &[u8] = b"user.overlay.";

impl Tree {
    /// A file or directory that is open.
    pub(super) fn describe_file(&mut self, fd: BorrowedFd<'_>, entry: &Entry) -> Result<()> {
        let owner = rustix::fs::fchown(fd, Some(uid(entry)), Some(gid(entry)));
        self.owned(owner)?;
        self.attributes(fd, entry)?;
        because(
            rustix::fs::fchmod(fd, Mode::from_raw_mode(entry.mode)),
            "fchmod",
        )?;
        if entry.kind == Kind::File {
            because(rustix::fs::futimens(fd, &times(entry.mtime)), "utimensat")?;
        }
        Ok(())
    }

    /// A link, a device or a fifo, which nobody opens.
    pub(super) fn describe_name(&mut self, place: &Place, entry: &Entry) -> Result<()> {
        let (parent, name) = (place.parent.as_fd(), place.name.as_c_str());
        let owner = rustix::fs::chownat(
            parent,
            name,
            Some(uid(entry)),
            Some(gid(entry)),
            AtFlags::SYMLINK_NOFOLLOW,
        );
        self.owned(owner)?;
        let set =
            rustix::fs::utimensat(parent, name, &times(entry.mtime), AtFlags::SYMLINK_NOFOLLOW);
        because(set, "utimensat")
    }

    /// The root directory itself.
    pub(super) fn describe_root(&mut self, entry: &Entry) -> Result<()> {
        if entry.kind != Kind::Directory {
            return Err(crate::engine::unpack::tar::wrong(
                "its name is the layer's own root",
            ));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = because(
            rustix::fs::openat(&self.root, c".", flags, Mode::empty()),
            "openat",
        )?;
        self.describe_file(root.as_fd(), entry)?;
        self.times.insert(Vec::new(), entry.mtime);
        Ok(())
    }

    /// A user without a range of ids owns everything.
    fn owned(&mut self, result: rustix::io::Result<()>) -> Result<()> {
        match result {
            Err(Errno::INVAL | Errno::PERM) => {
                self.note("owners were left out, which this user has no ids for");
                Ok(())
            }
            result => because(result, "fchownat"),
        }
    }

    fn attributes(&mut self, fd: BorrowedFd<'_>, entry: &Entry) -> Result<()> {
        for (name, value) in &entry.xattrs {
            if !KEPT.iter().any(|kept| name.starts_with(kept)) || name.starts_with(OVERLAYS) {
                self.note("attributes were left out, which are not an image's to set");
                continue;
            }
            let Ok(name) = CString::new(name.as_slice()) else {
                continue;
            };
            match rustix::fs::fsetxattr(fd, &name, value, XattrFlags::empty()) {
                Err(Errno::OPNOTSUPP | Errno::PERM) => {
                    self.note(
                        "attributes were left out, which the file system or this user may not set",
                    );
                }
                set => because(set, "fsetxattr")?,
            }
        }
        Ok(())
    }

    /// Sets a directory's time by its name; it may have been replaced by something else since.
    pub(super) fn set_time(&self, directory: &[u8], time: (i64, u32)) -> Result<()> {
        let name = CString::new(directory).unwrap_or_default();
        let found = match path::find(self.root.as_fd(), &name, Links::LastItself) {
            Ok(found) => found,
            Err(fault) if fault.errno == libc::ENOENT || fault.errno == libc::ENOTDIR => {
                return Ok(());
            }
            Err(fault) => return Err(told(fault)),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&found, c".", flags, Mode::empty()) {
            Ok(directory) => because(rustix::fs::futimens(&directory, &times(time)), "utimensat"),
            Err(Errno::NOTDIR) => Ok(()),
            Err(errno) => because(Err(errno), "openat"),
        }
    }
}

fn uid(entry: &Entry) -> Uid {
    Uid::from_raw(entry.uid)
}

fn gid(entry: &Entry) -> Gid {
    Gid::from_raw(entry.gid)
}

fn times((seconds, nanoseconds): (i64, u32)) -> Timestamps {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: i64::from(nanoseconds),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}
