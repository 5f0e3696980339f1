//! `network`: the bridges that containers stand on.

use super::table::{self, Format};
use crate::cli::flags::Extent;
use crate::engine::Outcome;
use crate::engine::cli::{Verb, say, switch, text, texts, value, word};
use crate::engine::network::networks::{self, Six, Wanted};
use crate::engine::network::record::{Reach, Record};
use crate::engine::network::{Settings, reload};
use crate::engine::places::Places;
use crate::error::{Cause, Error, Object, Result};
use clap::{ArgAction, ArgMatches};
use serde_json::{Value, json};

/// `network`.
pub(super) const NETWORK: Verb = Verb {
    name: "network",
    line: "create, ls, rm, inspect, prune, reload: what containers are connected to",
    extent: Extent::End,
    define: |command| {
        command
            .about("Make, list, remove and look at networks: network create NAME, ls, rm NAME…, inspect NAME…, prune; reload puts the firewall back that another program flushed.")
            .arg(word("words", "create|ls|rm|inspect|prune|reload [NAME]", "what to do, and with which").num_args(1..))
            .args([
                switch("quiet", "names alone").short('q'),
                switch("force", "one that is not there is no failure").short('f'),
                switch("ipv6", "create: with a range of IPv6, too"),
                switch("internal", "create: packets do not leave the host"),
                value("subnet", "RANGE", "create: its addresses, such as 10.200.0.0/24").action(ArgAction::Append),
                value("gateway", "ADDRESS", "create: the bridge's address in it").action(ArgAction::Append),
                value("interface-name", "NAME", "create: the bridge's name on the host"),
                value("mtu", "BYTES", "create: largest packet"),
                value("label", "NAME=VALUE", "create: a label").action(ArgAction::Append),
                value("format", "FORMAT", "table or json"),
            ])
    },
    run,
};

fn run(found: &ArgMatches, places: &Places) -> Outcome {
    let words = texts(found, "words");
    let (act, names) = words
        .split_first()
        .map_or(("", &[][..]), |(act, names)| (act.as_str(), names));
    let settings = Settings::new(places);
    match act {
        "create" => {
            let wanted = wanted(found, names.first().cloned().unwrap_or_default())?;
            say(&networks::create(&settings, &wanted)?.name)
        }
        "ls" | "list" => list(found, &settings),
        "rm" | "remove" => {
            for name in names {
                match networks::remove(&settings, name) {
                    Err(_) if found.get_flag("force") && !exists(&settings, name)? => {}
                    other => other?,
                }
                say(name)?;
            }
            Ok(0)
        }
        "inspect" => {
            let one = |name: &String| networks::inspect(&settings, name).map(|one| document(&one));
            table::json(names.iter().map(one).collect::<Result<_>>()?)
        }
        "prune" => table::lines(&networks::prune(&settings)?),
        "reload" => reload(&settings).map(|()| 0).map_err(Into::into),
        other => {
            let why = Cause::Refused("network has no such act".to_owned());
            let object = Object::Argument(other.to_owned());
            let error = Error::new("read the command line", object, why);
            Err(error
                .hint("use create, ls, rm, inspect, prune or reload")
                .into())
        }
    }
}

fn exists(settings: &Settings, name: &str) -> Result<bool> {
    Ok(networks::list(settings)?.iter().any(|one| one.name == name))
}

fn wanted(found: &ArgMatches, name: String) -> Result<Wanted> {
    let labels = texts(found, "label");
    let labels = labels.iter().map(|word| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        (name.to_owned(), value.to_owned())
    });
    Ok(Wanted {
        name,
        subnets: texts(found, "subnet"),
        gateways: texts(found, "gateway"),
        six: match found.get_flag("ipv6") {
            true => Six::Unique,
            false => Six::Without,
        },
        reach: match found.get_flag("internal") {
            true => Reach::Internal,
            false => Reach::Outside,
        },
        bridge: text(found, "interface-name"),
        mtu: text(found, "mtu").map(|typed| number(&typed)).transpose()?,
        labels: labels.collect(),
    })
}

fn number(typed: &str) -> Result<u32> {
    typed.parse().map_err(|_| {
        let object = Object::Argument(format!("--mtu={typed}"));
        let why = Cause::Refused("it is no number of bytes".to_owned());
        Error::new("read the command line", object, why)
    })
}

/// As podman inspects it.
fn document(record: &Record) -> Value {
    let subnets = record.ranges.iter().map(
        |range| json!({"subnet": range.subnet.to_string(), "gateway": range.gateway.to_string()}),
    );
    json!({
        "name": record.name,
        "driver": "bridge",
        "network_interface": record.bridge,
        "created": record.created,
        "subnets": subnets.collect::<Vec<_>>(),
        "ipv6_enabled": record.ranges.iter().any(|range| range.gateway.is_ipv6()),
        "internal": record.reach == Reach::Internal,
        "mtu": record.mtu,
        "labels": record.labels,
    })
}

fn list(found: &ArgMatches, settings: &Settings) -> Outcome {
    let all = networks::list(settings)?;
    match table::format(found)? {
        Format::Quiet => {
            let names: Vec<String> = all.into_iter().map(|record| record.name).collect();
            table::lines(&names)
        }
        Format::Json => table::json(all.iter().map(document).collect()),
        Format::Table => {
            let row = |record: &Record| {
                let ranges = record.ranges.iter().map(|range| range.subnet.to_string());
                vec![
                    record.name.clone(),
                    "bridge".to_owned(),
                    ranges.collect::<Vec<_>>().join(", "),
                ]
            };
            let rows: Vec<_> = all.iter().map(row).collect();
            table::print(&["NAME", "DRIVER", "SUBNETS"], &rows)
        }
    }
}
