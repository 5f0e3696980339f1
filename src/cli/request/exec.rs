//! What clap found → [`Exec`].

use super::{either, id, path, text_of};
use crate::cli::{Attendance, Changes, Exec, Paused, Switch, misuse};
use crate::error::Error;
use crate::error::hints::nearest;
use crate::plan::second;
use clap::ArgMatches;
use std::ffi::OsString;
use std::path::Path;

/// The request.
///
/// # Errors
/// Nothing to run, ids that are none, a cgroup of another controller's tree.
pub(super) fn exec(found: &mut ArgMatches) -> Result<Exec, Error> {
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
        preserve_fds: found.remove_one("preserve-fds").unwrap_or(0),
        paused: either(found, "ignore-paused", Paused::Wait, Paused::Refuse),
        cgroup: cgroup(found)?,
        changes: changes(found)?,
    })
}

fn changes(found: &mut ArgMatches) -> Result<Changes, Error> {
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
    if second::capability(&typed).is_some() {
        return Ok(typed);
    }
    let near = typed.to_ascii_uppercase();
    let names = caps::all().into_iter().map(|one| one.to_string());
    let names: Vec<String> = names.collect();
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
fn cgroup(found: &mut ArgMatches) -> Result<Option<String>, Error> {
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
fn words(found: &mut ArgMatches, name: &str) -> Result<Vec<String>, Error> {
    let typed = found.remove_many::<OsString>(name).into_iter().flatten();
    typed.map(plain).collect()
}

fn plain(typed: OsString) -> Result<String, Error> {
    typed
        .into_string()
        .map_err(|odd| misuse::refused(&odd.to_string_lossy(), "it is not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use crate::cli::{Attendance, Exec, Paused, Request, Switch, parse};

    fn exec(words: &[&str]) -> Result<Exec, String> {
        let argv = ["runc", "exec"].iter().chain(words).map(Into::into);
        match parse(argv) {
            Ok((_, Request::Exec(exec))) => Ok(exec),
            Ok(other) => Err(format!("{other:?}")),
            Err(misuse) => Err(misuse.error.one_line()),
        }
    }

    #[test]
    fn what_follows_the_id_is_the_programs() {
        let found = exec(&[
            "-e", "A=1", "--env", "B=-x", "c1", "ls", "-l", "--help", "--",
        ]);
        let found = found.unwrap();
        assert_eq!(found.id, "c1");
        assert_eq!(found.command, ["ls", "-l", "--help", "--"]);
        assert_eq!(found.changes.env, ["A=1", "B=-x"]);
        assert_eq!(found.attendance, Attendance::Foreground);
    }

    #[test]
    fn what_callers_send() {
        let conmon = ["--pid-file", "/p", "--process", "/f", "--detach", "c1"];
        let found = exec(&conmon).unwrap();
        assert_eq!(found.process.as_deref(), Some("/f".as_ref()));
        assert_eq!(found.attendance, Attendance::Detached);
        let rs = [
            "-d",
            "--console-socket=",
            "--tty",
            "--pid-file=",
            "c1",
            "sh",
        ];
        let found = exec(&rs).unwrap();
        assert_eq!((found.console_socket, found.pid_file), (None, None));
        assert_eq!(found.changes.terminal, Switch::Given);
        let found = exec(&[
            "-dt",
            "-ignore-paused",
            "-c",
            "CAP_KILL",
            "-c=CAP_CHOWN",
            "c",
            "a",
        ]);
        let found = found.unwrap();
        assert_eq!(found.paused, Paused::Wait);
        assert_eq!(found.changes.capabilities, ["CAP_KILL", "CAP_CHOWN"]);
    }

    #[test]
    fn users_are_numbers() {
        for (typed, user) in [
            ("0", (0, None)),
            ("1000:5", (1000, Some(5))),
            ("4294967294", (4_294_967_294, None)),
        ] {
            let found = exec(&["-u", typed, "c1", "id"]).unwrap();
            assert_eq!(found.changes.user, Some(user));
        }
        for typed in [
            "1000:",
            ":5",
            "+5",
            "0x0",
            "4294967296",
            "root",
            "-1",
            "1:2:3",
            " 1",
        ] {
            let told = exec(&["-u", typed, "c1", "id"]).unwrap_err();
            assert!(told.contains("ids are numbers"), "{typed}: {told}");
        }
    }

    #[test]
    fn nothing_to_run_or_two_things() {
        assert!(exec(&["c1"]).unwrap_err().contains("COMMAND is missing"));
        assert!(exec(&[]).unwrap_err().contains("ID is missing"));
        let both = exec(&["-p", "f", "c1", "ls"]).unwrap_err();
        assert!(both.contains("described already"));
    }

    #[test]
    fn groups_below_the_containers() {
        for typed in ["a/b", "/a/b/", ":a/b", ":/a/b"] {
            let found = exec(&["--cgroup", typed, "c1", "id"]).unwrap();
            assert_eq!(found.cgroup.as_deref(), Some("a/b"), "{typed}");
        }
        for typed in ["../a", "a/../../b", "cpu:a", "cpu,cpuset:a"] {
            assert!(exec(&["--cgroup", typed, "c1", "id"]).is_err(), "{typed}");
        }
    }
}
