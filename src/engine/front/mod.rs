//! The front: whoever typed `run`, `start`, `attach` or `exec`. It lends its terminal and its signals to a
//! container, and takes its exit status.

/// The monitor, started.
mod begin;

/// What goes to and fro.
mod attend;

/// What is typed to leave.
pub(crate) mod keys;

/// Our own terminal.
mod terminal;

pub(crate) use attend::{Attended, Interest, attend_late, begin};
pub(crate) use begin::connect;
