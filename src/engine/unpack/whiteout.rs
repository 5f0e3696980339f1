//! Whiteouts: image-spec's layer.md, "Whiteouts", in overlay's form (overlayfs.rst, "whiteouts and opaque
//! directories").

use super::Overlay;
use super::tar::wrong;
use rustix::fs::{FileType, Mode, OFlags, XattrFlags};
use std::ffi::CStr;
use std::io::Result;
use std::os::fd::OwnedFd;

/// What an entry hides.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whiteout<'n> {
    /// One name of lower layers.
    Of(&'n [u8]),
    /// All that lower layers have in its directory.
    Opaque,
    /// Notes of AUFS to itself.
    Ignored,
}

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
const AUFS: &[u8] = b".wh..wh.";

/// What an entry of this name hides, if it is a whiteout.
pub(super) fn read(name: &[u8]) -> Result<Option<Whiteout<'_>>> {
    if name == OPAQUE {
        return Ok(Some(Whiteout::Opaque));
    }
    if name.starts_with(AUFS) {
        return Ok(Some(Whiteout::Ignored));
    }
    match name.strip_prefix(PREFIX) {
        None => Ok(None),
        Some(b"" | b"." | b"..") => Err(wrong(
            "it is a whiteout of what is not inside its directory",
        )),
        Some(hidden) => Ok(Some(Whiteout::Of(hidden))),
    }
}

/// A character device 0:0, which every user may make since Linux 5.8.
pub(super) fn make(parent: &OwnedFd, name: &CStr) -> rustix::io::Result<()> {
    rustix::fs::mknodat(parent, name, FileType::CharacterDevice, Mode::empty(), 0)
}

/// Hides what lower layers have in this directory.
pub(super) fn opaque(directory: &OwnedFd, overlay: Overlay) -> Result<()> {
    let name = match overlay {
        Overlay::Trusted => c"trusted.overlay.opaque",
        Overlay::User => c"user.overlay.opaque",
        Overlay::None => return Ok(()),
    };
    // The descriptor may be one that only names the directory.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let set = rustix::fs::openat(directory, c".", flags, Mode::empty())
        .and_then(|directory| rustix::fs::fsetxattr(&directory, name, b"y", XattrFlags::empty()));
    set.map_err(|errno| {
        let words = crate::sys::words::of_error(errno.raw_os_error());
        wrong(format!(
            "{words}, from fsetxattr of {}",
            name.to_string_lossy()
        ))
    })
}
