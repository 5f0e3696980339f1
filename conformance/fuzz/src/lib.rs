//! Wrong input for orbital's parsers and planners, and what must hold for each.
//!
//! A seed (every config.json of `bundle-examples/`, and those in `seeds/`) is changed as JSON or byte by
//! byte (`mutate`) and given to a target (`targets`), which panics where orbital breaks a promise.
//! `main.rs` repeats that by a seed, anywhere; `guided.rs` lets libFuzzer choose what to change, by coverage.

/// Numbers by a seed: the same on every machine.
pub mod random;

/// Valid and nearly valid input to begin with.
pub mod seeds;

/// From input to other input.
pub mod mutate;

/// What is tried, and what must hold.
pub mod targets;

/// How much memory one execution may take.
pub mod meter;
