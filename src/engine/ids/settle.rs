//! What was asked for, decided. In the monitor, whose user namespace the host's ids are those of.

use super::{Ids, Piece, Userns};
use crate::engine::container::record::Record;
use crate::engine::container::shelf::Shelf;
use crate::engine::inside::last;
use crate::engine::places::{Who, who};
use crate::engine::userns::{Range, named_range};
use crate::error::{Cause, Error, Object, Result};

/// Whose range of /etc/subuid root's containers get: podman's name for it, and ours.
const OWNERS: [&str; 2] = ["containers", "orbital"];

/// The container's ids: those that it was given before, or new ones. In the monitor.
///
/// # Errors
/// No range for it, or none that is free.
pub(crate) fn settle(shelf: &Shelf, record: &mut Record) -> Result<()> {
    if !record.ids.is_hosts() || record.wish.userns == Userns::Host {
        return Ok(());
    }
    // Two that are begun at once must not get the same range.
    let _lock = shelf.lock()?;
    let ids = match &record.wish.userns {
        Userns::Host => Ids::default(),
        Userns::Typed(ids) => ids.clone(),
        Userns::KeepId { uid, gid } => Ids {
            uids: keeping(*uid, last("uid")),
            gids: keeping(*gid, last("gid")),
        },
        Userns::Nomap => Ids {
            uids: without_own(last("uid"))?,
            gids: without_own(last("gid"))?,
        },
        Userns::Auto { size } => free(shelf, *size)?,
    };
    record.ids = ids.clone();
    shelf
        .change(&record.id, |record| record.ids = ids)
        .map(drop)
}

/// The user's own id (0 in the monitor's namespace) is `kept`; those around it are of the user's range.
fn keeping(kept: u32, last: u32) -> Vec<Piece> {
    let below = kept.min(last);
    let mut pieces = Vec::new();
    if below > 0 {
        pieces.push(Piece {
            container: 0,
            host: 1,
            size: below,
        });
    }
    pieces.push(Piece {
        container: kept,
        host: 0,
        size: 1,
    });
    if last > below {
        pieces.push(Piece {
            container: kept + 1,
            host: below + 1,
            size: last - below,
        });
    }
    pieces
}

fn without_own(last: u32) -> Result<Vec<Piece>> {
    match last {
        0 => Err(no_range("this user has no ids but their own", "NAME")),
        last => Ok(vec![Piece {
            container: 0,
            host: 1,
            size: last,
        }]),
    }
}

fn no_range(why: &str, name: &str) -> Error {
    let cause = Cause::Refused(why.to_owned());
    let hint = format!("give a range: add {name}:200000:1048576 to /etc/subuid and to /etc/subgid");
    Error::new("find ids for the container", Object::Nothing, cause).hint(hint)
}

/// The first range of this size that no container has, the same for users and groups.
fn free(shelf: &Shelf, size: u32) -> Result<Ids> {
    let (room, name) = match who() {
        Who::User => (
            Range {
                first: 1,
                count: last("uid").min(last("gid")),
            },
            "NAME",
        ),
        Who::Root => (of_containers()?, OWNERS[0]),
    };
    let taken: Vec<Piece> = shelf
        .all()?
        .into_iter()
        .flat_map(|record| record.ids.uids)
        .collect();
    let end = room.first.saturating_add(room.count);
    let mut first = room.first;
    while first.checked_add(size).is_some_and(|after| after <= end) {
        let piece = Piece {
            container: 0,
            host: first,
            size,
        };
        match taken.iter().find(|other| other.overlaps(piece)) {
            None => {
                return Ok(Ids {
                    uids: vec![piece],
                    gids: vec![piece],
                });
            }
            Some(other) => first = other.host.saturating_add(other.size),
        }
    }
    Err(no_range(
        &format!(
            "no {size} ids are free in {} from {}",
            room.count, room.first
        ),
        name,
    ))
}

fn of_containers() -> Result<Range> {
    let both = OWNERS.iter().find_map(|name| {
        let (users, groups) = (
            named_range("/etc/subuid", name)?,
            named_range("/etc/subgid", name)?,
        );
        let first = users.first.max(groups.first);
        let end = (users.first + users.count).min(groups.first + groups.count);
        Some(Range {
            first,
            count: end.checked_sub(first)?,
        })
    });
    both.ok_or_else(|| {
        no_range(
            "/etc/subuid and /etc/subgid have no range for the user containers",
            OWNERS[0],
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{Piece, keeping};

    #[test]
    fn the_users_own_id_is_kept_among_those_of_the_range() {
        let piece = |container, host, size| Piece {
            container,
            host,
            size,
        };
        assert_eq!(keeping(1000, 0), [piece(1000, 0, 1)]);
        assert_eq!(keeping(0, 3), [piece(0, 0, 1), piece(1, 1, 3)]);
        assert_eq!(
            keeping(2, 5),
            [piece(0, 1, 2), piece(2, 0, 1), piece(3, 3, 3)]
        );
        assert_eq!(keeping(9, 5), [piece(0, 1, 5), piece(9, 0, 1)]);
    }
}
