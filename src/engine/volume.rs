//! Volumes: directories of the engine's own that outlive containers.

use super::container::file::{lock, make_private, remove_tree, replace};
use super::container::names;
use super::container::record::Record;
use super::container::wish::{Mount, MountKind};
use super::places::Places;
use crate::error::{Cause, Error, Object, Result};
use crate::sys::clock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

/// volume.json.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Volume {
    /// Its name; of a nameless one 64 hexadecimal digits.
    pub(crate) name: String,
    /// When; RFC 3339.
    pub(crate) created: String,
    /// Whether a container made it for itself.
    pub(crate) nameless: bool,
    /// For people and programs.
    pub(crate) labels: BTreeMap<String, String>,
}

fn folder(places: &Places) -> PathBuf {
    places.store.join("volumes")
}

/// Where its files are.
pub(crate) fn data(places: &Places, name: &str) -> PathBuf {
    folder(places).join(name).join("_data")
}

fn locked(places: &Places) -> Result<File> {
    make_private(&folder(places))?;
    lock(&folder(places).join("lock"))
}

/// The volume of this name, if there is one.
pub(crate) fn get(places: &Places, name: &str) -> Option<Volume> {
    let bytes = std::fs::read(folder(places).join(name).join("volume.json")).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// All volumes, by name.
///
/// # Errors
/// As opendir(3).
pub(crate) fn all(places: &Places) -> Result<Vec<Volume>> {
    let entries = match std::fs::read_dir(folder(places)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other
            .map_err(|error| Error::io("list the volumes", folder(places), "openat", &error))?,
    };
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut found: Vec<Volume> = names.filter_map(|name| get(places, &name)).collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Makes a volume; one that is there already is left as it is.
///
/// # Errors
/// A name that none may have; as mkdir(2).
pub(crate) fn create(places: &Places, mut volume: Volume) -> Result<(Volume, Made)> {
    if volume.name.is_empty() {
        volume.name = names::id()?;
    }
    names::check(&volume.name, "volume")?;
    let _lock = locked(places)?;
    if let Some(there) = get(places, &volume.name) {
        return Ok((there, Made::Before));
    }
    volume.created = clock::now_rfc3339();
    let data = data(places, &volume.name);
    make_private(&data)?;
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755))
        .map_err(|error| Error::io("make a volume", &data, "chmod", &error))?;
    let bytes = serde_json::to_vec(&volume).unwrap_or_default();
    replace(
        &folder(places).join(&volume.name).join("volume.json"),
        &bytes,
    )?;
    Ok((volume, Made::Now))
}

/// Whether a volume was made by this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// By this one.
    Now,
    /// By an earlier one.
    Before,
}

/// Removes a volume.
///
/// # Errors
/// There is none, or a container uses it.
pub(crate) fn remove(places: &Places, name: &str, users: &[Record]) -> Result<()> {
    let refused = |why: String| {
        Error::new(
            "remove the volume",
            Object::Argument(name.to_owned()),
            Cause::Refused(why),
        )
    };
    let _lock = locked(places)?;
    if names::check(name, "volume").is_err() || get(places, name).is_none() {
        return Err(refused("there is no such volume".to_owned()));
    }
    if let Some(user) = users.iter().find(|record| uses(record, name)) {
        let hint = format!("remove the container first: orbital rm {}", user.name);
        return Err(refused(format!("container {} uses it", user.short())).hint(hint));
    }
    remove_tree(&folder(places).join(name))
}

/// Whether the container has the volume.
pub(crate) fn uses(record: &Record, name: &str) -> bool {
    let is_it = |mount: &Mount| mount.kind == MountKind::Volume && mount.source == name;
    record.wish.mounts.iter().any(is_it)
}

/// Makes the volumes that a container asks for; gives nameless ones a name. Returns each volume's directory by
/// its target, and which of them are new.
///
/// # Errors
/// As [`create`].
pub(crate) fn of_container(
    places: &Places,
    record: &mut Record,
) -> Result<Vec<(String, PathBuf, Made)>> {
    let mut found = Vec::new();
    for mount in &mut record.wish.mounts {
        if mount.kind != MountKind::Volume {
            continue;
        }
        let nameless = mount.source.is_empty();
        let wish = Volume {
            name: mount.source.clone(),
            nameless,
            ..Volume::default()
        };
        let (volume, made) = create(places, wish)?;
        if nameless {
            record.life.own_volumes.push(volume.name.clone());
            mount.source.clone_from(&volume.name);
        }
        found.push((mount.target.clone(), data(places, &volume.name), made));
    }
    Ok(found)
}
