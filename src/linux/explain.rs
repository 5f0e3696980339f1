//! A child's twelve bytes, told in words: the plan's item gives the place in config.json, the table of
//! hints the advice. The match over the steps is exhaustive, so that no step can fail without an object.

/// A hook's end.
pub mod hooks;

use super::failure::{Failure, Kind, Miss, NO_ITEM, Record};
use super::hints;
use super::program;
use super::step::Step;
use crate::error::{Cause, Error, Object, Pointer};
use crate::plan::Plan;
use crate::plan::birth::Join;
use crate::plan::mounts::{MountOp, Source};
use crate::sys::{Call, Fault};
use std::os::fd::BorrowedFd;

/// Tells a record that came instead of a gate; `output` is what hooks have printed.
#[must_use]
pub fn record(plan: &Plan, record: &Record, output: Option<BorrowedFd<'_>>) -> Error {
    match Failure::from_record(record) {
        Some(failure) if record.kind == Kind::Failed => self::failure(plan, &failure, output),
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
pub fn failure(plan: &Plan, failure: &Failure, output: Option<BorrowedFd<'_>>) -> Error {
    let Failure { step, miss } = *failure;
    if let Some(error) = hook(plan, failure, output) {
        return error;
    }
    let (doing, object) = object(plan, failure);
    let error = Error::new(doing, object, cause(plan, step, miss.fault))
        .in_step(step.number(), Step::COUNT);
    let quota = (step, miss.fault.errno) == (Step::Session, libc::EDQUOT);
    let advice = quota.then(|| KEYS.to_owned());
    let advice = advice.or_else(|| program::of_container(plan, failure));
    advised(error, advice.or_else(|| hints::of_step(plan, failure)))
}

/// Advice about a user with too many keys.
const KEYS: &str = "use --no-new-keyring, or let this user have more keys: see /proc/key-users and /proc/sys/kernel/keys";

/// What the step was doing, and to what.
fn object(plan: &Plan, failure: &Failure) -> (String, Object) {
    let Failure { step, miss } = *failure;
    let item = usize::from(miss.item);
    let words = match step {
        Step::Join => plan.birth.joins.get(item).map(joining),
        Step::Mount => plan.mounts.get(item).map(mounting),
        Step::Devices => {
            let node = plan.devices.nodes.get(item);
            node.map(|node| format!("make the device /{}", node.path.to_string_lossy()))
        }
        Step::Find | Step::Execute => Some("execute the process".to_owned()),
        _ => None,
    };
    let words = words.unwrap_or_else(|| step.words().to_owned());
    (
        words,
        place(plan, failure).map_or(Object::Nothing, Object::config),
    )
}

/// The place in config.json that asked for what failed; for what every container gets, the root.
fn place(plan: &Plan, failure: &Failure) -> Option<Pointer> {
    let Failure { step, miss } = *failure;
    let item = usize::from(miss.item);
    let listed = match step {
        Step::Join => plan.birth.joins.get(item).map(|join| join.pointer.clone()),
        Step::Mount => plan.mounts.get(item).map(|op| in_mount(op, miss)),
        // Nobody asked for a default device: what is in its way is in the root file system.
        Step::Devices => plan.devices.nodes.get(item).map(|node| {
            let asked = node.pointer.clone();
            asked.unwrap_or_else(|| plan.root.pointer.clone())
        }),
        Step::Sysctl => plan.sysctls.get(item).map(|sysctl| sysctl.pointer.clone()),
        Step::ReadOnly => plan
            .masks
            .read_only
            .get(item)
            .map(|path| path.pointer.clone()),
        Step::Mask => plan.masks.masked.get(item).map(|path| path.pointer.clone()),
        Step::Root | Step::Pivot | Step::RootFlags => Some(plan.root.pointer.clone()),
        Step::Find | Step::Execute => Some(plan.process.pointer.clone()),
        Step::Scheduling => Some(in_scheduling(miss.fault.call).into()),
        Step::SecurityLabel if item > 0 => Some("/process/selinuxLabel".into()),
        _ => None,
    };
    listed.or_else(|| of_step(step).map(Pointer::from))
}

/// Which of the three, by the call that was not permitted.
const fn in_scheduling(call: Call) -> &'static str {
    match call {
        Call::IoprioSet => "/process/ioPriority",
        Call::SetMempolicy => "/linux/memoryPolicy",
        Call::SchedSetaffinity => "/process/execCPUAffinity",
        _ => "/process/scheduler",
    }
}

/// Where in a mount: its option, its type, its source, its destination, or all of it.
fn in_mount(op: &MountOp, miss: Miss) -> Pointer {
    match (&op.source, miss.fault.call) {
        _ if miss.part != NO_ITEM => op.pointer.at("options").at(miss.part),
        (Source::New { .. }, Call::Fsopen) => op.pointer.at("type"),
        (Source::Bind { .. }, Call::OpenTree) => op.pointer.at("source"),
        (_, Call::Openat2 | Call::Mkdirat | Call::Fstatfs | Call::Symlinkat) => {
            op.pointer.at("destination")
        }
        _ => op.pointer.clone(),
    }
}

/// The member of config.json that a step is for.
fn of_step(step: Step) -> Option<&'static str> {
    match step {
        Step::SealHeap | Step::Mapped | Step::Mounted | Step::Ready | Step::Start => None,
        Step::Session | Step::Propagation | Step::Stdio => None,
        Step::CloseOnExec => None,
        Step::Clocks => Some("/linux/timeOffsets"),
        Step::Join | Step::Unshare | Step::Network => Some("/linux/namespaces"),
        Step::BecomeRoot => Some("/linux/uidMappings"),
        Step::Root | Step::Pivot | Step::RootFlags => Some("/root"),
        Step::Mount => Some("/mounts"),
        Step::Devices => Some("/linux/devices"),
        Step::Console => Some("/process/terminal"),
        Step::CreateContainer => Some("/hooks/createContainer"),
        Step::Sysctl => Some("/linux/sysctl"),
        Step::ReadOnly => Some("/linux/readonlyPaths"),
        Step::Mask => Some("/linux/maskedPaths"),
        Step::Hostname => Some("/hostname"),
        Step::Domainname => Some("/domainname"),
        Step::Personality => Some("/linux/personality"),
        Step::Scheduling => Some("/process/scheduler"),
        Step::SecurityLabel => Some("/process/apparmorProfile"),
        Step::SeccompEarly | Step::SeccompLate => Some("/linux/seccomp"),
        Step::NoNewPrivs => Some("/process/noNewPrivileges"),
        Step::Bounding | Step::Capabilities => Some("/process/capabilities"),
        Step::Ids => Some("/process/user"),
        Step::Cwd => Some("/process/cwd"),
        Step::Find | Step::Execute => Some("/process/args"),
        Step::StartContainer => Some("/hooks/startContainer"),
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
        (Step::Cwd, libc::ENOENT) if fault.call == Call::Getcwd => {
            Cause::Refused("the directory is outside the container's root".to_owned())
        }
        (Step::Mapped | Step::Mounted | Step::Ready | Step::Start, libc::ECANCELED) => {
            Cause::Refused("the runtime went away".to_owned())
        }
        _ => fault.into(),
    }
}

fn hook(plan: &Plan, failure: &Failure, output: Option<BorrowedFd<'_>>) -> Option<Error> {
    let (list, kind) = match failure.step {
        Step::CreateContainer => (&plan.hooks.create_container, "createContainer"),
        Step::StartContainer => (&plan.hooks.start_container, "startContainer"),
        _ => return None,
    };
    let each = list.get(usize::from(failure.miss.item))?;
    let error = hooks::told(each, kind, failure.miss.fault, output);
    Some(error.in_step(failure.step.number(), Step::COUNT))
}

fn mounting(op: &MountOp) -> String {
    match op.source {
        Source::Again { .. } => format!("remount /{}", op.target.to_string_lossy()),
        _ => format!("mount {}", op.kind_word),
    }
}

fn joining(join: &Join) -> String {
    format!("join the {} namespace", join.kind.name())
}

/// A namespace that the parent could not join.
#[must_use]
pub fn join(join: &Join, fault: Fault) -> Error {
    let error = Error::new(joining(join), Object::config(&join.pointer), fault.into());
    advised(error, hints::of_join(join, fault.errno))
}

/// A source that the parent could not open, or whose ids it could not map.
#[must_use]
pub fn source(plan: &Plan, op: &MountOp, fault: Fault) -> Error {
    let miss = Miss {
        item: NO_ITEM,
        part: NO_ITEM,
        fault,
    };
    let place = match &op.source {
        Source::Bind { ids: Some(ids), .. } if fault.call == Call::MountSetattr => {
            ids.pointer.clone()
        }
        _ => in_mount(op, miss),
    };
    let error = Error::new(mounting(op), Object::config(place), fault.into());
    advised(error, hints::of_mount(plan, op, NO_ITEM, fault))
}

/// A root file system that the parent could not open.
#[must_use]
pub fn root(plan: &Plan, fault: Fault) -> Error {
    let object = Object::config(&plan.root.pointer);
    let error = Error::new(Step::Root.words(), object, fault.into());
    advised(error, hints::of_root(plan, fault))
}

fn advised(error: Error, hint: Option<String>) -> Error {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
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
    advised(error, hints::of_clone(&plan.birth, fault.errno))
}
