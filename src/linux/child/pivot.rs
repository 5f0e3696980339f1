//! Leaving the host's files behind; pivot_root(2), "pivot_root(".", ".")".

use super::make::READ_ONLY;
use crate::linux::held::Held;
use crate::plan::Plan;
use crate::plan::root::{Access, Entry};
use crate::sys::mount::{self, Attributes, Depth};
use crate::sys::{Fault, file, process};
use rustix::fs::{CWD, OFlags};
use std::os::fd::OwnedFd;

/// Makes the root file system /.
pub fn into(p: &Plan, root: &OwnedFd) -> Result<(), Fault> {
    if p.root.entry == Entry::MoveAndChroot {
        mount::attach_on_root(root)?;
        process::enter(root)?;
        mount::chroot_to_cwd()?;
        return process::enter_root();
    }
    if p.root.entry == Entry::Chroot {
        return enter_only(root);
    }
    let host = match p.root.host_propagation {
        0 => Some(file::open(CWD, c"/", OFlags::PATH | OFlags::DIRECTORY)?),
        _ => None,
    };
    process::enter(root)?;
    mount::pivot_to_cwd()?;
    if let Some(host) = host {
        // Mounts that stayed peers of the host's would be unmounted there too.
        mount::set_attributes(
            &host,
            Depth::Tree,
            &Attributes {
                propagation: libc::MS_SLAVE,
                ..Attributes::default()
            },
        )?;
    }
    mount::detach_cwd()?;
    process::enter_root()
}

/// Makes a root / for this process alone: its mount namespace is the runtime's. Whoever may chroot(2) can leave
/// such a root again; what keeps it from that is the container's capabilities, or nothing.
pub fn enter_only(root: &OwnedFd) -> Result<(), Fault> {
    process::enter(root)?;
    mount::chroot_to_cwd()?;
    process::enter_root()
}

/// Read-only, now that every mount point has been made.
pub fn root_flags(p: &Plan, h: &Held, root: &OwnedFd) -> Result<(), Fault> {
    super::mount::seal(p, h)?;
    match p.root.access {
        Access::ReadWrite => Ok(()),
        Access::ReadOnly => mount::set_attributes(
            root,
            Depth::One,
            &Attributes {
                set: READ_ONLY,
                ..Attributes::default()
            },
        ),
    }
}

/// The propagation that was asked for; after the read-only paths, since of an unbindable root there is no copy.
pub fn last_propagation(p: &Plan, root: &OwnedFd) -> Result<(), Fault> {
    if p.root.final_propagation == 0 {
        return Ok(());
    }
    let depth = if p.root.final_propagation & libc::MS_REC == 0 {
        Depth::One
    } else {
        Depth::Tree
    };
    let propagation = p.root.final_propagation & !libc::MS_REC;
    mount::set_attributes(
        root,
        depth,
        &Attributes {
            propagation,
            ..Attributes::default()
        },
    )
}
