//! The straight line of a second process (`orbital exec`): the container is there, so nothing is mounted,
//! made or masked. Its steps are those of the first process that it needs, in the same order and with
//! the same acts: what confines the one confines the other.

use super::{
    Took, console, cwd, dev, exec, failed, home, join, pivot, privilege, seccomp, session, tune,
};
use crate::linux::failure::{Failure, Kind, Record};
use crate::linux::gates;
use crate::linux::held::Held;
use crate::linux::step::Step;
use crate::plan::second::Second;
use crate::sys::{file, heap, process};
use rustix::fs::{CWD, OFlags};
use std::convert::Infallible;
use std::mem::ManuallyDrop;
use std::os::fd::BorrowedFd;

/// The container's first process, and what of its namespaces is left to join.
#[derive(Debug)]
pub struct First<'a> {
    /// Its pidfd.
    pub pidfd: BorrowedFd<'a>,
    /// `CLONE_NEW*` flags.
    pub namespaces: u32,
}

/// Runs the line; the process ends here.
pub fn begin(second: &Second, mut held: Held, first: &First<'_>) -> ! {
    let Err(failure) = enter(second, &mut held, first);
    // A parent that is gone needs no report, ignored.
    let _ = gates::report(&held.gate, failure.into());
    process::exit_now(1)
}

/// The line. Returns only if a step failed.
fn enter(s: &Second, h: &mut Held, first: &First<'_>) -> Result<Infallible, Failure> {
    let p = &s.plan;
    heap::seal();
    gates::pass(&h.gate, Kind::Mapped).took(Step::Mapped, h)?;
    join::those_of(first.pidfd, first.namespaces).took(Step::Join, h)?;
    if let Some(root) = h.root.take() {
        // No mount namespace to join, which would bring the root along.
        pivot::enter_only(&root).took(Step::Pivot, h)?;
    }
    join::become_root(p, h).took(Step::BecomeRoot, h)?;
    session::begin(p, h, c"orbital:exec").took(Step::Session, h)?;
    // Never closed by its owner, as in the first process's line.
    let root = file::open(CWD, c"/", OFlags::PATH | OFlags::DIRECTORY);
    let root = ManuallyDrop::new(root.took(Step::Root, h)?);
    console::attach(p, h, &root, console::Name::Pts).took(Step::Console, h)?;
    dev::streams_onto_null(&root).took(Step::Stdio, h)?;
    tune::personality(p).took(Step::Personality, h)?;
    if s.cpus_before.is_none() && s.cpus.is_none() {
        tune::anywhere();
    }
    let cpus = s.cpus.as_deref().map(|cpus| cpus.as_slice());
    tune::scheduling(p)
        .and_then(|()| tune::cpus(cpus))
        .took(Step::Scheduling, h)?;
    privilege::security_label(p, h).took(Step::SecurityLabel, h)?;
    privilege::no_new_privs(p).took(Step::NoNewPrivs, h)?;
    // Before a filter that may know neither the calls for it nor what they are for, as in the first line.
    home::fill(p, h, &root);
    let inside = cwd::try_as_root(p, &root);
    exec::close_before_filter(p, h, &root).map_err(|fault| failed(Step::CloseOnExec, fault))?;
    seccomp::early(p, h).took(Step::SeccompEarly, h)?;
    privilege::bounding(p).took(Step::Bounding, h)?;
    privilege::ids(p, h).took(Step::Ids, h)?;
    privilege::capabilities(p).took(Step::Capabilities, h)?;
    cwd::enter(p, &root, inside).took(Step::Cwd, h)?;
    let program = exec::find(p).took(Step::Find, h)?;
    exec::close_what_is_left(p, h, &root).took(Step::CloseOnExec, h)?;
    seccomp::late(p, h).took(Step::SeccompLate, h)?;
    // Nobody is waited for: what comes after this is the program, or one more record.
    gates::report(&h.gate, Record::gate(Kind::Ready))
        .map_err(|fault| failed(Step::Ready, fault))?;
    Err(exec::last(p, h, program))
}
