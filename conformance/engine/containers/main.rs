//! Containers of orbital-engine, driven from outside: `run` and its family, on directories and on images.
//!
//! `ORBITAL_ENGINE` names the program; the runtime is the one beside it. They need root and a plain unified cgroup
//! tree: run them through `conformance/in-unified`. Elsewhere each says that it is skipped. The host's network is
//! never touched: containers have none, or the test has a network namespace of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test a panic is the report"
)]

/// A store of its own, and the program run in it.
#[path = "../lab.rs"]
#[allow(dead_code, reason = "also that of the tests of images")]
mod lab;

/// Archives, byte by byte.
#[path = "../archive.rs"]
#[allow(dead_code, reason = "also that of the tests of images")]
mod archive;

/// Layers, configs and manifests of images.
#[path = "../image.rs"]
#[allow(dead_code, reason = "also that of the tests of images")]
mod image;

/// A registry on the loopback interface.
#[path = "../registry.rs"]
#[allow(dead_code, reason = "also that of the tests of images")]
mod registry;

/// Images as folders and tars.
#[path = "../layout.rs"]
mod layout;

/// Root file systems, and what must not be left.
mod ground;

/// A host of a test's own.
mod host;

/// From nothing to nothing.
mod walk;

/// Programs killed at random moments.
mod crash;

/// What the small engines before this one could do, row by row.
mod seeds;

/// From run to rm, and all that may come between.
mod life;

/// Input, output, terminals, exit statuses.
mod streams;

/// What a container is given, and what it is not.
mod shape;

/// Files that outlive it, and files that do not.
mod files;

/// Containers of images.
mod images;

/// Whose ids a container has.
mod ids;

/// Flags that no other file is about.
mod flags;

/// Files of a container and images as tars.
mod archives;

/// What users try first, and is wrong.
mod told;

/// Addresses, ports, names.
mod reach;

/// Somebody whom no host knows.
#[path = "../stranger.rs"]
mod stranger;

/// A user without privileges.
mod user;
