//! The container's group in the cgroup v2 tree: made, limited, frozen, killed, removed.
//!
//! [`place`] makes the group and enables its controllers, [`apply`] writes the limits, [`devices`] loads the device filter; the container is then *born* in the group
//! (`CLONE_INTO_CGROUP` with [`Cgroup::dir`]). What this folder does *not* do: decide (see
//! `plan/cgroup.rs`), use cgroup v1, or write `cgroup.procs` on the way to a program — a migration waits for
//! an RCU grace period, ten milliseconds and more. Where systemd makes the group ([`systemd`]), it does
//! migrate; and CRIU, which somebody else's program starts, is moved in ([`Cgroup::take_in`]).

/// Where the group goes, and the controllers on the way to it.
pub mod place;

/// A group that systemd makes.
pub mod systemd;

/// A cgroup2 that is not where it is expected.
mod search;

/// How the hierarchy is mounted, kept over a stranger's mounting it anew.
pub mod mounted;

/// The planned (file, value) list, written.
pub mod apply;

/// Its directory and the files that may be handed over, given to the container's user.
pub mod delegate;

/// The device filter.
pub mod devices;

/// Freeze, thaw, and what `cgroup.events` says.
pub mod freeze;

/// Other limits while it is in use.
mod change;

/// What it uses.
pub mod stats;

/// Its events, as they come.
pub mod watch;

/// Its processes: list them, signal them, kill them.
pub mod kill;

/// The end of the group and of what the container made below it.
pub mod remove;

#[cfg(test)]
mod tests;

use crate::error::{Cause, Error, Object, Result};
use crate::sys::proc::Proc;
use crate::sys::{Fault, dir, file};
use rustix::fs::OFlags;
use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Where cgroup v2 is mounted.
#[derive(Debug)]
pub struct Hierarchy {
    /// Its root directory.
    pub dir: OwnedFd,
    /// The path of that.
    pub path: PathBuf,
}

/// A group, by its open directory.
#[derive(Debug)]
pub struct Cgroup {
    /// Its directory, for `CLONE_INTO_CGROUP` and for its files.
    pub dir: OwnedFd,
    /// Its absolute path in the file system, as the record keeps it.
    pub path: PathBuf,
    /// The directories that [`place::make`] made, outermost first; empty for an opened group.
    pub made: Vec<PathBuf>,
}

/// Finds cgroup v2: at /sys/fs/cgroup, or beside cgroup v1 at /sys/fs/cgroup/unified, or wherever else
/// this mount namespace has the whole of it.
///
/// # Errors
/// A refusal where it is nowhere.
pub fn hierarchy() -> Result<Hierarchy> {
    for path in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
        if let Some(found) = at(PathBuf::from(path)) {
            return Ok(found);
        }
    }
    if let Some(found) = search::mounted().into_iter().find_map(at) {
        return Ok(found);
    }
    let why = "no cgroup v2 is mounted, there or elsewhere, and orbital does not use cgroup v1";
    let object = Object::File("/sys/fs/cgroup".into());
    Err(Error::new("find the cgroup tree", object, Cause::Refused(why.into())).hint(
        "boot with systemd.unified_cgroup_hierarchy=1, or run mount -t cgroup2 none /sys/fs/cgroup",
    ))
}

fn at(path: PathBuf) -> Option<Hierarchy> {
    let dir = dir::open_path(&path).ok()?;
    let found = dir::is_cgroup2(&dir).unwrap_or(false);
    found.then_some(Hierarchy { dir, path })
}

/// The caller's own group, as a path below the hierarchy's root with a leading slash; cgroups(7),
/// `/proc/PID/cgroup`.
///
/// # Errors
/// As read(2); a refusal where the caller is in no v2 group or outside of its cgroup namespace's root.
pub fn own_group(proc: &Proc) -> Result<String> {
    // By number: /proc/self is a link, and links are refused there.
    let path = format!("{}/cgroup\0", std::process::id());
    group_in(
        proc,
        &path,
        "find the caller's own cgroup",
        "/proc/self/cgroup",
    )
}

/// The group of process `pid`, which may be below the one that was made for it.
///
/// # Errors
/// As [`own_group`].
pub fn group_of(proc: &Proc, pid: i32) -> Result<String> {
    let path = format!("{pid}/cgroup\0");
    let shown = format!("/proc/{pid}/cgroup");
    group_in(proc, &path, "find the process's cgroup", &shown)
}

fn group_in(proc: &Proc, path: &str, doing: &str, shown: &str) -> Result<String> {
    let name = CStr::from_bytes_until_nul(path.as_bytes()).unwrap_or_default();
    let shown = PathBuf::from(shown);
    let mut buffer = [0; 16 * 1024];
    let text = proc
        .read(name, &mut buffer)
        .map_err(|fault| Error::file(doing, &shown, fault))?;
    let text = String::from_utf8_lossy(text);
    match text.lines().find_map(|line| line.strip_prefix("0::")) {
        Some(group) if group.starts_with('/') && !group.starts_with("/..") => Ok(group.to_owned()),
        Some(_) => {
            let why = "it lies outside of the root of this cgroup namespace";
            Err(Error::new(
                doing,
                Object::File(shown),
                Cause::Refused(why.into()),
            ))
        }
        None => {
            let why = "it has no line for cgroup v2";
            Err(Error::new(
                doing,
                Object::File(shown),
                Cause::Refused(why.into()),
            ))
        }
    }
}

impl Cgroup {
    /// Opens a group by the path in the record; `None` when it is gone.
    ///
    /// # Errors
    /// As openat(2) without ENOENT; a refusal where the path shows something other than a v2 group.
    pub fn open(path: &Path) -> Result<Option<Cgroup>> {
        let doing = "open the container's cgroup";
        let dir = match dir::open_path(path) {
            Ok(dir) => dir,
            Err(fault) if is_gone(fault) => return Ok(None),
            Err(fault) => return Err(Error::file(doing, path, fault)),
        };
        if dir::is_cgroup2(&dir).map_err(|fault| Error::file(doing, path, fault))? {
            return Ok(Some(Cgroup {
                dir,
                path: path.to_owned(),
                made: Vec::new(),
            }));
        }
        let why = "it is not a directory of cgroup v2".to_owned();
        Err(Error::new(
            doing,
            Object::File(path.to_owned()),
            Cause::Refused(why),
        ))
    }

    /// Moves process `pid` into the group.
    ///
    /// # Errors
    /// As write(2): EBUSY for a group that has given its controllers to those below it.
    pub fn take_in(&self, pid: i32) -> Result<()> {
        write(&self.dir, c"cgroup.procs", pid.to_string().as_bytes()).map_err(|fault| {
            Error::file(
                "move criu into the cgroup",
                self.path.join("cgroup.procs"),
                fault,
            )
        })
    }

    /// How many processes of the group and below it the kernel has killed for want of memory; 0 where
    /// that cannot be asked (no memory controller, a group that is gone). It explains an end, and
    /// must not become a failure itself.
    #[must_use]
    pub fn oom_kills(&self) -> u64 {
        let mut buffer = [0; 1024];
        let text = read(&self.dir, c"memory.events", &mut buffer).unwrap_or_default();
        value_of(text, "oom_kill").unwrap_or(0)
    }
}

/// Reads the file `name` of a group into `buffer`.
fn read<'b>(
    dir: &OwnedFd,
    name: &CStr,
    buffer: &'b mut [u8],
) -> std::result::Result<&'b str, Fault> {
    let bytes = file::read_some(file::open(dir, name, OFlags::RDONLY)?, buffer)?;
    // The kernel's own text: ASCII.
    Ok(std::str::from_utf8(bytes).unwrap_or_default())
}

/// Writes the file `name` of a group, which must exist.
fn write(dir: &OwnedFd, name: &CStr, value: &[u8]) -> std::result::Result<(), Fault> {
    file::write_once(
        file::open(dir, name, OFlags::WRONLY | OFlags::NOFOLLOW)?,
        value,
    )
}

/// The number after `key` in a flat-keyed file of the kernel's (cgroup-v2.rst, "Format").
fn value_of(text: &str, key: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.parse().ok())
}

/// Whether the answer means that the group has been removed.
const fn is_gone(fault: Fault) -> bool {
    matches!(fault.errno, libc::ENOENT | libc::ENODEV)
}

/// Whether the caller is in the machine's first user namespace, where root may really do everything.
/// Elsewhere uid_map shows less than all ids; user_namespaces(7).
#[must_use]
pub fn in_first_user_namespace(proc: &Proc) -> bool {
    let path = format!("{}/uid_map\0", std::process::id());
    let name = CStr::from_bytes_until_nul(path.as_bytes()).unwrap_or_default();
    let mut buffer = [0; 128];
    let Ok(text) = proc.read(name, &mut buffer) else {
        return true;
    };
    let text = String::from_utf8_lossy(text);
    text.split_whitespace().eq(["0", "0", "4294967295"])
}
