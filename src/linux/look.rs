//! How the container's first process is at this moment, by the host's /proc.

use super::parent::rdt;
use crate::cgroup::Cgroup;
use crate::cgroup::stats::Stats;
use crate::error::{Error, Result};
use crate::state::record::{Came, Process, Record};
use crate::state::status::Status;
use crate::sys::Fault;
use crate::sys::proc::Proc;
use std::ffi::CString;

/// What is asked: a /proc that is trusted.
pub type Host = Proc;

/// `PF_FORKNOEXEC` of linux/sched.h: forked, and has executed nothing since. Our child carries it until
/// it becomes the container's program.
const NOT_YET_EXECUTED: u64 = 0x40;

/// The /proc to ask.
///
/// # Errors
/// One that cannot be trusted.
pub fn host() -> Result<Host> {
    Proc::open().map_err(|fault| Error::file("trust /proc", "/proc", fault))
}

/// Whether the recorded process waits, runs or is frozen; `None` where it has ended.
///
/// # Errors
/// As [`look`].
pub fn lives(proc: &Proc, record: &Record, process: Process) -> Result<Option<Status>> {
    let Some(look) = alive(proc, process)? else {
        return Ok(None);
    };
    if is_frozen(record) {
        return Ok(Some(Status::Paused));
    }
    Ok(Some(
        if look.flags & NOT_YET_EXECUTED == 0 || record.came == Came::Restored {
            Status::Running
        } else {
            Status::Created
        },
    ))
}

/// What the container uses; `None` where its group is gone.
///
/// # Errors
/// As [`Cgroup::stats`].
pub fn stats(record: &Record, group: &Cgroup) -> Result<Option<Stats>> {
    let stats = group.stats()?;
    Ok(stats.map(|mut stats| {
        stats.intel_rdt.schemata = rdt::schemata(&record.resctrl_made);
        stats
    }))
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
