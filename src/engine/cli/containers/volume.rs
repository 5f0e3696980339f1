//! `volume`: directories that outlive containers.

use super::remove::{All, prune_volumes};
use super::table::{self, Format};
use crate::cli::flags::Extent;
use crate::engine::Outcome;
use crate::engine::cli::{Verb, say, switch, texts, value, word};
use crate::engine::container::shelf::Shelf;
use crate::engine::inside;
use crate::engine::places::Places;
use crate::engine::volume::{self, Volume};
use crate::error::{Cause, Error, Object};
use clap::{ArgAction, ArgMatches};
use serde_json::{Value, json};

/// `volume`.
pub(super) const VOLUME: Verb = Verb {
    name: "volume",
    line: "create, ls, rm, inspect, prune: directories that outlive containers",
    extent: Extent::End,
    define: |command| {
        command
            .about("Make, list, remove and look at volumes: volume create [NAME], ls, rm NAME…, inspect NAME…, prune.")
            .arg(word("words", "create|ls|rm|inspect|prune [NAME]", "what to do, and with which").num_args(1..))
            .args([
                switch("quiet", "names alone").short('q'),
                switch("force", "one that is not there is no failure").short('f'),
                switch("all", "prune: those with a name, too").short('a'),
                value("label", "NAME=VALUE", "create: a label").action(ArgAction::Append),
                value("format", "FORMAT", "table or json"),
            ])
    },
    run,
};

/// As docker inspects it.
pub(super) fn document(places: &Places, volume: &Volume) -> Value {
    json!({
        "Name": volume.name,
        "CreatedAt": volume.created,
        "Driver": "local",
        "Labels": volume.labels,
        "Mountpoint": volume::data(places, &volume.name),
        "Anonymous": volume.nameless,
        "Scope": "local",
    })
}

fn run(found: &ArgMatches, places: &Places) -> Outcome {
    let words = texts(found, "words");
    let (act, names) = words
        .split_first()
        .map_or(("", &[][..]), |(act, names)| (act.as_str(), names));
    let shelf = Shelf::new(places);
    match act {
        "create" => create(found, places, names.first().cloned().unwrap_or_default()),
        "ls" | "list" => list(found, places),
        "rm" | "remove" => {
            inside::enter_new()?;
            for name in names {
                match volume::remove(places, name, &shelf.all()?) {
                    Err(_) if found.get_flag("force") && volume::get(places, name).is_none() => {}
                    other => other?,
                }
                say(name)?;
            }
            Ok(0)
        }
        "inspect" => {
            let one = |name: &String| {
                volume::get(places, name)
                    .map(|volume| document(places, &volume))
                    .ok_or_else(|| none(name))
            };
            table::json(names.iter().map(one).collect::<Result<_, Error>>()?)
        }
        "prune" => {
            let all = if found.get_flag("all") {
                All::Yes
            } else {
                All::No
            };
            table::lines(&prune_volumes(&shelf, all)?)
        }
        other => {
            let why = Cause::Refused("volume has no such act".to_owned());
            let error = Error::new(
                "read the command line",
                Object::Argument(other.to_owned()),
                why,
            );
            Err(error.hint("use create, ls, rm, inspect or prune").into())
        }
    }
}

fn none(name: &str) -> Error {
    let why = Cause::Refused("there is no such volume".to_owned());
    Error::new("find the volume", Object::Argument(name.to_owned()), why)
        .hint("orbital volume ls shows those that there are")
}

fn create(found: &ArgMatches, places: &Places, name: String) -> Outcome {
    let words = texts(found, "label");
    let labels = words.iter().map(|word| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        (name.to_owned(), value.to_owned())
    });
    let wish = Volume {
        name,
        labels: labels.collect(),
        ..Volume::default()
    };
    let (volume, _) = volume::create(places, wish)?;
    say(&volume.name)
}

fn list(found: &ArgMatches, places: &Places) -> Outcome {
    let all = volume::all(places)?;
    match table::format(found)? {
        Format::Quiet => table::lines(
            &all.iter()
                .map(|volume| volume.name.clone())
                .collect::<Vec<_>>(),
        ),
        Format::Json => table::json(all.iter().map(|volume| document(places, volume)).collect()),
        Format::Table => {
            let rows: Vec<_> = all
                .iter()
                .map(|volume| vec!["local".to_owned(), volume.name.clone()])
                .collect();
            table::print(&["DRIVER", "VOLUME NAME"], &rows)
        }
    }
}
