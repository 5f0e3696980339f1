//! All records, found by id, by its beginning, or by name.

use super::file;
use super::names;
use super::record::Record;
use crate::engine::places::Places;
use crate::error::{Cause, Error, Object, Result};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The directories of all containers.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    /// The engine's own places.
    pub(crate) places: Places,
}

impl Shelf {
    /// Those of these places.
    pub(crate) fn new(places: &Places) -> Shelf {
        Shelf {
            places: places.clone(),
        }
    }

    fn all_folders(&self) -> PathBuf {
        self.places.store.join("containers")
    }

    /// What lasts of one container.
    pub(crate) fn folder(&self, id: &str) -> PathBuf {
        self.all_folders().join(id)
    }

    /// What a reboot may take away.
    pub(crate) fn run_folder(&self, id: &str) -> PathBuf {
        self.places.state.join("containers").join(id)
    }

    /// Where its monitor listens.
    pub(crate) fn socket(&self, id: &str) -> PathBuf {
        self.run_folder(id).join("attach")
    }

    /// Its log.
    pub(crate) fn log(&self, id: &str) -> PathBuf {
        self.folder(id).join("log.json")
    }

    /// The runtime's `--root`.
    pub(crate) fn runtime_root(&self) -> PathBuf {
        self.places.state.join("runtime")
    }

    /// Holds back whoever else takes a name or a range of ids; it ends with the value.
    ///
    /// # Errors
    /// As flock(2).
    pub(crate) fn lock(&self) -> Result<File> {
        file::lock(&self.all_folders().join("lock"))
    }

    /// Gives `record` an id and a name, and keeps it.
    ///
    /// # Errors
    /// A name that is taken or that none may have; as mkdir(2) and write(2).
    pub(crate) fn add(&self, record: &mut Record) -> Result<()> {
        file::make_private(&self.all_folders())?;
        let _lock = self.lock()?;
        let known = self.all()?;
        let named = |name: &str| known.iter().find(|other| other.name == name);
        record.id = names::id()?;
        if record.name.is_empty() {
            record.name = names::name(|name| named(name).is_some())?;
        }
        names::check(&record.name, "container")?;
        if let Some(other) = named(&record.name) {
            return Err(taken(&record.name, other));
        }
        file::make_private(&self.folder(&record.id))?;
        self.keep(record)
    }

    /// Gives the container another name.
    ///
    /// # Errors
    /// As [`Shelf::add`].
    pub(crate) fn rename(&self, record: &Record, name: &str) -> Result<()> {
        names::check(name, "container")?;
        let _lock = self.lock()?;
        if let Some(other) = self.all()?.iter().find(|other| other.name == name) {
            return Err(taken(name, other));
        }
        self.change(&record.id, |record| name.clone_into(&mut record.name))
            .map(drop)
    }

    fn keep(&self, record: &Record) -> Result<()> {
        let bytes = serde_json::to_vec(record).unwrap_or_default();
        file::replace(&self.folder(&record.id).join("record.json"), &bytes)
    }

    /// Changes the record under its lock, and gives what it is then.
    ///
    /// # Errors
    /// A container that is gone; as write(2).
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Record)) -> Result<Record> {
        let folder = self.folder(id);
        let _lock = file::lock(&folder.join("lock"))?;
        let mut record = read(&folder).ok_or_else(|| unknown(id))?;
        change(&mut record);
        self.keep(&record)?;
        Ok(record)
    }

    /// The record of exactly this id.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn get(&self, id: &str) -> Result<Record> {
        read(&self.folder(id)).ok_or_else(|| unknown(id))
    }

    /// All records, the newest first. What is half made or half removed is not there.
    ///
    /// # Errors
    /// As opendir(3), but for a directory that nobody has made yet.
    pub(crate) fn all(&self) -> Result<Vec<Record>> {
        let path = self.all_folders();
        let entries = match std::fs::read_dir(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => {
                other.map_err(|error| Error::io("list the containers", path, "openat", &error))?
            }
        };
        let mut found: Vec<Record> = entries
            .flatten()
            .filter_map(|entry| read(&entry.path()))
            .collect();
        found.sort_by(|one, other| other.created.cmp(&one.created));
        Ok(found)
    }

    /// The container of this name, id, or beginning of an id.
    ///
    /// # Errors
    /// None, or more than one.
    pub(crate) fn find(&self, word: &str) -> Result<Record> {
        let all = self.all()?;
        let exact = |record: &&Record| record.name == word || record.id == word;
        if let Some(found) = all.iter().find(exact) {
            return Ok(found.clone());
        }
        let mut begins = all
            .iter()
            .filter(|record| !word.is_empty() && record.id.starts_with(word));
        match (begins.next(), begins.next()) {
            (Some(found), None) => Ok(found.clone()),
            (None, _) => Err(unknown(word)),
            (Some(_), Some(_)) => Err(Error::container(
                "find the container",
                word,
                "more than one id begins with this",
            )),
        }
    }

    /// Removes what is left of a container on disk: the record last, so that whoever is killed here leaves a container
    /// that can be removed again.
    ///
    /// # Errors
    /// As unlinkat(2).
    pub(crate) fn remove(&self, id: &str) -> Result<()> {
        let folder = self.folder(id);
        let first = file::remove_tree(&self.run_folder(id));
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            // What is no directory goes with the folder.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                file::remove_tree(&entry.path())?;
            }
        }
        file::remove_tree(&folder).and(first)
    }

    /// Ids that something is left of, but no record: of a `run` or `rm` that was killed. Nobody gets a new id meanwhile.
    ///
    /// # Errors
    /// As flock(2).
    pub(crate) fn remains(&self) -> Result<BTreeSet<String>> {
        file::make_private(&self.all_folders())?;
        let _lock = file::lock(&self.all_folders().join("lock"))?;
        let places = [
            self.all_folders(),
            self.places.state.join("containers"),
            self.runtime_root(),
        ];
        let listed = places
            .iter()
            .filter_map(|place| std::fs::read_dir(place).ok());
        let names = listed
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        let ids = names.filter(|name| names::is_id(name) && read(&self.folder(name)).is_none());
        Ok(ids.collect())
    }
}

fn read(folder: &Path) -> Option<Record> {
    let bytes = std::fs::read(folder.join("record.json")).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn taken(name: &str, by: &Record) -> Error {
    let why = format!("container {} has it", by.short());
    Error::new(
        "name a container",
        Object::Argument(name.to_owned()),
        Cause::Refused(why),
    )
    .hint(format!(
        "choose another name, or remove that one: orbital rm {name}"
    ))
}

fn unknown(word: &str) -> Error {
    Error::container("find the container", word, "there is no such container")
        .hint("orbital ps -a shows those that there are")
}
