//! orbital, an OCI low-level container runtime.
//!
//! config.json is read once (`spec`), decided once (`plan`), carried out once (`linux`, `cgroup`) and
//! remembered once (`state`); `life` tells the story. Read `life/create.rs` first, then
//! `plan/mod.rs`, `linux/mod.rs` (the picture), `linux/child/mod.rs` (the straight line), and the
//! other verbs of `life/`.

/// What was typed.
pub mod cli;

/// The life of a container: one file per verb.
pub mod life;

/// config.json as written.
pub mod spec;

/// config.json as decided.
pub mod plan;

/// The plan, carried out.
pub mod linux;

/// The container's place in the cgroup tree, and its limits.
pub mod cgroup;

/// What remains between two invocations.
pub mod state;

/// How a failure is told.
pub mod error;

/// The only home of `unsafe`.
pub mod sys;

/// The small front, `orbital-engine`: images, and what is done with them.
#[cfg(feature = "engine")]
pub mod engine;
