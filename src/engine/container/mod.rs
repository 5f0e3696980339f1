//! What a container is to the engine: a record on disk, a directory of its own, and a monitor while it runs.
//!
//! ```text
//! store/containers/ID/   record.json  log.json  upper work (of an overlay)  rootfs (where it is mounted)
//! state/containers/ID/   bundle/config.json  attach (a socket)  lock       gone after a reboot
//! ```
//!
//! The record says what was asked for ([`wish`]) and what became of it ([`record`]). Whether something still
//! runs is asked of the kernel, never of the record. What this folder does not do: start or end anything.

/// What was asked for.
pub(crate) mod wish;

/// What became of it.
pub(crate) mod record;

/// Ids, and names by which people know them.
pub(crate) mod names;

/// All records, found by id, by its beginning, or by name.
pub(crate) mod shelf;

/// Files replaced as a whole, and locks.
pub(crate) mod file;
