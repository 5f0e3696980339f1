//! User and group mappings (config-linux.md, "User namespace mappings"), as the exact bytes of
//! uid_map and gid_map; user_namespaces(7).

use super::facts::{Facts, Privilege};
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{Linux, LinuxIdMapping};
use std::fmt::Write;
use std::path::PathBuf;

/// One map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// (container id, host id, count) of each line, as written.
    pub lines: Vec<(u32, u32, u32)>,
    /// The bytes for the file.
    pub bytes: Vec<u8>,
    /// `/linux/uidMappings` or `/linux/gidMappings`.
    pub pointer: Pointer,
}

/// Who writes the maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The runtime itself: it is root, or there is one line that maps the caller.
    Runtime,
    /// newuidmap(1) and newgidmap(1), for ranges from /etc/subuid and /etc/subgid.
    Helpers {
        /// newuidmap, absolute.
        newuidmap: PathBuf,
        /// newgidmap, absolute.
        newgidmap: PathBuf,
    },
}

/// Whether setgroups(2) stays permitted in the new user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setgroups {
    /// It does.
    Allow,
    /// `deny` is written first, as the kernel wants it of an unprivileged writer of gid_map.
    Deny,
}

/// Both maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maps {
    /// User ids.
    pub uid: Map,
    /// Group ids.
    pub gid: Map,
    /// Who writes them.
    pub writer: Writer,
    /// What happens to setgroups.
    pub setgroups: Setgroups,
}

const DOING: &str = "map the ids";

/// How many lines the kernel takes; user_namespaces(7).
const MOST_LINES: usize = 340;

/// Plans `/linux/uidMappings` and `/linux/gidMappings` for a new user namespace.
///
/// # Errors
/// No mappings, an empty or overlapping range, one beyond the last id, too many of them, or mappings that this caller
/// may not write.
pub fn plan(linux: &Linux, facts: &Facts) -> Result<Maps> {
    let uid = of_container(linux.uid_mappings(), "/linux/uidMappings", facts.uid)?;
    let gid = of_container(linux.gid_mappings(), "/linux/gidMappings", facts.gid)?;
    let (writer, setgroups) = writer(&uid, &gid, facts)?;
    Ok(Maps {
        uid,
        gid,
        writer,
        setgroups,
    })
}

impl Map {
    /// Whether the container has this id.
    #[must_use]
    pub fn holds(&self, id: u32) -> bool {
        self.lines
            .iter()
            .any(|(container, _, size)| id >= *container && id - container < *size)
    }

    /// The host's id of one of the container's.
    #[must_use]
    pub fn outside(&self, id: u32) -> Option<u32> {
        let mut lines = self.lines.iter();
        let line = lines.find(|(container, _, size)| id >= *container && id - container < *size);
        line.map(|(container, host, _)| host + (id - container))
    }

    /// Whether it maps this host id, and nothing else.
    fn is_only(&self, host: u32) -> bool {
        matches!(self.lines.as_slice(), [(_, mapped, 1)] if *mapped == host)
    }
}

fn of_container(given: &Option<Vec<LinuxIdMapping>>, pointer: &str, caller: u32) -> Result<Map> {
    let pointer = Pointer::from(pointer);
    let given = given.as_deref().unwrap_or_default();
    if given.is_empty() {
        let mapping = format!("{{\"containerID\": 0, \"hostID\": {caller}, \"size\": 1}}");
        return Err(Error::refused(
            DOING,
            &pointer,
            "a new user namespace needs a mapping, or all of its ids are nobody's",
        )
        .hint(format!(
            "set it to [{mapping}], which makes the caller root inside"
        )));
    }
    map(given, pointer)
}

/// Mappings as a map.
///
/// # Errors
/// Too many of them, an empty or overlapping range, one beyond the last id.
pub fn map(given: &[LinuxIdMapping], pointer: Pointer) -> Result<Map> {
    if given.len() > MOST_LINES {
        return Err(Error::refused(
            DOING,
            &pointer,
            format!(
                "there are {}, and the kernel takes at most {MOST_LINES}",
                given.len()
            ),
        ));
    }
    let mut lines: Vec<(u32, u32, u32)> = Vec::with_capacity(given.len());
    let mut text = String::new();
    for (index, one) in given.iter().enumerate() {
        let line = (one.container_id(), one.host_id(), one.size());
        fits(line, &lines, &pointer, index)?;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {} {}", line.0, line.1, line.2);
        lines.push(line);
    }
    Ok(Map {
        lines,
        bytes: text.into_bytes(),
        pointer,
    })
}

fn fits(
    line: (u32, u32, u32),
    earlier: &[(u32, u32, u32)],
    pointer: &Pointer,
    index: usize,
) -> Result<()> {
    let refuse = |why: String| Err(Error::refused(DOING, pointer.at(index), why));
    let (container, host, size) = line;
    if size == 0 {
        return refuse("a range has at least one id".to_owned());
    }
    // The last id is not one: the kernel takes it for -1.
    if container.checked_add(size).is_none() || host.checked_add(size).is_none() {
        return refuse("the range goes beyond the last id, 4294967294".to_owned());
    }
    let meet = |a: u32, a_size: u32, b: u32, b_size: u32| a < b + b_size && b < a + a_size;
    for (other, (other_container, other_host, other_size)) in earlier.iter().enumerate() {
        let place = pointer.at(other);
        if meet(container, size, *other_container, *other_size) {
            return refuse(format!(
                "it maps ids of the container that {} maps already",
                place.as_str()
            ));
        }
        if meet(host, size, *other_host, *other_size) {
            return refuse(format!(
                "it maps ids of the host that {} maps already",
                place.as_str()
            ));
        }
    }
    Ok(())
}

/// Root may write any map. Anybody may write one line with the own id, if setgroups is given up. All else
/// is for newuidmap(1) and newgidmap(1).
fn writer(uid: &Map, gid: &Map, facts: &Facts) -> Result<(Writer, Setgroups)> {
    if facts.privilege == Privilege::Root {
        return Ok((Writer::Runtime, Setgroups::Allow));
    }
    if uid.is_only(facts.uid) && gid.is_only(facts.gid) {
        return Ok((Writer::Runtime, Setgroups::Deny));
    }
    match (&facts.newuidmap, &facts.newgidmap) {
        (Some(newuidmap), Some(newgidmap)) => {
            let writer = Writer::Helpers {
                newuidmap: newuidmap.clone(),
                newgidmap: newgidmap.clone(),
            };
            Ok((writer, Setgroups::Allow))
        }
        _ => {
            let (map, caller) = if uid.is_only(facts.uid) {
                (gid, facts.gid)
            } else {
                (uid, facts.uid)
            };
            let why = format!(
                "without privileges only the caller's own id, {caller}, may be mapped, and newuidmap or newgidmap is missing"
            );
            Err(Error::refused(DOING, &map.pointer, why)
                .hint("install the package uidmap, or map one id only"))
        }
    }
}

#[cfg(test)]
mod tests;
