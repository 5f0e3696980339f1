//! `exec`: one more process in a container that runs. The runtime does it; here its process document is made
//! from the container's own.

use super::end::enter;
use crate::cli::flags::Extent;
use crate::engine::bundle::resolve;
use crate::engine::cli::{Verb, switch, text, texts, value, word};
use crate::engine::container::file::replace;
use crate::engine::container::record::Record;
use crate::engine::container::shelf::Shelf;
use crate::engine::places::Places;
use crate::engine::runtime::{self, Runtime};
use crate::engine::{CANNOT_RUN, Outcome};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::process::own_pid;
use clap::{ArgAction, ArgMatches, Command};
use rustix::fs::{CWD, Mode, OFlags};
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Stdio;

/// `exec`.
pub(super) const EXEC: Verb = Verb {
    name: "exec",
    line: "run another command in a running container",
    extent: Extent::FirstWord,
    define,
    run,
};

fn define(command: Command) -> Command {
    command
        .about("Run another command in a running container. The exit status is the command's.")
        .arg(word("words", "CONTAINER COMMAND", "a container, and the command").num_args(0..))
        .args([
            switch("interactive", "its standard input is ours").short('i'),
            switch("tty", "give it a terminal").short('t'),
            switch("detach", "do not wait for its end").short('d'),
            switch(
                "privileged",
                "with all capabilities that the container was given",
            ),
            value(
                "env",
                "NAME[=VALUE]",
                "set a variable; without a value, the caller's",
            )
            .short('e')
            .action(ArgAction::Append),
            value("user", "USER[:GROUP]", "who runs it").short('u'),
            value("workdir", "DIR", "where it starts").short('w'),
        ])
}

fn run(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    let words = texts(found, "words");
    let Some((name, argv)) = words.split_first().filter(|(_, argv)| !argv.is_empty()) else {
        let why = Cause::Refused("a container and a command must be named".to_owned());
        return Err(Error::new("run a command in a container", Object::Nothing, why).into());
    };
    let record = shelf.find(name)?;
    let Some(init) = record.running() else {
        let error = Error::container(
            "run a command in the container",
            name,
            "the container does not run",
        );
        return Err(error.hint(format!("orbital start {name}")).into());
    };
    enter(&record, init.pid)?;
    let process = process(found, &shelf, &record, init.pid, argv)?;
    let here = shelf.run_folder(&record.id);
    let file = here.join(format!("exec{}.json", own_pid()));
    let log = here.join(format!("exec{}.log", own_pid()));
    replace(&file, process.to_string().as_bytes())?;
    let outcome = call(found, &shelf, &record, (&file, &log));
    for file in [file, log] {
        // A log that nobody has written is not there, ignored.
        let _ = std::fs::remove_file(file);
    }
    outcome
}

fn call(
    found: &ArgMatches,
    shelf: &Shelf,
    record: &Record,
    files: (&PathBuf, &PathBuf),
) -> Outcome {
    let runtime = Runtime::find(shelf)?;
    let file = files.0.to_string_lossy();
    let mut words = vec!["exec", "--process", &file];
    if found.get_flag("detach") {
        words.push("--detach");
    }
    words.push(&record.id);
    let mut command = runtime.logged(files.1, &words);
    if !found.get_flag("interactive") {
        command.stdin(Stdio::null());
    }
    if found.get_flag("detach") {
        command.stdout(Stdio::null());
    }
    let status = command
        .status()
        .map_err(|error| runtime.not_started(&error))?;
    let failed = std::fs::metadata(files.1).is_ok_and(|look| look.len() > 0);
    if !status.success() && failed {
        // The runtime has said why on standard error.
        let told = runtime::told(files.1, "run the command");
        return Ok(told.status.max(CANNOT_RUN - 1));
    }
    let status = status
        .code()
        .or(status.signal().map(|signal| 128 + signal))
        .unwrap_or(255);
    Ok(u8::try_from(status).unwrap_or(u8::MAX))
}

/// The container's own process with what was asked for in its place.
fn process(
    found: &ArgMatches,
    shelf: &Shelf,
    record: &Record,
    pid: i32,
    argv: &[String],
) -> Result<Value> {
    let path = shelf.run_folder(&record.id).join("bundle/config.json");
    let bytes = std::fs::read(&path)
        .map_err(|error| Error::io("read config.json", &path, "openat", &error))?;
    let config: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let mut process = config["process"].clone();
    let Some(members) = process.as_object_mut() else {
        let why = Cause::Refused("there is no process in it".to_owned());
        return Err(Error::new("read config.json", Object::File(path), why));
    };
    members.insert("args".to_owned(), json!(argv));
    members.insert("terminal".to_owned(), json!(found.get_flag("tty")));
    if let Some(dir) = text(found, "workdir") {
        members.insert("cwd".to_owned(), json!(dir));
    }
    members.insert(
        "env".to_owned(),
        json!(environment(found, &config["process"]["env"])),
    );
    if let Some(user) = text(found, "user") {
        become_user(members, &user, pid)?;
    }
    if found.get_flag("privileged") {
        let all = config["process"]["capabilities"]["bounding"].clone();
        let sets = json!({ "bounding": all, "effective": all, "permitted": all, "inheritable": all, "ambient": all });
        members.insert("capabilities".to_owned(), sets);
    }
    Ok(process)
}

fn become_user(members: &mut serde_json::Map<String, Value>, user: &str, pid: i32) -> Result<()> {
    let root = format!("/proc/{pid}/root");
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, root.as_str(), flags, Mode::empty())
        .map_err(|errno| Error::io("open the container's root", root, "openat", &errno.into()))?;
    let user = resolve(&root, user, &[])?;
    let bounding = members["capabilities"]["bounding"].clone();
    let force = if user.uid == 0 {
        bounding.clone()
    } else {
        json!([])
    };
    let sets = json!({ "bounding": bounding, "effective": force, "permitted": force });
    members.insert("capabilities".to_owned(), sets);
    let umask = members["user"]["umask"].clone();
    let who =
        json!({ "uid": user.uid, "gid": user.gid, "additionalGids": user.groups, "umask": umask });
    members.insert("user".to_owned(), who);
    if let Some(env) = members
        .get_mut("env")
        .and_then(Value::as_array_mut)
        .filter(|_| !user.home.is_empty())
    {
        env.retain(|variable| !variable.as_str().unwrap_or_default().starts_with("HOME="));
        env.push(json!(format!("HOME={}", user.home)));
    }
    Ok(())
}

fn environment(found: &ArgMatches, own: &Value) -> Vec<String> {
    let own = own.as_array().into_iter().flatten();
    let mut env: Vec<String> = own
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect();
    let name = |text: &str| text.split('=').next().unwrap_or_default().to_owned();
    if found.get_flag("tty") && !env.iter().any(|word| name(word) == "TERM") {
        env.push("TERM=xterm".to_owned());
    }
    for word in texts(found, "env") {
        let given = match (word.contains('='), std::env::var_os(&word)) {
            (true, _) => word,
            (false, Some(value)) => format!("{word}={}", value.to_string_lossy()),
            (false, None) => continue,
        };
        env.retain(|other| name(other) != name(&given));
        env.push(given);
    }
    env
}
