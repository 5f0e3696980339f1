//! A second process in a container that lives: born in its job.

use super::birth::{self, Attended};
use super::foreground::Foreground;
use super::inherit::no_such_thing;
use super::look::Host;
use crate::cli::{Attendance, Exec, Switch, Verbosity};
use crate::error::{Cause, Error, Object, Result};
use crate::plan::job::{self, Process};
use crate::spec;
use crate::state::status::Now;
use crate::state::{Seat, pid_file};
use crate::sys::threads;
use oci_spec::runtime::Process as Given;

/// Runs a process. The status to exit with is its own; 0 for a detached one. `ended` is what is told of a container
/// that has.
///
/// # Errors
/// What only Linux has; whatever keeps the process from its program.
pub fn exec(
    request: &Exec,
    seat: &Seat,
    now: Now<Host>,
    ended: &dyn Fn() -> Error,
    _: Verbosity,
) -> Result<(i32, Vec<String>)> {
    refuse(request)?;
    let record = now.record.ok_or_else(ended)?;
    let group = record.group()?.ok_or_else(ended)?;
    let bundle = spec::from_bytes(seat.config()?, record.bundle.clone())?;
    let planned = planned(request, bundle.spec.process().as_ref())?;
    let (attended, watch) = match request.attendance {
        Attendance::Foreground => (Attended::Yes, Some(Foreground::begin()?)),
        Attendance::Detached => (Attended::No, None),
    };
    let mut born =
        birth::give_birth(&planned, group.job, attended).map_err(|error| placed(error, request))?;
    let told = |fault| {
        Error::new(
            "let the program begin",
            Object::Process(born.pid),
            Cause::from(fault),
        )
    };
    let begun = pid_file::write(request.pid_file.as_deref(), born.pid)
        .and_then(|()| threads::resume(born.thread).map_err(told));
    begun.inspect_err(|_| born.process.abandon())?;
    match watch {
        None => Ok((0, Vec::new())),
        Some(watch) => Ok((watch.attend(&mut born, None, None)?.status(), Vec::new())),
    }
}

fn refuse(request: &Exec) -> Result<()> {
    let changes = &request.changes;
    for (flag, given) in [
        ("--user", changes.user.is_some()),
        ("--additional-gids", !changes.groups.is_empty()),
        ("--cap", !changes.capabilities.is_empty()),
        ("--no-new-privs", changes.no_new_privs == Switch::Given),
        ("--apparmor", changes.apparmor.is_some()),
        ("--process-label", changes.label.is_some()),
        ("--cgroup", request.cgroup.is_some()),
        ("--console-socket", request.console_socket.is_some()),
        ("--pidfd-socket", request.pidfd_socket.is_some()),
    ] {
        if given {
            return Err(no_such_thing(flag, "Windows has nothing of the kind"));
        }
    }
    Ok(())
}

/// The process of the file, or the container's own with other words; then the flags.
fn planned(request: &Exec, first: Option<&Given>) -> Result<Process> {
    let mut given = match &request.process {
        Some(file) => {
            let bytes = std::fs::read(file)
                .map_err(|error| Error::io("read the process", file, "open", &error))?;
            serde_json::from_slice(&bytes).map_err(|error| {
                let cause = Cause::Json {
                    line: error.line(),
                    column: error.column(),
                    what: error
                        .to_string()
                        .split(" at line ")
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                };
                Error::new("read the process", Object::File(file.clone()), cause)
            })?
        }
        None => {
            let mut given = first.cloned().unwrap_or_default();
            given.set_args(Some(request.command.clone()));
            given.set_command_line(None);
            given.set_terminal(None);
            given
        }
    };
    if request.changes.terminal == Switch::Given {
        given.set_terminal(Some(true));
    }
    if let Some(cwd) = &request.changes.cwd {
        given.set_cwd(cwd.clone());
    }
    if !request.changes.env.is_empty() {
        let mut env = given.env().clone().unwrap_or_default();
        env.extend(request.changes.env.iter().cloned());
        given.set_env(Some(env));
    }
    job::process(&given).map_err(|error| placed(error, request))
}

/// What config.json would say stands on the command line.
fn placed(error: Error, request: &Exec) -> Error {
    let Object::Config { pointer, .. } = &error.report().object else {
        return error;
    };
    let member = pointer
        .as_str()
        .strip_prefix("/process")
        .unwrap_or_default();
    let object = match (&request.process, member) {
        (Some(file), member) => format!("{}#{member}", file.display()),
        (None, "/cwd") => "--cwd".to_owned(),
        (None, "/terminal") => "--tty".to_owned(),
        (None, member) if member.starts_with("/env") => "--env".to_owned(),
        (None, _) => request.command.first().cloned().unwrap_or_default(),
    };
    error.about(Object::Argument(object))
}
