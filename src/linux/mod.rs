//! The plan, carried out, by two processes.
//!
//! ```text
//!  parent (linux/parent)                       child (linux/child)
//!  clone3 into the cgroup ───────────────────▶ seal the heap
//!  network devices, id maps, limits, oom score
//!  A ── Mapped ──────────────────────────────▶ clocks · join · become root · unshare · session · propagation
//!  (a thread) ── Network ────────────────────▶ root · network · mounts · devices · console
//!  device filter · loopback
//!  prestart, createRuntime hooks ◀── Mounted ─ B
//!  C ── Go ──────────────────────────────────▶ createContainer hooks · pivot · root flags · streams
//!                                              sysctl · read-only · masked · names · scheduling
//!                                              label · no_new_privs · seccomp, if without it
//!                                              bounding set · ids · capabilities · cwd · program
//!                                              seccomp, with no_new_privs
//!  record on disk ◀──────────────────── Ready ─ D
//!  D ── Remembered ──────────────────────────▶ waits
//!  exit
//!  `orbital start`: E ── Start ──────────────▶ startContainer hooks · execve
//! ```
//!
//! The steps of the right column are declared in [`step`], the records between them in [`gates`].
//! What this folder does *not* do: decide (that is `plan/`), remember (that is `state/`).

/// The engine's program, found and executed.
pub mod engine;

/// Questions to the host, asked once.
pub mod ask;

/// Every step of the child, in order.
pub mod step;

/// The twelve bytes.
pub mod failure;

/// The protocol.
pub mod gates;

/// How the container's first process is.
pub mod look;

/// Making a container, act by act.
pub mod make;

/// Its group, made by orbital or by systemd.
mod group;

/// Whoever takes a terminal or a process at a socket.
mod taker;

/// What is written down.
mod remember;

/// What the caller hands over beside the command line.
pub mod inherit;

/// Security modules of the host.
pub mod labels;

/// A network namespace, made beside the planning.
pub mod ahead;

/// What the child holds.
pub mod held;

/// The same, opened before birth.
pub mod hold;

/// One hook, run.
pub mod hook;

/// The right column.
pub mod child;

/// The clone.
pub mod birth;

/// The left column.
pub mod parent;

/// Gate E from the outside.
pub mod begin;

/// The container's word that it is ready, handed on.
pub mod notify;

/// Signals and a terminal handed through.
pub mod foreground;

/// Signals, standing still, going on.
pub mod signal;

/// The end, and what is removed.
pub mod end;

/// Other limits.
pub mod update;

/// What the host's ps says.
pub mod ps;

/// A second process.
pub mod exec;

/// To disk.
pub mod checkpoint;

/// And back.
pub mod restore;

/// What this build and this kernel can do.
pub mod features;

/// The plan in plain words or as JSON.
pub mod plain;

/// Both columns of a second process.
pub mod second;

/// CRIU, which writes processes to disk and brings them back.
pub mod criu;

/// A child's twelve bytes, told in words.
pub mod explain;

/// One table: (step, errno, circumstance) → what to do.
mod hints;

/// A program that was not executed, looked at.
pub mod program;

/// The runtime's own file, out of the container's reach.
pub mod protect;

pub use crate::cgroup::Cgroup as Group;
pub use crate::cgroup::watch::Event;
pub use crate::plan::Plan;
pub use birth::Born;
pub use parent::hooks;

/// The status that a process's status becomes when orbital exits with it.
#[must_use]
pub fn exit_status(status: i32) -> i32 {
    status.clamp(0, i32::from(u8::MAX))
}
