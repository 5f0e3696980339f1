//! Processes that outlive the engine and serve one container's network: who holds its ports, who carries its packets.
//! Each begins as the engine itself with a socket for standard input, and does nothing until it is told to there: an
//! engine that is killed before it has written down whom to end takes it with it, as the socket closes.

use super::told;
use crate::error::{Cause, Error, Object, Result};
use crate::linux::look;
use crate::state::record::Process;
use crate::sys::proc::Proc;
use crate::sys::{Fault, exec, pidfd, process, socket};
use std::ffi::OsString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// How long it has to say that it is ready, in seconds.
pub(super) const READY_WITHIN: i64 = 20;

/// One that was just started.
#[derive(Debug)]
pub(super) struct Servant {
    /// Whom the ledger is to know.
    pub(super) process: Process,
    /// The other end of its standard input: records.
    pub(super) ours: OwnedFd,
    /// For its status, should it end early.
    pub(super) child: Child,
}

/// Starts `program`, with its arguments; what it complains of goes to `errors`.
///
/// # Errors
/// A program that cannot be started.
pub(super) fn start(doing: &str, program: &[OsString], errors: Stdio) -> Result<Servant> {
    let Some((file, arguments)) = program.split_first() else {
        return Err(told(doing, Path::new(""), "no program is named for it"));
    };
    let cannot = |fault| Error::file(doing, file, fault);
    let (ours, theirs) = socket::pair().map_err(cannot)?;
    let proc = Proc::open().map_err(cannot)?;
    let child = Command::new(file)
        .args(arguments)
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn();
    let child = child.map_err(|error| Error::io(doing, file, "execve", &error))?;
    let process = look::identify(&proc, i32::try_from(child.id()).unwrap_or_default())?;
    Ok(Servant {
        process,
        ours,
        child,
    })
}

/// The first that such a process does: it outlives the terminal, the folder and the descriptors of whoever started it.
///
/// # Errors
/// As close_range(2).
pub(super) fn settle() -> std::result::Result<(), Fault> {
    // It leads a session already, ignored.
    let _ = process::new_session();
    process::enter_root()?;
    exec::close_all_but(3, &mut [])
}

/// Ends such a process, if it is still the one that was started.
///
/// # Errors
/// EPERM; a process that does not end.
pub(super) fn stop(known: Process) -> Result<()> {
    let doing = "end a process of the container's network";
    let cannot = |fault| Error::new(doing, Object::Process(known.pid), Cause::from(fault));
    let proc = Proc::open().map_err(cannot)?;
    let descriptor = match pidfd::open(known.pid) {
        Err(fault) if fault.errno == libc::ESRCH => return Ok(()),
        other => other.map_err(cannot)?,
    };
    // Looked at after the descriptor was opened: the pid may have another owner since.
    if look::alive(&proc, known)?.is_some() {
        pidfd::signal(&descriptor, libc::SIGKILL).map_err(cannot)?;
        if !pidfd::has_ended_within(descriptor.as_fd(), 5000).map_err(cannot)? {
            let why = Cause::Refused("it does not end".to_owned());
            return Err(Error::new(doing, Object::Process(known.pid), why));
        }
    }
    // Its parent may be this very process; otherwise its new parent reaps it, and ECHILD says so.
    let _ = pidfd::wait(descriptor.as_fd());
    Ok(())
}
