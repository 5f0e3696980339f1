//! The life of a container, one file per verb; each is a numbered list.
//!
//! | verb | creating | created | running | paused | stopped | missing |
//! |---|---|---|---|---|---|---|
//! | create | – | – | – | – | – | yes |
//! | start | – | yes | – | – | – | – |
//! | state | yes | yes | yes | yes | yes | – |
//! | exec | – | yes | yes | – | – | – |
//! | exec --ignore-paused | – | yes | yes | yes | – | – |
//! | kill | – | yes | yes | yes | – | – |
//! | pause | – | yes | yes | – | – | – |
//! | resume | – | – | – | yes | – | – |
//! | update | – | yes | yes | yes | – | – |
//! | events | – | yes | yes | yes | – | – |
//! | checkpoint | – | – | yes | yes | – | – |
//! | restore | – | – | – | – | – | yes |
//! | ps | – | yes | yes | yes | yes | – |
//! | delete | – | – | – | – | yes | – |
//! | delete --force | yes | yes | yes | yes | yes | yes |
//!
//! What this folder does *not* do: decide what a container looks like (`plan/`), talk to the kernel
//! (`linux/` and `cgroup/`, or `windows/`: one of them is the `backend`), keep anything (`state/`).

/// What it is at this moment.
mod status;

/// Make a container, up to the moment before its program.
pub mod create;

/// Let its program begin.
pub mod start;

/// Print its state.
pub mod state;

/// Send it a signal.
pub mod kill;

/// Stop its processes where they stand, and let them go on.
pub mod pause;

/// Show its processes.
pub mod ps;

/// Print what it uses.
pub mod events;

/// Change its limits.
pub mod update;

/// Run a second process in it.
pub mod exec;

/// Write it to disk.
pub mod checkpoint;

/// Let it go on from there.
pub mod restore;

/// Remove it.
pub mod delete;

/// Create, start, wait, delete.
pub mod run;

/// All containers.
pub mod list;

/// What this build and this kernel can do.
pub mod features;

/// Print the plan and do nothing.
pub mod plan;

use crate::error::{Error, Result};
use crate::state::Status;

/// A verb that needs a container of a certain status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `start`.
    Start,
    /// `kill`.
    Kill,
    /// `pause`.
    Pause,
    /// `resume`.
    Resume,
    /// `update`.
    Update,
    /// `events`.
    Events,
    /// `ps`.
    Ps,
    /// `exec` without `--ignore-paused`.
    Exec,
    /// `checkpoint`.
    Checkpoint,
    /// `delete` without `--force`.
    Delete,
}

impl Verb {
    /// As it stands in "cannot … ID".
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Verb::Start => "start",
            Verb::Kill => "kill",
            Verb::Pause => "pause",
            Verb::Resume => "resume",
            Verb::Update => "update",
            Verb::Events => "watch",
            Verb::Ps => "ps",
            Verb::Exec => "execute a process in",
            Verb::Checkpoint => "checkpoint",
            Verb::Delete => "delete",
        }
    }
}

/// The table above.
///
/// # Errors
/// A refusal that names the status, in the words that callers look for.
pub fn check(verb: Verb, id: &str, status: Status, pid: i32) -> Result<()> {
    use Status::{Created, Creating, Paused, Running, Stopped};
    let is = || format!("it is {} (pid {pid})", status.word());
    let (why, hint) = match (verb, status) {
        (Verb::Start, Created)
        | (Verb::Kill | Verb::Update | Verb::Events, Created | Running | Paused)
        | (Verb::Pause | Verb::Exec, Created | Running)
        | (Verb::Resume, Paused)
        | (Verb::Checkpoint, Running | Paused)
        | (Verb::Ps, Created | Running | Paused | Stopped)
        | (Verb::Delete, Stopped) => return Ok(()),
        (Verb::Exec, status) => return Err(not_for_exec(id, status)),
        (Verb::Checkpoint, Created) => (
            format!("container not running: {}", is()),
            format!("let its program begin first: orbital start {id}"),
        ),
        (Verb::Start, Stopped) => (
            "cannot start a container that has stopped".to_owned(),
            format!("remove it and create it anew: orbital delete {id}"),
        ),
        (Verb::Start, Creating) => (
            "it is still being created".to_owned(),
            "wait for create to return".to_owned(),
        ),
        (Verb::Start, _) => {
            let why = format!("{}, and only a created container can be started", is());
            (why, String::new())
        }
        (Verb::Delete, _) => (
            format!("{}, and only a stopped container can be deleted", is()),
            format!(
                "end it first: orbital kill {id} KILL, or do both: orbital delete --force {id}"
            ),
        ),
        (Verb::Resume, _) => {
            let why = format!("container not paused: it is {}", status.word());
            (why, String::new())
        }
        (Verb::Pause, Paused) => (
            "container not running: it is paused already".to_owned(),
            format!("orbital resume {id} lets it go on"),
        ),
        (_, Creating) => (
            "container not running: it is still being created".to_owned(),
            String::new(),
        ),
        (_, _) => (
            "container not running".to_owned(),
            format!("it has ended; remove it: orbital delete {id}"),
        ),
    };
    let error = Error::container(format!("{} {id}", verb.word()), id, why);
    Err(if hint.is_empty() {
        error
    } else {
        error.hint(hint)
    })
}

/// In the words that callers look for.
fn not_for_exec(id: &str, status: Status) -> Error {
    let (why, hint) = match status {
        Status::Stopped => (
            "cannot exec in a stopped container",
            format!("it has ended; remove it: orbital delete {id}"),
        ),
        Status::Paused => (
            "cannot exec in a paused container (use --ignore-paused to override)",
            "resume it first, or let the process wait for that with --ignore-paused".to_owned(),
        ),
        _ => (
            "container not running: it is still being created",
            "wait for create to return".to_owned(),
        ),
    };
    Error::container(format!("execute a process in {id}"), id, why).hint(hint)
}

#[cfg(test)]
mod tests;
