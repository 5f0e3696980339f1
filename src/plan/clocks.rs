//! What a new time namespace adds to the host's clocks (config-linux.md, "Time Offsets"); time_namespaces(7).

use crate::error::{Error, Pointer, Result, nearest};
use oci_spec::runtime::{Linux, LinuxTimeOffset};

/// The offsets of a new time namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// What is written into /proc/PID/timens_offsets, in one write: a line for each clock.
    pub bytes: Vec<u8>,
    /// `/linux/timeOffsets`.
    pub pointer: Pointer,
}

/// Where the container's time namespace comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is the caller's.
    Inherited,
    /// It is made new.
    New,
    /// It is joined by path.
    Joined,
}

const DOING: &str = "set the clocks";

/// The clocks that can be moved, as config.json and the kernel's file name them.
const NAMES: [&str; 2] = ["monotonic", "boottime"];

/// Half of the seconds that the kernel's 64 bits of nanoseconds hold; kernel/time/namespace.c refuses more.
const MOST_SECONDS: i64 = 4_611_686_018;

const NANOSECONDS: u32 = 1_000_000_000;

/// Plans `/linux/timeOffsets`; `None` where nothing is to be written.
///
/// # Errors
/// Offsets without a new time namespace, another clock than the two, an offset that no clock can have.
pub fn plan(linux: &Linux, source: Source) -> Result<Option<Clocks>> {
    let pointer = Pointer::from("/linux/timeOffsets");
    let Some(given) = linux.time_offsets().as_ref().filter(|all| !all.is_empty()) else {
        return Ok(None);
    };
    let mut unknown: Vec<&String> = given
        .keys()
        .filter(|name| !NAMES.contains(&name.as_str()))
        .collect();
    unknown.sort();
    if let Some(name) = unknown.first() {
        let error = Error::refused(DOING, pointer.at(name.as_str()), "there is no such clock");
        return Err(error.hint(match nearest(name, NAMES) {
            Some(near) => format!("did you mean {near:?}?"),
            None => {
                "move \"monotonic\" or \"boottime\": the time of day is the same for all".to_owned()
            }
        }));
    }
    match source {
        Source::New => {}
        Source::Inherited => {
            let why = "without its own time namespace they would be the host's";
            return Err(Error::refused(DOING, pointer, why)
                .hint("add {\"type\": \"time\"} to /linux/namespaces"));
        }
        Source::Joined => {
            let why = "a time namespace that is joined has its offsets already";
            return Err(Error::refused(DOING, pointer, why)
                .hint("leave them out, or have the time namespace made new: without \"path\""));
        }
    }
    let mut text = String::new();
    for name in NAMES {
        if let Some(offset) = given.get(name) {
            text.push_str(&line(name, offset, &pointer.at(name))?);
        }
    }
    Ok(Some(Clocks {
        bytes: text.into_bytes(),
        pointer,
    }))
}

fn line(name: &str, offset: &LinuxTimeOffset, pointer: &Pointer) -> Result<String> {
    let seconds = offset.secs().unwrap_or(0);
    let nanoseconds = offset.nanosecs().unwrap_or(0);
    if seconds.unsigned_abs() > MOST_SECONDS.unsigned_abs() {
        let why = format!("a clock can be moved by {MOST_SECONDS} s at most");
        return Err(Error::refused(DOING, pointer.at("secs"), why));
    }
    if nanoseconds >= NANOSECONDS {
        let why = "it must be from 0 to 999999999: the rest are seconds";
        return Err(Error::refused(DOING, pointer.at("nanosecs"), why));
    }
    Ok(format!("{name} {seconds} {nanoseconds}\n"))
}

#[cfg(test)]
mod tests;
