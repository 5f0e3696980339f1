//! `start`, `restart`, `attach`: a container that is there already.

use super::end::{containers, each, seconds, stop};
use crate::cli::flags::Extent;
use crate::engine::cli::{Verb, say, switch, texts, value};
use crate::engine::container::record::Record;
use crate::engine::container::shelf::Shelf;
use crate::engine::container::wish::Switch;
use crate::engine::front::{Attended, Interest, attend_late, begin, connect, keys};
use crate::engine::places::Places;
use crate::engine::{Failed, Outcome};
use crate::error::{Error, Result};
use clap::ArgMatches;

/// `start`.
pub(super) const START: Verb = Verb {
    name: "start",
    line: "start containers that have ended",
    extent: Extent::End,
    define: |command| {
        command
            .about("Start containers again, with the files that they left.")
            .arg(containers())
            .args([
                switch("attach", "show its output, and end with its exit status").short('a'),
                switch("interactive", "its standard input is ours").short('i'),
                leaving(),
            ])
    },
    run: start,
};

/// `restart`.
pub(super) const RESTART: Verb = Verb {
    name: "restart",
    line: "stop and start containers",
    extent: Extent::End,
    define: |command| {
        command
            .about("Stop containers, as stop does, and start them again.")
            .arg(containers())
            .args([
                value("time", "SECONDS", "how long to wait before SIGKILL [10]").short('t'),
                switch("all", "all that run").short('a'),
            ])
    },
    run: |found, places| {
        let shelf = Shelf::new(places);
        let time = seconds(found)?;
        each(found, &shelf, |record| {
            stop(&shelf, record, None, time)?;
            again(&shelf, record)
        })
    },
};

/// `attach`.
pub(super) const ATTACH: Verb = Verb {
    name: "attach",
    line: "lend a running container our terminal",
    extent: Extent::End,
    define: |command| {
        command
            .about(
                "Show a running container's output and give it our input. ctrl-p ctrl-q leaves it.",
            )
            .arg(containers())
            .args([
                switch("no-stdin", "keep our input"),
                leaving(),
                value(
                    "sig-proxy",
                    "TRUE|FALSE",
                    "whether our signals go to it [true]",
                ),
            ])
    },
    run: attach_to,
};

fn leaving() -> clap::Arg {
    value(
        "detach-keys",
        "KEYS",
        "what leaves it, one after the other [ctrl-p,ctrl-q]",
    )
}

fn leave(found: &ArgMatches) -> Result<Option<keys::Keys>> {
    let typed = crate::engine::cli::text(found, "detach-keys");
    typed.map(|typed| keys::read(&typed)).transpose()
}

fn one(found: &ArgMatches, shelf: &Shelf) -> Result<Record> {
    let names = texts(found, "containers");
    match names.as_slice() {
        [name] => shelf.find(name),
        _ => Err(Error::container(
            "attach",
            &names.join(" "),
            "one container must be named",
        )),
    }
}

fn status(attended: Attended) -> Outcome {
    match attended {
        Attended::Ended(status) => Ok(u8::try_from(status).unwrap_or(u8::MAX)),
        Attended::Started | Attended::Detached => Ok(0),
    }
}

fn start(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    if !found.get_flag("attach") && !found.get_flag("interactive") {
        return each(found, &shelf, |record| again(&shelf, record));
    }
    let record = one(found, &shelf)?;
    refuse_running(&record)?;
    let input = found.get_flag("interactive") && record.wish.has(Switch::Interactive);
    let interest = Interest::All {
        input,
        terminal: record.wish.has(Switch::Terminal),
        signals: true,
    };
    status(begin(&shelf, &record, interest, leave(found)?)?)
}

fn refuse_running(record: &Record) -> Result<()> {
    // A monitor that still tells its readers of the last end has closed the record.
    let begins = record.watched().is_some() && record.life.finished.is_empty();
    match record.running().is_some() || begins {
        true => Err(Error::container(
            "start the container",
            &record.name,
            "it runs already",
        )),
        false => Ok(()),
    }
}

/// Starts it once more.
fn again(shelf: &Shelf, record: &Record) -> Result<()> {
    let record = shelf.get(&record.id)?;
    if record.running().is_some() {
        return Ok(());
    }
    // A monitor that still tells its readers of the last end has closed the record.
    let told = |failed: Failed| failed.error;
    begin(shelf, &record, Interest::Beginning, None)
        .map(drop)
        .map_err(told)
}

fn attach_to(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    let record = one(found, &shelf)?;
    if record.running().is_none() {
        let hint = format!("orbital start -a {}", record.name);
        return Err(
            Error::container("attach", &record.name, "the container does not run")
                .hint(hint)
                .into(),
        );
    }
    let keeps = found.get_flag("no-stdin");
    let signals = crate::engine::cli::text(found, "sig-proxy").is_none_or(|word| word != "false");
    let interest = Interest::All {
        input: !keeps && record.wish.has(Switch::Interactive),
        terminal: record.wish.has(Switch::Terminal),
        signals,
    };
    let attended = attend_late(connect(&shelf, &record)?, interest, leave(found)?)?;
    if attended == Attended::Detached {
        say("")?;
    }
    status(attended)
}
