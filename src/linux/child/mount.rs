//! Propagation, the root file system, the mounts.

use super::make::READ_ONLY;
use super::{make, refuse};
use crate::linux::failure::{Miss, Of};
use crate::linux::held::Held;
use crate::plan::Plan;
use crate::plan::mounts::{Missing, MountOp, Seal, Source, SourceLink, TargetLinks};
use crate::plan::root::{Entry, Opener};
use crate::sys::mount::{self, Attributes, Depth};
use crate::sys::node::{self, Made, Parents};
use crate::sys::path::{self, Leaf, Links};
use crate::sys::{Call, Fault, file};
use rustix::fs::{CWD, OFlags};
use std::os::fd::{AsFd, OwnedFd};

/// Cuts this namespace's mounts off from the host's, as far as rootfsPropagation lets it.
pub fn propagation(p: &Plan) -> Result<(), Fault> {
    match p.root.host_propagation {
        // It is the host's own namespace: only what is copied from there is cut off, one by one.
        _ if p.root.entry == Entry::Chroot => Ok(()),
        // Shared mounts of the host stay peers; / itself may not, or our root would appear on the host.
        0 => mount::set_root_propagation(Depth::One, libc::MS_PRIVATE),
        flag => mount::set_root_propagation(Depth::Tree, flag),
    }
}

/// Lays a copy of the root file system over its own directory, where pivot_root finds a mount point and
/// createContainer hooks find what the container will see; its path on the host is walked here, once.
pub fn root(p: &Plan, h: &mut Held) -> Result<OwnedFd, Fault> {
    let tree = match h.root.take() {
        // The runtime has laid it, so that it can take it away.
        Some(tree) if p.root.entry == Entry::Chroot => return Ok(tree),
        Some(tree) => tree,
        None => mount::copy_tree(CWD, &p.root.path, Depth::Tree)?,
    };
    // A copy made in the host's namespace, or of a shared mount, is a peer of the host's.
    let cut = match p.root.host_propagation {
        0 => libc::MS_PRIVATE,
        _ => libc::MS_SLAVE,
    };
    if p.root.host_propagation == 0 || p.root.opener == Opener::Parent {
        mount::set_attributes(&tree, Depth::Tree, &propagating(cut))?;
    }
    match file::open(CWD, &p.root.path, OFlags::PATH | OFlags::DIRECTORY) {
        Ok(place) => {
            if p.root.host_propagation == 0 {
                // What is attached to a shared mount appears on the host.
                let around = path::root_of_mount(file::open(&place, c".", OFlags::PATH)?)?;
                mount::set_attributes(&around, Depth::One, &propagating(libc::MS_PRIVATE))?;
            }
            mount::attach(&tree, place)?;
        }
        // The container's user may not walk there; over / it needs no walk.
        Err(Fault {
            errno: libc::EACCES,
            ..
        }) if p.root.opener == Opener::Parent => mount::attach_on_root(&tree)?,
        Err(fault) => return Err(fault),
    }
    Ok(tree)
}

/// Cuts a copy of a single mount of the host's off from it, where nothing else does.
pub(super) fn cut_off(p: &Plan, copy: &OwnedFd) -> Result<(), Fault> {
    match p.root.entry {
        Entry::Chroot => mount::set_attributes(copy, Depth::Tree, &propagating(libc::MS_PRIVATE)),
        Entry::Pivot | Entry::MoveAndChroot => Ok(()),
    }
}

fn propagating(propagation: u64) -> Attributes {
    Attributes {
        propagation,
        ..Attributes::default()
    }
}

/// All of /mounts, in order. What is made read-only only at the end keeps its descriptor until then.
pub fn all(p: &Plan, h: &mut Held, root: &OwnedFd) -> Result<(), Miss> {
    for (index, (op, tree)) in p.mounts.iter().zip(&mut h.trees).enumerate() {
        let made = match &op.source {
            Source::Again { .. } => again(op, root),
            _ => one(op, tree.take(), root),
        }
        .of(index)?;
        if op.seal == Seal::AtTheEnd {
            *tree = Some(made);
        }
    }
    Ok(())
}

/// Makes read-only what the devices and mount points above have been made in.
pub fn seal(p: &Plan, h: &Held) -> Result<(), Fault> {
    let sealed = p
        .mounts
        .iter()
        .zip(&h.trees)
        .filter(|(op, _)| op.seal == Seal::AtTheEnd);
    for mount in sealed.filter_map(|(_, tree)| tree.as_ref()) {
        mount::set_attributes(
            mount,
            Depth::One,
            &Attributes {
                set: READ_ONLY,
                ..Attributes::default()
            },
        )?;
    }
    Ok(())
}

/// The flags of a mount that is there already.
fn again(op: &MountOp, root: &OwnedFd) -> Result<OwnedFd, Miss> {
    let there = path::find(root.as_fd(), &op.target, links(op))?;
    make::change_again(op, &there)?;
    propagate(op, &there)?;
    Ok(there)
}

const fn links(op: &MountOp) -> Links {
    match op.links {
        TargetLinks::Inside => Links::Inside,
        TargetLinks::Refuse => Links::Refuse,
        TargetLinks::LastItself => Links::LastItself,
    }
}

fn one(op: &MountOp, tree: Option<OwnedFd>, root: &OwnedFd) -> Result<OwnedFd, Miss> {
    let links = links(op);
    let there = match path::find(root.as_fd(), &op.target, links) {
        Err(Fault {
            errno: libc::ENOENT,
            ..
        }) if links != Links::LastItself => None,
        found => Some(found?),
    };
    if let Some(there) = &there {
        guard_proc(op, there)?;
    }
    let made = match (
        make::complete(op, &op.source, tree, there.as_ref()),
        &op.otherwise,
    ) {
        (
            Err(Miss {
                fault:
                    Fault {
                        errno: libc::EPERM | libc::EBUSY,
                        ..
                    },
                ..
            }),
            Some(second),
        ) => make::complete(op, second, None, there.as_ref())?,
        (first, _) => first?,
    };
    // While it is attached nowhere: a copy made in the host's namespace is the host's peer until now.
    propagate(op, &made)?;
    if copies_link(op) && path::is_link(&made)? {
        link(op, root, &made)?;
        return Ok(made);
    }
    let target = match there {
        Some(there) => there,
        None => {
            let target = path::make(root.as_fd(), &op.target, links, leaf(op, &made)?)?;
            guard_proc(op, &target)?;
            target
        }
    };
    attach(&made, &target)?;
    Ok(made)
}

fn propagate(op: &MountOp, mount: &OwnedFd) -> Result<(), Fault> {
    for flags in &op.propagation {
        let depth = if flags & libc::MS_REC == 0 {
            Depth::One
        } else {
            Depth::Tree
        };
        let propagation = flags & !libc::MS_REC;
        mount::set_attributes(mount, depth, &propagating(propagation))?;
    }
    Ok(())
}

const fn copies_link(op: &MountOp) -> bool {
    matches!(
        op.source,
        Source::Bind {
            link: SourceLink::Copy,
            ..
        }
    )
}

/// A link with the text of the source's, in the place of a mount. What has its name must be the same link.
fn link(op: &MountOp, root: &OwnedFd, source: &OwnedFd) -> Result<(), Fault> {
    let mut parents = Parents::new(root.as_fd());
    let (dir, name) = parents.of(&op.target)?;
    let text = path::link_text(source.as_fd())?;
    match node::make_link(dir, name, text.as_c())? {
        Made::Before if !node::is_link_to(dir, name, text.as_c())? => {
            Err(refuse(Call::Symlinkat, libc::EEXIST))
        }
        _ => Ok(()),
    }
}

/// The kernel answers EINVAL, among other things, for a directory onto a file; mount(2) said ENOTDIR,
/// which is what it is, and what callers look for.
fn attach(made: &OwnedFd, target: &OwnedFd) -> Result<(), Fault> {
    match mount::attach(made, target) {
        Err(fault)
            if fault.errno == libc::EINVAL
                && path::is_directory(made)? != path::is_directory(target)? =>
        {
            Err(Fault {
                errno: libc::ENOTDIR,
                ..fault
            })
        }
        other => other,
    }
}

fn leaf(op: &MountOp, made: &OwnedFd) -> Result<Leaf, Fault> {
    match op.missing {
        Missing::LikeSource if !path::is_directory(made)? => Ok(Leaf::File(0o644)),
        _ => Ok(Leaf::Directory(0o755)),
    }
}

/// The plan knows where /proc is by name; a link of the image may lead there by another (CVE-2019-16884).
fn guard_proc(op: &MountOp, target: &OwnedFd) -> Result<(), Fault> {
    if !op.may_cover_proc() && path::file_system(target)? == path::PROC {
        return Err(refuse(Call::Fstatfs, libc::EPERM));
    }
    Ok(())
}
