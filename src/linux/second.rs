//! A second process in a container that lives.
//!
//! ```text
//!  parent (linux/parent/second.rs)             child (linux/child/second.rs)
//!  hide · setns of the pid namespace
//!  clone3 into the cgroup ───────────────────▶ seal the heap
//!  limits
//!  Mapped ───────────────────────────────────▶ setns of all others · become root · session · terminal
//!                                              streams · scheduling · label · no_new_privs · seccomp
//!                                              bounding set · ids · capabilities · cwd · program
//!  waits  ◀──────────────────── Ready, or Failed
//!         ◀──────────── the end of the gate     execve
//! ```
//!
//! The process is born in the pid namespace and the cgroup: no fork between, and no write to
//! `cgroup.procs`. Since whoever lives there sees it from that moment, it cannot be looked into from its
//! first one on (CVE-2016-9962).

use super::birth::{self, Born};
use super::child;
use super::child::second::First;
use super::failure::Kind;
use super::held::Held;
use super::parent::{limits, rdt, tell};
use super::{gates, protect};
use crate::cgroup::Cgroup;
use crate::error::{Cause, Error, Object, Result};
use crate::plan::facts::{Facts, Privilege};
use crate::plan::second::Second;
use crate::sys::clone::{Birth, Side, clone3};
use crate::sys::proc::Proc;
use crate::sys::process::{self, Dumpable};
use crate::sys::{Fault, sched};
use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// Words that complete "cannot …", for all of it.
pub const DOING: &str = "begin the process";

/// What a process is born with.
#[derive(Debug)]
pub struct Cradle<'a> {
    /// The decided process.
    pub second: &'a Second,
    /// What was asked of the host.
    pub facts: &'a Facts,
    /// The host's procfs.
    pub proc: &'a Proc,
    /// The container's first process.
    pub init: BorrowedFd<'a>,
    /// The group to be born in; `None` for the caller's.
    pub group: Option<&'a Cgroup>,
}

/// Gives birth to it, in the group that `nearer` finds where the cradle's takes no processes. It waits for `Mapped` until its limits are set.
///
/// # Errors
/// A container that ended meanwhile; what clone3(2) answered.
pub fn give_birth(
    cradle: &Cradle<'_>,
    held: Held,
    gate: OwnedFd,
    nearer: &dyn Fn() -> Option<Cgroup>,
) -> Result<Born> {
    let Cradle {
        second,
        facts,
        proc,
        init,
        ..
    } = *cradle;
    before(second, facts, proc)?;
    let ours = second.joined_by_parent(facts);
    if ours != 0 {
        process::join(init, ours)
            .map_err(|fault| told(fault, "join the container's namespaces"))?;
    }
    let first = First {
        pidfd: init,
        namespaces: second.namespaces & !ours,
    };
    let (pid, pidfd) = match clone_into(cradle.group, nearer).map_err(|fault| told(fault, DOING))? {
        Side::Child => {
            let _ = gates::forget(&gate);
            let _ = protect::settle();
            child::second::begin(second, held, &first)
        }
        Side::Parent(pid, pidfd) => (pid, pidfd),
    };
    // The child's ends are the child's alone from here on, or its end would not be seen.
    drop(held);
    let born = Born {
        pid,
        pidfd: Rc::new(pidfd),
        gate,
        copies: RefCell::new(None),
        documents: None,
    };
    let limited = limits::resources(&second.plan, pid).and_then(|()| match facts.privilege {
        Privilege::Root => limits::score(&second.plan, pid, proc),
        Privilege::User => Ok(()),
    });
    match limited.and_then(|()| tell(&born, Kind::Mapped)) {
        Ok(()) => Ok(born),
        Err(error) => {
            birth::end(&born.pidfd);
            Err(error)
        }
    }
}

/// What the child inherits, and cannot or must not do itself.
fn before(second: &Second, facts: &Facts, proc: &Proc) -> Result<()> {
    let own = process::own_pid();
    if let Some(cpus) = &second.cpus_before {
        let place = Object::config("/process/execCPUAffinity/initial");
        sched::run_on(&cpus[..])
            .map_err(|fault| Error::new("bind exec's processes to CPUs", place, fault.into()))?;
    }
    if let Some(shares) = &second.plan.rdt {
        rdt::follow(shares, &rdt::mounted(shares)?, own)?;
    }
    if facts.privilege == Privilege::User {
        // Once hidden, a user's process has files in /proc that belong to root.
        limits::score(&second.plan, own, proc)?;
    }
    process::set_dumpable(Dumpable::No).map_err(|fault| told(fault, DOING))
}

/// A group whose controllers are given to its children takes no process: then the nearer one is tried.
fn clone_into(
    group: Option<&Cgroup>,
    nearer: &dyn Fn() -> Option<Cgroup>,
) -> std::result::Result<Side, Fault> {
    let into = |group: Option<&Cgroup>| {
        clone3(&Birth {
            flags: 0,
            cgroup: group.map(|group| group.dir.as_fd()),
        })
    };
    match into(group) {
        Err(
            fault @ Fault {
                errno: libc::EBUSY | libc::EOPNOTSUPP,
                ..
            },
        ) => match nearer() {
            Some(nearer) => into(Some(&nearer)),
            None => Err(fault),
        },
        other => other,
    }
}

/// An init that ends takes its pid namespace with it: ESRCH from setns(2), ENOMEM from clone3(2).
fn told(fault: Fault, doing: &str) -> Error {
    match fault.errno {
        libc::ESRCH | libc::ENOMEM => {
            let why = "cannot exec in a stopped container: it has just ended".to_owned();
            Error::new(doing, Object::Nothing, Cause::Refused(why))
        }
        libc::EBUSY => Error::new(doing, Object::Nothing, fault.into())
            .hint("name a cgroup below the container's own with --cgroup: that one has given its controllers to those below it"),
        _ => Error::new(doing, Object::Nothing, fault.into()),
    }
}
