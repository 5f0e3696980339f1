//! What remains of a container between two invocations of orbital.
//!
//! A directory per container below `--root`, a lock in it, a record. The record holds only what the
//! kernel cannot be asked again; what a container *is* at this moment (its [`status`]) is derived
//! from the record and the kernel each time, and stored nowhere. What this folder does *not* do:
//! ask the kernel for it, or judge whether a verb is legal (both is `life/`).

/// The directories: reserve one, open one, remove one.
pub mod dir;

/// What is written down.
pub mod record;

/// The configuration that it was made from.
mod config;

/// Creating, created, running, paused, stopped.
pub mod status;

/// The state document, for hooks and for `state`.
pub mod oci;

/// The pid for callers, in a file of their own.
pub mod pid_file;

/// What has been made so far, to be undone in reverse.
pub mod undo;

pub use dir::{Home, Seat};
pub use record::Record;
pub use status::Status;
