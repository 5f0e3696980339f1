//! What CRIU does not bring back, done while nothing of the container's runs yet.
//!
//! The images hold the flags of each mount, but not those of the root, which is a mount of the host's; and of
//! several binds of one source only the first gets its own. A network namespace comes up empty.

use crate::error::{Cause, Error, Object, Result};
use crate::linux::parent::net::{self, Given};
use crate::plan::Plan;
use crate::plan::birth::Kind;
use crate::plan::root::Access;
use crate::sys::mount::{self, Attributes, Depth};
use crate::sys::path::{self, Links};
use crate::sys::proc::Proc;
use crate::sys::{Fault, file, process};
use rustix::fs::{CWD, OFlags};
use std::ffi::CStr;
use std::os::fd::AsFd;

/// Makes the root and the null devices over masked files read-only again, in the mount namespace of process `pid`.
///
/// # Errors
/// As setns(2) and mount_setattr(2).
pub fn seal(plan: &Plan, pid: i32, proc: &Proc) -> Result<()> {
    let told = |fault| {
        let doing = "make what was read-only so again";
        Error::new(doing, Object::Process(pid), Cause::from(fault))
    };
    if plan.root.access == Access::ReadWrite && plan.masks.masked.is_empty() {
        return Ok(());
    }
    let home = proc.namespace(c"mnt").map_err(told)?;
    let there = proc.namespace_of(pid, c"mnt").map_err(told)?;
    let here = file::open(CWD, c".", OFlags::PATH).map_err(told)?;
    let kind = Kind::Mount.flag();
    process::join(there.as_fd(), kind).map_err(told)?;
    let done = sealed(plan).map_err(told);
    let back = process::join(home.as_fd(), kind).and_then(|()| process::enter(here));
    done.and(back.map_err(told))
}

fn sealed(plan: &Plan) -> std::result::Result<(), Fault> {
    let root = file::open(CWD, c"/", OFlags::PATH)?;
    if plan.root.access == Access::ReadOnly {
        read_only(&root)?;
    }
    for covered in &plan.masks.masked {
        let covering = |path: &CStr| path::find(root.as_fd(), path, Links::Inside);
        match covering(&covered.path) {
            Ok(mount) if !path::is_directory(&mount)? => read_only(mount)?,
            // Nothing there, or an empty directory whose flags are its own.
            _ => {}
        }
    }
    Ok(())
}

fn read_only(mount: impl AsFd) -> std::result::Result<(), Fault> {
    let attributes = Attributes {
        set: libc::MOUNT_ATTR_RDONLY,
        ..Attributes::default()
    };
    mount::set_attributes(mount, Depth::One, &attributes)
}

/// Brings the loopback device up in a network namespace that process `pid` has of its own, and moves the
/// devices in that are given to it.
///
/// # Errors
/// As the kernel answers; the devices are given back then.
pub fn network(plan: &Plan, pid: i32, proc: &Proc) -> Result<Vec<Given>> {
    if plan.birth.makes(Kind::Network) {
        net::loopback_of(pid, proc)?;
    }
    let mut given = Vec::new();
    for device in &plan.net_devices {
        match net::give(device, pid, proc) {
            Ok(one) => given.push(one),
            Err(error) => {
                let back = given.iter().filter_map(|one| one.take_back().err());
                return Err(error.also(back));
            }
        }
    }
    Ok(given)
}
