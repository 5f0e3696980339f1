//! Where the engine keeps what it keeps: images in the store, running things in the state.

use crate::cgroup::in_first_user_namespace;
use crate::error::{Cause, Error, Object, Result};
use crate::sys::proc::Proc;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Two directories: what lasts, and what a reboot may take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Images, layers, volumes, containers' own files: /var/lib/orbital, for a user $XDG_DATA_HOME/orbital.
    pub store: PathBuf,
    /// Locks, addresses, processes: /run/orbital-engine, for a user $XDG_RUNTIME_DIR/orbital-engine.
    pub state: PathBuf,
}

/// Who the engine works for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Root of the whole host.
    Root,
    /// A user, or root in a user namespace only.
    User,
}

/// Who the engine works for: root in a user namespace has a user's rights.
#[must_use]
pub fn who() -> Who {
    let root = rustix::process::geteuid().is_root();
    if root && Proc::open().is_ok_and(|proc| in_first_user_namespace(&proc)) {
        Who::Root
    } else {
        Who::User
    }
}

impl Places {
    /// `--store` and `--state`, or the defaults of this user.
    ///
    /// # Errors
    /// A user whose environment names neither XDG_DATA_HOME nor HOME, or no XDG_RUNTIME_DIR.
    pub fn new(store: Option<PathBuf>, state: Option<PathBuf>) -> Result<Places> {
        Ok(Places {
            store: absolute(store, default_store)?,
            state: absolute(state, default_state)?,
        })
    }
}

fn absolute(given: Option<PathBuf>, default: fn() -> Result<PathBuf>) -> Result<PathBuf> {
    let path = given.map_or_else(default, Ok)?;
    if path == Path::new("/") {
        let why = Cause::Refused("the engine needs a directory of its own".to_owned());
        return Err(Error::new(
            "use the root directory",
            Object::File(path),
            why,
        ));
    }
    std::path::absolute(&path)
        .map_err(|error| Error::io("find a directory", path, "getcwd", &error))
}

fn default_store() -> Result<PathBuf> {
    if who() == Who::Root {
        return Ok("/var/lib/orbital".into());
    }
    if let Some(data) = variable("XDG_DATA_HOME") {
        return Ok(Path::new(&data).join("orbital"));
    }
    match variable("HOME") {
        Some(home) => Ok(Path::new(&home).join(".local/share/orbital")),
        None => Err(nowhere("neither XDG_DATA_HOME nor HOME is set", "--store")),
    }
}

fn default_state() -> Result<PathBuf> {
    if who() == Who::Root {
        return Ok("/run/orbital-engine".into());
    }
    match variable("XDG_RUNTIME_DIR") {
        Some(dir) => Ok(Path::new(&dir).join("orbital-engine")),
        None => Err(nowhere("XDG_RUNTIME_DIR is not set", "--state")),
    }
}

/// A variable of the environment that says something.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn nowhere(why: &str, flag: &str) -> Error {
    Error::new(
        "find a place for the engine's files",
        Object::Nothing,
        Cause::Refused(why.to_owned()),
    )
    .hint(format!("name a directory of yours with {flag}"))
}
