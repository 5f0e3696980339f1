//! `orbital pause`, `orbital resume`: every process stands still, and goes on.

use super::{Verb, check};
use crate::cgroup::Cgroup;
use crate::error::{Error, Result};
use crate::state::{Home, status};

/// Stops all processes of a container, and returns when they stand.
///
/// # Errors
/// A container that does not exist, does not live or is paused already; one that has no cgroup; a process
/// that does not stop within ten seconds.
pub fn pause(id: &str, home: &Home) -> Result<()> {
    group(Verb::Pause, id, home)?.freeze()
}

/// Lets them go on, and returns when they do.
///
/// # Errors
/// A container that does not exist or is not paused; one that stays frozen with a group above its own.
pub fn resume(id: &str, home: &Home) -> Result<()> {
    group(Verb::Resume, id, home)?.resume()
}

fn group(verb: Verb, id: &str, home: &Home) -> Result<Cgroup> {
    let word = verb.word();
    let seat = home.find(&format!("{word} {id}"), id)?;
    let now = status::now(&seat)?;
    check(verb, id, now.status, now.pid)?;
    let group = match &now.record {
        Some(record) => record.group()?,
        None => None,
    };
    group.ok_or_else(|| without_group(word, id))
}

/// What a container cannot do that stayed in its caller's group.
pub(super) fn without_group(word: &str, id: &str) -> Error {
    let why = "it has no cgroup of its own";
    Error::container(format!("{word} {id}"), id, why)
        .hint("create it where orbital may make one, without --cgroup-manager disabled")
}
