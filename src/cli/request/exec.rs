//! What was found → [`Exec`].

use super::{either, id, path, text_of};
use crate::cli::found::Found;
use crate::cli::{Attendance, Changes, Exec, Paused, Switch, misuse};
use crate::error::Error;
use crate::error::nearest;
use crate::spec::capability as known;
use std::ffi::OsString;
use std::path::Path;

/// The request.
///
/// # Errors
/// Nothing to run, ids that are none, a cgroup of another controller's tree.
pub(super) fn exec(found: &mut impl Found) -> Result<Exec, Error> {
    let id = id(found)?;
    let command = words(found, "command")?;
    let process = path(found, "process");
    match (&process, command.is_empty()) {
        (None, true) => {
            return Err(misuse::refused("", "COMMAND is missing")
                .hint("name the program, or describe the process with --process"));
        }
        (Some(file), false) => {
            let why = "the process is described already, by --process";
            let words = command.join(" ");
            return Err(misuse::refused(&words, why)
                .hint(format!("put it into \"args\" of {}", file.display())));
        }
        _ => {}
    }
    Ok(Exec {
        id,
        command,
        process,
        attendance: either(
            found,
            "detach",
            Attendance::Detached,
            Attendance::Foreground,
        ),
        pid_file: path(found, "pid-file"),
        console_socket: path(found, "console-socket"),
        pidfd_socket: path(found, "pidfd-socket"),
        preserve_fds: found.number("preserve-fds").unwrap_or(0),
        paused: either(found, "ignore-paused", Paused::Wait, Paused::Refuse),
        cgroup: cgroup(found)?,
        changes: changes(found)?,
    })
}

fn changes(found: &mut impl Found) -> Result<Changes, Error> {
    Ok(Changes {
        terminal: either(found, "tty", Switch::Given, Switch::NotGiven),
        user: match text_of(found, "user")? {
            Some(typed) => Some(user(&typed)?),
            None => None,
        },
        groups: words(found, "additional-gids")?
            .iter()
            .map(|typed| number(typed).ok_or_else(|| no_id("--additional-gids", typed)))
            .collect::<Result<_, _>>()?,
        cwd: path(found, "cwd"),
        env: words(found, "env")?,
        capabilities: words(found, "cap")?
            .into_iter()
            .map(capability)
            .collect::<Result<_, _>>()?,
        no_new_privs: either(found, "no-new-privs", Switch::Given, Switch::NotGiven),
        apparmor: text_of(found, "apparmor")?,
        label: text_of(found, "process-label")?,
    })
}

/// Not given is better than given in part: the caller hears of a name that is none.
fn capability(typed: String) -> Result<String, Error> {
    if known::named(&typed).is_some() {
        return Ok(typed);
    }
    let near = typed.to_ascii_uppercase();
    let names = known::all();
    let error = misuse::refused(&format!("--cap={typed}"), "there is no such capability");
    Err(match nearest(&near, names.iter().map(String::as_str)) {
        Some(name) => error.hint(format!("did you mean {name}?")),
        None => error.hint("see capabilities(7) for their names"),
    })
}

/// `UID` or `UID:GID`. Names are the caller's business: in the container they may mean anything
/// (CVE-2016-3697, CVE-2026-30892).
fn user(typed: &str) -> Result<(u32, Option<u32>), Error> {
    let (uid, gid) = match typed.split_once(':') {
        Some((uid, gid)) => (uid, Some(gid)),
        None => (typed, None),
    };
    let id = |text: &str| number(text).ok_or_else(|| no_id("--user", typed));
    Ok((id(uid)?, gid.map(id).transpose()?))
}

/// Digits only: `parse` alone would take a sign.
fn number(typed: &str) -> Option<u32> {
    let digits = !typed.is_empty() && typed.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| typed.parse().ok()).flatten()
}

fn no_id(flag: &str, typed: &str) -> Error {
    misuse::refused(
        &format!("{flag}={typed}"),
        "ids are numbers from 0 to 4294967294",
    )
    .hint("use a number, or two with a colon between for --user: 1000:1000")
}

/// Callers of cgroup v1 put controllers before a colon; an empty controller is v2's own.
fn cgroup(found: &mut impl Found) -> Result<Option<String>, Error> {
    let Some(typed) = words(found, "cgroup")?.pop() else {
        return Ok(None);
    };
    let below = typed.strip_prefix(':').unwrap_or(&typed);
    if below.contains(':') {
        let why = "with cgroup v2 all controllers have one tree: there is none to choose";
        return Err(misuse::refused(&format!("--cgroup={typed}"), why)
            .hint("name the path alone, without a controller and colon"));
    }
    if Path::new(below)
        .components()
        .any(|part| part == std::path::Component::ParentDir)
    {
        let why = "the path must stay below the container's own cgroup";
        return Err(misuse::refused(&format!("--cgroup={typed}"), why).hint("leave .. out"));
    }
    let below = below.trim_matches('/');
    Ok((!below.is_empty()).then(|| below.to_owned()))
}

/// All values of a flag or argument, in order.
fn words(found: &mut impl Found, name: &str) -> Result<Vec<String>, Error> {
    found.all(name).into_iter().map(plain).collect()
}

fn plain(typed: OsString) -> Result<String, Error> {
    typed
        .into_string()
        .map_err(|odd| misuse::refused(&odd.to_string_lossy(), "it is not UTF-8 text"))
}

#[cfg(test)]
mod tests;
