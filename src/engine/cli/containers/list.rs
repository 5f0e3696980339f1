//! `ps`: containers in docker's columns.

use super::table::{self, Format, ago};
use crate::cli::flags::Extent;
use crate::engine::Outcome;
use crate::engine::cli::{Verb, switch, text, texts, value};
use crate::engine::container::record::{Record, Status};
use crate::engine::container::shelf::Shelf;
use crate::engine::places::Places;
use crate::engine::runtime::Runtime;
use crate::error::{Cause, Error, Object, Result};
use clap::{ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

/// `ps`.
pub(super) const PS: Verb = Verb {
    name: "ps",
    line: "list containers",
    extent: Extent::End,
    define,
    run,
};

fn define(command: Command) -> Command {
    command
        .about("List containers: those that run, or with -a all.")
        .args([
            switch("all", "those that have ended, too").short('a'),
            switch("quiet", "ids alone").short('q'),
            switch("no-trunc", "whole ids and commands"),
            switch("latest", "the newest alone").short('l'),
            value("last", "NUMBER", "so many of the newest").short('n'),
            value(
                "filter",
                "NAME=VALUE",
                "status=, name=, id=, label=, ancestor=, exited=",
            )
            .short('f')
            .action(ArgAction::Append),
            value("format", "FORMAT", "table or json"),
        ])
}

/// Longest command that a table shows.
const LONGEST: usize = 20;

fn run(found: &ArgMatches, places: &Places) -> Outcome {
    let kept = kept(found, &Shelf::new(places))?;
    let whole = found.get_flag("no-trunc");
    let id = |record: &Record| match whole {
        true => record.id.clone(),
        false => record.short().to_owned(),
    };
    match table::format(found)? {
        Format::Quiet => table::lines(
            &kept
                .iter()
                .map(|(record, _)| id(record))
                .collect::<Vec<_>>(),
        ),
        Format::Json => table::json(
            kept.iter()
                .map(|(record, state)| entry(record, state))
                .collect(),
        ),
        Format::Table => {
            let row = |(record, state): &(Record, &'static str)| {
                vec![
                    id(record),
                    record.image.clone(),
                    command(record, whole),
                    format!("{} ago", ago(&record.created)),
                    status(record, state),
                    ports(record).join(", "),
                    record.name.clone(),
                ]
            };
            table::print(&HEADINGS, &kept.iter().map(row).collect::<Vec<_>>())
        }
    }
}

/// docker's.
const HEADINGS: [&str; 7] = [
    "CONTAINER ID",
    "IMAGE",
    "COMMAND",
    "CREATED",
    "STATUS",
    "PORTS",
    "NAMES",
];

/// Those that are asked for, with the word for what each does.
fn kept(found: &ArgMatches, shelf: &Shelf) -> Result<Vec<(Record, &'static str)>> {
    let filters = texts(found, "filter");
    let last = match (found.get_flag("latest"), text(found, "last")) {
        (true, _) => Some(1),
        (_, Some(number)) => Some(number.parse().map_err(|_| wrong(&number))?),
        _ => None,
    };
    let about_the_end =
        |filter: &String| filter.starts_with("status=") || filter.starts_with("exited=");
    let shows_ended = found.get_flag("all") || last.is_some() || filters.iter().any(about_the_end);
    let runtime = Runtime::find(shelf).ok();
    let mut kept = Vec::new();
    for record in shelf.all()? {
        let state = state(&record, runtime.as_ref());
        let shown = shows_ended || state == "running" || state == "paused";
        if shown && passes(&record, state, &filters)? {
            kept.push((record, state));
        }
    }
    kept.truncate(last.unwrap_or(usize::MAX));
    Ok(kept)
}

fn wrong(word: &str) -> Error {
    Error::new(
        "list containers",
        Object::Argument(word.to_owned()),
        Cause::Refused("no such filter or number".to_owned()),
    )
    .hint(
        "filters are status, name, id, label, ancestor and exited, such as --filter status=running",
    )
}

/// docker's word for what it does.
pub(super) fn state(record: &Record, runtime: Option<&Runtime>) -> &'static str {
    match record.status() {
        Status::Running if is_paused(record, runtime) => "paused",
        other => other.word(),
    }
}

fn is_paused(record: &Record, runtime: Option<&Runtime>) -> bool {
    let said = runtime.and_then(|runtime| runtime.ask(&["state", &record.id]).ok());
    let state: Value = said
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    state["status"] == "paused"
}

fn passes(record: &Record, state: &str, filters: &[String]) -> Result<bool> {
    // Of one kind any is enough; all kinds must agree.
    let mut kinds: std::collections::BTreeMap<&str, bool> = std::collections::BTreeMap::new();
    for filter in filters {
        let (name, value) = filter.split_once('=').ok_or_else(|| wrong(filter))?;
        let holds = match name {
            "status" => state == value,
            "name" => record.name.contains(value),
            "id" => record.id.starts_with(value),
            "ancestor" => record.image == value,
            "exited" => state == "exited" && value.parse() == Ok(record.exit()),
            "label" => match value.split_once('=') {
                Some((name, value)) => record
                    .wish
                    .labels
                    .get(name)
                    .is_some_and(|found| found == value),
                None => record.wish.labels.contains_key(value),
            },
            _ => return Err(wrong(filter)),
        };
        *kinds.entry(name).or_default() |= holds;
    }
    Ok(kinds.values().all(|holds| *holds))
}

fn command(record: &Record, whole: bool) -> String {
    let full = record.wish.argv.join(" ");
    match whole || full.chars().count() <= LONGEST {
        true => format!("\"{full}\""),
        false => format!(
            "\"{}…\"",
            full.chars().take(LONGEST - 1).collect::<String>()
        ),
    }
}

/// docker's sentence.
pub(super) fn status(record: &Record, state: &str) -> String {
    match state {
        "running" => format!("Up {}", ago(&record.life.started)),
        "paused" => format!("Up {} (Paused)", ago(&record.life.started)),
        "exited" if record.life.finished.is_empty() => format!("Exited ({})", record.exit()),
        "exited" => format!(
            "Exited ({}) {} ago",
            record.exit(),
            ago(&record.life.finished)
        ),
        _ => "Created".to_owned(),
    }
}

/// Published ports, in docker's words.
pub(super) fn ports(record: &Record) -> Vec<String> {
    let list = record.life.network["ports"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let word = |port: &Value| {
        let ip = port["host_ip"]
            .as_str()
            .filter(|ip| !ip.is_empty())
            .unwrap_or("0.0.0.0");
        format!(
            "{ip}:{}->{}/{}",
            port["host_port"],
            port["container_port"],
            port["protocol"].as_str().unwrap_or("tcp")
        )
    };
    list.iter().map(word).collect()
}

fn entry(record: &Record, state: &str) -> Value {
    json!({
        "ID": record.id,
        "Names": record.name,
        "Image": record.image,
        "Command": record.wish.argv.join(" "),
        "CreatedAt": record.created,
        "RunningFor": format!("{} ago", ago(&record.created)),
        "State": state,
        "Status": status(record, state),
        "Pid": record.running().map_or(0, |process| process.pid),
        "ExitCode": record.exit(),
        "Ports": ports(record).join(", "),
        "Labels": record.wish.labels,
    })
}
