//! Read-only and masked paths, all by descriptor and all below the root.

use super::dev::is_null;
use super::make::READ_ONLY;
use super::refuse;
use crate::linux::failure::{Miss, Of};
use crate::plan::Plan;
use crate::plan::masks::Covered;
use crate::sys::mount::{self, Attributes, Depth};
use crate::sys::path::{self, Links};
use crate::sys::{Call, Fault};
use rustix::fs::CWD;
use std::os::fd::{AsFd, OwnedFd};

/// A copy of the host's null device, taken while the host's files are in reach and proved by its
/// numbers (CVE-2025-31133); only where a masked path needs it, as an unused mount is dear to close.
pub fn null(p: &Plan, root: &OwnedFd) -> Result<Option<OwnedFd>, Miss> {
    for (index, covered) in p.masks.masked.iter().enumerate() {
        if let Some(target) = existing(root, covered).of(index)?
            && !path::is_directory(&target)?
        {
            let copy = mount::copy_tree(CWD, c"/dev/null", Depth::One)?;
            if !is_null(copy.as_fd())? {
                return Err(refuse(Call::OpenTree, libc::ENXIO).into());
            }
            super::mount::cut_off(p, &copy)?;
            // The device is the host's own file: its mode and owner are not the container's to change.
            let attributes = Attributes {
                set: READ_ONLY,
                ..Attributes::default()
            };
            mount::set_attributes(&copy, Depth::One, &attributes)?;
            return Ok(Some(copy));
        }
    }
    Ok(None)
}

/// Lays a read-only copy of each path over itself.
pub fn read_only(p: &Plan, root: &OwnedFd) -> Result<(), Miss> {
    for (index, covered) in p.masks.read_only.iter().enumerate() {
        let Some(target) = existing(root, covered).of(index)? else {
            continue;
        };
        let copy = mount::copy_tree(&target, c"", Depth::Tree).of(index)?;
        let attributes = Attributes {
            set: READ_ONLY,
            ..Attributes::default()
        };
        mount::set_attributes(&copy, Depth::Tree, &attributes).of(index)?;
        mount::attach(copy, target).of(index)?;
    }
    Ok(())
}

/// Lays one empty read-only directory, or the null device, over each path: the first of a kind is
/// attached, the others are copies of it.
pub fn masked(p: &Plan, root: &OwnedFd, null: Option<OwnedFd>) -> Result<(), Miss> {
    let mut file = Layer {
        mount: null,
        attached: false,
    };
    let mut directory = Layer {
        mount: None,
        attached: false,
    };
    for (index, covered) in p.masks.masked.iter().enumerate() {
        let Some(target) = existing(root, covered).of(index)? else {
            continue;
        };
        if !path::is_directory(&target).of(index)? {
            file.lay(&target).of(index)?;
            continue;
        }
        if directory.mount.is_none() {
            directory.mount = Some(empty_directory(p).of(index)?);
        }
        directory.lay(&target).of(index)?;
    }
    Ok(())
}

struct Layer {
    mount: Option<OwnedFd>,
    attached: bool,
}

impl Layer {
    fn lay(&mut self, target: &OwnedFd) -> Result<(), Fault> {
        // A path became a file between the look and now: nothing to cover it with.
        let Some(layer) = &self.mount else {
            return Err(refuse(Call::OpenTree, libc::ESTALE));
        };
        if self.attached {
            return mount::attach(mount::copy_tree(layer, c"", Depth::One)?, target);
        }
        self.attached = true;
        mount::attach(layer, target)
    }
}

fn empty_directory(p: &Plan) -> Result<OwnedFd, Fault> {
    let filesystem = mount::open_filesystem(c"tmpfs")?;
    mount::set_option(filesystem.as_fd(), c"nr_blocks", Some(c"1"))?;
    mount::set_option(filesystem.as_fd(), c"nr_inodes", Some(c"1"))?;
    mount::set_option(filesystem.as_fd(), c"mode", Some(c"0755"))?;
    if let Some(label) = &p.mount_label {
        mount::set_option(filesystem.as_fd(), label.option, Some(&label.value))?;
    }
    mount::make_filesystem(filesystem.as_fd())?;
    mount::detached_mount(filesystem.as_fd(), READ_ONLY)
}

/// The path's object; `None` where there is none, which the specification lets pass.
fn existing(root: &OwnedFd, covered: &Covered) -> Result<Option<OwnedFd>, Fault> {
    match path::find(root.as_fd(), &covered.path, Links::Inside) {
        Err(Fault {
            errno: libc::ENOENT | libc::ENOTDIR,
            ..
        }) => Ok(None),
        other => other.map(Some),
    }
}
