//! `logs`: what a container wrote.

use super::table;
use crate::cli::flags::Extent;
use crate::cli::quantity::duration;
use crate::engine::Outcome;
use crate::engine::cli::{Verb, switch, text, texts, value, word};
use crate::engine::container::record::Record;
use crate::engine::container::shelf::Shelf;
use crate::engine::monitor::log::aside;
use crate::engine::places::Places;
use crate::error::{Cause, Error, Object, Result};
use clap::{ArgMatches, Command};
use serde_json::Value;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `logs`.
pub(super) const LOGS: Verb = Verb {
    name: "logs",
    line: "print what a container wrote",
    extent: Extent::End,
    define,
    run,
};

fn define(command: Command) -> Command {
    command
        .about("Print what a container wrote to its standard output and standard error.")
        .arg(
            word(
                "container",
                "CONTAINER",
                "its name, id, or the beginning of its id",
            )
            .required(true),
        )
        .args([
            switch("follow", "go on until it ends").short('f'),
            switch("timestamps", "each line's time before it").short('t'),
            value("tail", "NUMBER", "only so many of the last lines, or all").short('n'),
            value(
                "since",
                "TIME",
                "not what is older: RFC 3339, seconds since 1970, or such as 10m",
            ),
            value("until", "TIME", "not what is newer"),
        ])
}

/// How often a followed log is looked at again.
const PAUSE: Duration = Duration::from_millis(50);

struct Wanted {
    since: String,
    until: String,
    timestamps: bool,
}

fn run(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    let name = texts(found, "container").pop().unwrap_or_default();
    let record = shelf.find(&name)?;
    if record.wish.log_driver == "none" {
        let why = "it was run with --log-driver none";
        return Err(Error::container("read the log", &name, why).into());
    }
    let wanted = Wanted {
        since: moment(found, "since")?,
        until: moment(found, "until")?,
        timestamps: found.get_flag("timestamps"),
    };
    let tail = match text(found, "tail").as_deref() {
        None | Some("all" | "-1") => None,
        Some(number) => Some(number.parse::<usize>().map_err(|_| wrong("tail", number))?),
    };
    let path = shelf.log(&record.id);
    let mut open = print_all(&path, record.wish.log_files, tail, &wanted)?;
    if found.get_flag("follow") {
        follow(&shelf, &record, &path, &mut open, &wanted)?;
    }
    Ok(0)
}

fn wrong(flag: &str, word: &str) -> Error {
    let object = Object::Argument(format!("--{flag}={word}"));
    Error::new(
        "read the command line",
        object,
        Cause::Refused("no such number or time".to_owned()),
    )
}

/// A time as records have it; empty where none was given.
fn moment(found: &ArgMatches, flag: &str) -> Result<String> {
    let Some(word) = text(found, flag) else {
        return Ok(String::new());
    };
    if let Some(past) = duration(&word) {
        let past = i64::try_from(past.as_secs()).unwrap_or_default();
        return Ok(crate::sys::clock::format(table::now() - past, 0));
    }
    let number = word.split('.').next().unwrap_or_default();
    if let Ok(seconds) = number.parse::<i64>() {
        return Ok(crate::sys::clock::format(seconds, 0));
    }
    let whole_day = table::instant(&format!("{word}T00:00:00Z")).filter(|_| word.len() == 10);
    match whole_day.or_else(|| table::instant(&word)) {
        Some((seconds, nanos)) => Ok(crate::sys::clock::format(seconds, nanos)),
        None => Err(wrong(flag, &word)),
    }
}

fn print_all(
    path: &Path,
    files: u32,
    tail: Option<usize>,
    wanted: &Wanted,
) -> Result<Option<BufReader<File>>> {
    let older = (1..files).rev().map(|number| aside(path, number));
    let mut kept: VecDeque<Value> = VecDeque::new();
    let mut newest = None;
    for file in older.chain([path.to_path_buf()]) {
        let Ok(open) = File::open(&file) else {
            continue;
        };
        let mut reader = BufReader::new(open);
        while let Some(entry) = next(&mut reader)? {
            if !wanted.fits(&entry) {
                continue;
            }
            match tail {
                None => wanted.print(&entry)?,
                Some(most) => {
                    kept.push_back(entry);
                    if kept.len() > most {
                        kept.pop_front();
                    }
                }
            }
        }
        newest = Some(reader);
    }
    for entry in &kept {
        wanted.print(entry)?;
    }
    Ok(newest)
}

/// The next whole entry; one that is being written is left for later.
fn next(reader: &mut BufReader<File>) -> Result<Option<Value>> {
    use std::io::Seek as _;
    let told = |error| Error::io("read the log", PathBuf::from("log.json"), "read", &error);
    let mut line = String::new();
    let length = reader.read_line(&mut line).map_err(told)?;
    if length == 0 {
        return Ok(None);
    }
    if !line.ends_with('\n') {
        let back = i64::try_from(length).unwrap_or_default();
        reader
            .seek_relative(-back)
            .or_else(|_| reader.seek(std::io::SeekFrom::Current(-back)).map(drop))
            .map_err(told)?;
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line).unwrap_or_default()))
}

fn follow(
    shelf: &Shelf,
    record: &Record,
    path: &Path,
    open: &mut Option<BufReader<File>>,
    wanted: &Wanted,
) -> Result<()> {
    loop {
        // Asked before reading: what was written before the end is then read.
        let lives = shelf
            .get(&record.id)
            .is_ok_and(|record| record.watched().is_some() || record.running().is_some());
        if open.is_none() {
            *open = File::open(path).ok().map(BufReader::new);
        }
        if let Some(reader) = open {
            while let Some(entry) = next(reader)? {
                if wanted.fits(&entry) {
                    wanted.print(&entry)?;
                }
            }
            if was_turned(reader, path) {
                *open = None;
                continue;
            }
        }
        if !lives {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
}

/// Whether the file that is read was put aside.
fn was_turned(reader: &BufReader<File>, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let ours = reader.get_ref().metadata().map(|look| look.ino());
    let there = std::fs::metadata(path).map(|look| look.ino());
    matches!((ours, there), (Ok(ours), Ok(there)) if ours != there)
}

impl Wanted {
    fn fits(&self, entry: &Value) -> bool {
        let time = entry["time"].as_str().unwrap_or_default();
        (self.since.is_empty() || time >= self.since.as_str())
            && (self.until.is_empty() || time <= self.until.as_str())
    }

    fn print(&self, entry: &Value) -> Result<()> {
        let mut text = entry["log"].as_str().unwrap_or_default().to_owned();
        if self.timestamps {
            text = format!("{} {text}", entry["time"].as_str().unwrap_or_default());
        }
        let written = match entry["stream"].as_str() {
            Some("stderr") => std::io::stderr().write_all(text.as_bytes()),
            _ => std::io::stdout()
                .write_all(text.as_bytes())
                .and_then(|()| std::io::stdout().flush()),
        };
        written.map_err(|error| Error::io("print the log", "standard output", "write", &error))
    }
}
