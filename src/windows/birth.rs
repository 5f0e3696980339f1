//! One process, from its plan to the moment before its first instruction.

use super::find;
use crate::error::{Cause, Error, Object, Result};
use crate::plan::job::{Process as Planned, User};
use crate::sys::console::{self, PseudoConsole};
use crate::sys::job::Job;
use crate::sys::process::Process;
use crate::sys::spawn::{Birth, Group, Streams, spawn};
use crate::sys::{Fault, error, handle, user};
use std::os::windows::io::OwnedHandle;

/// A process that waits for its first instruction.
#[derive(Debug)]
pub struct Born {
    /// Its pid.
    pub pid: i32,
    /// The process.
    pub process: Process,
    /// Its first thread.
    pub thread: u32,
    /// Its job, as long as we are to keep it.
    pub job: Option<Job>,
    /// Its terminal, if it has one.
    pub terminal: Option<PseudoConsole>,
}

/// Who waits for a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attended {
    /// This invocation, until its end: they share a console and what is typed at it.
    Yes,
    /// Nobody: it is to be asked from outside.
    No,
}

/// Gives birth inside `job`.
///
/// # Errors
/// A program that is not there or none; a user who is another one; as CreateProcessW.
pub(super) fn give_birth(planned: &Planned, job: Job, attended: Attended) -> Result<Born> {
    let program = find::program(planned)?;
    let token = token(&planned.user)?;
    let env = find::completed(&planned.env);
    let terminal = match planned.terminal {
        None => None,
        Some(_) if attended == Attended::No => return Err(no_one_to_show()),
        Some(size) => Some(
            PseudoConsole::make(size.columns, size.rows).map_err(|fault| {
                Error::new(
                    "make the terminal",
                    Object::config("/process/terminal"),
                    fault.into(),
                )
            })?,
        ),
    };
    let streams = handle::streams()
        .map_err(|fault| Error::new("hand the streams on", Object::Nothing, fault.into()))?;
    let born = spawn(&Birth {
        program: &program,
        command_line: &planned.command_line,
        cwd: &planned.cwd,
        env: &env,
        streams: match &terminal {
            Some(terminal) => Streams::Terminal(terminal),
            None => Streams::Handles(&streams),
        },
        job: Some(&job),
        group: match attended {
            Attended::Yes => Group::Callers,
            Attended::No if console::is_there() => Group::Own,
            Attended::No => Group::Unseen,
        },
        token: token.as_ref(),
    });
    let born = born.map_err(|fault| told(planned, fault))?;
    Ok(Born {
        pid: born.pid.cast_signed(),
        process: born.process,
        thread: born.thread,
        job: Some(job),
        terminal,
    })
}

fn no_one_to_show() -> Error {
    let why = "cannot allocate tty if orbital will detach without setting console socket";
    Error::refused("give the process a terminal", "/process/terminal", why)
        .hint("use orbital run, or set \"terminal\": false")
}

fn token(wanted: &User) -> Result<Option<OwnedHandle>> {
    let place = "/process/user/username";
    match wanted {
        User::Caller => Ok(None),
        User::Service(account) => {
            let token = user::service(account.name()).map_err(|fault| {
                let error = Error::new("take on the user", Object::config(place), fault.into());
                error.hint("let a service that runs as SYSTEM call orbital, or take the name out")
            });
            token.map(Some)
        }
        User::Named(name) => {
            let own = user::name().map_err(|fault| {
                Error::new("ask who the caller is", Object::Nothing, fault.into())
            })?;
            let bare = name.rsplit('\\').next().unwrap_or(name);
            if bare.eq_ignore_ascii_case(&own) {
                return Ok(None);
            }
            let why = format!(
                "the caller is {own}, and Windows lets nobody become another user without a password"
            );
            Err(Error::refused("take on the user", place, why)
                .hint("run orbital as that user, or take the name out"))
        }
    }
}

fn told(planned: &Planned, fault: Fault) -> Error {
    let (object, hint) = match fault.errno {
        error::PATH_NOT_FOUND | 267 => (
            Object::config("/process/cwd"),
            Some("choose a working directory that is there".to_owned()),
        ),
        error::BAD_EXE_FORMAT => (
            Object::config(&planned.pointer),
            Some("name a program for this machine".to_owned()),
        ),
        error::NOT_ENOUGH_QUOTA => (
            Object::config(&planned.pointer),
            Some("a limit of the job is reached: see orbital events --stats".to_owned()),
        ),
        _ => (Object::config(&planned.pointer), None),
    };
    let error = Error::new("execute the process", object, Cause::from(fault));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
