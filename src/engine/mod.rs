//! The small front: `orbital pull`, `orbital images` and their like, as the program `orbital-engine`.
//!
//! ```text
//!  argv ─cli─▶ reference ─registry, source─▶ blobs ─unpack─▶ layers ─store─▶ images.json
//! ```
//!
//! ```text
//!  argv ─cli/containers─▶ container/wish ─▶ monitor ─bundle, network─▶ config.json ─▶ orbital create, start
//! ```
//!
//! It calls the runtime only as podman would, by the command line of `orbital`; the runtime knows nothing of
//! it, and is built without it (feature `engine`). What it does not do: decide anything about a container's
//! process (that is `plan/`), build images, or stay in memory: there is no daemon.

/// The command line: one file per family of verbs.
pub mod cli;

/// Where the engine keeps what it keeps.
pub mod places;

/// An image's name, by Docker's rules.
pub mod reference;

/// What a blob's content is called.
pub mod digest;

/// The documents of an image.
pub mod image;

/// Who we are to a registry.
pub mod auth;

/// A registry, asked by HTTP.
pub mod registry;

/// Where an image comes from: a registry, a folder, a tar.
pub mod source;

/// A name → an image in the store.
pub mod pull;

/// Images in the store → a tar.
pub(crate) mod save;

/// How far a pull is.
pub mod progress;

/// A layer's archive → a directory, behind walls.
pub mod unpack;

/// A directory → an archive.
pub(crate) mod pack;

/// A user's own range of ids.
pub mod userns;

/// What is kept of images.
pub mod store;

/// The network of containers.
pub mod network;

/// What a container is to the engine.
pub(crate) mod container;

/// config.json, made from what was asked for.
pub(crate) mod bundle;

/// Directories that outlive containers.
pub(crate) mod volume;

/// Which ids a container has.
pub(crate) mod ids;

/// A user's own user namespace.
pub(crate) mod inside;

/// The container's root directory.
pub(crate) mod rootfs;

/// The runtime, called.
pub(crate) mod runtime;

/// What a monitor and those in front of it say to each other.
pub(crate) mod wire;

/// The process beside each running container.
pub(crate) mod monitor;

/// Whoever typed `run`.
pub(crate) mod front;

/// `--init`.
pub(crate) mod init;

/// What this host lacks.
pub(crate) mod doctor;

use crate::error::Error;

/// Exit status of what the engine itself cannot do, as users of docker and podman know it.
pub const ENGINE_FAILED: u8 = 125;

/// Exit status where the container's program is there and cannot be run.
pub const CANNOT_RUN: u8 = 126;

/// Exit status where the container's program is not there.
pub const NOT_FOUND: u8 = 127;

/// A failure, and the exit status that tells it.
#[derive(Debug)]
pub struct Failed {
    /// [`ENGINE_FAILED`], [`CANNOT_RUN`] or [`NOT_FOUND`].
    pub status: u8,
    /// What is told.
    pub error: Error,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed {
            status: ENGINE_FAILED,
            error,
        }
    }
}

/// What a verb returns: the exit status, which for `run` and `exec` is the program's.
pub type Outcome = std::result::Result<u8, Failed>;
