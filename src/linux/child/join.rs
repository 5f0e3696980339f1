//! Joining namespaces, and becoming root in them; setns(2), user_namespaces(7).

use crate::linux::failure::{Miss, Of};
use crate::linux::held::Held;
use crate::plan::Plan;
use crate::plan::birth::{BecomeRoot, Joiner, Kind, NewCgroup, UserNamespace};
use crate::plan::user::Groups;
use crate::sys::Fault;
use crate::sys::process::{self, Dumpable};
use std::os::fd::{AsFd, BorrowedFd};

/// Makes a time namespace, writes its offsets while nobody is in it, and enters it.
pub fn clocks(p: &Plan, h: &Held) -> Result<(), Fault> {
    let Some(clocks) = &p.birth.clocks else {
        return Ok(());
    };
    process::unshare_time()?;
    h.proc.write_own(c"timens_offsets", &clocks.bytes)?;
    let made = h.proc.namespace(c"time_for_children")?;
    process::join(made.as_fd(), Kind::Time.flag())
}

/// Joins what only this process can join, and closes itself to those who live there already.
pub fn namespaces(p: &Plan, h: &Held) -> Result<(), Miss> {
    // From here on others in a shared pid namespace could look into our descriptors (CVE-2016-9962).
    process::set_dumpable(Dumpable::No)?;
    for (index, kind, fd) in h.joins_of(p, Joiner::Child) {
        process::join(fd.as_fd(), kind).of(index)?;
    }
    Ok(())
}

/// Joins namespaces of a container's first process, all at once and the user namespace first; setns(2) of a
/// pidfd, since Linux 5.8. The working directory is the container's root then.
pub fn those_of(init: BorrowedFd<'_>, kinds: u32) -> Result<(), Fault> {
    if kinds == 0 {
        return Ok(());
    }
    process::join(init, kinds)
}

/// Takes id 0 of the user namespace.
pub fn become_root(p: &Plan, h: &Held) -> Result<(), Fault> {
    if p.birth.become_root == BecomeRoot::No {
        return Ok(());
    }
    // The caller's supplementary groups mean nothing inside; where setgroups is denied they cannot go.
    if p.birth.user != UserNamespace::Inherited && matches!(p.user.groups, Groups::Set(_)) {
        super::privilege::set_groups(&[], h)?;
    }
    process::set_gid(0)?;
    process::set_uid(0)
}

/// Makes a cgroup namespace whose root is the group this process was born into.
pub fn unshare_cgroup(p: &Plan) -> Result<(), Fault> {
    if p.birth.new_cgroup == NewCgroup::No {
        return Ok(());
    }
    process::unshare_cgroup()
}
