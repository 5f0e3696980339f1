//! `stop`, `kill`, `wait`, `pause`, `unpause`.

use crate::cli::flags::Extent;
use crate::cli::signal;
use crate::engine::cli::{Verb, say, switch, text, texts, value, word};
use crate::engine::container::record::{Record, Status, UNSEEN};
use crate::engine::container::shelf::Shelf;
use crate::engine::front::{Attended, Interest, attend_late, connect};
use crate::engine::monitor::end::finish;
use crate::engine::places::Places;
use crate::engine::runtime::Runtime;
use crate::engine::{Failed, Outcome, inside};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::pidfd;
use clap::{Arg, ArgMatches};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

/// `stop`.
pub(super) const STOP: Verb = Verb {
    name: "stop",
    line: "ask containers to end, and end those that do not",
    extent: Extent::End,
    define: |command| {
        command
            .about("Send the stop signal (SIGTERM, or the image's); after some seconds SIGKILL.")
            .arg(containers())
            .args([
                value("time", "SECONDS", "how long to wait [10]").short('t'),
                value("signal", "SIGNAL", "another signal").short('s'),
                switch("all", "all that run").short('a'),
            ])
    },
    run: |found, places| {
        let shelf = Shelf::new(places);
        let signal = signal_of(found)?;
        let time = seconds(found)?;
        each(found, &shelf, |record| stop(&shelf, record, signal, time))
    },
};

/// `kill`.
pub(super) const KILL: Verb = Verb {
    name: "kill",
    line: "send containers a signal",
    extent: Extent::End,
    define: |command| {
        command
            .about("Send SIGKILL, or another signal, to containers.")
            .arg(containers())
            .args([
                value("signal", "SIGNAL", "which [SIGKILL]").short('s'),
                switch("all", "all that run").short('a'),
            ])
    },
    run: |found, places| {
        let shelf = Shelf::new(places);
        let number = signal_of(found)?.unwrap_or(libc::SIGKILL);
        each(found, &shelf, |record| send(record, number))
    },
};

/// `wait`.
pub(super) const WAIT: Verb = Verb {
    name: "wait",
    line: "wait until containers end, and print their exit statuses",
    extent: Extent::End,
    define: |command| {
        command
            .about("Wait until containers end, and print the exit status of each.")
            .arg(containers())
    },
    run: |found, places| {
        let shelf = Shelf::new(places);
        for record in chosen(found, &shelf)? {
            say(&wait(&shelf, &record)?.to_string())?;
        }
        Ok(0)
    },
};

/// `pause`.
pub(super) const PAUSE: Verb = Verb {
    name: "pause",
    line: "stop containers' processes where they stand",
    extent: Extent::End,
    define: |command| {
        command
            .about("Stop all processes of containers where they stand.")
            .arg(containers())
    },
    run: |found, places| freeze(found, places, "pause"),
};

/// `unpause`.
pub(super) const UNPAUSE: Verb = Verb {
    name: "unpause",
    line: "let them go on",
    extent: Extent::End,
    define: |command| {
        command
            .about("Let paused containers go on.")
            .arg(containers())
    },
    run: |found, places| freeze(found, places, "resume"),
};

/// Names of containers.
pub(super) fn containers() -> Arg {
    word(
        "containers",
        "CONTAINER",
        "names, ids, or beginnings of ids",
    )
    .num_args(0..)
}

/// The containers that were named, or with `--all` those that run.
///
/// # Errors
/// None named; a name that there is not.
pub(super) fn chosen(found: &ArgMatches, shelf: &Shelf) -> Result<Vec<Record>> {
    let all = found
        .try_get_one::<bool>("all")
        .ok()
        .flatten()
        .copied()
        .unwrap_or(false);
    if all {
        return Ok(shelf
            .all()?
            .into_iter()
            .filter(|record| record.status() == Status::Running)
            .collect());
    }
    let names = texts(found, "containers");
    if names.is_empty() {
        let why = Cause::Refused("no container was named".to_owned());
        return Err(Error::new("read the command line", Object::Nothing, why)
            .hint("orbital ps -a shows those that there are"));
    }
    names.iter().map(|name| shelf.find(name)).collect()
}

/// Does one act to each container and prints what was typed for it; goes on after a failure.
///
/// # Errors
/// The first failure, the others told beside it.
pub(super) fn each(
    found: &ArgMatches,
    shelf: &Shelf,
    mut act: impl FnMut(&Record) -> Result<()>,
) -> Outcome {
    let mut first: Option<Error> = None;
    let names = texts(found, "containers");
    for (index, record) in chosen(found, shelf)?.iter().enumerate() {
        match act(record) {
            Ok(()) => drop(say(names
                .get(index)
                .map_or(record.id.as_str(), String::as_str))?),
            Err(error) => {
                first = Some(match first {
                    None => error,
                    Some(first) => first.also([error]),
                })
            }
        }
    }
    match first {
        None => Ok(0),
        Some(error) => Err(error.into()),
    }
}

fn signal_of(found: &ArgMatches) -> Result<Option<i32>> {
    let Some(word) = text(found, "signal") else {
        return Ok(None);
    };
    let object = Object::Argument(format!("--signal={word}"));
    let why = || Cause::Refused("there is no such signal".to_owned());
    signal::number(&word)
        .map(Some)
        .ok_or_else(|| Error::new("read the command line", object, why()))
}

/// `--time`.
///
/// # Errors
/// No number.
pub(super) fn seconds(found: &ArgMatches) -> Result<Option<u64>> {
    let Some(word) = text(found, "time") else {
        return Ok(None);
    };
    let object = Object::Argument(format!("--time={word}"));
    let wrong = || {
        Error::new(
            "read the command line",
            object,
            Cause::Refused("not a number of seconds".to_owned()),
        )
    };
    match word.parse::<i64>() {
        Ok(-1) => Ok(Some(u64::MAX / 4000)),
        other => other
            .ok()
            .and_then(|time| u64::try_from(time).ok())
            .map(Some)
            .ok_or_else(wrong),
    }
}

/// Sends a signal to the first process.
///
/// # Errors
/// It does not run.
pub(super) fn send(record: &Record, number: i32) -> Result<()> {
    let told = || Error::container("send a signal", &record.name, "the container does not run");
    let process = record.running().ok_or_else(told)?;
    let pidfd = pidfd::open(process.pid).map_err(|_| told())?;
    // A pid that was given away meanwhile is not the container's.
    if !process.lives() {
        return Err(told());
    }
    pidfd::signal(&pidfd, number).map_err(|fault| {
        Error::new(
            "send a signal",
            Object::Container(record.name.clone()),
            fault.into(),
        )
    })
}

/// Ends a container that runs; one that does not is left.
///
/// # Errors
/// A process that cannot be ended.
pub(super) fn stop(
    shelf: &Shelf,
    record: &Record,
    signal: Option<i32>,
    time: Option<u64>,
) -> Result<()> {
    if record.running().is_none() {
        return Ok(());
    }
    let number = signal
        .or_else(|| signal::number(&record.wish.stop_signal))
        .unwrap_or(libc::SIGTERM);
    let time = time.unwrap_or(record.wish.stop_timeout);
    // It may end at this moment: then there is nothing to stop, ignored.
    let _ = send(record, number);
    if !has_ended(record, Duration::from_secs(time)) {
        let _ = send(record, libc::SIGKILL);
        has_ended(record, Duration::from_secs(10));
    }
    settle(shelf, record);
    Ok(())
}

/// Waits for the end of the first process; whether it came.
fn has_ended(record: &Record, time: Duration) -> bool {
    let Some(pidfd) = record
        .running()
        .and_then(|process| pidfd::open(process.pid).ok())
    else {
        return true;
    };
    let millis = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    pidfd::has_ended_within(pidfd.as_fd(), millis).unwrap_or(true)
}

/// Waits until the monitor has tidied; does its work where it was killed, be it over this work.
pub(super) fn settle(shelf: &Shelf, record: &Record) {
    let closed = || {
        let now = shelf.get(&record.id);
        now.map_or(true, |record| !record.life.finished.is_empty())
    };
    let monitor = record.watched();
    if let Some(pidfd) = monitor.and_then(|monitor| pidfd::open(monitor.pid).ok()) {
        // Those who are slow to read what it says hold it up; the record is closed before.
        let end = Instant::now() + Duration::from_secs(10);
        while !closed() && !pidfd::has_ended_within(pidfd.as_fd(), 20).unwrap_or(true) {
            if Instant::now() >= end {
                return;
            }
        }
    }
    if !closed() {
        finish(shelf, &record.id, UNSEEN);
    }
}

/// Waits for the end, and gives the exit status.
///
/// # Errors
/// A monitor that is killed meanwhile.
pub(super) fn wait(shelf: &Shelf, record: &Record) -> std::result::Result<i32, Failed> {
    if record.watched().is_some()
        && let Ok(monitor) = connect(shelf, record)
        && let Ok(Attended::Ended(status)) = attend_late(monitor, Interest::End, None)
    {
        return Ok(status);
    }
    if let Some(process) = record.running() {
        let told = |fault| {
            Error::new(
                "wait for the container",
                Object::Process(process.pid),
                Cause::from(fault),
            )
        };
        let pidfd = pidfd::open(process.pid).map_err(told)?;
        while !pidfd::has_ended_within(pidfd.as_fd(), -1).map_err(told)? {}
    }
    // A monitor that had no ear for us any more is about to close the record.
    settle(shelf, record);
    Ok(shelf
        .get(&record.id)
        .map_or(record.exit(), |record| record.exit()))
}

/// Calls the runtime inside the container's user namespace, where it has one.
///
/// # Errors
/// The runtime's own.
fn freeze(found: &ArgMatches, places: &Places, verb: &str) -> Outcome {
    let shelf = Shelf::new(places);
    let runtime = Runtime::find(&shelf)?;
    each(found, &shelf, |record| {
        let told = || Error::container(verb, &record.name, "the container does not run");
        let process = record.running().ok_or_else(told)?;
        enter(record, process.pid)?;
        runtime.ask(&[verb, &record.id]).map(drop)
    })
}

/// Enters the user namespace from which the container of this process was made, where that is another than ours.
///
/// # Errors
/// As setns(2); a monitor that is gone, where only that is in the namespace.
pub(super) fn enter(record: &Record, pid: i32) -> Result<()> {
    // A container with ids of its own is one namespace further in than its monitor.
    let inside = match record.ids.is_hosts() {
        true => Some(pid),
        false => record.watched().map(|monitor| monitor.pid),
    };
    match inside {
        Some(pid) => inside::enter_of(pid),
        None if inside::is_outside() => Err(Error::container(
            "enter the container",
            &record.name,
            "its monitor was killed, and nobody else is in its user namespace",
        )
        .hint(format!("orbital rm -f {} removes it", record.name))),
        None => Ok(()),
    }
}
