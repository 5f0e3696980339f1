//! The end of the group, and of the groups that the container made below it.

use super::{Cgroup, is_gone};
use crate::error::{Error, Result};
use crate::sys::dir::Listing;
use crate::sys::{Call, Fault, dir};
use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long killed processes may take to leave the group.
const LEAVE: Duration = Duration::from_secs(5);

/// Pause before another try where the group is busy although nobody is in it: its last process is
/// just leaving.
const MOMENT: Duration = Duration::from_millis(1);

const DOING: &str = "remove the container's cgroup";

/// What became of a group that was to be removed if it was empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emptiness {
    /// It is gone.
    Removed,
    /// Something is in it, or it was not made for the container.
    Stays,
}

impl Cgroup {
    /// Removes the group with everything below it, waiting for processes that are on their way out.
    /// A group that is gone is removed.
    ///
    /// # Errors
    /// EBUSY where processes are still there after five seconds; EACCES, EROFS.
    pub fn remove(&self) -> Result<()> {
        let (Some(parent), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Err(Error::file(
                DOING,
                &self.path,
                Fault {
                    call: Call::Rmdir,
                    errno: libc::EBUSY,
                },
            ));
        };
        let name = CString::new(name.as_bytes()).unwrap_or_default();
        let parent = match dir::open_path(parent) {
            Ok(parent) => parent,
            Err(fault) if is_gone(fault) => return Ok(()),
            Err(fault) => return Err(Error::file(DOING, parent, fault)),
        };
        let until = Instant::now() + LEAVE;
        loop {
            let fault = match remove_tree(&parent, &name) {
                Ok(()) => return Ok(()),
                Err(fault) => fault,
            };
            let left = until.saturating_duration_since(Instant::now());
            if fault.errno != libc::EBUSY || left.is_zero() {
                return Err(self.stays(fault));
            }
            if self.is_empty_within(left)? {
                std::thread::sleep(MOMENT);
            }
        }
    }

    /// Undoes [`super::place::make`]: the group, and the directories above it that were made for it.
    /// A directory that another container uses by now stays.
    ///
    /// # Errors
    /// As [`Cgroup::remove`].
    pub fn undo(&self) -> Result<()> {
        let Some((last, above)) = self.made.split_last() else {
            return Ok(());
        };
        if *last == self.path {
            self.remove()?;
        }
        match unmake(above) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The same where there is no process and no group in it, at once; else nothing is done.
    ///
    /// # Errors
    /// As [`Cgroup::undo`], of the directories above it.
    pub fn undo_if_empty(&self) -> Result<Emptiness> {
        let Some((last, above)) = self.made.split_last() else {
            return Ok(Emptiness::Stays);
        };
        if *last != self.path || remove_path(last).is_err() {
            return Ok(Emptiness::Stays);
        }
        match unmake(above) {
            Some(error) => Err(error),
            None => Ok(Emptiness::Removed),
        }
    }

    fn stays(&self, fault: Fault) -> Error {
        let error = Error::file(DOING, &self.path, fault);
        if fault.errno != libc::EBUSY {
            return error;
        }
        let pids = self.processes().unwrap_or_default();
        let pids: Vec<String> = pids.iter().take(8).map(ToString::to_string).collect();
        match pids.as_slice() {
            [] => error,
            some => error.hint(format!("end its processes first: {}", some.join(" "))),
        }
    }
}

/// Removes directories without processes, innermost first; the first failure other than a directory
/// that is gone or in use by others.
pub(super) fn unmake(made: &[PathBuf]) -> Option<Error> {
    let mut first = None;
    for path in made.iter().rev() {
        match remove_path(path) {
            Ok(()) => {}
            Err(Fault {
                errno: libc::EBUSY | libc::ENOTEMPTY,
                ..
            }) => {
                tracing::debug!("{} is in use by others, ignored", path.display());
            }
            Err(fault) if is_gone(fault) => {}
            Err(fault) => first = first.or(Some(Error::file(DOING, path, fault))),
        }
    }
    first
}

fn remove_path(path: &Path) -> std::result::Result<(), Fault> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    let name = CString::new(name.as_bytes()).unwrap_or_default();
    dir::remove(dir::open_path(parent)?, &name)
}

/// Removes `name` in `parent` depth-first. The tree below may be of the container's making, of any
/// depth and width: so one descriptor walks down and, by `..`, up again.
fn remove_tree(parent: &OwnedFd, name: &CStr) -> std::result::Result<(), Fault> {
    // Nearly always there is nothing below.
    match dir::remove(parent, name) {
        Err(Fault {
            errno: libc::EBUSY | libc::ENOTEMPTY,
            ..
        }) => {}
        Err(fault) if is_gone(fault) => return Ok(()),
        other => return other,
    }
    remove_below(parent, name).map_err(|fault| match fault {
        // Somebody else removes here too: that the group itself is gone must be seen again.
        Fault { call, .. } if is_gone(fault) => Fault {
            call,
            errno: libc::EBUSY,
        },
        other => other,
    })
}

fn remove_below(parent: &OwnedFd, name: &CStr) -> std::result::Result<(), Fault> {
    let mut names = vec![CString::from(name)];
    let mut here = dir::open(parent, name)?;
    loop {
        if let Some(below) = first_below(&here)? {
            here = dir::open(&here, &below)?;
            names.push(below);
            continue;
        }
        let Some(done) = names.pop() else {
            return Ok(());
        };
        if names.is_empty() {
            return dir::remove(parent, &done);
        }
        here = dir::open(&here, c"..")?;
        dir::remove(&here, &done)?;
    }
}

fn first_below(dir: &OwnedFd) -> std::result::Result<Option<CString>, Fault> {
    let mut found = None;
    dir::each_directory(dir, |name| {
        found = Some(name.to_owned());
        Listing::Stop
    })?;
    Ok(found)
}
