//! `rm`, `prune`: containers that nobody wants any more.

use super::end::{containers, each, settle, stop};
use super::table;
use crate::cli::flags::Extent;
use crate::engine::cli::{Verb, say, switch, value};
use crate::engine::container::record::{Record, Status};
use crate::engine::container::shelf::Shelf;
use crate::engine::monitor::end;
use crate::engine::network::{self, Settings};
use crate::engine::places::Places;
use crate::engine::{Outcome, inside, volume};
use crate::error::{Error, Result};
use clap::ArgMatches;

/// `rm`.
pub(super) const RM: Verb = Verb {
    name: "rm",
    line: "remove containers",
    extent: Extent::End,
    define: |command| {
        command
            .about("Remove containers that do not run, and with -f also those that do.")
            .arg(containers())
            .args([
                switch("force", "end them first").short('f'),
                switch("volumes", "their nameless volumes too").short('v'),
                value(
                    "time",
                    "SECONDS",
                    "with -f: how long to wait after the stop signal [0]",
                )
                .short('t'),
                switch("all", "all that there are").short('a'),
                switch("ignore", "one that is not there is no failure").short('i'),
            ])
    },
    run: rm,
};

/// `prune`.
pub(super) const PRUNE: Verb = Verb {
    name: "prune",
    line: "remove all containers that have ended",
    extent: Extent::End,
    define: |command| {
        command
            .about("Remove all containers that do not run.")
            .arg(switch("force", "never asks anyway").short('f'))
    },
    run: |_, places| say(&prune(&Shelf::new(places))?.join("\n")),
};

fn rm(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    let time = super::end::seconds(found)?.unwrap_or(0);
    let force = found.get_flag("force");
    if found.get_flag("all") {
        for record in shelf.all()? {
            remove(&shelf, &record, force, time)?;
            say(&record.id)?;
        }
        return Ok(0);
    }
    if found.get_flag("ignore") && super::end::chosen(found, &shelf).is_err() {
        return Ok(0);
    }
    each(found, &shelf, |record| remove(&shelf, record, force, time))
}

fn remove(shelf: &Shelf, record: &Record, force: bool, time: u64) -> Result<()> {
    if let Some(process) = record.running() {
        if !force {
            let why = "the container runs";
            return Err(
                Error::container("remove the container", &record.name, why).hint(format!(
                    "orbital stop {0}, or orbital rm -f {0}",
                    record.name
                )),
            );
        }
        if inside::is_outside() && record.watched().is_none() {
            inside::enter_of(process.pid)?;
        }
        stop(
            shelf,
            record,
            (time == 0).then_some(libc::SIGKILL),
            Some(time.max(1)),
        )?;
    }
    gone(shelf, record)
}

/// Tidies and removes what does not run any more.
fn gone(shelf: &Shelf, record: &Record) -> Result<()> {
    settle(shelf, record);
    let Ok(record) = shelf.get(&record.id) else {
        // With --rm the monitor has done it.
        return Ok(());
    };
    // Files of other owners than the user are removed by root of the user's ids.
    inside::enter_new()?;
    end::remove(shelf, &record)
}

/// Removes all that do not run, and gives their ids.
///
/// # Errors
/// As unlinkat(2).
pub(super) fn prune(shelf: &Shelf) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for record in shelf.all()? {
        if record.status() == Status::Exited && record.watched().is_none() {
            gone(shelf, &record)?;
            removed.push(record.id);
        }
    }
    Ok(removed)
}

/// Takes away what was left by those who were killed: parts of containers without a record, of the network's book too.
///
/// # Errors
/// As unlinkat(2).
pub(super) fn clear_remains(shelf: &Shelf) -> Result<()> {
    let settings = Settings::new(&shelf.places);
    let connected = network::connected(&settings)?;
    let mut ids = shelf.remains()?;
    ids.extend(connected.into_iter().filter(|id| shelf.get(id).is_err()));
    if !ids.is_empty() {
        inside::enter_new()?;
    }
    ids.iter().try_for_each(|id| end::clear(shelf, id))
}

/// Removes volumes that no container has, and gives their names; with `All::Yes` those with a name, too.
///
/// # Errors
/// As unlinkat(2).
pub(super) fn prune_volumes(shelf: &Shelf, all: All) -> Result<Vec<String>> {
    let users = shelf.all()?;
    let mut removed = Vec::new();
    inside::enter_new()?;
    for volume in volume::all(&shelf.places)? {
        let wanted = volume.nameless || all == All::Yes;
        if wanted
            && !users
                .iter()
                .any(|record| volume::uses(record, &volume.name))
        {
            volume::remove(&shelf.places, &volume.name, &users)?;
            removed.push(volume.name);
        }
    }
    Ok(removed)
}

/// Whether volumes with a name are meant too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum All {
    /// They are.
    Yes,
    /// Only nameless ones.
    No,
}

/// How many bytes a directory has, links not followed.
pub(super) fn bytes_in(path: &std::path::Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let mut total = 0;
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let Ok(look) = entry.path().symlink_metadata() else {
            continue;
        };
        total += look.blocks() * 512;
        if look.is_dir() {
            total += bytes_in(&entry.path());
        }
    }
    total
}

/// A size for people.
pub(super) fn shown(bytes: u64) -> String {
    table::size(bytes)
}
