//! The limits that `update` takes as flags, and what they are called in config.json.

use super::misuse::refused;
use super::quantity;
use crate::error::Result;
use clap::ArgMatches;
use serde_json::{Value, json};
use std::ffi::OsString;

/// A flag with a limit.
#[derive(Debug)]
pub struct Flag {
    /// As it is typed, without dashes.
    pub name: &'static str,
    /// What its value is called in the help.
    pub of: &'static str,
    /// The same limit below `/linux/resources`.
    pub pointer: &'static str,
    /// A line of help; empty for one that only old callers know.
    pub help: &'static str,
    read: fn(&str) -> Option<Value>,
}

/// All of them, in the order of the help.
#[rustfmt::skip]
pub const FLAGS: [Flag; 16] = [
    flag("memory", "BYTES", "/memory/limit", "memory", bytes),
    flag("memory-reservation", "BYTES", "/memory/reservation", "memory that is taken from others first", bytes),
    flag("memory-swap", "BYTES", "/memory/swap", "memory and swap together; without it the limit of swap stays", bytes),
    flag("cpu-share", "N", "/cpu/shares", "weight against other containers, 2 to 262144; 1024 is usual", natural),
    flag("cpu-quota", "USEC", "/cpu/quota", "time on a processor within each period", integer),
    flag("cpu-period", "USEC", "/cpu/period", "how long a period is, 1000 to 1000000", natural),
    flag("cpu-burst", "USEC", "/cpu/burst", "time that may be saved up beyond the quota", natural),
    flag("cpu-idle", "0|1", "/cpu/idle", "1: run only when nobody else wants to", integer),
    flag("cpu-rt-runtime", "USEC", "/cpu/realtimeRuntime", "", integer),
    flag("cpu-rt-period", "USEC", "/cpu/realtimePeriod", "", natural),
    flag("cpuset-cpus", "LIST", "/cpu/cpus", "the processors it may use, such as 0-3,7", text),
    flag("cpuset-mems", "LIST", "/cpu/mems", "the memory nodes it may use", text),
    flag("pids-limit", "N", "/pids/limit", "processes and threads", integer),
    flag("blkio-weight", "N", "/blockIO/weight", "weight for block devices, 10 to 1000", weight),
    flag("kernel-memory", "BYTES", "/memory/kernel", "", bytes),
    flag("kernel-memory-tcp", "BYTES", "/memory/kernelTCP", "", bytes),
];

const fn flag(
    name: &'static str,
    of: &'static str,
    pointer: &'static str,
    help: &'static str,
    read: fn(&str) -> Option<Value>,
) -> Flag {
    Flag {
        name,
        of,
        pointer,
        help,
        read,
    }
}

/// The limits that were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// As /linux/resources of config.json would have them.
    pub resources: Value,
    /// Flag and value as they were typed, by the pointer of the same limit in `resources`.
    pub origins: Vec<(&'static str, String)>,
}

impl Typed {
    /// What was typed for the limit at `pointer`, such as `--memory 64m`.
    #[must_use]
    pub fn origin(&self, pointer: &str) -> Option<&str> {
        let found = self.origins.iter().find(|(known, _)| *known == pointer);
        found.map(|(_, typed)| typed.as_str())
    }
}

/// Gathers the flags that were given. An empty value counts as none, as everywhere.
///
/// # Errors
/// A value that is no number or no size, with its flag.
pub(super) fn typed(found: &mut ArgMatches) -> Result<Typed> {
    let mut limits = Typed {
        resources: json!({}),
        origins: Vec::new(),
    };
    for flag in &FLAGS {
        let Some(given) = found.remove_one::<OsString>(flag.name) else {
            continue;
        };
        let given = given.to_string_lossy();
        if given.is_empty() {
            continue;
        }
        let value = (flag.read)(&given).ok_or_else(|| unread(flag, &given))?;
        let mut parts = flag.pointer.split('/').skip(1);
        let (group, member) = (parts.next(), parts.next());
        limits.resources[group.unwrap_or_default()][member.unwrap_or_default()] = value;
        let origin = format!("--{} {given}", flag.name);
        limits.origins.push((flag.pointer, origin));
    }
    Ok(limits)
}

fn unread(flag: &Flag, given: &str) -> crate::error::Error {
    let (why, hint) = match flag.of {
        "BYTES" => (
            "it is no size",
            "write a number of bytes, or one that ends in k, m, g or t, such as 64m; -1 means no limit",
        ),
        _ if flag.pointer == "/blockIO/weight" => {
            ("it is no weight", "write a number from 10 to 1000")
        }
        _ => ("it is no number that fits", "write it in decimal digits"),
    };
    refused(&format!("--{} {given}", flag.name), why).hint(hint)
}

fn bytes(given: &str) -> Option<Value> {
    quantity::bytes(given).map(Value::from)
}

fn integer(given: &str) -> Option<Value> {
    given.parse::<i64>().ok().map(Value::from)
}

fn natural(given: &str) -> Option<Value> {
    given.parse::<u64>().ok().map(Value::from)
}

fn weight(given: &str) -> Option<Value> {
    given.parse::<u16>().ok().map(Value::from)
}

fn text(given: &str) -> Option<Value> {
    Some(Value::from(given))
}
