//! What was found → [`Request`].

/// `exec`.
mod exec;

/// `checkpoint`, `restore`.
mod frozen;

/// `run` without a bundle.
mod bare;

use super::flags::Extent;
use super::found::Found;
use super::normal::{Letters, normal};
use super::{
    Afterwards, Attendance, Create, Entry, Force, Global, Inherited, Keyring, Limits, ListFormat,
    LogFormat, Manager, Misuse, PlanFormat, Platform, Reach, Request, Update, Verbosity, Watch,
    args, flags, limits, misuse, quantity, signal,
};
use crate::error::Error;
use crate::spec::default::{SpecFor, VERSION};
use clap::ArgMatches;
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Reads a command line by clap, which has words for what is wrong.
///
/// # Errors
/// A [`Misuse`]: what is wrong, and the global flags that were understood before it.
pub(super) fn by_clap(argv: &[OsString]) -> Result<(Global, Request), Box<Misuse>> {
    let program = personality(argv.first());
    let root = args::root(program);
    let typed = normal(
        &root,
        argv.get(1..).unwrap_or_default(),
        Extent::FirstWord,
        Letters::Switches,
    );
    let mut global = Global::default();
    let result = match root.try_get_matches_from(typed.flags_for_clap()) {
        Ok(mut found) => {
            global = globals(&mut found);
            match typed.fault {
                Some(fault) => Err(fault),
                None => after_globals(program, &mut found, &typed.words),
            }
        }
        Err(error) => Err(misuse::from_clap(&error, program)),
    };
    match result {
        Ok(request) => Ok((global, request)),
        Err(error) => Err(Box::new(Misuse { global, error })),
    }
}

/// `runc` for a link of that name, `orbital` for every other: callers run it by names of their own.
fn personality(name: Option<&OsString>) -> &'static str {
    match name.and_then(|name| Path::new(name).file_name()) {
        Some(name) if name == "runc" => "runc",
        _ => "orbital",
    }
}

pub(super) fn globals(found: &mut impl Found) -> Global {
    Global {
        root: path(found, "root"),
        log: path(found, "log"),
        log_format: match found.word("log-format").as_deref() {
            Some("json") => LogFormat::Json,
            _ => LogFormat::Text,
        },
        verbosity: match found.word("log-level").as_deref() {
            Some("debug") => Verbosity::Debug,
            _ => either(found, "debug", Verbosity::Debug, Verbosity::Errors),
        },
    }
}

fn after_globals(
    program: &'static str,
    found: &mut ArgMatches,
    words: &[OsString],
) -> Result<Request, Error> {
    if found.get_flag("version") {
        return Ok(Request::Print(version(program)));
    }
    let (verb, rest) = match words.split_first() {
        Some((verb, rest)) if !found.get_flag("help") => (verb.to_string_lossy(), rest),
        _ => return Ok(Request::Print(args::root_help(program))),
    };
    if verb != "help" {
        return verb_request(program, &verb, rest, manager(found));
    }
    match rest.first() {
        None => Ok(Request::Print(args::root_help(program))),
        Some(about) => verb_request(
            program,
            &about.to_string_lossy(),
            &["--help".into()],
            Manager::default(),
        ),
    }
}

/// A word that is no verb.
fn unknown(word: &str, program: &str) -> Error {
    misuse::no_such_verb(word, args::names().map(|verb| verb.name), program)
}

fn verb_request(
    program: &str,
    verb: &str,
    argv: &[OsString],
    manager: Manager,
) -> Result<Request, Error> {
    let Some(mut command) = args::verb(program, verb) else {
        return Err(unknown(verb, program));
    };
    if let Some(run) = bare::run(verb, &command, argv, manager) {
        return run;
    }
    let typed = normal(&command, argv, flags::extent(verb), Letters::Switches);
    if let Some(fault) = typed.fault {
        return Err(fault);
    }
    let mut found = match command.try_get_matches_from_mut(typed.for_clap()) {
        Ok(found) => found,
        Err(help) if help.kind() == ErrorKind::DisplayHelp => {
            return Ok(Request::Print(help.render().to_string()));
        }
        Err(error) => return Err(misuse::from_clap(&error, &format!("{program} {verb}"))),
    };
    request(verb, &mut found, manager)
}

/// The verbs of every container's life.
pub(super) fn daily(
    verb: &str,
    found: &mut impl Found,
    manager: Manager,
) -> Result<Option<Request>, Error> {
    Ok(Some(match verb {
        "create" => Request::Create(create(found, manager)?),
        "run" => Request::Run {
            create: create(found, manager)?,
            attendance: either(
                found,
                "detach",
                Attendance::Detached,
                Attendance::Foreground,
            ),
            afterwards: either(found, "keep", Afterwards::Keep, Afterwards::Delete),
        },
        "start" => Request::Start(id(found)?),
        "state" => Request::State(id(found)?),
        "kill" => Request::Kill {
            id: id(found)?,
            signal: kill_signal(found)?,
            reach: either(found, "all", Reach::All, Reach::Init),
        },
        "delete" => Request::Delete {
            id: id(found)?,
            force: either(found, "force", Force::Yes, Force::No),
        },
        "exec" => Request::Exec(exec::exec(found)?),
        _ => return Ok(None),
    }))
}

fn request(verb: &str, found: &mut ArgMatches, manager: Manager) -> Result<Request, Error> {
    if let Some(request) = daily(verb, found, manager)? {
        return Ok(request);
    }
    Ok(match verb {
        "ps" => Request::Ps {
            id: id(found)?,
            format: list_format(found),
            options: found.remove_many("options").into_iter().flatten().collect(),
        },
        "events" => Request::Events {
            id: id(found)?,
            watch: watch(found)?,
        },
        "pause" => Request::Pause(id(found)?),
        "resume" => Request::Resume(id(found)?),
        "update" => Request::Update(update(found)?),
        "checkpoint" => Request::Checkpoint(frozen::checkpoint(found)?),
        "restore" => Request::Restore(frozen::restore(found, manager)?),
        "list" => Request::List(list_format(found)),
        "spec" => Request::Spec {
            bundle: bundle(found),
            whom: either(found, "rootless", SpecFor::User, SpecFor::Root),
        },
        "features" => Request::Features,
        "plan" => Request::Plan {
            bundle: path(found, "folder").unwrap_or_else(|| bundle(found)),
            format: either(found, "json", PlanFormat::Json, PlanFormat::Text),
            manager,
            platform: match found.word("platform").as_deref() {
                Some("linux") => Platform::Linux,
                Some("windows") => Platform::Windows,
                _ => Platform::HERE,
            },
        },
        other => return Err(unknown(other, "orbital")),
    })
}

fn create(found: &mut impl Found, manager: Manager) -> Result<Create, Error> {
    Ok(Create {
        id: id(found)?,
        bundle: bundle(found),
        console_socket: path(found, "console-socket"),
        pid_file: path(found, "pid-file"),
        entry: either(found, "no-pivot", Entry::MoveAndChroot, Entry::Pivot),
        keyring: either(found, "no-new-keyring", Keyring::Inherit, Keyring::New),
        preserve_fds: found.number("preserve-fds").unwrap_or(0),
        pidfd_socket: path(found, "pidfd-socket"),
        inherited: Inherited::default(),
        manager,
        command: Vec::new(),
    })
}

/// `--cgroup-manager` says more than `--systemd-cgroup`, and callers send both.
pub(super) fn manager(found: &mut impl Found) -> Manager {
    match found.word("cgroup-manager").as_deref() {
        Some("disabled") => Manager::Disabled,
        Some("systemd") => Manager::Systemd,
        Some(_) => Manager::Cgroupfs,
        None if found.is_on("systemd-cgroup") => Manager::Systemd,
        None => Manager::Cgroupfs,
    }
}

fn list_format(found: &mut ArgMatches) -> ListFormat {
    let is_quiet = matches!(found.try_get_one::<bool>("quiet"), Ok(Some(true)));
    match (is_quiet, found.word("format").as_deref()) {
        (true, _) => ListFormat::Quiet,
        (_, Some("json")) => ListFormat::Json,
        _ => ListFormat::Table,
    }
}

fn watch(found: &mut ArgMatches) -> Result<Watch, Error> {
    let given = path(found, "interval").unwrap_or_else(|| "5s".into());
    let given = given.to_string_lossy();
    let refuse = |why: &str| {
        misuse::refused(&format!("--interval={given}"), why)
            .hint("write a number and its unit, such as 500ms, 5s or 1m")
    };
    match quantity::duration(&given) {
        None => Err(refuse("it is no time")),
        Some(Duration::ZERO) => Err(refuse("duration interval must be greater than 0")),
        Some(_) if found.get_flag("stats") => Ok(Watch::Once),
        Some(interval) => Ok(Watch::Every(interval)),
    }
}

fn update(found: &mut ArgMatches) -> Result<Update, Error> {
    let typed = limits::typed(found)?;
    let file = path(found, "resources");
    let line = |found: &mut ArgMatches, name| {
        path(found, name).map(|line| line.to_string_lossy().into_owned())
    };
    let ignored = match &file {
        Some(_) => typed
            .origins
            .iter()
            .map(|(_, typed)| typed.clone())
            .collect(),
        None => Vec::new(),
    };
    Ok(Update {
        id: id(found)?,
        limits: match file {
            None => Limits::Typed(typed),
            Some(file) if file == Path::new("-") => Limits::Stdin,
            Some(file) => Limits::File(file),
        },
        ignored,
        l3_cache_schema: line(found, "l3-cache-schema"),
        mem_bw_schema: line(found, "mem-bw-schema"),
    })
}

fn kill_signal(found: &mut impl Found) -> Result<i32, Error> {
    let Some(typed) = found.value("signal") else {
        return Ok(crate::sys::signal::TERM);
    };
    let typed = typed.to_string_lossy();
    signal::number(&typed).ok_or_else(|| {
        misuse::refused(&typed, "no such signal")
            .hint("use a number from 1 to 64, or a name such as KILL or RTMIN+3")
    })
}

fn id(found: &mut impl Found) -> Result<String, Error> {
    let typed = found.value("id").unwrap_or_default();
    typed
        .into_string()
        .map_err(|odd| misuse::refused(&odd.to_string_lossy(), "an id is plain text"))
}

fn bundle(found: &mut impl Found) -> PathBuf {
    path(found, "bundle").unwrap_or_else(|| PathBuf::from("."))
}

fn path(found: &mut impl Found, name: &str) -> Option<PathBuf> {
    found
        .value(name)
        .filter(|typed| !typed.is_empty())
        .map(PathBuf::from)
}

/// A value that must be text; an empty one counts as none.
fn text_of(found: &mut impl Found, name: &str) -> Result<Option<String>, Error> {
    let typed = found.value(name);
    match typed
        .filter(|typed| !typed.is_empty())
        .map(OsString::into_string)
    {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(odd)) => Err(misuse::refused(
            &odd.to_string_lossy(),
            "it is not UTF-8 text",
        )),
    }
}

/// What a switch means when it was given, and when not.
fn either<T>(found: &impl Found, switch: &str, given: T, not: T) -> T {
    match found.is_on(switch) {
        true => given,
        false => not,
    }
}

/// Callers read the first line for a name and a version, and the others by their beginnings.
fn version(program: &str) -> String {
    let commit = option_env!("ORBITAL_COMMIT").unwrap_or("unknown");
    format!(
        "{program} version {}\ncommit: {commit}\nspec: {}\n",
        env!("CARGO_PKG_VERSION"),
        VERSION
    )
}

#[cfg(test)]
mod tests;
