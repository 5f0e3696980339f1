//! Files made below a root: nodes, links, owners, modes, each by the descriptor of its directory.

use super::path::{self, Leaf, Links};
use super::text::Text;
use super::{At, Call, Fault};
use rustix::fs::{AtFlags, FileType, Mode};
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Directories of names, one after the other: names of one directory share its descriptor.
pub struct Parents<'r> {
    root: BorrowedFd<'r>,
    path: Text,
    here: Option<OwnedFd>,
}

impl std::fmt::Debug for Parents<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parents")
            .field("here", &self.here)
            .finish_non_exhaustive()
    }
}

impl<'r> Parents<'r> {
    /// Names below this root.
    #[must_use]
    pub fn new(root: BorrowedFd<'r>) -> Parents<'r> {
        Parents {
            root,
            path: Text::default(),
            here: None,
        }
    }

    /// The directory of `file`, made where it is missing, and the last component.
    ///
    /// # Errors
    /// As [`path::find_or_make`].
    pub fn of<'p>(&mut self, file: &'p CStr) -> Result<(BorrowedFd<'_>, &'p CStr), Fault> {
        let whole = file.to_bytes_with_nul();
        let cut = whole
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or(0, |slash| slash + 1);
        let (parent, name) = whole.split_at(cut);
        let name = CStr::from_bytes_with_nul(name).unwrap_or_default();
        if self.path.as_bytes() != parent {
            self.here = None;
            self.path = Text::new(parent)?;
        }
        if self.here.is_none() {
            let made = path::find_or_make(
                self.root,
                self.path.as_c(),
                Links::Inside,
                Leaf::Directory(0o755),
            )?;
            self.here = Some(made);
        }
        let here = self.here.as_ref().map_or(self.root, AsFd::as_fd);
        Ok((here, name))
    }
}

/// Makes a node of a device or a fifo; `mode` holds the file type and 0o7777; mknodat(2). The
/// mode is exact only with an empty umask.
///
/// # Errors
/// EEXIST, EPERM without CAP_MKNOD or in a user namespace.
pub fn make_node(dir: BorrowedFd<'_>, name: &CStr, mode: u32, device: u64) -> Result<(), Fault> {
    let (file_type, bits) = (
        FileType::from_raw_mode(mode),
        Mode::from_raw_mode(mode & 0o7777),
    );
    rustix::fs::mknodat(dir, name, file_type, bits, device).at(Call::Mknodat)
}

/// Sets the owner of what the descriptor shows; fchownat(2), AT_EMPTY_PATH.
///
/// # Errors
/// EPERM without CAP_CHOWN, EINVAL for an unmapped id.
pub fn set_owner(fd: BorrowedFd<'_>, uid: u32, gid: u32) -> Result<(), Fault> {
    use rustix::fs::{Gid, Uid};
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    rustix::fs::chownat(fd, c"", Some(uid), Some(gid), AtFlags::EMPTY_PATH).at(Call::Fchown)
}

/// Whether a name was made by this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was.
    Now,
    /// Something has this name already.
    Before,
}

/// Sets the user that owns what the descriptor shows, and leaves its group; fchownat(2), AT_EMPTY_PATH.
///
/// # Errors
/// EPERM without CAP_CHOWN, EROFS.
pub fn set_user(fd: BorrowedFd<'_>, uid: u32) -> Result<(), Fault> {
    let uid = rustix::fs::Uid::from_raw(uid);
    rustix::fs::chownat(fd, c"", Some(uid), None, AtFlags::EMPTY_PATH).at(Call::Fchown)
}

/// Makes a symbolic link; an existing name is left as it is; symlinkat(2).
///
/// # Errors
/// As symlinkat(2), without EEXIST.
pub fn make_link(dir: BorrowedFd<'_>, name: &CStr, target: &CStr) -> Result<Made, Fault> {
    match rustix::fs::symlinkat(target, dir, name).at(Call::Symlinkat) {
        Err(Fault {
            errno: libc::EEXIST,
            ..
        }) => Ok(Made::Before),
        other => other.map(|()| Made::Now),
    }
}

/// Whether `name` is a symbolic link with exactly this text; readlinkat(2).
///
/// # Errors
/// As readlinkat(2), without EINVAL.
pub fn is_link_to(dir: BorrowedFd<'_>, name: &CStr, target: &CStr) -> Result<bool, Fault> {
    let mut text = [0_u8; super::text::LONGEST];
    match rustix::fs::readlinkat_raw(dir, name, text.as_mut_slice()).at(Call::Readlinkat) {
        Ok(length) => Ok(text.get(..length) == Some(target.to_bytes())),
        Err(Fault {
            errno: libc::EINVAL,
            ..
        }) => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// Puts a symbolic link in the place of a file of that name, unless it is there already.
///
/// # Errors
/// As unlinkat(2): EISDIR for a directory, EBUSY for a mount point; EEXIST where somebody else is quicker.
pub fn replace_by_link(dir: BorrowedFd<'_>, name: &CStr, target: &CStr) -> Result<(), Fault> {
    if is_link_to(dir, name, target)? {
        return Ok(());
    }
    rustix::fs::unlinkat(dir, name, AtFlags::empty()).at(Call::Unlinkat)?;
    rustix::fs::symlinkat(target, dir, name).at(Call::Symlinkat)
}
