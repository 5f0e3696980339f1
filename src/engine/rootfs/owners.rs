//! Files under a container's own owners, where it has a user namespace: for root by mounts that show them so, which
//! costs nothing; for a user, who may not make such mounts, by giving away a copy in the container's upper directory.

use super::open_dir;
use crate::engine::container::file::make_private;
use crate::engine::ids::{Ids, mapped};
use crate::engine::places::{Who, who};
use crate::error::{Error, Result};
use crate::sys::mount::{self, Attributes, Depth};
use crate::sys::path::Links;
use crate::sys::{Fault, path};
use rustix::fs::{AtFlags, CWD, Dir, Gid, Mode, OFlags, Uid};
use std::ffi::CString;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Deepest directory; each is a descriptor while it is walked through.
const DEEPEST: u32 = 200;

/// Whether files are shown under other owners.
pub(super) fn are_shown(ids: &Ids) -> bool {
    !ids.is_hosts() && who() == Who::Root
}

/// Mounts each directory below `folder`, its files under the container's owners.
///
/// # Errors
/// EINVAL from a file system that cannot show its files so.
pub(super) fn shown(ids: &Ids, directories: &[PathBuf], folder: &Path) -> Result<Vec<PathBuf>> {
    let namespace = mapped(ids)?;
    let mut all = Vec::new();
    for (number, directory) in directories.iter().enumerate() {
        let place = folder.join(number.to_string());
        make_private(&place)?;
        show(directory, &place, &namespace).map_err(|fault| {
            let error = Error::file("show the files under the container's owners", directory, fault);
            match fault.errno {
                libc::EINVAL => error.hint(
                    "its file system cannot (ext4, xfs, btrfs and tmpfs can, tmpfs from Linux 6.3 on): keep the files on another",
                ),
                _ => error,
            }
        })?;
        all.push(place);
    }
    Ok(all)
}

fn show(from: &Path, to: &Path, namespace: &OwnedFd) -> std::result::Result<(), Fault> {
    let from = CString::new(from.as_os_str().as_bytes()).unwrap_or_default();
    let tree = mount::copy_tree(CWD, &from, Depth::One)?;
    let shifted = Attributes {
        set: libc::MOUNT_ATTR_IDMAP,
        userns_fd: namespace.as_raw_fd().unsigned_abs().into(),
        ..Attributes::default()
    };
    mount::set_attributes(&tree, Depth::One, &shifted)?;
    mount::attach(tree, open_dir(to)?)
}

/// Gives a new directory to the container's root.
///
/// # Errors
/// As chown(2).
pub(crate) fn of_root(ids: &Ids, directory: &Path) -> Result<()> {
    let Some((uid, gid)) = ids.of_host(0, 0).filter(|_| !ids.is_hosts()) else {
        return Ok(());
    };
    std::os::unix::fs::chown(directory, Some(uid), Some(gid)).map_err(|error| {
        Error::io(
            "give a directory to the container's root",
            directory,
            "chown",
            &error,
        )
    })
}

/// Gives what has been copied to `path` below the container's root to whom it belongs in the container, where files are
/// shown under other owners.
///
/// # Errors
/// As chown(2).
pub(crate) fn give_copy(ids: &Ids, root: &OwnedFd, at: &str) -> Result<()> {
    if !are_shown(ids) {
        return Ok(());
    }
    let told = |fault: Fault| Error::file("give the copy to the container", at, fault);
    let plain = |errno: rustix::io::Errno| {
        Error::io(
            "give the copy to the container",
            at,
            "fchownat",
            &errno.into(),
        )
    };
    let name = CString::new(at).unwrap_or_default();
    let found = path::find(root.as_fd(), &name, Links::Inside).map_err(told)?;
    let look = path::look(&found).map_err(told)?;
    if path::kind(&look).is_dir() {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(&found, c".", flags, Mode::empty()).map_err(plain)?;
        below(ids, &directory, 1).map_err(plain)?;
    }
    let Some((uid, gid)) = ids.of_host(look.st_uid, look.st_gid) else {
        return Ok(());
    };
    let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    rustix::fs::chownat(&found, c"", uid, gid, AtFlags::EMPTY_PATH).map_err(plain)
}

/// The host's ids for an owner in the container; the same ones where it has none of these.
pub(crate) fn owner(ids: &Ids, uid: u32, gid: u32) -> (u32, u32) {
    match are_shown(ids) {
        true => ids.of_host(uid, gid).unwrap_or((uid, gid)),
        false => (uid, gid),
    }
}

/// Gives every file below `root` to whom it belongs in the container, once: `mark` is the file that says so. An id that
/// the container does not have stays nobody's.
///
/// # Errors
/// A full disk: what is given away is copied.
pub(super) fn give(ids: &Ids, root: &OwnedFd, mark: &Path) -> Result<()> {
    if ids.is_hosts() || mark.exists() {
        return Ok(());
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let given =
        rustix::fs::openat(root, c".", flags, Mode::empty()).and_then(|root| below(ids, &root, 0));
    given.map_err(|errno| {
        Error::io(
            "give the files to the container",
            mark,
            "fchownat",
            &errno.into(),
        )
    })?;
    std::fs::write(mark, b"")
        .map_err(|error| Error::io("note whose the files are", mark, "write", &error))
}

fn below(ids: &Ids, directory: &OwnedFd, depth: u32) -> rustix::io::Result<()> {
    let mut listed = Dir::read_from(directory)?;
    while let Some(entry) = listed.read() {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let look = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if path::kind(&look).is_dir() && depth < DEEPEST {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            below(
                ids,
                &rustix::fs::openat(directory, name, flags, Mode::empty())?,
                depth + 1,
            )?;
        }
        if let Some((uid, gid)) = ids.of_host(look.st_uid, look.st_gid) {
            let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            rustix::fs::chownat(directory, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
            // A new owner takes the set-id bits away.
            if look.st_mode & 0o6000 != 0 && !path::kind(&look).is_symlink() {
                rustix::fs::chmodat(
                    directory,
                    name,
                    Mode::from_raw_mode(look.st_mode & 0o7777),
                    AtFlags::empty(),
                )?;
            }
        }
    }
    match (depth, ids.of_host(0, 0)) {
        // The root itself has no name in any directory of its own.
        (0, Some((uid, gid))) => rustix::fs::fchown(
            directory.as_fd(),
            Some(Uid::from_raw(uid)),
            Some(Gid::from_raw(gid)),
        ),
        _ => Ok(()),
    }
}
