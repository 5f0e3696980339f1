//! `orbital delete`: end it, remove what create made, run the poststop hooks.

use super::status::{self, Now};
use super::{Verb, check};
use crate::backend::{Group, end, hooks, look};
use crate::cli::Force;
use crate::error::{Error, Result, both};
use crate::state::record::Kept;
use crate::state::{Home, Record, Seat, oci};

/// Removes a container.
///
/// # Errors
/// One that does not exist or still lives, except with [`Force::Yes`]; what could not be removed.
/// The poststop hooks that failed are returned as warnings.
pub fn delete(id: &str, force: Force, home: &Home) -> Result<Vec<String>> {
    let doing = format!("delete {id}");
    let seat = match home.take(&doing, id) {
        Err(error) if force == Force::Yes && is_missing(&error) => return Ok(Vec::new()),
        other => other?,
    };
    let Now {
        record,
        status,
        pid,
        host,
    } = status::now(&seat)?;
    let Some(record) = record else {
        return seat.remove().map(|()| Vec::new());
    };
    if force == Force::No {
        check(Verb::Delete, id, status, pid)?;
    }
    if status.lives() {
        end::end(&record, &host)?;
    }
    bury(&seat, &record)
}

fn is_missing(error: &Error) -> bool {
    error.one_line().contains("does not exist")
}

/// Removes group, directory and all, of a container whose first process has ended.
///
/// # Errors
/// What could not be removed; the rest is tried all the same. Failed poststop hooks are returned.
pub fn bury(seat: &Seat, record: &Record) -> Result<Vec<String>> {
    bury_by(seat, record, || end::remove_place(record))
}

/// The same where the group has been open since it was made.
///
/// # Errors
/// As [`bury`].
pub(super) fn bury_with(seat: &Seat, record: &Record, group: Option<Group>) -> Result<Vec<String>> {
    bury_by(seat, record, || end::remove_open_place(record, group))
}

fn bury_by(
    seat: &Seat,
    record: &Record,
    remove: impl FnOnce() -> Result<()>,
) -> Result<Vec<String>> {
    // Before anything is forgotten: what keeps the mount from going can be taken away, and delete repeated.
    end::remove_root(record)?;
    let unmade = remove();
    let warnings = poststop(record);
    both(unmade, seat.remove()).map(|()| warnings)
}

/// Runs the poststop hooks; a failure is a warning, and the next ones run (config.md, "Poststop").
pub fn poststop(record: &Record) -> Vec<String> {
    let document = oci::document(record, 0, "stopped").to_string();
    let run = |kept: &Kept| {
        hooks::run_in(
            &[kept.hook()],
            "poststop",
            &record.bundle,
            document.as_bytes(),
            &record.hook_outputs()?,
        )
    };
    record
        .poststop
        .iter()
        .filter_map(|kept| Some(run(kept).err()?.one_line()))
        .collect()
}

/// What the specification wants after a hook of `start` failed: the container is ended and removed, its
/// poststop hooks run, and the failure is told.
///
/// # Errors
/// Always `error`, with what the clean-up could not do.
pub fn after_failure(seat: &Seat, record: &Record, error: Error) -> Result<()> {
    let cleaned = look::host()
        .and_then(|host| end::end(record, &host))
        .and_then(|()| bury(seat, record));
    for warning in cleaned.as_ref().into_iter().flatten() {
        tracing::warn!("{warning}");
    }
    Err(error.also(cleaned.err()))
}
