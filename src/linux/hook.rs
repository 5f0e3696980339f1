//! Running one hook, for the parent and for the child alike: so without a heap.

use crate::plan::hooks::Hook;
use crate::sys::clone::{Birth, Side, clone3};
use crate::sys::exec::Strings;
use crate::sys::pidfd::{self, End};
use crate::sys::{At, Call, Fault, exec, heap, process};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A hook, ready to be executed.
#[derive(Debug)]
pub struct ReadyHook {
    /// The program.
    pub program: CString,
    /// Its arguments.
    pub argv: Strings,
    /// Its environment.
    pub envp: Strings,
    /// Milliseconds until it is killed; -1 waits for ever.
    pub timeout: i32,
}

impl ReadyHook {
    /// Lays out the arrays.
    #[must_use]
    pub fn new(hook: &Hook) -> ReadyHook {
        let timeout = hook
            .timeout
            .and_then(|s| i32::try_from(s).ok()?.checked_mul(1000))
            .unwrap_or(-1);
        let (argv, envp) = (
            Strings::new(hook.argv.clone()),
            Strings::new(hook.envp.clone()),
        );
        ReadyHook {
            program: hook.path.clone(),
            argv,
            envp,
            timeout,
        }
    }
}

/// What a hook reads and where its output goes.
#[derive(Debug)]
pub struct Streams<'a> {
    /// Its standard input: the state document.
    pub document: BorrowedFd<'a>,
    /// What takes its standard output and error where no file does: a file in memory, to be quoted when it fails.
    pub output: BorrowedFd<'a>,
    /// Files of the caller's for the two.
    pub files: &'a Files,
}

/// Files that the caller wants to have hooks' output in.
#[derive(Debug, Default)]
pub struct Files {
    /// Standard output.
    pub stdout: Option<OwnedFd>,
    /// Standard error.
    pub stderr: Option<OwnedFd>,
}

/// `errno` of a hook that exited with a status: this plus the status.
pub const EXITED: i32 = 0x1000;

/// `errno` of a hook that a signal ended: this plus the signal.
pub const SIGNALLED: i32 = 0x2000;

/// Runs the hook in `directory` and waits for it.
///
/// # Errors
/// A fault of `waitid` whose errno is [`EXITED`] or [`SIGNALLED`] and a number, or ETIMEDOUT; a fault of
/// `faccessat` where the program is not there or not executable; a fault of `clone3`.
pub fn run(hook: &ReadyHook, directory: &CStr, streams: &Streams<'_>) -> Result<(), Fault> {
    exec::may_execute(&hook.program)?;
    rustix::fs::seek(streams.document, rustix::fs::SeekFrom::Start(0)).at(Call::Read)?;
    match clone3(&Birth::default())? {
        Side::Child => become_hook(hook, directory, streams),
        Side::Parent(pid, pidfd) => {
            if !pidfd::has_ended_within(pidfd.as_fd(), hook.timeout)? {
                // It leads a process group: what it started goes with it. It may be gone already, ignored.
                let _ = process::signal_group(pid, libc::SIGKILL);
                let _ = pidfd::signal(&pidfd, libc::SIGKILL);
                pidfd::wait(pidfd.as_fd())?;
                return Err(Fault {
                    call: Call::Waitid,
                    errno: libc::ETIMEDOUT,
                });
            }
            match pidfd::wait(pidfd.as_fd())? {
                End::Exited(0) => Ok(()),
                End::Exited(status) => Err(Fault {
                    call: Call::Waitid,
                    errno: EXITED + status,
                }),
                End::Signalled(signal) => Err(Fault {
                    call: Call::Waitid,
                    errno: SIGNALLED + signal,
                }),
            }
        }
    }
}

fn become_hook(hook: &ReadyHook, directory: &CStr, streams: &Streams<'_>) -> ! {
    heap::seal();
    let fault = match prepare(directory, streams) {
        Ok(()) => exec::replace(&hook.program, &hook.argv, &hook.envp),
        Err(fault) => fault,
    };
    // The status by which a shell reports a program that it could not execute.
    process::exit_now(if fault.errno == libc::ENOENT {
        127
    } else {
        126
    })
}

fn prepare<'a>(directory: &CStr, streams: &Streams<'a>) -> Result<(), Fault> {
    process::reset_signals();
    process::new_group()?;
    rustix::process::chdir(directory).at(Call::Chdir)?;
    exec::lay_over(streams.document, 0)?;
    let chosen = |file: &'a Option<OwnedFd>| file.as_ref().map_or(streams.output, AsFd::as_fd);
    exec::lay_over(chosen(&streams.files.stdout), 1)?;
    exec::lay_over(chosen(&streams.files.stderr), 2)?;
    exec::close_on_exec_from(3)
}
