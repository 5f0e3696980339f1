//! Record and kernel → status. Nothing here is ever written down.

use super::dir::Seat;
use super::record::{Came, Process, Record};
use crate::cgroup::Cgroup;
use crate::error::{Error, Result};
use crate::sys::Fault;
use crate::sys::proc::Proc;
use std::ffi::CString;

/// `PF_FORKNOEXEC` of linux/sched.h: forked, and has executed nothing since. Our child carries it until
/// it becomes the container's program.
const NOT_YET_EXECUTED: u64 = 0x40;

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

/// What a process looks like at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// `R`, `S`, `Z` …
    pub state: char,
    /// The kernel's flags word.
    pub flags: u64,
    /// Birth in clock ticks since boot.
    pub start_time: u64,
}

/// Looks at a process; `None` when there is none of that pid; proc_pid_stat(5).
///
/// # Errors
/// A /proc that cannot be read.
pub fn look(proc: &Proc, pid: i32) -> Result<Option<Look>> {
    let path = CString::new(format!("{pid}/stat")).unwrap_or_default();
    let mut buffer = [0u8; 1024];
    match proc.read(&path, &mut buffer) {
        Ok(bytes) => Ok(parse(bytes)),
        Err(Fault {
            errno: libc::ENOENT | libc::ESRCH,
            ..
        }) => Ok(None),
        Err(fault) => Err(Error::file(
            "look at the container's process",
            format!("/proc/{pid}/stat"),
            fault,
        )),
    }
}

/// The name in brackets may hold anything, so fields are counted from the last bracket on.
fn parse(bytes: &[u8]) -> Option<Look> {
    let text = String::from_utf8_lossy(bytes);
    let (_, after) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = after.split(' ').collect();
    Some(Look {
        state: fields.first()?.chars().next()?,
        flags: fields.get(6)?.parse().ok()?,
        start_time: fields.get(19)?.parse().ok()?,
    })
}

/// The process of a fresh child, so that it will be known again.
///
/// # Errors
/// As [`look`]; a child that is gone already.
pub fn identify(proc: &Proc, pid: i32) -> Result<Process> {
    match look(proc, pid)? {
        Some(look) => Ok(Process {
            pid,
            start_time: look.start_time,
        }),
        None => Err(Error::file(
            "look at the container's process",
            format!("/proc/{pid}/stat"),
            Fault {
                call: crate::sys::Call::Read,
                errno: libc::ESRCH,
            },
        )),
    }
}

/// Whether the recorded process still lives, and how it looks.
///
/// # Errors
/// As [`look`].
pub fn alive(proc: &Proc, process: Process) -> Result<Option<Look>> {
    let look = look(proc, process.pid)?;
    Ok(look.filter(|look| look.start_time == process.start_time && !"ZXx".contains(look.state)))
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
    /// The /proc that told.
    pub proc: Proc,
}

/// Reads the record and asks the kernel.
///
/// # Errors
/// A record that is not ours; as [`look`].
pub fn now(seat: &Seat) -> Result<Now> {
    let proc = Proc::open().map_err(|fault| Error::file("trust /proc", "/proc", fault))?;
    let record = seat.record()?;
    let status = of(seat, record.as_ref(), &proc)?;
    let process = record.as_ref().and_then(|record| record.process);
    let pid = process.map_or(0, |process| process.pid);
    Ok(Now {
        record,
        status,
        pid,
        proc,
    })
}

/// What the container is at this moment.
///
/// # Errors
/// As [`look`].
pub fn of(seat: &Seat, record: Option<&Record>, proc: &Proc) -> Result<Status> {
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
    let Some(look) = alive(proc, process)? else {
        return Ok(Status::Stopped);
    };
    if is_frozen(record) {
        return Ok(Status::Paused);
    }
    Ok(
        if look.flags & NOT_YET_EXECUTED == 0 || record.came == Came::Restored {
            Status::Running
        } else {
            Status::Created
        },
    )
}

fn is_frozen(record: &Record) -> bool {
    let group = record
        .cgroup
        .as_deref()
        .and_then(|path| Cgroup::open(path).ok()?);
    group.is_some_and(|group| group.is_frozen().unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names_may_hold_brackets_and_blanks() {
        let tail = "S 1 2 3 4 5 4194368 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        for name in ["sh", "a) R 1", "a b (c)", ""] {
            let look = parse(format!("42 ({name}) {tail}").as_bytes()).unwrap();
            assert_eq!(
                (look.state, look.flags & 0x40, look.start_time),
                ('S', 0x40, 4711),
                "{name}"
            );
        }
        assert_eq!(parse(b"42 (sh) S 1"), None);
    }
}
