//! How the container's first process is at this moment.

use super::group::Group;
use crate::error::{Error, Object, Result};
use crate::state::Record;
use crate::state::record::{self, Phase};
use crate::state::status::Status;
use crate::sys::job::Used;
use crate::sys::process::Process;
use serde::Serialize;

/// What is asked: Windows itself, without anything to open first.
#[derive(Clone, Copy, Debug)]
pub struct Host;

/// Whom to ask.
///
/// # Errors
/// None.
pub fn host() -> Result<Host> {
    Ok(Host)
}

/// Whether the recorded process waits, runs or stands; `None` where it has ended.
///
/// # Errors
/// A process that may not be looked at.
pub fn lives(_: &Host, record: &Record, process: record::Process) -> Result<Option<Status>> {
    let phase = record.job.as_ref().map(|job| job.phase);
    Ok(alive(process)?.map(|_| match phase {
        Some(Phase::Started) => Status::Running,
        Some(Phase::Paused) => Status::Paused,
        Some(Phase::Created) | None => Status::Created,
    }))
}

/// The recorded process, opened, where it lives: its pid may be another's by now, its birth cannot.
///
/// # Errors
/// A process that may not be looked at.
pub fn alive(known: record::Process) -> Result<Option<Process>> {
    let told = |fault| {
        Error::new(
            "look at the container's process",
            Object::Process(known.pid),
            crate::error::Cause::from(fault),
        )
    };
    let Some(process) = Process::open(known.pid.cast_unsigned()).map_err(told)? else {
        return Ok(None);
    };
    let same = process.born().map_err(told)? == known.start_time;
    let lives = same && process.ended_within(0).map_err(told)?.is_none();
    Ok(lives.then_some(process))
}

/// What a container uses, under runc's names where they mean the same.
#[derive(Debug, Serialize)]
pub struct Stats {
    cpu: Cpu,
    memory: Memory,
    pids: Pids,
    /// Left out by a system that does not count it.
    #[serde(skip_serializing_if = "Option::is_none")]
    io: Option<Io>,
}

#[derive(Debug, Serialize)]
struct Cpu {
    usage: Usage,
}

/// In nanoseconds.
#[derive(Debug, Serialize)]
struct Usage {
    total: u64,
    kernel: u64,
    user: u64,
}

#[derive(Debug, Serialize)]
struct Memory {
    usage: Bytes,
}

/// Committed.
#[derive(Debug, Serialize)]
struct Bytes {
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    usage: u64,
    max: u64,
}

#[derive(Debug, Serialize)]
struct Pids {
    current: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    total: u32,
}

#[derive(Debug, Serialize)]
struct Io {
    read: Done,
    write: Done,
    other: Done,
}

#[derive(Debug, Serialize)]
struct Done {
    operations: u64,
    bytes: u64,
}

/// What the container uses; `None` where its job is gone.
///
/// # Errors
/// As QueryInformationJobObject.
pub fn stats(_: &Record, group: &Group) -> Result<Option<Stats>> {
    let told = |fault| group.fault("count what the container uses", fault);
    let used = group.job.used().map_err(told)?;
    let limits = group.job.limits().map_err(told)?;
    let peak = group.job.peak().map_err(told)?;
    let pids = group.job.pids().map_err(told)?;
    let opened = pids.iter().filter_map(|pid| Process::open(*pid).ok()?);
    Ok(Some(Stats {
        cpu: Cpu {
            usage: usage(&used),
        },
        memory: Memory {
            usage: Bytes {
                limit: limits.memory,
                usage: opened.map(|process| process.committed()).sum(),
                max: peak,
            },
        },
        pids: Pids {
            current: used.active,
            limit: limits.processes,
            total: used.total,
        },
        io: group.job.moved().ok().map(io),
    }))
}

fn usage(used: &Used) -> Usage {
    let nanos = |time: u64| time.saturating_mul(100);
    Usage {
        total: nanos(used.user.saturating_add(used.kernel)),
        kernel: nanos(used.kernel),
        user: nanos(used.user),
    }
}

fn io(moved: [(u64, u64); 3]) -> Io {
    let [read, write, other] = moved.map(|(operations, bytes)| Done { operations, bytes });
    Io { read, write, other }
}
