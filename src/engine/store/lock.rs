//! Locks of the store: flock(2) on files below `locks/`, so that they end with the process that holds them.
//! The files stay, for a lock whose file is removed would be held by two.

use super::Store;
use crate::error::{Error, Result};
use rustix::fs::FlockOperation;
use std::fs::{File, OpenOptions};

/// A lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Store {
    /// Waits until nobody else makes `what`: one blob, one layer.
    ///
    /// # Errors
    /// A lock that cannot be made.
    pub fn lock(&self, what: &str) -> Result<Lock> {
        self.take(what, FlockOperation::LockExclusive)
    }

    /// While this is held nothing is swept away: whoever makes what no image names yet holds it.
    ///
    /// # Errors
    /// As [`Store::lock`].
    pub fn share(&self) -> Result<Lock> {
        self.take("sweep", FlockOperation::LockShared)
    }

    /// For whoever sweeps: nobody makes anything meanwhile.
    pub(super) fn alone(&self) -> Result<Lock> {
        self.take("sweep", FlockOperation::LockExclusive)
    }

    fn take(&self, what: &str, how: FlockOperation) -> Result<Lock> {
        let path = self.root().join("locks").join(what);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file =
            file.map_err(|error| Error::io("lock a part of the store", &path, "openat", &error))?;
        match rustix::io::retry_on_intr(|| rustix::fs::flock(&file, how)) {
            Ok(()) => Ok(Lock { _file: file }),
            Err(errno) => Err(Error::io(
                "lock a part of the store",
                path,
                "flock",
                &errno.into(),
            )),
        }
    }
}
