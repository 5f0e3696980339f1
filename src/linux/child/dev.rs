//! Device nodes, links, and the streams onto them.

use crate::linux::failure::{Miss, Of};
use crate::plan::Plan;
use crate::plan::devices::{Device, Make};
use crate::sys::mount::{self, Depth};
use crate::sys::path::{self, Leaf, Links};
use crate::sys::{Call, Fault, exec, node};
use rustix::fs::{CWD, FileType, OFlags};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Makes the nodes, then the links.
pub fn populate(p: &Plan, root: &OwnedFd) -> Result<(), Miss> {
    let mut parents = node::Parents::new(root.as_fd());
    for (index, device) in p.devices.nodes.iter().enumerate() {
        let (dir, name) = parents.of(&device.path).of(index)?;
        match &device.make {
            Make::Node => node(dir, name, device),
            Make::Bind(host) => bind(root.as_fd(), &device.path, host),
        }
        .of(index)?;
    }
    for link in &p.devices.links {
        let (dir, name) = parents.of(&link.path)?;
        node::make_link(dir, name, &link.target)?;
    }
    Ok(())
}

/// One node; a name that exists must already be that very node.
fn node(dir: BorrowedFd<'_>, name: &std::ffi::CStr, device: &Device) -> Result<(), Fault> {
    let number = path::device(device.major, device.minor);
    match node::make_node(dir, name, device.mode, number) {
        Err(Fault {
            errno: libc::EEXIST,
            ..
        }) => return same_node(dir, name, device, number),
        other => other?,
    }
    if device.uid != 0 || device.gid != 0 {
        let made = path::find(dir, name, Links::Refuse)?;
        node::set_owner(made.as_fd(), device.uid, device.gid)?;
    }
    Ok(())
}

fn same_node(
    dir: BorrowedFd<'_>,
    name: &std::ffi::CStr,
    device: &Device,
    number: u64,
) -> Result<(), Fault> {
    let stat = path::look(path::find(dir, name, Links::Refuse)?)?;
    let same = path::kind(&stat) == FileType::from_raw_mode(device.mode) && stat.st_rdev == number;
    if same {
        Ok(())
    } else {
        Err(Fault {
            call: Call::Mknodat,
            errno: libc::EEXIST,
        })
    }
}

fn bind(root: BorrowedFd<'_>, target: &std::ffi::CStr, host: &std::ffi::CStr) -> Result<(), Fault> {
    let copy = mount::copy_tree(CWD, host, Depth::One)?;
    let target = path::find_or_make(root, target, Links::Inside, Leaf::File(0o644))?;
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
                // A container without a null device keeps what its caller gave it.
                Err(Fault {
                    errno: libc::ENOENT | libc::ENXIO | libc::EACCES | libc::ELOOP | libc::ENOTDIR,
                    ..
                }) => return Ok(()),
                opened => {
                    let opened = opened?;
                    if !is_null(opened.as_fd())? {
                        return Ok(());
                    }
                    null = Some(opened);
                }
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
