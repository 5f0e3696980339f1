//! `--userns`, `--uidmap`, `--gidmap`: which ids a container has, and which of the host's they are.
//!
//! ```text
//!  flags ─parse─▶ Userns (in the wish) ─settle, in the monitor─▶ Ids (in the record) ─▶ config.json, the layers
//! ```
//!
//! Ids of the host are those of the monitor's user namespace: for root all, for a user its own as 0 and those of
//! /etc/subuid from 1 on. What this does not do: write maps, which the runtime does.

/// In the monitor: what was asked for, decided.
mod settle;

/// A user namespace of these maps, for mounts that show files under other owners.
pub(crate) mod mapped;

pub(crate) use mapped::mapped;
pub(crate) use settle::settle;

use super::places::{Who, who};
use crate::error::{Cause, Error, Object, Result};
use serde::{Deserialize, Serialize};

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub(crate) enum Userns {
    /// The host's.
    #[default]
    Host,
    /// A user's own id stays what it is, or becomes this one.
    KeepId {
        /// The user's id in the container.
        uid: u32,
        /// The group's.
        gid: u32,
    },
    /// A range that no other container has.
    Auto {
        /// So many ids.
        size: u32,
    },
    /// A user's own id is nobody's.
    Nomap,
    /// As they were typed.
    Typed(Ids),
}

/// Both maps; empty without a user namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ids {
    /// Of users.
    pub(crate) uids: Vec<Piece>,
    /// Of groups.
    pub(crate) gids: Vec<Piece>,
}

/// One line of a map, in the words of config.json.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Piece {
    /// The first id in the container.
    #[serde(rename = "containerID")]
    pub(crate) container: u32,
    /// The first id of the host.
    #[serde(rename = "hostID")]
    pub(crate) host: u32,
    /// How many.
    pub(crate) size: u32,
}

/// Ids of a range that nothing is said about: as many as any image knows.
const USUAL: u32 = 65_536;

/// The same for a user, who seldom has more than that for all containers together.
const USUAL_OF_USER: u32 = 4_096;

impl Piece {
    fn of_host(self, id: u32) -> Option<u32> {
        let offset = id.checked_sub(self.container)?;
        (offset < self.size).then(|| self.host.saturating_add(offset))
    }

    fn overlaps(self, other: Piece) -> bool {
        let end = |piece: Piece| piece.host.saturating_add(piece.size);
        self.host < end(other) && other.host < end(self)
    }
}

impl Ids {
    /// Whether the container has the host's ids.
    pub(crate) fn is_hosts(&self) -> bool {
        self.uids.is_empty()
    }

    /// The host's ids for these of the container; the same ones without a user namespace.
    pub(crate) fn of_host(&self, uid: u32, gid: u32) -> Option<(u32, u32)> {
        if self.is_hosts() {
            return Some((uid, gid));
        }
        let find = |map: &[Piece], id| map.iter().find_map(|piece| piece.of_host(id));
        Some((find(&self.uids, uid)?, find(&self.gids, gid)?))
    }

    /// Whether the container has this group.
    pub(crate) fn has_group(&self, gid: u32) -> bool {
        self.gids.iter().any(|piece| piece.of_host(gid).is_some())
    }
}

fn refused(flag: &str, value: &str, why: &str) -> Error {
    let object = Object::Argument(format!("--{flag}={value}"));
    let cause = Cause::Refused(why.to_owned());
    Error::new("read the command line", object, cause)
}

/// Reads the three flags.
///
/// # Errors
/// A word that is none, a map that is none, a mode that only the other kind of user has.
pub(crate) fn parse(mode: Option<&str>, uids: &[String], gids: &[String]) -> Result<Userns> {
    if !uids.is_empty() || !gids.is_empty() {
        return typed(mode, uids, gids);
    }
    let whole = mode.unwrap_or_default();
    let (word, options) = whole.split_once(':').unwrap_or((whole, ""));
    let value = |name: &str| -> Result<Option<u32>> {
        let prefix = format!("{name}=");
        let found = options
            .split(',')
            .find_map(|option| option.strip_prefix(&prefix));
        let number = |text: &str| {
            text.parse()
                .map_err(|_| refused("userns", whole, "no such number"))
        };
        found.map(number).transpose()
    };
    let known: &[&str] = match word {
        "keep-id" => &["uid", "gid"],
        "auto" => &["size"],
        _ => &[],
    };
    let is_known = |option: &str| {
        known
            .iter()
            .any(|name| option.split('=').next() == Some(name))
    };
    if !options.is_empty() && !options.split(',').all(is_known) {
        let hint = "use host, keep-id, keep-id:uid=1000,gid=1000, auto, auto:size=65536 or nomap";
        return Err(refused("userns", whole, "there is no such option of it").hint(hint));
    }
    match word {
        "" | "host" => Ok(Userns::Host),
        "keep-id" => of_user(word, || {
            let own = (
                rustix::process::getuid().as_raw(),
                rustix::process::getgid().as_raw(),
            );
            let (uid, gid) = (
                value("uid")?.unwrap_or(own.0),
                value("gid")?.unwrap_or(own.1),
            );
            Ok(Userns::KeepId { uid, gid })
        }),
        "nomap" => of_user(word, || Ok(Userns::Nomap)),
        "auto" => match value("size")?.unwrap_or_else(usual_size) {
            0 => Err(refused("userns", whole, "a container needs an id")),
            size => Ok(Userns::Auto { size }),
        },
        _ => Err(refused("userns", whole, "no such mode")
            .hint("use host, keep-id, auto or nomap; or --uidmap and --gidmap")),
    }
}

fn usual_size() -> u32 {
    match who() {
        Who::Root => USUAL,
        Who::User => USUAL_OF_USER,
    }
}

/// Maps that were typed; one of them serves for both.
fn typed(mode: Option<&str>, uids: &[String], gids: &[String]) -> Result<Userns> {
    if let Some(mode) = mode.filter(|mode| !["", "private"].contains(mode)) {
        return Err(refused(
            "userns",
            mode,
            "not together with --uidmap or --gidmap",
        ));
    }
    let (uids, gids) = (pieces("uidmap", uids)?, pieces("gidmap", gids)?);
    let or = |one: &Vec<Piece>, other: &Vec<Piece>| match one.is_empty() {
        true => other.clone(),
        false => one.clone(),
    };
    Ok(Userns::Typed(Ids {
        uids: or(&uids, &gids),
        gids: or(&gids, &uids),
    }))
}

fn of_user(mode: &str, made: impl Fn() -> Result<Userns>) -> Result<Userns> {
    match who() {
        Who::User => made(),
        Who::Root => Err(refused(
            "userns",
            mode,
            "it is about a user's own id, and this is root",
        )
        .hint("use --userns auto, or --uidmap 0:100000:65536")),
    }
}

/// `container:host[:count]` each.
fn pieces(flag: &str, typed: &[String]) -> Result<Vec<Piece>> {
    let mut all: Vec<Piece> = Vec::new();
    for text in typed {
        let wrong =
            |why| refused(flag, text, why).hint(format!("write it as --{flag} 0:100000:65536"));
        let numbers: Option<Vec<u32>> = text.split(':').map(|part| part.parse().ok()).collect();
        let piece = match numbers.as_deref() {
            Some([container, host]) => Piece {
                container: *container,
                host: *host,
                size: 1,
            },
            Some([container, host, size]) if *size > 0 => Piece {
                container: *container,
                host: *host,
                size: *size,
            },
            _ => return Err(wrong("not of the form CONTAINER:HOST:COUNT")),
        };
        if all.iter().any(|other| other.overlaps(piece)) {
            return Err(wrong("one id of the host would be two of the container"));
        }
        all.push(piece);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
