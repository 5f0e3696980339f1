//! Making a container on Windows, act by act, in the order of `life/create.rs`.

use super::ask;
use super::birth::{self, Attended, Born};
use super::group::Group;
use super::hooks;
use crate::cli::{Create, Manager};
use crate::error::{Cause, Error, Object, Pointer, Result};
use crate::plan::job::limits::{Cpu, Limits};
use crate::plan::job::{self, Facts, Job as Plan};
use crate::plan::work;
use crate::spec::Bundle;
use crate::state::record::{self, Kept, Phase};
use crate::state::undo::Undo;
use crate::state::{Record, Seat, oci};
use crate::sys::job::{Basic, Closing, Job, Rate};
use crate::sys::{Fault, clock, user};
use std::cell::OnceCell;
use std::path::PathBuf;

/// What would arrive of a terminal: nothing, as it is made here.
#[derive(Clone, Copy, Debug)]
pub struct Terminal;

/// The host, asked once.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    facts: Facts,
}

/// Asks it.
///
/// # Errors
/// None.
pub fn host(_: Manager) -> Result<Host> {
    Ok(Host { facts: ask::ask() })
}

/// The bundle, read, or made from the words of the command line.
///
/// # Errors
/// As [`crate::spec::load`].
pub fn bundle(request: &Create) -> Result<Bundle> {
    super::bundle::of(request)
}

/// What is made beside the planning: nothing.
#[derive(Debug)]
pub struct Ahead;

/// Begins to make it.
#[must_use]
pub fn ahead(_: &Bundle) -> Ahead {
    Ahead
}

/// Whether there is a program that could be started at once: a plan without one is none.
///
/// # Errors
/// None.
pub fn has_program(_: &Plan) -> Result<()> {
    Ok(())
}

/// Decides what the container is.
///
/// # Errors
/// As [`job::plan`].
pub fn plan(bundle: &Bundle, host: &Host, request: &Create) -> Result<Plan> {
    job::plan(bundle, &host.facts, request)
}

/// What a container is made from.
pub type Work<'a> = work::Work<'a, Plan, Host>;

/// What is known before anything is made.
#[derive(Debug)]
pub struct Wanted {
    attended: Attended,
}

/// Whether somebody stays.
///
/// # Errors
/// None.
pub fn wanted(_: &Work<'_>, terminal: Option<&OnceCell<Terminal>>, _: Ahead) -> Result<Wanted> {
    let attended = match terminal {
        Some(_) => Attended::Yes,
        None => Attended::No,
    };
    Ok(Wanted { attended })
}

/// The record that says which job will be the container's, before it exists. Its name is its own for ever: a job of
/// an earlier container of this id may still be ending.
///
/// # Errors
/// A user without a name.
pub fn record(work: &Work<'_>, _: &mut Wanted) -> Result<Record> {
    let plan = work.plan;
    let created = clock::now_rfc3339();
    let moment: String = created.chars().filter(char::is_ascii_digit).collect();
    let owner = user::name()
        .map_err(|fault| Error::new("ask who the caller is", Object::Nothing, fault.into()))?;
    Ok(Record {
        orbital_version: record::VERSION,
        id: plan.id.clone(),
        oci_version: plan.oci_version.clone(),
        bundle: plan.bundle.clone(),
        rootfs: PathBuf::new(),
        owner: 0,
        process: None,
        program: record::Program::Given,
        cgroup: None,
        cgroup_made: Vec::new(),
        unit: None,
        resctrl_made: Vec::new(),
        laid: None,
        keyring: None,
        came: record::Came::Started,
        job: Some(record::Job {
            name: format!(
                r"Global\orbital-{}-{moment}-{}",
                plan.id,
                std::process::id()
            ),
            owner,
            thread: 0,
            phase: Phase::Created,
        }),
        created,
        annotations: plan.annotations.clone(),
        poststart: plan.hooks.poststart.iter().map(Kept::new).collect(),
        poststop: plan.hooks.poststop.iter().map(Kept::new).collect(),
    })
}

/// A job with its limits, before anybody is in it. One that is dropped without a process is gone.
///
/// # Errors
/// A job that cannot be made; a limit that this Windows does not know.
pub fn place(
    work: &Work<'_>,
    wanted: &Wanted,
    record: &mut Record,
    _: &mut Undo<'static>,
) -> Result<Option<Group>> {
    let name = record
        .job
        .as_ref()
        .map(|job| job.name.clone())
        .unwrap_or_default();
    let told = |fault| {
        Error::new(
            "make the job",
            Object::Argument(name.clone()),
            Cause::from(fault),
        )
    };
    let job = Job::make(&name).map_err(told)?;
    let closing = match wanted.attended {
        Attended::Yes => Closing::Kill,
        // Only once the process holds the job: the trap at the head of mod.rs.
        Attended::No => Closing::Leave,
    };
    set(&job, &work.plan.limits, closing, &|pointer| pointer)?;
    Ok(Some(Group { job, name }))
}

/// Sets the limits. `place` tells where one was written.
///
/// # Errors
/// A limit that this Windows does not know, by its place.
pub(super) fn set(
    job: &Job,
    limits: &Limits,
    closing: Closing,
    place: &dyn Fn(Pointer) -> Pointer,
) -> Result<()> {
    let told = |doing: &str, pointer: &str, fault: Fault| {
        let pointer = place(Pointer::from(format!("/windows/resources{pointer}")));
        Error::new(doing, Object::config(pointer), fault.into())
    };
    let basic = Basic {
        memory: limits.memory,
        processes: limits.processes,
        closing,
    };
    job.limit(basic)
        .map_err(|fault| told("limit the memory and the processes", "/memory", fault))?;
    if let Some(cpu) = limits.cpu {
        let rate = match cpu {
            Cpu::AtMost(rate) => Rate::AtMost(rate),
            Cpu::Weight(weight) => Rate::Weight(weight),
        };
        job.rate(rate)
            .map_err(|fault| told("limit the time on the processors", "/cpu", fault))?;
    }
    if !limits.affinity.is_empty() {
        let masks: Vec<(u16, u64)> = limits
            .affinity
            .iter()
            .map(|one| (one.group, one.mask))
            .collect();
        job.affinity(&masks).map_err(|fault| {
            let error = told("choose the processors", "/cpu/affinity", fault);
            error.hint("name groups and processors that this machine has")
        })?;
    }
    if let Some(io) = limits.io {
        job.io(io.iops, io.bps)
            .map_err(|fault| told("limit the disk operations", "/storage", fault))?;
    }
    Ok(())
}

/// Gives birth, inside the job.
///
/// # Errors
/// As CreateProcessW.
pub fn give_birth(
    work: &Work<'_>,
    wanted: &mut Wanted,
    _: &Seat,
    group: Option<&Group>,
    _: &mut Undo<'static>,
) -> Result<Born> {
    let name = group.map(|group| group.name.as_str()).unwrap_or_default();
    // A handle of its own: that of `group` goes at the end of `create`.
    let job = Job::open(name).ok().flatten();
    let gone = || Error::container("find the container's job", &work.plan.id, "it is gone");
    birth::give_birth(&work.plan.process, job.ok_or_else(gone)?, wanted.attended)
}

/// What can only be done with a process that is there: it holds the job from now on, and what ends with it may.
///
/// # Errors
/// As DuplicateHandle and SetInformationJobObject.
pub fn settle(
    work: &Work<'_>,
    wanted: &mut Wanted,
    group: Option<Group>,
    born: &Born,
    _: &mut Record,
    _: &mut Undo<'static>,
) -> Result<Option<Group>> {
    if let (Attended::No, Some(group)) = (wanted.attended, &group) {
        let told = |fault| group.fault("let the process hold its job", fault);
        born.process.hold(&group.job).map_err(told)?;
        let limits = &work.plan.limits;
        let basic = Basic {
            memory: limits.memory,
            processes: limits.processes,
            closing: Closing::Kill,
        };
        group.job.limit(basic).map_err(told)?;
    }
    Ok(group)
}

/// Hooks, and the record with the process in it.
///
/// # Errors
/// A hook that failed; a record that cannot be written.
pub fn attend(
    work: &Work<'_>,
    seat: &Seat,
    group: Option<&Group>,
    born: &Born,
    record: &Record,
) -> Result<Record> {
    let plan = work.plan;
    let told = |fault| {
        Error::new(
            "look at the container's process",
            Object::Process(born.pid),
            Cause::from(fault),
        )
    };
    let mut record = record.clone();
    record.process = Some(record::Process {
        pid: born.pid,
        start_time: born.process.born().map_err(told)?,
    });
    if let Some(job) = &mut record.job {
        job.thread = born.thread;
    }
    seat.keep_config(work.config)?;
    seat.draft(&record)?;
    let document = |status: &str| {
        oci::document(&record, born.pid, status)
            .to_string()
            .into_bytes()
    };
    let creating = document("creating");
    hooks::run(
        &plan.hooks.prestart,
        "prestart",
        &plan.bundle,
        &creating,
        None,
    )?;
    hooks::run(
        &plan.hooks.create_runtime,
        "createRuntime",
        &plan.bundle,
        &creating,
        None,
    )?;
    let inside = group.map(|group| &group.job);
    hooks::run(
        &plan.hooks.create_container,
        "createContainer",
        &plan.bundle,
        &creating,
        inside,
    )?;
    Ok(record)
}

/// Nobody here takes a process as a descriptor.
///
/// # Errors
/// None.
pub fn hand_out(_: Wanted, _: &Born) -> Result<()> {
    Ok(())
}

/// Nobody waits to be told.
///
/// # Errors
/// None.
pub fn remembered(_: &Born) -> Result<()> {
    Ok(())
}

/// How to end the process again: it is suspended, and has started nothing.
pub fn ending(born: &Born) -> impl FnOnce() -> Result<()> + 'static {
    let pid = born.pid.cast_unsigned();
    let first = crate::sys::process::Process::open_to_end(pid)
        .ok()
        .flatten();
    move || {
        if let Some(process) = first {
            process.abandon();
            // Ten seconds are for a machine that is very busy, ignored.
            let _ = process.ended_within(10_000);
        }
        Ok(())
    }
}
