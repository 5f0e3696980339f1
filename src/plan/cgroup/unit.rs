//! `/linux/cgroupsPath` for systemd: `slice:prefix:name`, as every caller of runc writes it.

use super::Relative;
use super::path::{Origin, Place};
use crate::error::{Error, Pointer, Result};
use crate::plan::facts::{Facts, Instance};
use std::path::Path;

/// The kernel's and systemd's own limit for a name, in bytes.
const LONGEST: usize = 255;

/// The prefix where nobody gives one.
const PREFIX: &str = "orbital";

/// A scope, by its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// `prefix-name.scope`.
    pub(super) name: String,
    /// `a-b.slice`.
    pub(super) slice: String,
    /// `a.slice/a-b.slice/prefix-name.scope`: its group below that of the systemd that makes it.
    pub(super) path: String,
    /// Who named it.
    pub(super) origin: Origin,
}

impl Unit {
    /// As a place in the tree: where it will be, if the systemd that makes it is the machine's.
    pub(super) fn place(&self) -> Place {
        Place {
            path: self.path.clone(),
            relative: Relative::ToRoot,
            origin: self.origin,
        }
    }
}

/// The scope that the path means. Without one it is `orbital-ID.scope`, and without a slice it is in
/// system.slice, or in user.slice of the user's own systemd.
pub(super) fn plan(given: Option<&Path>, id: &str, facts: &Facts) -> Result<Unit> {
    let usual = match facts.systemd {
        Instance::System => "system.slice",
        Instance::User => "user.slice",
    };
    let Some(given) = given.filter(|path| !path.as_os_str().is_empty()) else {
        return named(usual, PREFIX, id, Origin::Default);
    };
    let Some(text) = given.to_str() else {
        return Err(refused("it is not UTF-8"));
    };
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["", prefix, name] => named(usual, prefix, name, Origin::Given),
        [slice, prefix, name] => named(slice, prefix, name, Origin::Given),
        _ => Err(
            refused("it is not slice:prefix:name, and systemd is asked to make the group").hint(
                "write it so, such as system.slice:orbital:web, or use --cgroup-manager cgroupfs",
            ),
        ),
    }
}

fn refused(why: &str) -> Error {
    let pointer = Pointer::from("/linux/cgroupsPath");
    Error::refused("place the container", pointer, why)
}

fn named(slice: &str, prefix: &str, name: &str, origin: Origin) -> Result<Unit> {
    if name.is_empty() {
        return Err(refused(
            "it names no unit: the part after the second colon is empty",
        ));
    }
    if [slice, prefix, name]
        .iter()
        .any(|part| part.contains(['/', '\0', '\n']))
    {
        return Err(refused(
            "a unit's name holds neither / nor NUL nor a line break",
        ));
    }
    if name.ends_with(".slice") {
        let error = refused("a slice holds units and no processes");
        return Err(error.hint("leave out .slice: the container is a scope"));
    }
    let above = expand(slice).ok_or_else(|| {
        refused(&format!("{slice:?} is no name of a slice"))
            .hint("a slice is called NAME.slice, and a-b.slice is in a.slice")
    })?;
    let whole = match prefix {
        "" => format!("{name}.scope"),
        prefix => format!("{prefix}-{name}.scope"),
    };
    let name = escape(&whole);
    if name.len() > LONGEST {
        let why = format!(
            "the unit's name has {} bytes, and {LONGEST} is the most",
            name.len()
        );
        return Err(refused(&why));
    }
    let path = format!("{above}{name}");
    let slice = slice.to_owned();
    Ok(Unit {
        name,
        slice,
        path,
        origin,
    })
}

/// Whether a unit's name may have this character; systemd.unit(5), "String Escaping for Inclusion in
/// Unit Names". `@` makes an instance of a template, which a scope cannot be.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":_.-\\".contains(&byte)
}

/// An id may have a `+`, and a unit's name only `\x2b`.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        match byte {
            b'.' if index == 0 => escaped.push_str("\\x2e"),
            byte if is_plain(byte) => escaped.push(char::from(byte)),
            byte => escaped.push_str(&format!("\\x{byte:02x}")),
        }
    }
    escaped
}

/// `a-b.slice` is `a.slice/a-b.slice/`; systemd.slice(5).
fn expand(slice: &str) -> Option<String> {
    let stem = slice.strip_suffix(".slice")?;
    if stem == "-" {
        return Some(String::new());
    }
    if !slice.bytes().all(is_plain) || slice.len() > LONGEST || stem.starts_with('.') {
        return None;
    }
    let mut path = String::new();
    let mut above = String::new();
    for part in stem.split('-') {
        if part.is_empty() {
            return None;
        }
        if !above.is_empty() {
            above.push('-');
        }
        above.push_str(part);
        path.push_str(&above);
        path.push_str(".slice/");
    }
    Some(path)
}

#[cfg(test)]
mod tests;
