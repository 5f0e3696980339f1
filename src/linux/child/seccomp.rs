//! The seccomp filter, loaded by the process that it is for; and its listener, on the way to the agent.
//!
//! Once the filter is in force each call of ours is judged by it. So what follows a late filter is as
//! little as can be, and by the calls that every program needs: read, write, close, accept4, execve. Of
//! these only `write` must not wait for an agent that nobody has reached yet: the plan sees to that.

use crate::linux::failure::{Kind, Record};
use crate::linux::gates;
use crate::linux::held::Held;
use crate::plan::Plan;
use crate::plan::process::NoNewPrivs;
use crate::plan::seccomp::Filter;
use crate::sys::{Fault, seccomp, socket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Whether steps of the line that need many calls follow the filter.
pub fn is_early(p: &Plan) -> bool {
    p.seccomp.is_some() && p.process.no_new_privs == NoNewPrivs::No
}

/// Without no_new_privs the filter needs a capability that is dropped soon.
pub fn early(p: &Plan, h: &Held) -> Result<(), Fault> {
    match (&p.seccomp, p.process.no_new_privs) {
        (Some(filter), NoNewPrivs::No) => load(filter, h),
        _ => Ok(()),
    }
}

/// With no_new_privs it may come last, so that a profile need not permit what only the runtime does.
pub fn late(p: &Plan, h: &Held) -> Result<(), Fault> {
    match (&p.seccomp, p.process.no_new_privs) {
        (Some(filter), NoNewPrivs::Yes) => load(filter, h),
        _ => Ok(()),
    }
}

fn load(filter: &Filter, h: &Held) -> Result<(), Fault> {
    match seccomp::load(&filter.program, filter.flags)? {
        Some(listener) => hand_over(listener, h),
        // An agent would be asked about these.
        None => seccomp::may_go_on(&h.gate),
    }
}

/// The runtime takes a copy of the descriptor, or asks for one where it may not. Ours is closed then: a
/// call that waits for an agent that has ended must fail, not wait for ever.
fn hand_over(listener: OwnedFd, h: &Held) -> Result<(), Fault> {
    let record = Record {
        errno: listener.as_raw_fd(),
        ..Record::gate(Kind::Listening)
    };
    gates::report(&h.gate, record)?;
    if gates::answer(&h.gate)? == Kind::Hand {
        socket::send_descriptor(&h.gate, &record.to_bytes(), listener.as_fd())?;
        gates::pass(&h.gate, Kind::Taken)?;
    }
    drop(listener);
    Ok(())
}
