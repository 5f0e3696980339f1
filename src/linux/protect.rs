//! The runtime's own file, out of the container's reach (CVE-2019-5736).
//!
//! The container's process is this program until it executes its own: /proc/PID/exe of it, and any
//! payload that names `/proc/self/exe`, lead to this file. So before a container is made the program
//! goes over to a read-only copy of its mount that is attached nowhere: in place, or, where that cannot
//! be, by executing itself once more from there, or, where it may not mount, from a sealed copy in
//! memory. What is reached through /proc can then not be written, whatever the container does: it holds
//! no way to the file that the next container runs.

use crate::error::{Cause, Error, Object, Result};
use crate::sys::exec::{self, Strings};
use crate::sys::mount::{self, Attributes, Depth};
use crate::sys::start::Beginning;
use crate::sys::{Fault, file, image, start};
use rustix::fs::{CWD, OFlags, SealFlags, StatVfsMountFlags};
use std::ffi::{CStr, CString, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::OnceLock;

const SELF: &CStr = c"/proc/self/exe";

/// Set for the second start, so that a first one that did not help is not repeated for ever.
const MARK: &str = "_ORBITAL_PROTECTED";

/// The copy of the mount that this process went over to, until [`settle`]; never dropped.
static COPY: OnceLock<OwnedFd> = OnceLock::new();

/// The same as [`protect`] where a word of the command line names a verb that makes a container, and
/// before anything is done that a second start would do again. What keeps it from being done is told
/// by `protect`, when there is a log to tell it in; it does nothing where this has sufficed.
pub fn early(beginning: Beginning) {
    let makes = |word: &OsString| word == "create" || word == "run" || word == "exec";
    if !start::arguments().iter().any(makes) || is_protected() || is_second() {
        return;
    }
    let Ok(copy) = detached() else { return };
    match go_over(&copy, &beginning) {
        Ok(()) => {
            // Set once: this is the one place, and it runs once.
            let _ = COPY.set(copy);
        }
        Err(_) => {
            let _ = execute_again(copy);
        }
    }
}

/// Returns when this process runs from a file that nobody can write through it; executes itself again
/// where that is not so yet.
///
/// # Errors
/// Neither a detached mount nor a sealed copy could be made, or they did not help.
pub fn protect() -> Result<()> {
    // What `early` has done needs no second look.
    if COPY.get().is_some() || is_protected() {
        return Ok(());
    }
    let doing = "protect the runtime's own file";
    if is_second() {
        let why = "executing it from a read-only copy did not make it read-only".to_owned();
        return Err(Error::new(
            doing,
            Object::File(SELF_PATH.into()),
            Cause::Refused(why),
        ));
    }
    let fault = detached()
        .or_else(|_| sealed())
        .map_or_else(|fault| fault, execute_again);
    Err(Error::file(doing, SELF_PATH, fault))
}

/// Lets the copy of the mount go: a process that runs from it keeps it without a descriptor. Once in
/// each process. Whoever closes the last one waits for a grace period of the kernel's (RCU), so the
/// container does it first, and the runtime while the container is busy.
///
/// # Errors
/// As close_range(2).
pub fn settle() -> std::result::Result<(), Fault> {
    COPY.get().map_or(Ok(()), exec::close_copy)
}

/// Whether this descriptor is the copy's, and so none that the caller gave.
#[must_use]
pub fn holds(number: u32) -> bool {
    let own = COPY
        .get()
        .and_then(|copy| u32::try_from(copy.as_raw_fd()).ok());
    own == Some(number)
}

/// From now on this process runs from the file on that mount.
fn go_over(copy: &OwnedFd, beginning: &Beginning) -> std::result::Result<(), Fault> {
    let program = file::reopen(copy, OFlags::RDONLY)?;
    image::run_from(program.as_fd(), beginning)
}

/// Returns only if that was not to be.
fn execute_again(program: OwnedFd) -> Fault {
    exec::replace_by_descriptor(program.as_fd(), &arguments(), &environment())
}

const SELF_PATH: &str = "/proc/self/exe";

fn is_second() -> bool {
    std::env::var_os(MARK).is_some()
}

/// On a read-only mount or file system, or sealed in memory.
fn is_protected() -> bool {
    let read_only =
        rustix::fs::statvfs(SELF).is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::RDONLY));
    // Only the second start runs from memory.
    let sealed = || file::open(CWD, SELF, OFlags::RDONLY).is_ok_and(|fd| has_write_seal(&fd));
    read_only || (is_second() && sealed())
}

fn has_write_seal(fd: &OwnedFd) -> bool {
    rustix::fs::fcntl_get_seals(fd).is_ok_and(|seals| seals.contains(SealFlags::WRITE))
}

/// A copy of this file's mount, read-only, attached nowhere; it goes with the last process that runs from it.
fn detached() -> std::result::Result<OwnedFd, Fault> {
    let copy = mount::copy_tree(CWD, SELF, Depth::One)?;
    mount::set_attributes(
        &copy,
        Depth::One,
        &Attributes {
            set: libc::MOUNT_ATTR_RDONLY,
            ..Attributes::default()
        },
    )?;
    Ok(copy)
}

/// A copy of this file in memory that nobody can change.
fn sealed() -> std::result::Result<OwnedFd, Fault> {
    let program = file::open(CWD, SELF, OFlags::RDONLY)?;
    let copy = file::memory_program(c"orbital")?;
    file::copy_all(program.as_fd(), copy.as_fd())?;
    file::seal(copy.as_fd())?;
    Ok(copy)
}

fn arguments() -> Strings {
    Strings::new(
        start::arguments()
            .iter()
            .cloned()
            .filter_map(c_string)
            .collect(),
    )
}

fn environment() -> Strings {
    let pairs = std::env::vars_os().chain([(OsString::from(MARK), OsString::from("1"))]);
    let joined = pairs.map(|(mut name, value)| {
        name.push("=");
        name.push(value);
        name
    });
    Strings::new(joined.filter_map(c_string).collect())
}

fn c_string(text: OsString) -> Option<CString> {
    CString::new(text.into_vec()).ok()
}
