//! CRIU, which writes processes to disk and brings them back, driven over its own protocol.
//!
//! `criu swrk FD` reads one request from a SEQPACKET socket, asks back while it works (notifications:
//! the namespaces are there, here is the terminal, the processes are ready to go on), and answers. A
//! request has a dozen members out of some seventy, so [`wire`] writes their bytes by hand instead of
//! bringing a protobuf library along.
//!
//! ```text
//!  orbital                                  criu swrk
//!  VERSION ───────────────────────────────▶
//!          ◀─────────────────────────────── 4.1.1
//!  RESTORE, options ──────────────────────▶
//!          ◀─────────────────────────────── NOTIFY setup-namespaces, pid
//!  prestart and createRuntime hooks
//!  NOTIFY, done ──────────────────────────▶
//!          ◀─────────────────────────────── NOTIFY orphan-pts-master, descriptor
//!          ◀─────────────────────────────── NOTIFY post-restore, pid
//!  record on disk, done ──────────────────▶ lets the processes go on
//!          ◀─────────────────────────────── RESTORE, success
//! ```
//!
//! Socket and descriptors are handed over by number: CRIU finds the folders of images and log through
//! orbital's own /proc/PID/fd, and inherits those that take the place of something in an image.
//!
//! What this folder does *not* do: decide what becomes of the container (that is `life/`).

/// Members of messages as bytes, and back.
pub mod wire;

/// The program, and what is said to it and heard from it.
pub mod talk;

/// Members that `checkpoint` and `restore` share.
pub mod options;

/// What of a container is not its own: binds, masks, namespaces, pipes.
pub mod outside;

/// A mount namespace in which a container's root is a mount point.
pub mod stage;

/// What it does not bring back.
pub mod mend;

/// Its first error, found in its log.
pub mod complaint;
