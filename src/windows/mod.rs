//! The plan, carried out on Windows: a process in a Job Object.
//!
//! | on Linux | here |
//! |---|---|
//! | cgroup, `CLONE_INTO_CGROUP` | a named Job Object; the process is born inside it, by its attribute list |
//! | gate E: the child waits at a socket | the process is born suspended; `start` resumes its first thread |
//! | pidfd, start time | process handle, creation time |
//! | `cgroup.kill` | `TerminateJobObject` |
//! | a signal | TERM, INT, HUP and QUIT ask (WM_CLOSE, Ctrl-Break); KILL ends; there are no others |
//! | `cgroup.freeze` | each thread is suspended; that it was is recorded, as a thread cannot be asked |
//! | `memory.max`, `pids.max`, `cpu.max`, `io.max` | job memory, active processes, CPU rate, I/O rate |
//! | the last process of a pid namespace | the job ends with its first process (below) |
//! | namespaces, mounts, users, seccomp | nothing: a job is no wall, and what asks for one is refused |
//!
//! The trap: KILL_ON_JOB_CLOSE, which every build tool uses, ends all processes when the last handle of the job is
//! closed, and for `orbital create` that would be when it exits. And without a handle a job that still has processes
//! loses its *name*, so that nobody finds it again. Both are answered by one handle more: the container's first
//! process is given one, with which it can do nothing but wait. While it lives, so do the job and its name, whoever
//! comes and goes; when it ends, however it ends, its handle is closed by the kernel, and only now may the flag do
//! its work: what it has started ends with it. So for a detached container the flag is set *after* the process holds
//! its handle, never before. A `run` in the foreground keeps the one handle itself: when the `run` is gone, all is.
//!
//! What this folder does *not* do: decide (that is `plan/job.rs`), remember (that is `state/`).

/// The engine's program, of which there is none.
pub mod engine;

/// Questions to the host.
pub mod ask;

/// The runtime's own file.
pub mod protect;

/// What the caller hands over beside the command line.
pub mod inherit;

/// How the container's first process is.
pub mod look;

/// Making a container, act by act.
pub mod make;

/// A bundle of the command line alone.
mod bundle;

/// From a program's name to its file.
mod find;

/// One process, from its plan to its first instruction.
mod birth;

/// The container's job.
mod group;

/// Hooks.
pub mod hooks;

/// Letting the program begin.
pub mod begin;

/// The container's word that it is ready, which nobody here waits for.
pub mod notify;

/// The foreground: a terminal and a status handed through.
pub mod foreground;

/// Asking it to end, ending it, stopping it where it stands.
pub mod signal;

/// The end, and what is removed.
pub mod end;

/// Other limits.
pub mod update;

/// Its processes as a table.
pub mod ps;

/// A second process.
pub mod exec;

/// To disk: not here.
pub mod checkpoint;

/// And back: not here.
pub mod restore;

/// What this build can do.
pub mod features;

/// The plan of a container for Linux, which only Linux can make.
pub mod plain;

pub use crate::plan::job::Job as Plan;
pub use birth::Born;
pub use group::{Event, Group};

/// The status that a process's status becomes when orbital exits with it: Windows' have 32 bits.
#[must_use]
pub const fn exit_status(status: i32) -> i32 {
    status
}
