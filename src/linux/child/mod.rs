//! The container's process between its birth and its program: one straight line.
//!
//! It has no heap (sealed by its first act), no policy (the plan is decided) and no recovery: it
//! returns only when a step failed, with twelve bytes that say which; the parent undoes and explains.
//! What happens is listed in `linux/step.rs`; the lines of [`enter`] stand in that order. What this
//! folder does *not* do: parse, look up a default, build a string, retry with less confinement.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
#![deny(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types
)]

/// Joining namespaces, and becoming root in them.
pub mod join;

/// A session of our own, its keyring, a socket of its network.
pub mod session;

/// Propagation, the root file system, the mounts.
pub mod mount;

/// One mount, before it is attached.
mod make;

/// Device nodes, links, and the streams onto them.
pub mod dev;

/// The terminal.
pub mod console;

/// Hooks that run inside.
pub mod hook;

/// Leaving the host's files behind.
pub mod pivot;

/// Sysctls, names, scheduling.
pub mod tune;

/// Read-only and masked paths.
pub mod mask;

/// Labels, ids, capabilities, no_new_privs.
pub mod privilege;

/// The seccomp filter.
pub mod seccomp;

/// The working directory.
pub mod cwd;

/// HOME from the container's own passwd.
pub mod home;

/// The program: found, waited for, executed.
pub mod exec;

/// The shorter line of a second process.
pub mod second;

use super::failure::{Failure, Kind, Miss, Record};
use super::gates;
use super::held::{Held, Trace};
use super::step::Step;
use crate::plan::Plan;
use crate::sys::{Fault, heap, process};
use std::convert::Infallible;
use std::mem::ManuallyDrop;

/// Runs the line; the process ends here.
pub fn begin(plan: &Plan, mut held: Held) -> ! {
    let Err(failure) = enter(plan, &mut held);
    // A parent that is gone needs no report, ignored.
    let _ = gates::report(&held.gate, failure.into());
    process::exit_now(1)
}

/// The line. Returns only if a step failed.
fn enter(p: &Plan, h: &mut Held) -> Result<Infallible, Failure> {
    heap::seal();
    gates::pass(&h.gate, Kind::Mapped).took(Step::Mapped, h)?;
    join::clocks(p, h).took(Step::Clocks, h)?;
    join::namespaces(p, h).took(Step::Join, h)?;
    join::become_root(p, h).took(Step::BecomeRoot, h)?;
    join::unshare_cgroup(p).took(Step::Unshare, h)?;
    session::begin(p, h, c"orbital:init").took(Step::Session, h)?;
    mount::propagation(p).took(Step::Propagation, h)?;
    // Never closed by its owner: CloseOnExec takes its number away, and a later failure must still be told.
    let root = ManuallyDrop::new(mount::root(p, h).took(Step::Root, h)?);
    session::network(p, h).took(Step::Network, h)?;
    mount::all(p, h, &root).took(Step::Mount, h)?;
    cwd::make(p, &root);
    dev::populate(p, &root).took(Step::Devices, h)?;
    console::attach(p, h, &root, console::Name::Console).took(Step::Console, h)?;
    let null = mask::null(p, &root).map_err(|fault| failed(Step::Mask, fault))?;
    mounted(p, h).took(Step::Mounted, h)?;
    hook::create_container(h).took(Step::CreateContainer, h)?;
    pivot::into(p, &root).took(Step::Pivot, h)?;
    pivot::root_flags(p, h, &root).took(Step::RootFlags, h)?;
    dev::streams_onto_null(&root).took(Step::Stdio, h)?;
    tune::sysctls(p, h).took(Step::Sysctl, h)?;
    mask::read_only(p, &root).took(Step::ReadOnly, h)?;
    mask::masked(p, &root, null).took(Step::Mask, h)?;
    pivot::last_propagation(p, &root).map_err(|fault| failed(Step::RootFlags, fault))?;
    tune::host_name(p).took(Step::Hostname, h)?;
    tune::domain_name(p).took(Step::Domainname, h)?;
    tune::personality(p).took(Step::Personality, h)?;
    tune::anywhere();
    tune::scheduling(p).took(Step::Scheduling, h)?;
    privilege::security_label(p, h).took(Step::SecurityLabel, h)?;
    privilege::no_new_privs(p).took(Step::NoNewPrivs, h)?;
    // Before a filter that may know neither the calls for it nor what they are for.
    home::fill(p, h, &root);
    let cwd = cwd::try_as_root(p, &root);
    exec::close_before_filter(p, h, &root).map_err(|fault| failed(Step::CloseOnExec, fault))?;
    seccomp::early(p, h).took(Step::SeccompEarly, h)?;
    privilege::bounding(p).took(Step::Bounding, h)?;
    privilege::ids(p, h).took(Step::Ids, h)?;
    privilege::capabilities(p).took(Step::Capabilities, h)?;
    cwd::enter(p, &root, cwd).took(Step::Cwd, h)?;
    let program = exec::find(p).took(Step::Find, h)?;
    exec::close_on_exec(p, h, &root).took(Step::CloseOnExec, h)?;
    seccomp::late(p, h).took(Step::SeccompLate, h)?;
    exec::ready(h).took(Step::Ready, h)?;
    let caller = exec::wait_for_start(h).map_err(|fault| failed(Step::Start, fault))?;
    let last = exec::last(p, h, program);
    Err(exec::tell(h, caller, last))
}

/// Gate B, where somebody waits for it, then gate C.
fn mounted(p: &Plan, h: &Held) -> Result<(), Fault> {
    if p.hooks.follow_the_mounts() {
        gates::report(&h.gate, Record::gate(Kind::Mounted))?;
    }
    gates::pass(&h.gate, Kind::Go)
}

fn failed(step: Step, miss: impl Into<Miss>) -> Failure {
    Failure {
        step,
        miss: miss.into(),
    }
}

/// Names the step of a result.
trait Took<T> {
    /// Names the step of a failure; with `--debug` reports the step when it passed.
    fn took(self, step: Step, h: &Held) -> Result<T, Failure>;
}

impl<T, E: Into<Miss>> Took<T> for Result<T, E> {
    fn took(self, step: Step, h: &Held) -> Result<T, Failure> {
        let value = self.map_err(|miss| failed(step, miss))?;
        if h.trace == Trace::On && step < Step::Ready {
            let passed = Record {
                step: step.number(),
                ..Record::gate(Kind::Passed)
            };
            // Only a trace: a parent that does not read it is no failure of the container, ignored.
            let _ = gates::report(&h.gate, passed);
        }
        Ok(value)
    }
}

/// A refusal of an answer that the kernel gave without an error.
const fn refuse(call: crate::sys::Call, errno: i32) -> Fault {
    Fault { call, errno }
}
