//! The networks that there are: one file each below the store, which outlasts a reboot. The one called `bridge` is
//! made when it is first used; who wants another range for it makes it before: `network create --subnet … bridge`.

/// The ranges and the bridge of a new network.
mod choice;

use super::ledger::Ledger;
use super::record::{Reach, Record, VERSION};
use super::{Settings, room, told};
use crate::error::{Cause, Error, Object, Result};
use choice::{bridge_name, ours, ranges};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

/// The network of containers that name none.
pub const DEFAULT: &str = "bridge";

/// Words that `--network` understands as something else than a network's name.
const WORDS: [&str; 7] = [
    "none",
    "host",
    "container",
    "ns",
    "default",
    "private",
    "pasta",
];

/// Whether a new network speaks IPv6 where no range of it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Six {
    /// It does not.
    #[default]
    Without,
    /// With a range of its own choice from fd00::/8; RFC 4193.
    Unique,
}

/// What `network create` was told.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// `--subnet`, at most one of each kind; also with the bridge's own address in it, as 10.0.0.1/24.
    pub subnets: Vec<String>,
    /// `--gateway`, at most one of each kind; the first address of the range where there is none.
    pub gateways: Vec<String>,
    /// `--ipv6`.
    pub six: Six,
    /// `--internal`.
    pub reach: Reach,
    /// The bridge's name on the host; at most 15 bytes.
    pub bridge: Option<String>,
    /// Largest packet, in bytes, 1280 to 65535.
    pub mtu: Option<u32>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
}

fn refused(doing: &str, about: &str, why: impl Into<String>) -> Error {
    let object = Object::Argument(about.to_owned());
    Error::new(doing, object, Cause::Refused(why.into()))
}

fn folder(settings: &Settings) -> PathBuf {
    settings.store.join("networks")
}

fn file(settings: &Settings, name: &str) -> PathBuf {
    folder(settings).join(format!("{name}.json"))
}

/// Checks the name of a network.
///
/// # Errors
/// A name that is none, or that means something else to `--network`.
pub fn check_name(doing: &str, name: &str) -> Result<()> {
    let letters = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !begins || !name.chars().all(letters) || name.len() > 64 {
        let why = "a network's name is of at most 64 letters, digits, _ . and -, and begins with a letter or a digit";
        return Err(refused(doing, name, why));
    }
    if WORDS.contains(&name) {
        return Err(refused(
            doing,
            name,
            "the word has a meaning of its own for --network",
        ));
    }
    Ok(())
}

/// Makes a network's record; nothing on the host changes before a container uses it.
///
/// # Errors
/// A name or a range that is taken, ranges that are none.
pub fn create(settings: &Settings, wanted: &Wanted) -> Result<Record> {
    let ledger = Ledger::open(settings)?;
    create_in(settings, wanted, &ledger)
}

fn create_in(settings: &Settings, wanted: &Wanted, _locked: &Ledger) -> Result<Record> {
    let doing = "create a network";
    check_name(doing, &wanted.name)?;
    let all = list(settings)?;
    if all.iter().any(|other| other.name == wanted.name) {
        return Err(refused(
            doing,
            &wanted.name,
            "there is a network of this name already",
        )
        .hint(format!("orbital network inspect {} shows it", wanted.name)));
    }
    if let Some(mtu) = wanted.mtu.filter(|mtu| !(1280..=65535).contains(mtu)) {
        return Err(refused(
            doing,
            &mtu.to_string(),
            "a packet is of 1280 to 65535 bytes",
        ));
    }
    let record = Record {
        version: VERSION,
        name: wanted.name.clone(),
        bridge: bridge_name(wanted, &all)?,
        ranges: ranges(settings, wanted, &all)?,
        reach: wanted.reach,
        mtu: wanted.mtu,
        labels: wanted.labels.clone(),
        created: crate::sys::clock::now_rfc3339(),
    };
    write(settings, &record)?;
    Ok(record)
}

fn write(settings: &Settings, record: &Record) -> Result<()> {
    let bytes = serde_json::to_vec_pretty(record).unwrap_or_default();
    super::ledger::replace(&file(settings, &record.name), &bytes)
}

/// All networks that have a record, by name.
///
/// # Errors
/// A record that cannot be read.
pub fn list(settings: &Settings) -> Result<Vec<Record>> {
    let folder = folder(settings);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => {
            other.map_err(|error| Error::io("list the networks", &folder, "openat", &error))?
        }
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names = names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned));
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
        .iter()
        .filter_map(|name| read(settings, name).transpose())
        .collect()
}

fn read(settings: &Settings, name: &str) -> Result<Option<Record>> {
    let path = file(settings, name);
    let bytes = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| Error::io("read a network", &path, "read", &error))?,
    };
    let record: Record = serde_json::from_slice(&bytes)
        .map_err(|error| told("read a network", &path, error.to_string()))?;
    if record.version > VERSION {
        return Err(told("read a network", &path, "a newer orbital wrote it"));
    }
    Ok(Some(record))
}

/// One network; the default one even before its first use has made it.
///
/// # Errors
/// A name that no network has.
pub fn inspect(settings: &Settings, name: &str) -> Result<Record> {
    check_name("find a network", name)?;
    let found = read(settings, name)?;
    found.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    refused("find a network", name, "there is no network of this name").hint(format!(
        "orbital network ls shows those that there are; orbital network create {name} makes it"
    ))
}

/// The network that a container is to be in; the default one is made now if it never was.
pub(super) fn of_container(settings: &Settings, name: &str, ledger: &Ledger) -> Result<Record> {
    check_name("find a network", name)?;
    match read(settings, name)? {
        Some(record) => Ok(record),
        None if name == DEFAULT => {
            let wanted = Wanted {
                name: name.to_owned(),
                ..Wanted::default()
            };
            create_in(settings, &wanted, ledger)
        }
        None => Err(missing(name)),
    }
}

/// Chooses the ranges anew that were chosen by us and that the host has taken for something else since.
pub(super) fn choose_again(settings: &Settings, record: &Record) -> Result<Record> {
    let others: Vec<Record> = list(settings)?
        .into_iter()
        .filter(|other| other.name != record.name)
        .collect();
    let mut taken = room::taken_on_the_host(&[])?;
    taken.extend(
        others
            .iter()
            .flat_map(|other| other.ranges.iter().map(|range| range.subnet)),
    );
    let mut record = record.clone();
    for range in &mut record.ranges {
        if !taken.iter().any(|other| other.overlaps(range.subnet)) {
            continue;
        }
        *range = ours(match range.subnet.first() {
            IpAddr::V4(_) => room::free_range(&settings.pool, &taken)?,
            IpAddr::V6(_) => room::unique_range(&taken)?,
        });
    }
    write(settings, &record)?;
    Ok(record)
}

/// Removes a network that no container is in.
///
/// # Errors
/// A name that no network has, a network in use.
pub fn remove(settings: &Settings, name: &str) -> Result<()> {
    let ledger = Ledger::open(settings)?;
    let record = inspect(settings, name)?;
    let users = ledger.users(&record.name);
    if let Some(first) = users.first() {
        let why = format!(
            "{} of its containers are there, such as {first}",
            users.len()
        );
        return Err(refused("remove a network", name, why)
            .hint(format!("remove them first: orbital rm -f {first}")));
    }
    let path = file(settings, name);
    std::fs::remove_file(&path)
        .map_err(|error| Error::io("remove a network", path, "unlinkat", &error))
}

/// Removes all networks that no container is in, but the default one; returns their names.
///
/// # Errors
/// As [`remove`].
pub fn prune(settings: &Settings) -> Result<Vec<String>> {
    let ledger = Ledger::open(settings)?;
    let all = list(settings)?.into_iter();
    let unused =
        all.filter(|record| record.name != DEFAULT && ledger.users(&record.name).is_empty());
    let names: Vec<String> = unused.map(|record| record.name).collect();
    for name in &names {
        let path = file(settings, name);
        std::fs::remove_file(&path)
            .map_err(|error| Error::io("remove a network", path, "unlinkat", &error))?;
    }
    Ok(names)
}
