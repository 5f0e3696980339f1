//! One mount, complete but attached nowhere; or the change of one that is there.

use crate::linux::failure::{Miss, Of};
use crate::plan::mounts::{
    AttrChange, Begins, FsOption, MountOp, Recursive, Seal, Source, SourceLink,
};
use crate::sys::copy::{self, Top};
use crate::sys::mount::{self, Attributes, Depth};
use crate::sys::{Fault, path};
use rustix::fs::CWD;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// `MOUNT_ATTR_RDONLY`; mount_setattr(2).
pub(super) const READ_ONLY: u64 = 1;

/// Makes it; `tree` is what the parent has opened, `there` what will be covered.
pub(super) fn complete(
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
            begins,
            root_label,
        } => {
            let filesystem = mount::open_filesystem(kind)?;
            set_options(filesystem.as_fd(), options)?;
            if let (b"tmpfs", Some(there)) = (kind.to_bytes(), there) {
                keep_mode(filesystem.as_fd(), options, there)?;
            }
            mount::make_filesystem(filesystem.as_fd())?;
            let attributes = attributes & !later(op);
            let made = mount::detached_mount(filesystem.as_fd(), attributes)?;
            if let Some(label) = root_label {
                copy::label(made.as_fd(), label)?;
            }
            if let (Begins::AsCovered(index), Some(there)) = (begins, there) {
                copy::content(there.as_fd(), made.as_fd(), top(options)).part(*index)?;
            }
            Ok(made)
        }
        Source::Bind {
            path,
            recursive,
            attributes,
            tree_attributes,
            link,
            ..
        } => {
            let depth = depth(*recursive);
            let copy = match (tree, link) {
                (Some(tree), _) => tree,
                (None, SourceLink::Follow) => mount::copy_tree(CWD, path, depth)?,
                (None, _) => mount::copy_unfollowed(CWD, path, depth)?,
            };
            change(&copy, Depth::One, attributes)?;
            change(&copy, Depth::Tree, tree_attributes)?;
            Ok(copy)
        }
        // It is made already: the caller changes it where it is.
        Source::Again { .. } => {
            Err(super::refuse(crate::sys::Call::MountSetattr, libc::EINVAL).into())
        }
    }
}

/// Changes the mount at `there`: its file system's options, then its attributes.
pub(super) fn change_again(op: &MountOp, there: &OwnedFd) -> Result<(), Miss> {
    let Source::Again {
        options,
        attributes,
        tree_attributes,
    } = &op.source
    else {
        return Ok(());
    };
    if !options.is_empty() {
        let filesystem = mount::pick_filesystem(there)?;
        set_options(filesystem.as_fd(), options)?;
        mount::change_filesystem(filesystem.as_fd())?;
    }
    let now = AttrChange {
        set: attributes.set & !later(op),
        clear: attributes.clear,
    };
    change(there, Depth::One, &now)?;
    Ok(change(there, Depth::Tree, tree_attributes)?)
}

/// Attributes that wait until everything in the mount has been made.
fn later(op: &MountOp) -> u64 {
    match op.seal {
        Seal::AtTheEnd => READ_ONLY,
        Seal::AtOnce => 0,
    }
}

const fn depth(recursive: Recursive) -> Depth {
    match recursive {
        Recursive::Yes => Depth::Tree,
        Recursive::No => Depth::One,
    }
}

fn set_options(filesystem: BorrowedFd<'_>, options: &[FsOption]) -> Result<(), Miss> {
    for option in options {
        let value = option.value.as_deref();
        mount::set_option(filesystem, &option.key, value).part(option.index)?;
    }
    Ok(())
}

fn has(options: &[FsOption], keys: &[&[u8]]) -> bool {
    let mut given = options.iter();
    given.any(|option| keys.contains(&option.key.to_bytes()))
}

/// What the options say of the root of a tmpfs goes before what it covers.
fn top(options: &[FsOption]) -> Top {
    if has(options, &[b"mode", b"uid", b"gid"]) {
        Top::Own
    } else {
        Top::Alike
    }
}

/// A tmpfs over a directory of the image gets that directory's mode, unless its options give one.
fn keep_mode(
    filesystem: BorrowedFd<'_>,
    options: &[FsOption],
    there: &OwnedFd,
) -> Result<(), Fault> {
    if has(options, &[b"mode"]) {
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
    let attributes = Attributes {
        set: change.set,
        clear: change.clear,
        ..Attributes::default()
    };
    mount::set_attributes(mount, depth, &attributes)
}
