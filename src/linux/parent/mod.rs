//! The left column: what the runtime does while the child walks its line.

/// Writing the maps, or calling newuidmap.
pub mod idmap;

/// Sources whose ids are mapped.
pub mod mounts;

/// Limits and scores of the child.
pub mod limits;

/// The seccomp agent.
pub mod listener;

/// Loopback; network devices, given and taken back.
pub mod net;

/// The root of a container that stays among the runtime's mounts.
pub mod laid;

/// Groups of resctrl.
pub mod rdt;

/// Hooks of the runtime's namespaces.
pub mod hooks;

/// The shorter column of a second process.
pub mod second;

use super::birth::Born;
use super::explain;
use super::failure::{Kind, Record};
use super::gates::{self, Arrival};
use super::hints;
use super::step::Step;
use crate::cgroup::Cgroup;
use crate::error::{Cause, Error, Object, Result};
use crate::plan::Plan;
use crate::sys::proc::Proc;
use crate::sys::{Fault, heap, pidfd};
use std::os::fd::AsFd;

/// Attends the birth from gate A to gate D. `document` writes the state document of a status. While the child
/// mounts, `before_go` does what must be done when anything of the container's may run, and `meanwhile` the rest;
/// its value is returned.
///
/// # Errors
/// A step of the child, told by its twelve bytes; a hook; the end of a child that said nothing.
pub fn attend<T>(
    plan: &Plan,
    born: &Born,
    proc: &Proc,
    group: Option<&Cgroup>,
    document: &hooks::Document<'_>,
    before_go: impl FnOnce() -> Result<()>,
    meanwhile: impl FnOnce() -> Result<T>,
) -> Result<T> {
    idmap::write(plan, born.pid, proc)?;
    limits::set(plan, born.pid, proc)?;
    hooks::fill_documents(born, document)?;
    tell(born, Kind::Mapped)?;
    let ahead = born.copies.take().and_then(|copies| copies.network);
    before_go()?;
    net::loopback(plan, born, group, ahead)?;
    // With nothing to do between gates B and C, the child need not sleep there.
    let hooks = plan.hooks.follow_the_mounts();
    if !hooks {
        tell(born, Kind::Go)?;
    }
    let value = meanwhile()?;
    if hooks {
        hear(plan, born, group, &[Kind::Mounted])?;
        let state = document("creating");
        hooks::run(&plan.hooks.prestart, "prestart", plan, &state)?;
        hooks::run(&plan.hooks.create_runtime, "createRuntime", plan, &state)?;
        tell(born, Kind::Go)?;
    }
    let heard = hear(plan, born, group, &[Kind::Ready, Kind::Listening])?;
    if heard.kind == Kind::Listening {
        listener::hand_over(plan, born, &heard, &document("creating"))?;
        hear(plan, born, group, &[Kind::Ready])?;
    }
    Ok(value)
}

/// Sends the child through one of our gates. One that is gone is heard of at the next of its own.
///
/// # Errors
/// As sendmsg(2), without EPIPE.
pub fn tell(born: &Born, kind: Kind) -> Result<()> {
    match gates::announce(&born.gate, Record::gate(kind)) {
        Ok(())
        | Err(Fault {
            errno: libc::EPIPE | libc::ECONNRESET,
            ..
        }) => Ok(()),
        Err(fault) => Err(Error::new(
            "speak to the child",
            Object::Nothing,
            fault.into(),
        )),
    }
}

/// Waits for the child at its next gate, with a record of one of these kinds.
fn hear(plan: &Plan, born: &Born, group: Option<&Cgroup>, kinds: &[Kind]) -> Result<Record> {
    hear_by(plan, born, group, kinds, || gates::next(&born.gate))
}

/// The same, with another way to receive.
fn hear_by(
    plan: &Plan,
    born: &Born,
    group: Option<&Cgroup>,
    kinds: &[Kind],
    mut next: impl FnMut() -> std::result::Result<Arrival, Fault>,
) -> Result<Record> {
    loop {
        match next()
            .map_err(|fault| Error::new("hear from the child", Object::Nothing, fault.into()))?
        {
            Arrival::Record(record) if kinds.contains(&record.kind) => return Ok(record),
            Arrival::Record(record) if record.kind == Kind::Passed => trace(&record),
            Arrival::Record(record) => {
                return Err(explain::record(
                    plan,
                    &record,
                    born.documents
                        .as_ref()
                        .map(crate::linux::held::Documents::printed),
                ));
            }
            Arrival::Closed => return Err(died(plan, born, group)),
        }
    }
}

fn trace(record: &Record) {
    if let Some(step) = Step::from_number(record.step) {
        tracing::debug!(
            "step {} of {}: {} passed",
            step.number(),
            Step::COUNT,
            step.words()
        );
    }
}

/// Why a child said nothing: the seal of its heap, its memory limit, somebody's signal.
fn died(plan: &Plan, born: &Born, group: Option<&Cgroup>) -> Error {
    let doing = "bring the container up";
    match pidfd::wait(born.pidfd.as_fd()) {
        Ok(pidfd::End::Exited(heap::SEALED_STATUS)) => {
            let what = "its process used the heap after the clone".to_owned();
            Error::new(doing, Object::Nothing, Cause::Protocol(what))
        }
        Ok(end @ (pidfd::End::Exited(1) | pidfd::End::Signalled(libc::SIGSYS | libc::SIGSEGV)))
            if plan.seccomp.is_some() =>
        {
            silenced(end)
        }
        Ok(pidfd::End::Exited(status)) => Error::new(
            doing,
            Object::Nothing,
            Cause::Exited {
                status,
                last_line: None,
            },
        ),
        Ok(pidfd::End::Signalled(signal)) => {
            let oom = group.is_some_and(|group| group.oom_kills() > 0);
            let error = Error::new(doing, Object::Nothing, Cause::Killed { signal, oom });
            if oom {
                error.hint("raise /linux/resources/memory/limit in config.json")
            } else {
                error
            }
        }
        Err(fault) => Error::new(doing, Object::Nothing, fault.into()),
    }
}

/// The end of a child that had something to say and may not: a filter that denies write, or kills. After a denied
/// exit the C library ends a process by a fault.
fn silenced(end: pidfd::End) -> Error {
    let cause = match end {
        pidfd::End::Exited(status) => Cause::Exited {
            status,
            last_line: None,
        },
        pidfd::End::Signalled(signal) => Cause::Killed { signal, oom: false },
    };
    let object = Object::config("/linux/seccomp");
    Error::new(Step::SeccompLate.words(), object, cause).hint(hints::SECCOMP)
}
