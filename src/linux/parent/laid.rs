//! The root file system of a container without a mount namespace of its own (config-linux.md, "Namespaces": it
//! inherits the runtime's): laid over its own directory there, and taken away again.
//!
//! Everything that such a container mounts lies below this one mount, which is a peer of nobody: nothing of
//! it spreads to other mounts or namespaces (but the root's own copy, where its directory is on a shared mount;
//! it goes with the original), and unmounting the one takes all of it away. It is written down by numbers that no
//! later mount can have, before it is attached: a `create` that is killed leaves nothing that `delete` cannot find.
//!
//! What this cannot do is confine: a process that may chroot(2) or mount(2) leaves such a root as it likes, and
//! those on the host see the container's mounts below its root file system. Whoever leaves the mount namespace out
//! asks for that.

use crate::error::{Cause, Error, Object, Result};
use crate::linux::explain;
use crate::plan::Plan;
use crate::plan::root::Entry;
use crate::sys::mount::{self, Attributes, Depth};
use crate::sys::mount_id::MountId;
use crate::sys::proc::Proc;
use crate::sys::{Fault, file, process};
use rustix::fs::{CWD, OFlags};
use std::os::fd::OwnedFd;

/// A copy of the root file system's tree, and which mount it is.
#[derive(Debug)]
pub struct Root {
    /// Its root.
    pub tree: OwnedFd,
    /// What it is found again by.
    pub id: MountId,
}

/// Copies the root file system's tree, attached nowhere yet; `None` for a container with a mount namespace.
///
/// # Errors
/// A root file system that is not there, or that is the host's own.
pub fn open(plan: &Plan) -> Result<Option<Root>> {
    if plan.root.entry != Entry::Chroot {
        return Ok(None);
    }
    let told = |fault| explain::root(plan, fault);
    let identity = |path| file::open(CWD, path, OFlags::PATH).and_then(MountId::of);
    if identity(&plan.root.path).map_err(told)? == identity(c"/").map_err(told)? {
        let why = "without a mount namespace of its own the container's mounts would be made over the host's";
        let error = Error::refused("mount the root file system", &plan.root.pointer, why);
        return Err(error.hint("add {\"type\": \"mount\"} to /linux/namespaces"));
    }
    let tree = mount::copy_tree(CWD, &plan.root.path, Depth::Tree).map_err(told)?;
    cut_off(&tree).map_err(told)?;
    let id = MountId::of(&tree).map_err(told)?;
    Ok(Some(Root { tree, id }))
}

impl Root {
    /// Lays it over the root file system's directory.
    ///
    /// # Errors
    /// As move_mount(2).
    pub fn attach(&self, plan: &Plan) -> Result<()> {
        let attached = file::open(CWD, &plan.root.path, OFlags::PATH | OFlags::DIRECTORY)
            .and_then(|place| mount::attach(&self.tree, place))
            // On a shared mount it has become a shared one itself.
            .and_then(|()| cut_off(&self.tree));
        attached.map_err(|fault| explain::root(plan, fault))
    }
}

fn cut_off(tree: &OwnedFd) -> std::result::Result<(), Fault> {
    let private = Attributes {
        propagation: libc::MS_PRIVATE,
        ..Attributes::default()
    };
    mount::set_attributes(tree, Depth::Tree, &private)
}

/// The root of a container that lives.
///
/// # Errors
/// It is mounted no more, or covered.
pub fn find(id: &MountId) -> Result<OwnedFd> {
    let doing = "find the container's root file system";
    match look(doing, id)? {
        Some(root) => Ok(root),
        None => {
            let why = "it is not mounted in this mount namespace".to_owned();
            Err(Error::new(doing, Object::Nothing, Cause::Refused(why)))
        }
    }
}

/// Takes it away with everything that is mounted below. One that is gone is removed.
///
/// # Errors
/// Another mount that lies over it.
pub fn remove(id: &MountId) -> Result<()> {
    let doing = "unmount the container's root file system";
    let Some(root) = look(doing, id)? else {
        return Ok(());
    };
    let here = file::open(CWD, c".", OFlags::PATH | OFlags::DIRECTORY);
    let gone = here.and_then(|here| {
        // umount2(2) takes a path, and "." is the one that cannot be led elsewhere.
        process::enter(&root)?;
        let gone = mount::detach_cwd();
        process::enter(here)?;
        gone
    });
    gone.map_err(|fault| Error::new(doing, Object::Nothing, fault.into()))
}

fn look(doing: &str, id: &MountId) -> Result<Option<OwnedFd>> {
    let found = Proc::open().and_then(|proc| id.open(&proc));
    found.map_err(|fault| {
        let error = Error::new(doing, Object::Nothing, fault.into());
        match fault.errno {
            libc::EBUSY => error.hint("something is mounted over it: unmount that first, or delete the container whose root it is"),
            _ => error,
        }
    })
}
