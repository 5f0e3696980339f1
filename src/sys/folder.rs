//! The directory of containers, and that of one: opened once, then used by descriptor.

use super::{At, Call, Fault, dir, file, path};
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags};
use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::Path;

/// A directory that is open.
#[derive(Debug)]
pub struct Folder(OwnedFd);

/// Which files [`Folder::put`] may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// One that is not there yet.
    New,
    /// Any: what was there is replaced.
    Anew,
}

/// Whether [`Folder::lock`] waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Until nobody else has it.
    Alone,
    /// Not at all, and beside others who only look.
    Look,
}

/// A lock, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Locked(#[allow(dead_code, reason = "held for its drop")] OwnedFd);

impl Folder {
    /// Opens a directory of the host; openat(2).
    ///
    /// # Errors
    /// As openat(2).
    pub fn open(path: &Path) -> Result<Folder, Fault> {
        dir::open_path(path).map(Folder)
    }

    /// Makes a directory of the host and those above it, with mode 0700; mkdir(2).
    ///
    /// # Errors
    /// As mkdir(2).
    pub fn make(path: &Path) -> std::io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(path)
    }

    /// Makes `name` in it, with mode 0700; mkdirat(2).
    ///
    /// # Errors
    /// EEXIST where it is there; as mkdirat(2).
    pub fn make_within(&self, name: &CStr) -> Result<(), Fault> {
        rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o700)).at(Call::Mkdirat)
    }

    /// Opens the directory `name` in it; openat(2).
    ///
    /// # Errors
    /// As openat(2).
    pub fn within(&self, name: &CStr) -> Result<Folder, Fault> {
        dir::open(&self.0, name).map(Folder)
    }

    /// Whether it has been removed since it was opened; fstat(2).
    #[must_use]
    pub fn is_removed(&self) -> bool {
        path::look(&self.0).is_ok_and(|stat| stat.st_nlink == 0)
    }

    /// Writes all of a file in one write; openat(2), write(2).
    ///
    /// # Errors
    /// EEXIST where it should be new; as openat(2) and write(2).
    pub fn put(&self, name: &CStr, how: Put, bytes: &[u8]) -> Result<(), Fault> {
        let how = match how {
            Put::New => OFlags::EXCL,
            Put::Anew => OFlags::TRUNC,
        };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | how;
        let fd = file::open(&self.0, name, flags)?;
        file::write_once(fd, bytes)
    }

    /// Reads all of a file; openat(2), read(2).
    ///
    /// # Errors
    /// As openat(2) and read(2).
    pub fn get(&self, name: &CStr) -> Result<Vec<u8>, Fault> {
        let fd = file::open(&self.0, name, OFlags::RDONLY | OFlags::NOFOLLOW)?;
        file::read_all(fd)
    }

    /// Puts a file into another's place, in one act; renameat(2).
    ///
    /// # Errors
    /// As renameat(2).
    pub fn rename(&self, from: &CStr, to: &CStr) -> Result<(), Fault> {
        rustix::fs::renameat(&self.0, from, &self.0, to).at(Call::Renameat)
    }

    /// Locks by a file of its own, for this process alone (fcntl(2), record locks): the child of a clone
    /// does not inherit it, so that a runtime that is killed leaves no lock behind.
    ///
    /// # Errors
    /// EAGAIN where it is taken and [`Lock::Look`] does not wait; as fcntl(2).
    pub fn lock(&self, name: &CStr, how: Lock) -> Result<Locked, Fault> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW;
        let fd = file::open(&self.0, name, flags)?;
        let operation = match how {
            Lock::Alone => FlockOperation::LockExclusive,
            Lock::Look => FlockOperation::NonBlockingLockShared,
        };
        rustix::io::retry_on_intr(|| rustix::fs::fcntl_lock(&fd, operation)).at(Call::Fcntl)?;
        Ok(Locked(fd))
    }

    /// Removes a file; unlinkat(2).
    ///
    /// # Errors
    /// As unlinkat(2).
    pub fn unlink(&self, name: &CStr) -> Result<(), Fault> {
        rustix::fs::unlinkat(&self.0, name, AtFlags::empty()).at(Call::Unlinkat)
    }

    /// Removes the empty directory `name`; unlinkat(2).
    ///
    /// # Errors
    /// As unlinkat(2).
    pub fn unmake(&self, name: &CStr) -> Result<(), Fault> {
        rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR).at(Call::Unlinkat)
    }
}

/// Removes an empty directory of the host; unlinkat(2).
///
/// # Errors
/// As unlinkat(2).
pub fn remove(path: &Path) -> Result<(), Fault> {
    rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR).at(Call::Rmdir)
}

/// A file that this makes has the mode 0644.
pub fn readable_by_all(options: &mut std::fs::OpenOptions) -> &mut std::fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o644)
}
