//! Ids, groups, umask (config.md, "POSIX-platform User"). Numbers only: names are the caller's business.

use super::annotations;
use super::birth::{Birth, UserNamespace};
use super::idmap::{Map, Maps, Setgroups};
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::Spec;

/// What to do about supplementary groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Groups {
    /// Exactly these.
    Set(Vec<u32>),
    /// The caller's stay: the user namespace denies setgroups(2) and none are asked for, or an annotation wants it.
    Keep,
}

/// Who the process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// User id in the container.
    pub uid: u32,
    /// Group id in the container.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Groups,
    /// File mode creation mask, 0 to 0o777; 0o022 when not given.
    pub umask: u32,
}

const DOING: &str = "change to the process's user";
const USUAL_UMASK: u32 = 0o022;

/// Plans `/process/user`.
///
/// # Errors
/// An id that the new user namespace does not map, groups where setgroups is denied, a umask beyond 0o777.
pub fn plan(spec: &Spec, birth: &Birth) -> Result<User> {
    let given = spec
        .process()
        .as_ref()
        .map(|process| process.user().clone())
        .unwrap_or_default();
    let maps = match &birth.user {
        UserNamespace::New(maps) => Some(maps),
        UserNamespace::Inherited | UserNamespace::Joined => None,
    };
    let place = Pointer::from("/process/user");
    known(given.uid(), maps.map(|maps| &maps.uid), place.at("uid"))?;
    known(given.gid(), maps.map(|maps| &maps.gid), place.at("gid"))?;
    let groups = groups(
        keeps(spec),
        given.additional_gids().as_deref().unwrap_or_default(),
        maps,
        &place.at("additionalGids"),
    )?;
    let umask = given.umask().unwrap_or(USUAL_UMASK);
    if umask > 0o777 {
        return Err(Error::refused(
            DOING,
            place.at("umask"),
            "a umask has nine bits: it is at most 511, which is octal 777",
        ));
    }
    Ok(User {
        uid: given.uid(),
        gid: given.gid(),
        groups,
        umask,
    })
}

fn known(id: u32, map: Option<&Map>, place: Pointer) -> Result<()> {
    // setuid(2) and its kin take this number for "leave it as it is": the process would stay root.
    if id == u32::MAX {
        return Err(Error::refused(
            DOING,
            place,
            "4294967295 is not an id: the kernel takes it for -1",
        ));
    }
    match map {
        Some(map) if !map.holds(id) => {
            let place_of_map = map.pointer.as_str();
            let why = format!("{place_of_map} does not map {id}");
            Err(Error::refused(DOING, place, why).hint(format!(
                "add a mapping with containerID {id} to {place_of_map}"
            )))
        }
        _ => Ok(()),
    }
}

/// Whether the annotation asks for the caller's groups.
fn keeps(spec: &Spec) -> Caller {
    if annotations::asks(spec, annotations::KEEP_GROUPS) {
        Caller::Kept
    } else {
        Caller::Left
    }
}

/// What becomes of the caller's supplementary groups.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    Kept,
    Left,
}

fn groups(caller: Caller, asked: &[u32], maps: Option<&Maps>, place: &Pointer) -> Result<Groups> {
    if caller == Caller::Kept {
        return match asked {
            [] => Ok(Groups::Keep),
            _ => Err(Error::refused(
                DOING,
                place,
                format!(
                    "the annotation {} keeps the caller's groups",
                    annotations::KEEP_GROUPS
                ),
            )
            .hint("leave out one of the two")),
        };
    }
    if maps.is_some_and(|maps| maps.setgroups == Setgroups::Deny) {
        return match asked {
            [] => Ok(Groups::Keep),
            _ => Err(Error::refused(
                DOING,
                place,
                "a user who maps only his own group id may not set groups",
            )
            .hint("leave additionalGids out, or map a range from /etc/subgid")),
        };
    }
    for (index, gid) in asked.iter().enumerate() {
        known(*gid, maps.map(|maps| &maps.gid), place.at(index))?;
    }
    Ok(Groups::Set(asked.to_vec()))
}

#[cfg(test)]
mod tests;
