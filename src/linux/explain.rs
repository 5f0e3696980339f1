//! A child's twelve bytes, told in words: the plan's item gives the place in config.json, the table of
//! hints the advice. The match over the steps is exhaustive, so that no step can fail without an object.

use super::failure::{Failure, Kind, NO_ITEM, Record};
use super::held::Documents;
use super::parent::hooks;
use super::step::Step;
use crate::error::{Cause, Error, Object, Pointer, hints};
use crate::plan::Plan;
use crate::plan::birth::{Birth, Join};
use crate::sys::{Call, Fault};
use std::os::fd::AsFd;

/// Tells a record that came instead of a gate.
#[must_use]
pub fn record(plan: &Plan, record: &Record, documents: Option<&Documents>) -> Error {
    match Failure::from_record(record) {
        Some(failure) if record.kind == Kind::Failed => self::failure(plan, &failure, documents),
        _ => {
            let what = format!("the child sent an unexpected record: {record:?}");
            Error::new(
                "bring the container up",
                Object::Nothing,
                Cause::Protocol(what),
            )
        }
    }
}

/// Tells a failed step.
#[must_use]
pub fn failure(plan: &Plan, failure: &Failure, documents: Option<&Documents>) -> Error {
    let Failure { step, miss } = *failure;
    if let (Step::CreateContainer | Step::StartContainer, Some(documents)) = (step, documents)
        && let Some(error) = hook(plan, failure, documents)
    {
        return error;
    }
    let (doing, object) = object(plan, failure);
    let error = Error::new(doing, object, cause(plan, step, miss.fault)).in_step(step.number());
    match hints::of_step(plan, failure) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// What the step was doing, and to what.
fn object(plan: &Plan, failure: &Failure) -> (String, Object) {
    let Failure { step, miss } = *failure;
    let words = || step.words().to_owned();
    let place = |pointer: Option<&Pointer>| pointer.map_or(Object::Nothing, Object::config);
    let at = |pointer: &'static str| Object::config(pointer);
    let item = usize::from(miss.item);
    match step {
        Step::SealHeap | Step::Mapped | Step::Mounted | Step::Ready | Step::Start => {
            (words(), Object::Nothing)
        }
        Step::Session | Step::Loopback | Step::Propagation | Step::Stdio | Step::CloseOnExec => {
            (words(), Object::Nothing)
        }
        Step::Join => match plan.birth.joins.get(item) {
            Some(join) => (joining(join), Object::config(&join.pointer)),
            None => (words(), at("/linux/namespaces")),
        },
        Step::BecomeRoot => (words(), at("/linux/uidMappings")),
        Step::Unshare => (words(), at("/linux/namespaces")),
        Step::Root | Step::Pivot | Step::RootFlags => (words(), Object::config(&plan.root.pointer)),
        Step::Mount => match plan.mounts.get(item) {
            Some(op) if miss.part != NO_ITEM => (
                format!("mount {}", op.kind_word),
                Object::config(op.pointer.at("options").at(miss.part)),
            ),
            Some(op) => (
                format!("mount {}", op.kind_word),
                Object::config(&op.pointer),
            ),
            None => (words(), at("/mounts")),
        },
        Step::Devices => match plan.devices.nodes.get(item) {
            Some(node) => (
                format!("make the device /{}", node.path.to_string_lossy()),
                place(node.pointer.as_ref()),
            ),
            None => (words(), at("/linux/devices")),
        },
        Step::Console => (words(), at("/process/terminal")),
        Step::CreateContainer => (words(), at("/hooks/createContainer")),
        Step::Sysctl => (
            words(),
            place(plan.sysctls.get(item).map(|sysctl| &sysctl.pointer)),
        ),
        Step::ReadOnly => (
            words(),
            place(plan.masks.read_only.get(item).map(|path| &path.pointer)),
        ),
        Step::Mask => (
            words(),
            place(plan.masks.masked.get(item).map(|path| &path.pointer)),
        ),
        Step::Hostname => (words(), at("/hostname")),
        Step::Domainname => (words(), at("/domainname")),
        Step::Personality => (words(), at("/linux/personality")),
        Step::NoNewPrivs => (words(), at("/process/noNewPrivileges")),
        Step::Bounding | Step::Capabilities => (words(), at("/process/capabilities")),
        Step::Ids => (words(), at("/process/user")),
        Step::Cwd => (words(), at("/process/cwd")),
        Step::Find | Step::Execute => (
            "execute the process".to_owned(),
            Object::config(&plan.process.pointer),
        ),
        Step::StartContainer => (words(), at("/hooks/startContainer")),
    }
}

/// The kernel's answer; for a program in the words that callers look for.
fn cause(plan: &Plan, step: Step, fault: Fault) -> Cause {
    let program = plan
        .process
        .argv
        .first()
        .map(|arg| arg.to_string_lossy().into_owned())
        .unwrap_or_default();
    match (step, fault.errno) {
        (Step::Find, libc::ENOENT | libc::ENOTDIR) if !program.contains('/') => Cause::Refused(
            format!("exec: \"{program}\": executable file not found in $PATH"),
        ),
        (Step::Find, libc::ENOENT | libc::ENOTDIR) => Cause::Refused(format!(
            "exec: \"{program}\": stat {program}: no such file or directory"
        )),
        (Step::Find, libc::EACCES) => {
            Cause::Refused(format!("exec: \"{program}\": permission denied"))
        }
        (Step::Execute, errno) => Cause::Os {
            call: fault.call.name(),
            errno,
            on: Some(format!("exec {program}")),
        },
        (Step::Cwd, libc::ENOENT) if fault.call == Call::Getcwd => {
            Cause::Refused("the directory is outside the container's root".to_owned())
        }
        (Step::Mapped | Step::Mounted | Step::Ready | Step::Start, libc::ECANCELED) => {
            Cause::Refused("the runtime went away".to_owned())
        }
        _ => fault.into(),
    }
}

fn hook(plan: &Plan, failure: &Failure, documents: &Documents) -> Option<Error> {
    let (list, kind) = match failure.step {
        Step::CreateContainer => (&plan.hooks.create_container, "createContainer"),
        _ => (&plan.hooks.start_container, "startContainer"),
    };
    let each = list.get(usize::from(failure.miss.item))?;
    Some(
        hooks::explain(each, kind, failure.miss.fault, documents.output.as_fd())
            .in_step(failure.step.number()),
    )
}

fn joining(join: &Join) -> String {
    format!("join the {} namespace", join.kind.name())
}

/// A namespace that the parent could not join.
#[must_use]
pub fn join(join: &Join, fault: Fault) -> Error {
    let error = Error::new(joining(join), Object::config(&join.pointer), fault.into());
    match fault.errno {
        libc::EINVAL => error.hint(format!(
            "the path must show a {} namespace, such as /proc/PID/ns/…",
            join.kind.name()
        )),
        _ => error,
    }
}

/// A clone that the kernel refused.
#[must_use]
pub fn clone(plan: &Plan, fault: Fault) -> Error {
    let error = Error::new(
        "make the container's process",
        Object::config("/linux/namespaces"),
        fault.into(),
    );
    match hints::of_clone(&plan.birth, fault.errno) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Whether the child is in a user namespace of its own; for the hints.
#[must_use]
pub fn has_user_namespace(birth: &Birth) -> bool {
    birth.owns(crate::plan::birth::Kind::User)
}
