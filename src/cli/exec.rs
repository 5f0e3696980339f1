//! What `exec` is asked for, as it was typed.

use super::Attendance;
use std::path::PathBuf;

/// What `exec` is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// The container.
    pub id: String,
    /// The program and its arguments; empty with `--process`.
    pub command: Vec<String>,
    /// `--process`.
    pub process: Option<PathBuf>,
    /// `--detach`.
    pub attendance: Attendance,
    /// `--pid-file`.
    pub pid_file: Option<PathBuf>,
    /// `--console-socket`.
    pub console_socket: Option<PathBuf>,
    /// `--pidfd-socket`.
    pub pidfd_socket: Option<PathBuf>,
    /// `--preserve-fds`.
    pub preserve_fds: u32,
    /// `--ignore-paused`.
    pub paused: Paused,
    /// `--cgroup`, below the container's own group.
    pub cgroup: Option<String>,
    /// What replaces or adds to members of the process.
    pub changes: Changes,
}

/// Members of `exec`'s process as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// `--tty`.
    pub terminal: Switch,
    /// `--user`: an id, and a group where one was typed.
    pub user: Option<(u32, Option<u32>)>,
    /// `--additional-gids`.
    pub groups: Vec<u32>,
    /// `--cwd`.
    pub cwd: Option<PathBuf>,
    /// `--env`.
    pub env: Vec<String>,
    /// `--cap`.
    pub capabilities: Vec<String>,
    /// `--no-new-privs`.
    pub no_new_privs: Switch,
    /// `--apparmor`.
    pub apparmor: Option<String>,
    /// `--process-label`.
    pub label: Option<String>,
}

/// A switch that changes something only when it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Switch {
    /// It was not.
    #[default]
    NotGiven,
    /// It was.
    Given,
}

/// What `exec` does about a paused container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paused {
    /// It refuses.
    Refuse,
    /// The process waits with the container (`--ignore-paused`).
    Wait,
}
