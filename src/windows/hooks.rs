//! Hooks (config.md, "POSIX-platform Hooks"): the specification has them for POSIX alone, but nothing keeps a
//! program from being run at these moments. Those of the container run in its job, the others beside it.

use super::find;
use crate::error::{Cause, Error, Object, Result};
use crate::plan::hooks::{Hook, Outputs};
use crate::plan::job::{Process, User, command};
use crate::sys::job::Job;
use crate::sys::spawn::{Birth, Group, Newborn, Streams, spawn};
use crate::sys::{At, Call, Fault, handle, threads};
use std::io::{Read, Write};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

/// Runs hooks of the runtime's side, of a container that is only remembered.
///
/// # Errors
/// As [`run`].
pub fn run_in(
    hooks: &[Hook],
    kind: &str,
    bundle: &Path,
    document: &[u8],
    _: &Outputs,
) -> Result<()> {
    run(hooks, kind, bundle, document, None)
}

/// Runs the hooks of one kind, in order; the first that fails ends it. `inside` is the job of those that are the
/// container's.
///
/// # Errors
/// The hook by its pointer, with how it ended and the last line it printed.
pub(super) fn run(
    hooks: &[Hook],
    kind: &str,
    bundle: &Path,
    document: &[u8],
    inside: Option<&Job>,
) -> Result<()> {
    for hook in hooks {
        tracing::debug!("running the {kind} hook {}", hook.path.to_string_lossy());
        one(hook, kind, bundle, document, inside)?;
    }
    Ok(())
}

fn one(
    hook: &Hook,
    kind: &str,
    bundle: &Path,
    document: &[u8],
    inside: Option<&Job>,
) -> Result<()> {
    let doing = format!("run the {kind} hook");
    let at = |name: &str| Object::config(hook.pointer.at(name));
    let planned = as_process(hook, bundle);
    let program = find::program(&planned).map_err(|error| error.doing(&doing))?;
    let told = |fault| Error::new(doing.as_str(), at("path"), Cause::from(fault));
    // What a hook of the runtime's has started goes with it where its time is over.
    let name = format!(r"Local\orbital-hook-{}-{:p}", std::process::id(), hook);
    let own = match inside {
        Some(_) => None,
        None => Some(Job::make(&name).map_err(told)?),
    };
    let job = inside.or(own.as_ref());
    match execute(&planned, &program, document, hook.timeout, job).map_err(told)? {
        Ended::Exited(0, _) => Ok(()),
        Ended::Exited(status, last_line) => {
            let cause = Cause::Exited {
                status: status.cast_signed(),
                last_line: Some(last_line),
            };
            Err(Error::new(doing, at("path"), cause))
        }
        Ended::Late => {
            let seconds = hook.timeout.unwrap_or_default();
            let why = format!("it ran for longer than {seconds} s and was killed");
            Err(Error::new(doing, at("timeout"), Cause::Refused(why))
                .hint("give it more time, or see what it waits for"))
        }
    }
}

/// A bundle that is gone (delete after a crash) must not keep its poststop hooks from running.
fn as_process(hook: &Hook, bundle: &Path) -> Process {
    let text = |one: &std::ffi::CString| one.to_string_lossy().into_owned();
    let args: Vec<String> = hook.argv.iter().map(text).collect();
    Process {
        command_line: command::join(&args),
        program: text(&hook.path),
        pointer: hook.pointer.at("path"),
        cwd: match bundle.is_dir() {
            true => bundle.to_string_lossy().into_owned(),
            false => r"C:\".to_owned(),
        },
        env: hook.envp.iter().map(text).collect(),
        terminal: None,
        user: User::Caller,
    }
}

enum Ended {
    Exited(u32, String),
    Late,
}

fn execute(
    planned: &Process,
    program: &str,
    document: &[u8],
    timeout: Option<u32>,
    job: Option<&Job>,
) -> std::result::Result<Ended, Fault> {
    let (theirs_in, mut input) = std::io::pipe().at(Call::CreateFile)?;
    let (mut output, theirs_out) = std::io::pipe().at(Call::CreateFile)?;
    let streams = [
        handle::inheritable(&theirs_in)?,
        handle::inheritable(&theirs_out)?,
        handle::inheritable(&theirs_out)?,
    ];
    let Newborn {
        process, thread, ..
    } = spawn(&Birth {
        program,
        command_line: &planned.command_line,
        cwd: &planned.cwd,
        env: &find::completed(&planned.env),
        streams: Streams::Handles(&streams),
        job,
        group: Group::Own,
        token: None,
    })?;
    drop((theirs_in, theirs_out, streams));
    // Not joined: what the hook has started may keep the pipe open after its end.
    let printed = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = output.read_to_end(&mut text);
        text
    });
    threads::resume(thread)?;
    // A hook that does not read its input is none the worse for it, ignored.
    let _ = input.write_all(document);
    drop(input);
    let limit = timeout.map_or(u32::MAX, |seconds| seconds.saturating_mul(1000));
    let Some(status) = process.ended_within(limit)? else {
        match job {
            Some(job) => job.terminate(1)?,
            None => process.abandon(),
        }
        return Ok(Ended::Late);
    };
    let last = match status {
        0 => String::new(),
        _ => last_line(printed),
    };
    Ok(Ended::Exited(status, last))
}

/// The last line with anything in it. Who holds the pipe after the hook's end is not waited for.
fn last_line(printed: JoinHandle<Vec<u8>>) -> String {
    for _ in 0..100 {
        if printed.is_finished() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let text = match printed.is_finished() {
        true => printed.join().unwrap_or_default(),
        false => Vec::new(),
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.unwrap_or_default().trim().to_owned()
}
