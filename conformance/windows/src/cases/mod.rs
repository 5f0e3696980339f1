//! The cases, by topic. Each is a function of a [`Lab`] that says what it has shown.

/// From create to delete, in invocations of their own.
mod life;

/// What the process is given.
mod process;

/// `run`: the foreground, and no bundle.
mod run;

/// A living container: exec, pause, update, events.
mod living;

/// Limits, which Wine accepts and does not keep.
mod limits;

/// Hooks.
mod hooks;

/// Refusals, by their words.
mod refused;

use crate::lab::Lab;

/// What a case has come to, where nothing was wrong.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was shown.
    Shown,
    /// Wine only pretends to do it: why.
    NotUnderWine(&'static str),
}

/// A case.
pub(crate) struct Case {
    /// `topic/what-is-so`.
    pub(crate) name: &'static str,
    /// Shows it.
    pub(crate) body: fn(&Lab) -> Result<Outcome, String>,
}

/// All of them, in the order of a container's life.
pub(crate) fn all() -> Vec<Case> {
    let mut all = Vec::new();
    for topic in [
        life::CASES,
        process::CASES,
        run::CASES,
        living::CASES,
        limits::CASES,
        hooks::CASES,
        refused::CASES,
    ] {
        all.extend(topic.iter().map(|(name, body)| Case { name, body: *body }));
    }
    all
}

/// Whether this is Wine: its prefixes have a program that no Windows has.
pub(crate) fn is_wine() -> bool {
    let root = std::env::var("SystemRoot").unwrap_or_else(|_| r"C:\windows".to_owned());
    std::path::Path::new(&root)
        .join("system32")
        .join("winecfg.exe")
        .exists()
}

type Named = (&'static str, fn(&Lab) -> Result<Outcome, String>);
