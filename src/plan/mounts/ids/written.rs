//! `idmap=uids=0-1000-10#10-2000-5;gids=0-1000-10`: ranges of ids in a mount option, as crun takes them and
//! podman hands them on from `--volume`. A range is the first id in the file system, the first id that it
//! seems to be, and how many there are; with an `@` the second is one of the container's own ids.

use super::{Around, Entry, Ids};
use crate::error::{Error, Pointer, Result};
use crate::plan::birth::UserNamespace;
use crate::plan::idmap::{self, Map};
use oci_spec::runtime::{LinuxIdMapping, LinuxIdMappingBuilder};

/// The mapping that the ranges mean.
///
/// # Errors
/// Anything but two lists of ranges; an `@` without a new user namespace, or with an id that it lacks; what
/// [`idmap::map`] refuses.
pub(super) fn plan(
    ranges: &str,
    entry: &Entry<'_>,
    around: &Around<'_>,
    pointer: &Pointer,
) -> Result<Ids> {
    let own = match &around.birth.user {
        UserNamespace::New(maps) => Some(maps),
        UserNamespace::Joined | UserNamespace::Inherited => None,
    };
    let (mut uids, mut gids) = (None, None);
    for list in ranges.split(';') {
        let (list, text, own) = match list.split_once('=') {
            Some(("uids", text)) => (&mut uids, text, own.map(|maps| &maps.uid)),
            Some(("gids", text)) => (&mut gids, text, own.map(|maps| &maps.gid)),
            _ => return Err(garbled(entry, pointer)),
        };
        let mappings = text
            .split('#')
            .map(|range| mapping(range, own, entry, pointer));
        let mappings = mappings.collect::<Result<Vec<_>>>()?;
        *list = Some(idmap::map(&mappings, pointer.clone())?);
    }
    match (uids, gids) {
        (Some(uids), Some(gids)) => Ok(Ids::Maps(uids, gids)),
        _ => Err(garbled(entry, pointer)),
    }
}

fn mapping(
    range: &str,
    own: Option<&Map>,
    entry: &Entry<'_>,
    pointer: &Pointer,
) -> Result<LinuxIdMapping> {
    let (numbers, relative) = match range.strip_prefix('@') {
        Some(numbers) => (numbers, true),
        None => (range, false),
    };
    let numbers: Vec<Option<u32>> = numbers.split('-').map(|word| word.parse().ok()).collect();
    let [Some(inside), Some(first), Some(size)] = numbers[..] else {
        return Err(garbled(entry, pointer));
    };
    let host = match (relative, own) {
        (false, _) => Some(first),
        (true, own) => own.and_then(|own| own.outside(first)),
    };
    let Some(host) = host else {
        let why =
            format!("@ means an id of the container's own user namespace, which has no {first}");
        return Err(Error::refused(entry.doing.as_str(), pointer, why).hint(
            "take the @ away, or have the id mapped in /linux/uidMappings and /linux/gidMappings",
        ));
    };
    let builder = LinuxIdMappingBuilder::default()
        .container_id(inside)
        .host_id(host)
        .size(size);
    builder.build().map_err(|_| garbled(entry, pointer))
}

fn garbled(entry: &Entry<'_>, pointer: &Pointer) -> Error {
    let why = "the ranges of ids are not understood";
    Error::refused(entry.doing.as_str(), pointer, why).hint(
        "write both lists, of ranges from-to-count with # between them: idmap=uids=0-1000-10#10-2000-5;gids=0-1000-10",
    )
}
