//! orbital, an OCI low-level container runtime.
//!
//! config.json is read once (`spec`), decided once (`plan`), carried out once (`linux`, `cgroup`) and
//! remembered once (`state`); `life` tells the story. Read `life/create.rs` first, then
//! `plan/mod.rs`, `linux/mod.rs` (the picture), `linux/child/mod.rs` (the straight line), and the
//! other verbs of `life/`. On Windows `windows` stands in the place of `linux` and `cgroup`, behind the same
//! names: `life` calls either as `backend`, and only this file knows which.

/// What was typed.
pub mod cli;

/// The life of a container: one file per verb.
pub mod life;

/// config.json as written.
pub mod spec;

/// config.json as decided.
pub mod plan;

/// The plan, carried out.
#[cfg(target_os = "linux")]
pub mod linux;

/// The same plan on a Job Object.
#[cfg(windows)]
pub mod windows;

/// The container's place in the cgroup tree, and its limits.
#[cfg(target_os = "linux")]
pub mod cgroup;

/// What remains between two invocations.
pub mod state;

/// How a failure is told.
pub mod error;

/// The only home of `unsafe`.
#[cfg_attr(windows, path = "sys/win/mod.rs")]
pub mod sys;

/// The small front, `orbital-engine`: images, and what is done with them.
#[cfg(feature = "engine")]
pub mod engine;

#[cfg(target_os = "linux")]
pub use linux as backend;
#[cfg(windows)]
pub use windows as backend;
