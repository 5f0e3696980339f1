//! The directories below `--root`: one per container, 0700, found and changed by descriptor.

use super::record::{self, Record};
use crate::cgroup::in_first_user_namespace;
use crate::error::{Cause, Error, Object, Result};
use crate::sys::proc::Proc;
use crate::sys::{At, Call, Fault, dir, file};
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
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

fn is_really_root() -> bool {
    std::env::var_os("USER").is_some_and(|name| name == "root")
        || Proc::open().is_ok_and(|proc| in_first_user_namespace(&proc))
}

impl Home {
    /// `--root`, or the default of this user: /run/orbital for root, $XDG_RUNTIME_DIR/orbital else. A user may
    /// seem to be root, in a user namespace of an engine's: to runc USER tells them apart, and so it does here.
    ///
    /// # Errors
    /// `/` as root, or a user without XDG_RUNTIME_DIR.
    pub fn new(root: Option<PathBuf>) -> Result<Home> {
        let refused = |why: &str| Cause::Refused(why.to_owned());
        if let Some(root) = root {
            if root == Path::new("/") {
                let error = Error::new(
                    "use the root directory",
                    Object::Argument("--root /".into()),
                    refused("containers need a directory of their own"),
                );
                return Err(error.hint("name another one, such as --root /run/orbital"));
            }
            let absolute = std::path::absolute(&root);
            return absolute
                .map(Home)
                .map_err(|error| Error::io("use the root directory", root, "getcwd", &error));
        }
        let own = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty());
        if rustix::process::geteuid().is_root() && (own.is_none() || is_really_root()) {
            return Ok(Home("/run/orbital".into()));
        }
        match own {
            Some(dir) => Ok(Home(PathBuf::from(dir).join("orbital"))),
            None => {
                let error = Error::new(
                    "find a place for containers",
                    Object::Nothing,
                    refused("XDG_RUNTIME_DIR is not set"),
                );
                Err(error.hint("name a directory of yours with --root"))
            }
        }
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
        let home = match dir::open_path(&self.0) {
            Err(Fault {
                errno: libc::ENOENT,
                ..
            }) => {
                self.make()?;
                dir::open_path(&self.0)
            }
            other => other,
        };
        let home = home.map_err(|fault| Error::file(&doing, &self.0, fault))?;
        match rustix::fs::mkdirat(&home, &name, Mode::from_raw_mode(0o700)).at(Call::Mkdirat) {
            Err(Fault {
                errno: libc::EEXIST,
                ..
            }) => {
                let error = Error::container(doing, id, "container with given ID already exists");
                return Err(error.hint(format!(
                    "choose another id, or remove that one: orbital delete {id}"
                )));
            }
            made => made.map_err(|fault| Error::file(&doing, self.0.join(id), fault))?,
        }
        let taken = self.seat(&home, id, &name).and_then(|seat| {
            seat.lock(FlockOperation::LockExclusive)?;
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
        let home = match dir::open_path(&self.0) {
            Err(Fault {
                errno: libc::ENOENT,
                ..
            }) => return Err(missing()),
            other => other.map_err(|fault| Error::file(doing, &self.0, fault))?,
        };
        match self.seat(&home, id, &name) {
            Err(Fault {
                errno: libc::ENOENT,
                ..
            }) => Err(missing()),
            other => other.map_err(|fault| Error::file(doing, self.0.join(id), fault)),
        }
    }

    /// Opens a container's directory and waits until it is ours alone.
    ///
    /// # Errors
    /// As [`Home::find`]; also where it was removed while we waited.
    pub fn take(&self, doing: &str, id: &str) -> Result<Seat> {
        let seat = self.find(doing, id)?;
        seat.lock(FlockOperation::LockExclusive)
            .map_err(|fault| Error::file(doing, seat.path.join("lock"), fault))?;
        let gone = crate::sys::path::look(&seat.dir).is_ok_and(|stat| stat.st_nlink == 0);
        if gone {
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
        use std::os::unix::fs::DirBuilderExt;
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0);
        made.map_err(|error| {
            Error::io("make the directory of containers", &self.0, "mkdir", &error)
        })
    }

    fn seat(&self, home: &OwnedFd, id: &str, name: &CStr) -> std::result::Result<Seat, Fault> {
        Ok(Seat {
            id: id.to_owned(),
            path: self.0.join(id),
            dir: dir::open(home, name)?,
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
    dir: OwnedFd,
    lock: std::cell::OnceCell<OwnedFd>,
}

impl Seat {
    /// Writes the first record, in one write into its place: whoever reads sees nothing, which counts
    /// as no record, or all of it. Later ones are drafted and published.
    ///
    /// # Errors
    /// As open(2) and write(2); EEXIST where there is one.
    pub fn begin(&self, record: &Record) -> Result<()> {
        self.put(RECORD, OFlags::EXCL, record)
    }

    /// Writes the record where nobody reads it yet.
    ///
    /// # Errors
    /// As open(2) and write(2).
    pub fn draft(&self, record: &Record) -> Result<()> {
        self.put(FRESH, OFlags::TRUNC, record)
    }

    fn put(&self, name: &CStr, how: OFlags, record: &Record) -> Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | how;
        let put = file::open(&self.dir, name, flags);
        put.and_then(|fd| file::write_once(fd, &record.to_bytes()))
            .map_err(|fault| self.unwritten(fault))
    }

    /// Puts the draft into the record's place, in one act: whoever reads sees the old one or the new one.
    ///
    /// # Errors
    /// As rename(2).
    pub fn publish(&self) -> Result<()> {
        rustix::fs::renameat(&self.dir, FRESH, &self.dir, RECORD)
            .at(Call::Renameat)
            .map_err(|fault| self.unwritten(fault))
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
        let fd = match file::open(&self.dir, RECORD, OFlags::RDONLY | OFlags::NOFOLLOW) {
            Err(Fault {
                errno: libc::ENOENT,
                ..
            }) => return Ok(None),
            other => other.map_err(|fault| Error::file("read the record", path(), fault))?,
        };
        let bytes =
            file::read_all(fd).map_err(|fault| Error::file("read the record", path(), fault))?;
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
        let taken = self.lock(FlockOperation::NonBlockingLockShared);
        matches!(
            taken,
            Err(Fault {
                errno: libc::EWOULDBLOCK,
                ..
            })
        )
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

    /// The lock is of a file of its own, and of this process alone (fcntl(2), record locks): the child
    /// of a clone does not inherit it, so that a runtime that is killed leaves no lock behind.
    fn lock(&self, operation: FlockOperation) -> std::result::Result<(), Fault> {
        let fd = file::open(
            &self.dir,
            LOCK,
            OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW,
        )?;
        rustix::io::retry_on_intr(|| rustix::fs::fcntl_lock(&fd, operation)).at(Call::Fcntl)?;
        // Held until the process ends or the seat goes.
        let _ = self.lock.set(fd);
        Ok(())
    }
}

/// Removes a container's directory with what orbital put into it. One that is gone is removed.
///
/// # Errors
/// As unlinkat(2).
pub fn remove(path: &Path) -> Result<()> {
    let told = |fault| Error::file("remove the container's directory", path, fault);
    let dir = match dir::open_path(path) {
        Err(Fault {
            errno: libc::ENOENT,
            ..
        }) => return Ok(()),
        other => other.map_err(told)?,
    };
    for name in [RECORD, FRESH, super::config::CONFIG, c"start", LOCK] {
        match rustix::fs::unlinkat(&dir, name, AtFlags::empty()).at(Call::Unlinkat) {
            Ok(())
            | Err(Fault {
                errno: libc::ENOENT,
                ..
            }) => {}
            Err(fault) => return Err(told(fault)),
        }
    }
    let remove = || rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR).at(Call::Rmdir);
    let removed = match remove() {
        Err(fault) if fault.errno == libc::ENOTEMPTY => {
            remove_notify(&dir).map_err(told)?;
            remove()
        }
        other => other,
    };
    match removed {
        Ok(())
        | Err(Fault {
            errno: libc::ENOENT,
            ..
        }) => Ok(()),
        Err(fault) => Err(told(fault)),
    }
}

/// Few containers have one, so it is looked for only where something is left.
fn remove_notify(dir: &OwnedFd) -> std::result::Result<(), Fault> {
    let socket = (c"notify/notify.sock", AtFlags::empty());
    for (name, flags) in [socket, (c"notify", AtFlags::REMOVEDIR)] {
        match rustix::fs::unlinkat(dir, name, flags).at(Call::Unlinkat) {
            Err(fault) if fault.errno != libc::ENOENT => return Err(fault),
            _ => {}
        }
    }
    Ok(())
}

impl AsFd for Seat {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

#[cfg(test)]
mod tests;
