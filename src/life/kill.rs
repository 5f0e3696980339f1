//! `orbital kill`: one signal, to the first process or to all.

use super::status::{self, Now};
use super::{Verb, check};
use crate::backend::signal;
use crate::cli::Reach;
use crate::error::Result;
use crate::state::{Home, Record, Status};

/// Sends `signal`, 1 to 64.
///
/// # Errors
/// A container that does not exist or does not run.
pub fn kill(id: &str, signal: i32, reach: Reach, home: &Home) -> Result<()> {
    let seat = home.find(&format!("kill {id}"), id)?;
    let Now {
        record,
        status,
        pid,
        host,
    } = status::now(&seat)?;
    let record = match record {
        // With a shared pid namespace others may live on after the first process.
        Some(record)
            if reach == Reach::All && status == Status::Stopped && has_processes(&record) =>
        {
            record
        }
        Some(record) => {
            check(Verb::Kill, id, status, pid)?;
            record
        }
        None => return check(Verb::Kill, id, status, pid),
    };
    match reach {
        Reach::Init => signal::to_init(&record, &host, signal),
        Reach::All => signal::to_all(&record, &host, signal),
    }
}

fn has_processes(record: &Record) -> bool {
    let group = record.group().ok().flatten();
    group.is_some_and(|group| group.is_populated().unwrap_or(false))
}
