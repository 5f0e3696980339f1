//! Propagation, the root file system, the mounts.

use crate::linux::failure::{Miss, Of};
use crate::linux::held::Held;
use crate::plan::Plan;
use crate::plan::mounts::{AttrChange, Missing, MountOp, Recursive, Source, TargetLinks};
use crate::plan::root::Opener;
use crate::sys::mount::{self, Attributes, Depth};
use crate::sys::path::{self, Leaf, Links};
use crate::sys::{Fault, mount as sys_mount};
use rustix::fs::CWD;
use std::os::fd::{AsFd, OwnedFd};

/// Cuts this namespace's mounts off from the host's, as far as rootfsPropagation lets it.
pub fn propagation(p: &Plan) -> Result<(), Fault> {
    match p.root.host_propagation {
        // Shared mounts of the host stay peers; / itself may not, or our root would appear on the host.
        0 => sys_mount::set_root_propagation(Depth::One, libc::MS_PRIVATE),
        flag => sys_mount::set_root_propagation(Depth::Tree, flag),
    }
}

/// Lays the root file system over /, where pivot_root finds it as a mount point; its path on the host
/// is walked once, here.
pub fn root(p: &Plan, h: &mut Held) -> Result<OwnedFd, Fault> {
    let tree = match h.root.take() {
        Some(tree) => tree,
        None => mount::copy_tree(CWD, &p.root.path, Depth::Tree)?,
    };
    // A copy made in the host's namespace, or of a shared mount, is a peer of the host's.
    let cut = match p.root.host_propagation {
        0 => libc::MS_PRIVATE,
        _ => libc::MS_SLAVE,
    };
    if p.root.host_propagation == 0 || p.root.opener == Opener::Parent {
        mount::set_attributes(&tree, Depth::Tree, &Attributes { propagation: cut, ..Attributes::default() })?;
    }
    mount::attach_on_root(&tree)?;
    Ok(tree)
}

/// All of /mounts, in order.
pub fn all(p: &Plan, h: &mut Held, root: &OwnedFd) -> Result<(), Miss> {
    for (index, (op, tree)) in p.mounts.iter().zip(&mut h.trees).enumerate() {
        one(op, tree.take(), root).of(index)?;
    }
    Ok(())
}

fn one(op: &MountOp, tree: Option<OwnedFd>, root: &OwnedFd) -> Result<(), Miss> {
    let made = match (make(&op.source, tree), &op.otherwise) {
        (Err(Miss { fault: Fault { errno: libc::EPERM | libc::EBUSY, .. }, .. }), Some(second)) => make(second, None)?,
        (first, _) => first?,
    };
    let leaf = match op.missing {
        Missing::LikeSource if !path::is_directory(&made)? => Leaf::File(0o644),
        _ => Leaf::Directory(0o755),
    };
    let links = match op.links {
        TargetLinks::Inside => Links::Inside,
        TargetLinks::Refuse => Links::Refuse,
    };
    let target = path::find_or_make(root.as_fd(), &op.target, links, leaf)?;
    mount::attach(&made, &target)?;
    for flags in &op.propagation {
        let depth = if flags & libc::MS_REC == 0 { Depth::One } else { Depth::Tree };
        let propagation = flags & !libc::MS_REC;
        mount::set_attributes(&made, depth, &Attributes { propagation, ..Attributes::default() })?;
    }
    Ok(())
}

/// The mount, complete but attached nowhere.
fn make(source: &Source, tree: Option<OwnedFd>) -> Result<OwnedFd, Miss> {
    match source {
        Source::New { kind, options, attributes } => {
            let filesystem = mount::open_filesystem(kind)?;
            for option in options {
                mount::set_option(filesystem.as_fd(), &option.key, option.value.as_deref()).part(option.index)?;
            }
            mount::make_filesystem(filesystem.as_fd())?;
            Ok(mount::detached_mount(filesystem.as_fd(), *attributes)?)
        }
        Source::Bind { path, recursive, attributes, tree_attributes, .. } => {
            let depth = if *recursive == Recursive::Yes { Depth::Tree } else { Depth::One };
            let copy = match tree {
                Some(tree) => tree,
                None => mount::copy_tree(CWD, path, depth)?,
            };
            change(&copy, Depth::One, attributes)?;
            change(&copy, Depth::Tree, tree_attributes)?;
            Ok(copy)
        }
    }
}

fn change(mount: &OwnedFd, depth: Depth, change: &AttrChange) -> Result<(), Fault> {
    if change.is_nothing() {
        return Ok(());
    }
    sys_mount::set_attributes(mount, depth, &Attributes { set: change.set, clear: change.clear, ..Attributes::default() })
}
