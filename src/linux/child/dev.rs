//! Device nodes, links, and the streams onto them.

use super::refuse;
use crate::linux::failure::{Miss, Of};
use crate::plan::Plan;
use crate::plan::devices::{Device, InTheWay, Link, Make};
use crate::sys::mount::{self, Depth};
use crate::sys::node::Made;
use crate::sys::path::{self, Leaf, Links};
use crate::sys::{Call, Fault, exec, file, node};
use rustix::fs::{CWD, FileType, OFlags};
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Makes the nodes, then the links.
pub fn populate(p: &Plan, root: &OwnedFd) -> Result<(), Miss> {
    let mut parents = node::Parents::new(root.as_fd());
    for (index, device) in p.devices.nodes.iter().enumerate() {
        let (dir, name) = parents.of(&device.path).of(index)?;
        let made = match device.make {
            Make::Node | Make::NodeOrBind => node(dir, name, device),
            Make::Bind => bind(p, root.as_fd(), device),
        };
        match made {
            Err(Fault {
                errno: libc::EPERM, ..
            }) if device.make == Make::NodeOrBind => bind(p, root.as_fd(), device),
            made => made,
        }
        .of(index)?;
    }
    for link in &p.devices.links {
        let (dir, name) = parents.of(&link.path)?;
        self::link(dir, name, link)?;
    }
    Ok(())
}

/// One link; the image's own file of its name stays or goes, as the plan says.
fn link(dir: BorrowedFd<'_>, name: &CStr, link: &Link) -> Result<(), Fault> {
    match (node::make_link(dir, name, &link.target)?, link.in_the_way) {
        (Made::Now, _) | (Made::Before, InTheWay::Keep) => Ok(()),
        (Made::Before, InTheWay::Replace) => node::replace_by_link(dir, name, &link.target),
    }
}

/// One node; a name that exists must already be that very node.
fn node(dir: BorrowedFd<'_>, name: &CStr, device: &Device) -> Result<(), Fault> {
    let number = path::device(device.major, device.minor);
    match node::make_node(dir, name, device.mode, number) {
        Err(fault) if fault.errno == libc::EEXIST => {
            let there = path::find(dir, name, Links::Refuse)?;
            return if is_device(there.as_fd(), device)? {
                Ok(())
            } else {
                Err(fault)
            };
        }
        other => other?,
    }
    if device.uid != 0 || device.gid != 0 {
        let made = path::find(dir, name, Links::Refuse)?;
        node::set_owner(made.as_fd(), device.uid, device.gid)?;
    }
    Ok(())
}

/// Whether the descriptor shows this device, by its kind and its numbers.
fn is_device(fd: BorrowedFd<'_>, device: &Device) -> Result<bool, Fault> {
    let stat = path::look(fd)?;
    let number = path::device(device.major, device.minor);
    Ok(path::kind(&stat) == FileType::from_raw_mode(device.mode) && stat.st_rdev == number)
}

/// The host's node of the same path, if it is the very device that is asked for.
fn bind(p: &Plan, root: BorrowedFd<'_>, device: &Device) -> Result<(), Fault> {
    let host = file::open(CWD, c"/", OFlags::PATH)?;
    let copy = mount::copy_tree(host, &device.path, Depth::One)?;
    if !is_device(copy.as_fd(), device)? {
        return Err(refuse(Call::OpenTree, libc::ENODEV));
    }
    super::mount::cut_off(p, &copy)?;
    let target = path::find_or_make(root, &device.path, Links::Inside, Leaf::File(0o644))?;
    mount::attach(copy, target)
}

/// A standard stream that is the host's null device becomes the container's.
pub fn streams_onto_null(root: &OwnedFd) -> Result<(), Fault> {
    let mut null = None;
    for number in 0..=2 {
        if !is_null(exec::stream(number))? {
            continue;
        }
        if null.is_none() {
            match path::open_file(root.as_fd(), c"dev/null", OFlags::RDWR) {
                Ok(opened) if is_null(opened.as_fd())? => null = Some(opened),
                // A container without a null device keeps what its caller gave it, whatever has the name there.
                _ => return Ok(()),
            }
        }
        if let Some(fd) = &null {
            exec::lay_over(fd, number)?;
        }
    }
    Ok(())
}

/// Whether the descriptor shows the null device, 1:3.
pub fn is_null(fd: BorrowedFd<'_>) -> Result<bool, Fault> {
    let stat = path::look(fd)?;
    Ok(path::kind(&stat) == FileType::CharacterDevice && stat.st_rdev == path::device(1, 3))
}
