//! The directories below `--root`: one per container, 0700, found and changed by descriptor.

use super::record::{self, Record};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::Fault;
use crate::sys::folder::{self, Folder, Lock, Locked, Put};
use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};

/// Longest id, as a directory's name; limits.h, NAME_MAX.
const LONGEST: usize = 255;

const RECORD: &CStr = c"state.json";
const FRESH: &CStr = c".state.json.new";
const LOCK: &CStr = c"lock";

/// Name of the socket at which a created container waits, in its directory.
pub const START: &str = "start";

/// Name of the folder with the socket that a container notifies, in its directory.
pub const NOTIFY: &str = "notify";

/// The directory of all containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// This user's own place, which the platform knows.
    #[must_use]
    pub const fn own(place: PathBuf) -> Home {
        Home(place)
    }

    /// The place that `--root` names.
    ///
    /// # Errors
    /// The root of a file system.
    pub fn at(root: &Path) -> Result<Home> {
        if root.has_root() && root.parent().is_none() {
            let error = Error::new(
                "use the root directory",
                Object::Argument(format!("--root {}", root.display())),
                Cause::Refused("containers need a directory of their own".to_owned()),
            );
            return Err(error.hint("name another one, such as --root /run/orbital"));
        }
        let absolute = std::path::absolute(root);
        absolute
            .map(Home)
            .map_err(|error| Error::io("use the root directory", root, "getcwd", &error))
    }

    /// Where a container of this id has its directory.
    #[must_use]
    pub fn folder(&self, id: &str) -> PathBuf {
        self.0.join(id)
    }

    /// Takes the id: of two at the same moment exactly one gets it.
    ///
    /// # Errors
    /// An id that is none or that is taken; a directory that cannot be made.
    pub fn reserve(&self, id: &str) -> Result<Seat> {
        let doing = format!("create {id}");
        let name = check(id, &doing)?;
        let home = match Folder::open(&self.0) {
            Err(fault) if fault.is_missing() => {
                self.make()?;
                Folder::open(&self.0)
            }
            other => other,
        };
        let home = home.map_err(|fault| Error::file(&doing, &self.0, fault))?;
        match home.make_within(&name) {
            Err(fault) if fault.is_there() => {
                let error = Error::container(doing, id, "container with given ID already exists");
                return Err(error.hint(format!(
                    "choose another id, or remove that one: orbital delete {id}"
                )));
            }
            made => made.map_err(|fault| Error::file(&doing, self.0.join(id), fault))?,
        }
        let taken = self.seat(&home, id, &name).and_then(|seat| {
            seat.lock(Lock::Alone)?;
            Ok(seat)
        });
        taken.map_err(|fault| {
            let path = self.0.join(id);
            Error::file(&doing, &path, fault).also(remove(&path).err())
        })
    }

    /// Opens a container's directory, without waiting for whoever works on it.
    ///
    /// # Errors
    /// An id that is none, a container that does not exist.
    pub fn find(&self, doing: &str, id: &str) -> Result<Seat> {
        let name = check(id, doing)?;
        let missing = || {
            Error::container(doing, id, "container does not exist")
                .hint("orbital list shows those that do")
        };
        let home = match Folder::open(&self.0) {
            Err(fault) if fault.is_missing() => return Err(missing()),
            other => other.map_err(|fault| Error::file(doing, &self.0, fault))?,
        };
        match self.seat(&home, id, &name) {
            Err(fault) if fault.is_missing() => Err(missing()),
            other => other.map_err(|fault| Error::file(doing, self.0.join(id), fault)),
        }
    }

    /// Opens a container's directory and waits until it is ours alone.
    ///
    /// # Errors
    /// As [`Home::find`]; also where it was removed while we waited.
    pub fn take(&self, doing: &str, id: &str) -> Result<Seat> {
        let seat = self.find(doing, id)?;
        seat.lock(Lock::Alone)
            .map_err(|fault| Error::file(doing, seat.path.join("lock"), fault))?;
        if seat.dir.is_removed() {
            Err(Error::container(doing, id, "container does not exist"))
        } else {
            Ok(seat)
        }
    }

    /// The ids of all containers, sorted.
    ///
    /// # Errors
    /// As readdir(3); a directory that does not exist holds none.
    pub fn ids(&self) -> Result<Vec<String>> {
        let list = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other
                .map_err(|error| Error::io("list the containers", &self.0, "openat", &error))?,
        };
        let names = list.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut ids: Vec<String> = names.filter(|name| is_id(name)).collect();
        ids.sort();
        Ok(ids)
    }

    fn make(&self) -> Result<()> {
        Folder::make(&self.0).map_err(|error| {
            Error::io("make the directory of containers", &self.0, "mkdir", &error)
        })
    }

    fn seat(&self, home: &Folder, id: &str, name: &CStr) -> std::result::Result<Seat, Fault> {
        Ok(Seat {
            id: id.to_owned(),
            path: self.0.join(id),
            dir: home.within(name)?,
            lock: std::cell::OnceCell::new(),
        })
    }
}

/// Letters, digits, `_ + - .`, and neither of the two names that mean directories.
fn is_id(id: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte);
    !id.is_empty() && id.len() <= LONGEST && id.bytes().all(known) && id != "." && id != ".."
}

fn check(id: &str, doing: &str) -> Result<CString> {
    if let (true, Ok(name)) = (is_id(id), CString::new(id)) {
        return Ok(name);
    }
    let why = "invalid container ID format: letters, digits and _ + - . are allowed, 255 at most";
    Err(Error::new(
        doing,
        Object::Argument(format!("id {id:?}")),
        Cause::Refused(why.into()),
    ))
}

/// A container's directory.
#[derive(Debug)]
pub struct Seat {
    /// The id.
    pub id: String,
    /// The directory's path.
    pub path: PathBuf,
    pub(super) dir: Folder,
    lock: std::cell::OnceCell<Locked>,
}

impl Seat {
    /// Writes the first record, in one write into its place: whoever reads sees nothing, which counts
    /// as no record, or all of it. Later ones are drafted and published.
    ///
    /// # Errors
    /// As open(2) and write(2); EEXIST where there is one.
    pub fn begin(&self, record: &Record) -> Result<()> {
        self.put(RECORD, Put::New, record)
    }

    /// Writes the record where nobody reads it yet.
    ///
    /// # Errors
    /// As open(2) and write(2).
    pub fn draft(&self, record: &Record) -> Result<()> {
        self.put(FRESH, Put::Anew, record)
    }

    fn put(&self, name: &CStr, how: Put, record: &Record) -> Result<()> {
        let put = self.dir.put(name, how, &record.to_bytes());
        put.map_err(|fault| self.unwritten(fault))
    }

    /// Puts the draft into the record's place, in one act: whoever reads sees the old one or the new one.
    ///
    /// # Errors
    /// As rename(2).
    pub fn publish(&self) -> Result<()> {
        let renamed = self.dir.rename(FRESH, RECORD);
        renamed.map_err(|fault| self.unwritten(fault))
    }

    fn unwritten(&self, fault: Fault) -> Error {
        Error::file("write the record", self.path.join("state.json"), fault)
    }

    /// The record; `None` where creating never came as far as to write one.
    ///
    /// # Errors
    /// A record that is not ours or of a newer kind.
    pub fn record(&self) -> Result<Option<Record>> {
        let path = || self.path.join("state.json");
        let bytes = match self.dir.get(RECORD) {
            Err(fault) if fault.is_missing() => return Ok(None),
            other => other.map_err(|fault| Error::file("read the record", path(), fault))?,
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        record::from_bytes(&bytes).map(Some).map_err(|why| {
            Error::new("read the record", Object::File(path()), Cause::Refused(why))
                .hint("another runtime or a newer orbital made this container: use that one, or another --root")
        })
    }

    /// Whether somebody is working on this container at the moment.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.lock(Lock::Look).is_err_and(Fault::is_taken)
    }

    /// The path at which the created container listens.
    #[must_use]
    pub fn start_socket(&self) -> PathBuf {
        self.path.join(START)
    }

    /// Removes the directory with what orbital put into it. One that is gone is removed.
    ///
    /// # Errors
    /// As unlinkat(2).
    pub fn remove(&self) -> Result<()> {
        remove(&self.path)
    }

    fn lock(&self, how: Lock) -> std::result::Result<(), Fault> {
        let locked = self.dir.lock(LOCK, how)?;
        // Held until the process ends or the seat goes.
        let _ = self.lock.set(locked);
        Ok(())
    }
}

/// Removes a container's directory with what orbital put into it. One that is gone is removed.
///
/// # Errors
/// As unlinkat(2).
pub fn remove(path: &Path) -> Result<()> {
    let told = |fault| Error::file("remove the container's directory", path, fault);
    let dir = match Folder::open(path) {
        Err(fault) if fault.is_missing() => return Ok(()),
        other => other.map_err(told)?,
    };
    for name in [RECORD, FRESH, super::config::CONFIG, c"start", LOCK] {
        match dir.unlink(name) {
            Err(fault) if !fault.is_missing() => return Err(told(fault)),
            _ => {}
        }
    }
    let removed = match folder::remove(path) {
        Err(fault) if fault.is_not_empty() => {
            remove_notify(&dir).map_err(told)?;
            folder::remove(path)
        }
        other => other,
    };
    match removed {
        Err(fault) if !fault.is_missing() => Err(told(fault)),
        _ => Ok(()),
    }
}

/// Few containers have one, so it is looked for only where something is left.
fn remove_notify(dir: &Folder) -> std::result::Result<(), Fault> {
    let socket = dir.unlink(c"notify/notify.sock");
    for removed in [socket, dir.unmake(c"notify")] {
        match removed {
            Err(fault) if !fault.is_missing() => return Err(fault),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
