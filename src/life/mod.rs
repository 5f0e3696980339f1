//! The life of a container, one file per verb; each is a numbered list.
//!
//! | verb | creating | created | running | paused | stopped | missing |
//! |---|---|---|---|---|---|---|
//! | create | – | – | – | – | – | yes |
//! | start | – | yes | – | – | – | – |
//! | state | yes | yes | yes | yes | yes | – |
//! | kill | – | yes | yes | yes | – | – |
//! | delete | – | – | – | – | yes | – |
//! | delete --force | yes | yes | yes | yes | yes | yes |
//!
//! What this folder does *not* do: decide what a container looks like (`plan/`), talk to the kernel
//! (`linux/`, `cgroup/`), keep anything (`state/`).

/// Make a container, up to the moment before its program.
pub mod create;

/// The container's group, made by orbital or by systemd.
mod group;

/// What create has done so far, to be undone in reverse.
pub mod undo;

/// What the caller hands over beside the command line.
pub mod inherit;

/// The container's word that it is ready, handed on.
pub mod notify;

/// Let its program begin.
pub mod start;

/// Print its state.
pub mod state;

/// Send it a signal.
pub mod kill;

/// Remove it.
pub mod delete;

/// Create, start, wait, delete.
pub mod run;

/// The foreground: signals and a terminal handed through.
pub mod foreground;

/// All containers.
pub mod list;

/// What this build and this kernel can do.
pub mod features;

/// Print the plan and do nothing.
pub mod plan;

/// The plan in words or as JSON.
pub mod explain;

use crate::error::{Error, Result};
use crate::state::Status;

/// A verb that needs a container of a certain status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `start`.
    Start,
    /// `kill`.
    Kill,
    /// `delete` without `--force`.
    Delete,
}

/// The table above.
///
/// # Errors
/// A refusal that names the status, in the words that callers look for.
pub fn check(verb: Verb, id: &str, status: Status, pid: i32) -> Result<()> {
    let (word, why, hint) = match (verb, status) {
        (Verb::Start, Status::Created)
        | (Verb::Kill, Status::Created | Status::Running | Status::Paused)
        | (Verb::Delete, Status::Stopped) => return Ok(()),
        (Verb::Start, Status::Stopped) => (
            "start",
            "cannot start a container that has stopped".to_owned(),
            format!("remove it and create it anew: orbital delete {id}"),
        ),
        (Verb::Start, Status::Creating) => (
            "start",
            "it is still being created".to_owned(),
            "wait for create to return".to_owned(),
        ),
        (Verb::Start, _) => (
            "start",
            format!(
                "it is {} (pid {pid}), and only a created container can be started",
                status.word()
            ),
            String::new(),
        ),
        (Verb::Kill, Status::Stopped) => (
            "kill",
            "container not running".to_owned(),
            format!("it has ended; remove it: orbital delete {id}"),
        ),
        (Verb::Kill, Status::Creating) => (
            "kill",
            "container not running: it is still being created".to_owned(),
            String::new(),
        ),
        (Verb::Delete, _) => {
            let hint = format!(
                "end it first: orbital kill {id} KILL, or do both: orbital delete --force {id}"
            );
            (
                "delete",
                format!(
                    "it is {} (pid {pid}), and only a stopped container can be deleted",
                    status.word()
                ),
                hint,
            )
        }
    };
    let error = Error::container(format!("{word} {id}"), id, why);
    Err(if hint.is_empty() {
        error
    } else {
        error.hint(hint)
    })
}

#[cfg(test)]
mod tests {
    use super::{Verb, check};
    use crate::state::Status;

    #[test]
    fn the_table() {
        use Status::{Created, Creating, Paused, Running, Stopped};
        let rows = [
            (
                Verb::Start,
                [
                    (Creating, false),
                    (Created, true),
                    (Running, false),
                    (Paused, false),
                    (Stopped, false),
                ],
            ),
            (
                Verb::Kill,
                [
                    (Creating, false),
                    (Created, true),
                    (Running, true),
                    (Paused, true),
                    (Stopped, false),
                ],
            ),
            (
                Verb::Delete,
                [
                    (Creating, false),
                    (Created, false),
                    (Running, false),
                    (Paused, false),
                    (Stopped, true),
                ],
            ),
        ];
        for (verb, row) in rows {
            for (status, legal) in row {
                assert_eq!(
                    check(verb, "a", status, 7).is_ok(),
                    legal,
                    "{verb:?} {status:?}"
                );
            }
        }
    }
}
