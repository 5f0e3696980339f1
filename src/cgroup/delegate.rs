//! Handing the group over: its directory and the files that the kernel says may be given away
//! (cgroup-v2.rst, "Delegation"; config-linux.md, "Cgroup ownership"). The limits stay their maker's.

use super::Cgroup;
use crate::error::{Error, Result};
use crate::sys::{file, node};
use rustix::fs::{CWD, OFlags};
use std::ffi::CString;
use std::os::fd::AsFd;

/// Where the kernel lists them, since Linux 4.15.
const LIST: &std::ffi::CStr = c"/sys/kernel/cgroup/delegate";

/// What may be given away on every kernel.
const ALWAYS: &str = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";

/// Makes `owner`, a user id of the host's, the owner of the group. The group's files keep their group.
///
/// # Errors
/// As fchownat(2).
pub fn hand_over(cgroup: &Cgroup, owner: u32) -> Result<()> {
    let doing = "hand the cgroup over to the container's user";
    let mut buffer = [0; 1024];
    let list = file::open(CWD, LIST, OFlags::RDONLY)
        .and_then(|fd| file::read_some(fd, &mut buffer))
        .map_or(ALWAYS.into(), String::from_utf8_lossy);
    node::set_user(cgroup.dir.as_fd(), owner)
        .map_err(|fault| Error::file(doing, &cgroup.path, fault))?;
    for name in list
        .lines()
        .filter(|name| !name.is_empty() && !name.contains('/'))
    {
        let given = CString::new(name).unwrap_or_default();
        match file::open(&cgroup.dir, &given, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(fd) => node::set_user(fd.as_fd(), owner)
                .map_err(|fault| Error::file(doing, cgroup.path.join(name), fault))?,
            // A file of a controller that this group has not.
            Err(fault) if fault.errno == libc::ENOENT => {}
            Err(fault) => return Err(Error::file(doing, cgroup.path.join(name), fault)),
        }
    }
    Ok(())
}
