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

/// Questions to the host, asked once.
pub mod ask;

/// Every step of the child, in order.
pub mod step;

/// The twelve bytes.
pub mod failure;

/// The protocol.
pub mod gates;

/// Security modules of the host.
pub mod labels;

/// A network namespace, made beside the planning.
pub mod ahead;

/// Descriptors made before birth.
pub mod held;

/// One hook, run.
pub mod hook;

/// The right column.
pub mod child;

/// The clone.
pub mod birth;

/// The left column.
pub mod parent;

/// Both columns of a second process.
pub mod second;

/// CRIU, which writes processes to disk and brings them back.
pub mod criu;

/// A child's twelve bytes, told in words.
pub mod explain;

/// The runtime's own file, out of the container's reach.
pub mod protect;
