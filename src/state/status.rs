//! What a container is, in the words of runtime.md. Nothing here is ever written down.

use super::record::Record;

/// runtime.md, "State"; `paused` is every runtime's addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `create` is at work.
    Creating,
    /// It waits to be started.
    Created,
    /// Its program runs.
    Running,
    /// It is frozen.
    Paused,
    /// Its first process has ended.
    Stopped,
}

impl Status {
    /// Whether there is a process that waits or runs.
    #[must_use]
    pub const fn lives(self) -> bool {
        matches!(self, Status::Created | Status::Running | Status::Paused)
    }

    /// The word in the state document.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Status::Creating => "creating",
            Status::Created => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Stopped => "stopped",
        }
    }
}

/// A container as it is at this moment; `H` is what was asked for it.
#[derive(Debug)]
pub struct Now<H> {
    /// Its record; `None` where creating never came as far as to write one.
    pub record: Option<Record>,
    /// Its status.
    pub status: Status,
    /// The pid of its first process, 0 where there is none.
    pub pid: i32,
    /// What was asked.
    pub host: H,
}
