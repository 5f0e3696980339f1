//! Record and kernel → status. Nothing here is ever written down.

use super::dir::Seat;
use super::record::Record;
use crate::backend::look::{self, Host};
use crate::error::Result;

/// runtime.md, "State"; `paused` is every runtime's addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `create` is at work.
    Creating,
    /// It waits to be started.
    Created,
    /// Its program runs.
    Running,
    /// It is frozen.
    Paused,
    /// Its first process has ended.
    Stopped,
}

impl Status {
    /// Whether there is a process that waits or runs.
    #[must_use]
    pub const fn lives(self) -> bool {
        matches!(self, Status::Created | Status::Running | Status::Paused)
    }

    /// The word in the state document.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Status::Creating => "creating",
            Status::Created => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Stopped => "stopped",
        }
    }
}

/// A container as it is at this moment.
#[derive(Debug)]
pub struct Now {
    /// Its record; `None` where creating never came as far as to write one.
    pub record: Option<Record>,
    /// Its status.
    pub status: Status,
    /// The pid of its first process, 0 where there is none.
    pub pid: i32,
    /// What was asked.
    pub host: Host,
}

/// Reads the record and asks the kernel.
///
/// # Errors
/// A record that is not ours; a kernel that does not answer.
pub fn now(seat: &Seat) -> Result<Now> {
    let host = look::host()?;
    let record = seat.record()?;
    let status = of(seat, record.as_ref(), &host)?;
    let process = record.as_ref().and_then(|record| record.process);
    let pid = process.map_or(0, |process| process.pid);
    Ok(Now {
        record,
        status,
        pid,
        host,
    })
}

/// What the container is at this moment.
///
/// # Errors
/// A kernel that does not answer.
pub fn of(seat: &Seat, record: Option<&Record>, host: &Host) -> Result<Status> {
    let Some(record) = record else {
        return Ok(if seat.is_locked() {
            Status::Creating
        } else {
            Status::Stopped
        });
    };
    let Some(process) = record.process else {
        // A `create` that was killed left this; its child ended itself at the next gate.
        return Ok(if seat.is_locked() {
            Status::Creating
        } else {
            Status::Stopped
        });
    };
    Ok(look::lives(host, record, process)?.unwrap_or(Status::Stopped))
}
