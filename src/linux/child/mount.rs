//! Propagation, the root file system, the mounts.

use super::pivot::READ_ONLY;
use super::refuse;
use crate::linux::failure::{Miss, Of};
use crate::linux::held::Held;
use crate::plan::Plan;
use crate::plan::mounts::{
    AttrChange, FsOption, Missing, MountOp, Recursive, Seal, Source, TargetLinks,
};
use crate::plan::root::Opener;
use crate::sys::mount::{self, Attributes, Depth};
use crate::sys::path::{self, Leaf, Links};
use crate::sys::{Call, Fault, file, mount as sys_mount};
use rustix::fs::{CWD, OFlags};
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Cuts this namespace's mounts off from the host's, as far as rootfsPropagation lets it.
pub fn propagation(p: &Plan) -> Result<(), Fault> {
    match p.root.host_propagation {
        // Shared mounts of the host stay peers; / itself may not, or our root would appear on the host.
        0 => sys_mount::set_root_propagation(Depth::One, libc::MS_PRIVATE),
        flag => sys_mount::set_root_propagation(Depth::Tree, flag),
    }
}

/// Lays a copy of the root file system over its own directory, where pivot_root finds a mount point and
/// createContainer hooks find what the container will see; its path on the host is walked here, once.
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

fn propagating(propagation: u64) -> Attributes {
    Attributes {
        propagation,
        ..Attributes::default()
    }
}

/// All of /mounts, in order. What is made read-only only at the end keeps its descriptor until then.
pub fn all(p: &Plan, h: &mut Held, root: &OwnedFd) -> Result<(), Miss> {
    for (index, (op, tree)) in p.mounts.iter().zip(&mut h.trees).enumerate() {
        let made = one(op, tree.take(), root).of(index)?;
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
        sys_mount::set_attributes(
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

fn one(op: &MountOp, tree: Option<OwnedFd>, root: &OwnedFd) -> Result<OwnedFd, Miss> {
    let links = match op.links {
        TargetLinks::Inside => Links::Inside,
        TargetLinks::Refuse => Links::Refuse,
    };
    let there = match path::find(root.as_fd(), &op.target, links) {
        Err(Fault {
            errno: libc::ENOENT,
            ..
        }) => None,
        found => Some(found?),
    };
    let made = match (make(op, &op.source, tree, there.as_ref()), &op.otherwise) {
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
        ) => make(op, second, None, there.as_ref())?,
        (first, _) => first?,
    };
    // While it is attached nowhere: a copy made in the host's namespace is the host's peer until now.
    for flags in &op.propagation {
        let depth = if flags & libc::MS_REC == 0 {
            Depth::One
        } else {
            Depth::Tree
        };
        let propagation = flags & !libc::MS_REC;
        mount::set_attributes(&made, depth, &propagating(propagation))?;
    }
    let target = match there {
        Some(there) => there,
        None => path::make(root.as_fd(), &op.target, links, leaf(op, &made)?)?,
    };
    guard_proc(op, &target)?;
    attach(&made, &target)?;
    Ok(made)
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

/// The mount, complete but attached nowhere.
fn make(
    op: &MountOp,
    source: &Source,
    tree: Option<OwnedFd>,
    there: Option<&OwnedFd>,
) -> Result<OwnedFd, Miss> {
    match source {
        Source::New {
            kind,
            options,
            attributes,
        } => {
            let filesystem = mount::open_filesystem(kind)?;
            for option in options {
                mount::set_option(filesystem.as_fd(), &option.key, option.value.as_deref())
                    .part(option.index)?;
            }
            if let (b"tmpfs", Some(there)) = (kind.to_bytes(), there) {
                keep_mode(filesystem.as_fd(), options, there)?;
            }
            mount::make_filesystem(filesystem.as_fd())?;
            let later = if op.seal == Seal::AtTheEnd {
                READ_ONLY
            } else {
                0
            };
            Ok(mount::detached_mount(
                filesystem.as_fd(),
                attributes & !later,
            )?)
        }
        Source::Bind {
            path,
            recursive,
            attributes,
            tree_attributes,
            ..
        } => {
            let depth = if *recursive == Recursive::Yes {
                Depth::Tree
            } else {
                Depth::One
            };
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

/// A tmpfs over a directory of the image gets that directory's mode, unless its options give one.
fn keep_mode(
    filesystem: BorrowedFd<'_>,
    options: &[FsOption],
    there: &OwnedFd,
) -> Result<(), Fault> {
    if options
        .iter()
        .any(|option| option.key.to_bytes() == b"mode")
    {
        return Ok(());
    }
    let mode = path::look(there)?.st_mode;
    let digit = |shift: u32| b'0' + (mode >> shift & 7).to_le_bytes()[0];
    let text = [digit(9), digit(6), digit(3), digit(0), 0];
    let value = CStr::from_bytes_until_nul(&text).unwrap_or(c"1777");
    mount::set_option(filesystem, c"mode", Some(value))
}

fn change(mount: &OwnedFd, depth: Depth, change: &AttrChange) -> Result<(), Fault> {
    if change.is_nothing() {
        return Ok(());
    }
    sys_mount::set_attributes(
        mount,
        depth,
        &Attributes {
            set: change.set,
            clear: change.clear,
            ..Attributes::default()
        },
    )
}
