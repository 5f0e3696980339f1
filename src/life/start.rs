//! `orbital start`: open the last gate.

use super::status::{self, Now};
use super::{Verb, check};
use crate::backend::{begin, end, hooks, notify};
use crate::error::{Error, Result};
use crate::state::record::Program;
use crate::state::{Home, Record, Seat, oci};

/// Lets the container's program begin, and returns when it has.
///
/// # Errors
/// A container that is not created, or was created without a process; a startContainer or poststart hook that failed, which ends the
/// container; a program that could not be executed.
pub fn start(id: &str, home: &Home) -> Result<()> {
    let doing = format!("start {id}");
    let seat = home.take(&doing, id)?;
    let Now {
        record,
        status,
        pid,
        host,
    } = status::now(&seat)?;
    check(Verb::Start, id, status, pid)?;
    let Some(record) = record else {
        return Err(Error::container(doing, id, "it has no record"));
    };

    if record.program == Program::Missing {
        // It waits for what can never come: it is stopped, for `delete` to remove.
        return Err(begin::missing().also(end::end(&record, &host).err()));
    }
    let proxy = notify::of(&seat)?;
    let gate = begin::reach(&seat, &record, &doing)?;
    begin::later(gate, &seat, &record)
        .or_else(|error| super::delete::after_failure(&seat, &record, error))?;
    poststart(&seat, &record)?;
    // Others may look at the container and end it while it comes up.
    drop(seat);
    proxy.map_or(Ok(()), |proxy| proxy.wait(pid))
}

/// Runs the poststart hooks; one that fails ends the container (config.md, "Poststart").
///
/// # Errors
/// The hook that failed.
pub fn poststart(seat: &Seat, record: &Record) -> Result<()> {
    let pid = record.process.map_or(0, |process| process.pid);
    let document = oci::document(record, pid, "running").to_string();
    let list: Vec<_> = record
        .poststart
        .iter()
        .map(crate::state::record::Kept::hook)
        .collect();
    let ran = record.hook_outputs().and_then(|outputs| {
        let document = document.as_bytes();
        hooks::run_in(&list, "poststart", &record.bundle, document, &outputs)
    });
    ran.or_else(|error| super::delete::after_failure(seat, record, error))
}
