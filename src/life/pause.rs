//! `orbital pause`, `orbital resume`: every process stands still, and goes on.

use super::{Verb, check, status};
use crate::backend::{Group, signal};
use crate::error::Result;
use crate::state::record::without_group;
use crate::state::{Home, Record, Seat};

/// Stops all processes of a container, and returns when they stand.
///
/// # Errors
/// A container that does not exist, does not live or is paused already; one that has no cgroup; a process
/// that does not stop within ten seconds.
pub fn pause(id: &str, home: &Home) -> Result<()> {
    let (seat, record, group) = found(Verb::Pause, id, home)?;
    signal::freeze(&seat, &record, &group)
}

/// Lets them go on, and returns when they do.
///
/// # Errors
/// A container that does not exist or is not paused; one that stays frozen with a group above its own.
pub fn resume(id: &str, home: &Home) -> Result<()> {
    let (seat, record, group) = found(Verb::Resume, id, home)?;
    signal::resume(&seat, &record, &group)
}

fn found(verb: Verb, id: &str, home: &Home) -> Result<(Seat, Record, Group)> {
    let word = verb.word();
    let seat = home.find(&format!("{word} {id}"), id)?;
    let now = status::now(&seat)?;
    check(verb, id, now.status, now.pid)?;
    let without = || without_group(word, id);
    let record = now.record.ok_or_else(without)?;
    let group = record.group()?.ok_or_else(without)?;
    Ok((seat, record, group))
}
