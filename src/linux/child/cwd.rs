//! The working directory: made if missing, entered, proved to be inside (CVE-2024-21626).

use super::refuse;
use crate::plan::Plan;
use crate::sys::path::{self, Leaf, Links};
use crate::sys::{Call, Fault, process};
use std::os::fd::{AsFd, OwnedFd};

/// Makes it while the root is writable. Where that cannot be done, entering it will say so.
pub fn make(p: &Plan, root: &OwnedFd) {
    if p.process.cwd.to_bytes() != b"/" {
        let _ = path::find_or_make(
            root.as_fd(),
            &p.process.cwd,
            Links::Inside,
            Leaf::Directory(0o755),
        );
    }
}

/// Whether the directory has been entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// As the container's root.
    Yes,
    /// Not yet: the container's root may not search it (a network file system), the user perhaps may.
    NotYet,
}

/// The first try, before the ids change: a user may be put into a directory that it may not search. Before
/// any filter too, which may deny what the proof needs.
pub fn try_as_root(p: &Plan, root: &OwnedFd) -> Entered {
    match go(p, root) {
        Ok(()) => Entered::Yes,
        Err(_) => Entered::NotYet,
    }
}

/// The second try, as the final user.
pub fn enter(p: &Plan, root: &OwnedFd, entered: Entered) -> Result<(), Fault> {
    match entered {
        Entered::Yes => Ok(()),
        Entered::NotYet => go(p, root),
    }
}

/// Enters it, and proves that it is inside.
fn go(p: &Plan, root: &OwnedFd) -> Result<(), Fault> {
    let directory = path::find(root.as_fd(), &p.process.cwd, Links::Inside)?;
    process::enter(directory)?;
    if process::cwd_is_reachable()? {
        Ok(())
    } else {
        Err(refuse(Call::Getcwd, libc::ENOENT))
    }
}
