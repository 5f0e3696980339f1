//! Where the group goes: component by component from the hierarchy's root, enabling controllers on the way, those
//! that its settings need and what else there is (cgroup-v2.rst, "Enabling and Disabling", "No Internal
//! Process Constraint").

/// Controllers on the way to it.
mod controllers;

/// More controllers for a group that is there.
mod give;

pub(super) use give::give;

use super::{Cgroup, Hierarchy, in_first_user_namespace, is_gone, own_group, read, value_of};
use crate::error::{Cause, Error, Object, Pointer, Result};
use crate::plan::cgroup::{Group, Need, Relative, Scope, Setting};
use crate::plan::facts::Instance;
use crate::sys::proc::Proc;
use crate::sys::{Fault, dir};
use controllers::{Controllers, Wish};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The group that systemd has made.
mod found;

pub use found::of_process;

/// Repetitions after another container's undo removed a shared parent under our feet.
const MOST_RACES: u32 = 8;

/// Words of every failure to make a group.
const MAKE: &str = "make the cgroup";

/// Makes the group, without its settings. `None` where none is wanted, or where one is only wished
/// for and the caller may not make it.
///
/// # Errors
/// No cgroup v2, a missing controller, a group that has processes or may not be made; nothing is
/// left behind.
pub fn make(group: &Group, proc: &Proc) -> Result<Option<Cgroup>> {
    if group.need == Need::Unwanted {
        return Ok(None);
    }
    let hierarchy = match super::hierarchy() {
        Ok(hierarchy) => hierarchy,
        Err(error) => return go_without(group, proc, error),
    };
    match place(group, &hierarchy, proc) {
        Ok(cgroup) => Ok(Some(cgroup)),
        Err(error) => match error.errno() {
            Some(libc::EACCES | libc::EPERM | libc::EROFS) => go_without(group, proc, error),
            _ => Err(error),
        },
    }
}

/// Where [`make`] will make the group, to be written down before it exists; `None` where none is wanted
/// or no cgroup v2 is to be had, or where a user's own systemd will say where it is.
///
/// # Errors
/// As [`own_group`]; a path with a NUL.
pub fn path(group: &Group, proc: &Proc) -> Result<Option<PathBuf>> {
    use std::os::unix::ffi::OsStrExt;
    let by_user = |scope: &Scope| scope.instance == Instance::User;
    if group.need == Need::Unwanted || group.scope.as_ref().is_some_and(by_user) {
        return Ok(None);
    }
    let Ok(hierarchy) = super::hierarchy() else {
        return Ok(None);
    };
    let names = components(group, proc)?;
    let path = names.iter().fold(hierarchy.path, |path, name| {
        path.join(std::ffi::OsStr::from_bytes(name.to_bytes()))
    });
    Ok(Some(path))
}

/// A group that was only wished for may be missing, except where the device filter would be missing
/// with it: root outside of user namespaces could make and open any device.
fn go_without(group: &Group, proc: &Proc, error: Error) -> Result<Option<Cgroup>> {
    let filtered = !group.devices.is_empty() && in_first_user_namespace(proc);
    if group.need == Need::Required || filtered {
        return Err(error);
    }
    tracing::debug!("{}, ignored", error.one_line());
    Ok(None)
}

fn place(group: &Group, hierarchy: &Hierarchy, proc: &Proc) -> Result<Cgroup> {
    let names = components(group, proc)?;
    let mut races = 0;
    loop {
        let mut way = Way::start(&group.settings, Wish::All, &group.pointer, hierarchy)?;
        match way.walk(&names) {
            Ok(()) => {
                return Ok(Cgroup {
                    dir: way.here,
                    path: way.path,
                    made: way.made,
                });
            }
            Err(Stop::Race(_)) if races < MOST_RACES => races += 1,
            Err(Stop::Race(error) | Stop::Error(error)) => {
                return Err(error.also(super::remove::unmake(&way.made)));
            }
        }
        // The next walk makes its own.
        super::remove::unmake(&way.made);
    }
}

/// The names of the directories from the hierarchy's root to the group.
fn components(group: &Group, proc: &Proc) -> Result<Vec<CString>> {
    let own = match group.relative {
        Relative::ToRoot => String::new(),
        Relative::ToCaller => own_group(proc)?,
    };
    let names = own
        .split('/')
        .chain(group.path.split('/'))
        .filter(|name| !name.is_empty());
    let names: std::result::Result<Vec<_>, _> = names.map(CString::new).collect();
    names.map_err(|_| Error::refused(MAKE, &group.pointer, "the path holds a NUL character"))
}

/// Why a walk ended early.
enum Stop {
    /// A directory vanished between two calls.
    Race(Error),
    /// For good.
    Error(Error),
}

/// The walk from the hierarchy's root to the group.
struct Way<'a> {
    /// What asks for the group.
    pointer: &'a Pointer,
    controllers: Controllers<'a>,
    here: OwnedFd,
    path: PathBuf,
    made: Vec<PathBuf>,
}

impl<'a> Way<'a> {
    fn start(
        settings: &'a [Setting],
        wish: Wish,
        pointer: &'a Pointer,
        hierarchy: &Hierarchy,
    ) -> Result<Way<'a>> {
        let here = dir::open(&hierarchy.dir, c".")
            .map_err(|fault| Error::file(MAKE, &hierarchy.path, fault))?;
        let mut way = Way {
            pointer,
            controllers: Controllers::of(settings),
            here,
            path: hierarchy.path.clone(),
            made: Vec::new(),
        };
        way.look_around(wish)?;
        Ok(way)
    }

    fn walk(&mut self, names: &[CString]) -> std::result::Result<(), Stop> {
        for (index, name) in names.iter().enumerate() {
            self.enable().map_err(Stop::Error)?;
            let exists = self.step(name)?;
            if exists == Before::There && index + 1 == names.len() {
                self.is_free().map_err(Stop::Error)?;
            }
        }
        Ok(())
    }

    /// One component down, made if need be.
    fn step(&mut self, name: &CString) -> std::result::Result<Before, Stop> {
        self.path.push(name.to_string_lossy().as_ref());
        let before = match dir::make(&self.here, name) {
            Ok(()) => {
                self.made.push(self.path.clone());
                Before::Absent
            }
            Err(Fault {
                errno: libc::EEXIST,
                ..
            }) => Before::There,
            Err(fault) => return Err(self.stop(fault)),
        };
        self.here = dir::open(self.here.as_fd(), name).map_err(|fault| self.stop(fault))?;
        Ok(before)
    }

    fn stop(&self, fault: Fault) -> Stop {
        let error = not_made(self.pointer, &self.path, fault);
        if is_gone(fault) {
            Stop::Race(error)
        } else {
            Stop::Error(error)
        }
    }

    /// A group that was there before may be used only if it holds nothing that would change what
    /// the container gets, or take the container with it when it ends.
    fn is_free(&self) -> Result<()> {
        let refuse = |why: &str, hint: &str| {
            let path = self.path.display();
            Err(Error::refused(MAKE, self.pointer, format!("{path} {why}")).hint(hint))
        };
        let other = "delete the container that uses it, or give another cgroupsPath";
        if value_of(&self.text(c"cgroup.events")?, "populated") == Some(1) {
            return refuse("holds processes already", other);
        }
        if self.text(c"cgroup.freeze")?.trim() == "1" {
            return refuse("is frozen", other);
        }
        if !self.text(c"cgroup.subtree_control")?.trim().is_empty() {
            let why = "gives controllers to groups below it, and so takes no processes";
            return refuse(why, "give a cgroupsPath below it");
        }
        Ok(())
    }

    /// A file of the group here.
    fn text(&self, name: &CStr) -> Result<String> {
        let mut buffer = [0; 1024];
        let text = read(&self.here, name, &mut buffer);
        let path = || self.path.join(name.to_string_lossy().as_ref());
        text.map(str::to_owned)
            .map_err(|fault| Error::file(MAKE, path(), fault))
    }
}

/// Whether a directory was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    There,
    Absent,
}

fn not_made(pointer: &crate::error::Pointer, path: &Path, fault: Fault) -> Error {
    let parent = path.parent().unwrap_or(path).display().to_string();
    let on = Some(path.display().to_string());
    let cause = Cause::Os {
        call: fault.call.name(),
        errno: fault.errno,
        on,
    };
    let error = Error::new(MAKE, Object::config(pointer), cause);
    match fault.errno {
        libc::EACCES | libc::EPERM => error.hint(format!(
            "have {parent} delegated to this user (chown it), or leave out cgroupsPath and limits"
        )),
        libc::EROFS => error.hint(format!(
            "{parent} is mounted read-only: mount cgroup2 writable for the caller of orbital"
        )),
        libc::EAGAIN => error.hint(format!(
            "raise cgroup.max.descendants or cgroup.max.depth of {parent} or of a group above it"
        )),
        libc::ENOTDIR => error.hint("a file of the kernel has this name: give another cgroupsPath"),
        libc::ENAMETOOLONG => error.hint("give a cgroupsPath with names of at most 255 bytes"),
        _ => error,
    }
}

/// Words as `a`, `a and b`, `a, b and c`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests;
