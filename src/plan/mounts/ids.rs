//! Whose the files of a bind's source seem to be (config.md, "Mounts": `uidMappings`, `gidMappings`,
//! `idmap`, `ridmap`).

/// Ranges in the option itself.
mod written;

use super::{Around, Entry, IdMapping, Ids, Recursive};
use crate::error::{Error, Pointer, Result};
use crate::plan::birth::UserNamespace;
use crate::plan::facts::Privilege;
use crate::plan::{idmap, options};
use oci_spec::runtime::LinuxIdMapping;

/// The mapping: mappings of the entry's own, or else the container's. Mappings without an option are for
/// the top mount alone.
///
/// # Errors
/// One of the two lists without the other, an option without any mappings, a caller who is not root, and
/// what [`idmap::map`] refuses.
pub(super) fn plan(entry: &Entry<'_>, around: &Around<'_>) -> Result<Option<IdMapping>> {
    let Some((recursive, pointer)) = asked(entry) else {
        return Ok(None);
    };
    if around.privilege == Privilege::User {
        let why = "the kernel lets only root change whose the host's files seem to be";
        let hint = "remove it, or call orbital as root";
        return Err(Error::refused(entry.doing.as_str(), pointer, why).hint(hint));
    }
    let by = match (uids(entry), gids(entry)) {
        ([], []) => match written(entry) {
            Some(ranges) => written::plan(ranges, entry, around, &pointer)?,
            None => of_container(entry, around, &pointer)?,
        },
        (uids, gids) => Ids::Maps(
            list(entry, uids, "uidMappings", "gidMappings")?,
            list(entry, gids, "gidMappings", "uidMappings")?,
        ),
    };
    Ok(Some(IdMapping {
        recursive,
        by,
        pointer,
    }))
}

/// Refuses a mapping of anything but a bind.
///
/// # Errors
/// There is one.
pub(super) fn refuse(entry: &Entry<'_>) -> Result<()> {
    let Some((_, pointer)) = asked(entry) else {
        return Ok(());
    };
    let why = "only the files of a bind mount can seem to be another's";
    let hint = "remove it, or give a new file system its owner by its own options, such as uid";
    Err(Error::refused(entry.doing.as_str(), pointer, why).hint(hint))
}

fn uids<'a>(entry: &'a Entry<'_>) -> &'a [LinuxIdMapping] {
    entry.mount.uid_mappings().as_deref().unwrap_or_default()
}

fn gids<'a>(entry: &'a Entry<'_>) -> &'a [LinuxIdMapping] {
    entry.mount.gid_mappings().as_deref().unwrap_or_default()
}

/// What asks for a mapping, and how far it reaches.
fn asked(entry: &Entry<'_>) -> Option<(Recursive, Pointer)> {
    let of = |name| Some((Recursive::No, entry.pointer.at(name)));
    match entry.options.extras.map_ids {
        Some((depth, index)) => Some((depth, entry.pointer.at("options").at(index))),
        None if !uids(entry).is_empty() => of("uidMappings"),
        None if !gids(entry).is_empty() => of("gidMappings"),
        None => None,
    }
}

/// What is behind the `=` of the option that asks for it.
fn written<'a>(entry: &'a Entry<'_>) -> Option<&'a str> {
    let (_, index) = entry.options.extras.map_ids?;
    let words = entry.mount.options().as_ref()?;
    options::ranges(words.get(usize::from(index))?).map(|(_, ranges)| ranges)
}

fn list(
    entry: &Entry<'_>,
    given: &[LinuxIdMapping],
    name: &str,
    other: &str,
) -> Result<idmap::Map> {
    let pointer = entry.pointer.at(name);
    if given.is_empty() {
        let why = format!("{other} is given, and one is nothing without the other");
        let hint = "give both, for example the same";
        return Err(Error::refused(entry.doing.as_str(), pointer, why).hint(hint));
    }
    idmap::map(given, pointer)
}

fn of_container(entry: &Entry<'_>, around: &Around<'_>, pointer: &Pointer) -> Result<Ids> {
    match &around.birth.user {
        UserNamespace::New(maps) => Ok(Ids::Maps(maps.uid.clone(), maps.gid.clone())),
        UserNamespace::Joined => Ok(Ids::OfJoined),
        UserNamespace::Inherited => {
            let why = "there are no mappings: neither the mount's own nor a user namespace's";
            let hint = "add uidMappings and gidMappings to the mount";
            Err(Error::refused(entry.doing.as_str(), pointer, why).hint(hint))
        }
    }
}

#[cfg(test)]
mod tests;
