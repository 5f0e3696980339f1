//! The command line as clap knows it: one definition gives the parser and the help.
//!
//! Each verb's definition is made only when that verb was typed; the others cost nothing.

/// The verbs for a container that lives.
mod living;

/// `exec`.
mod exec;

/// `checkpoint`, `restore`.
mod frozen;

use super::flags::{self, Flag, Takes};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, value_parser};
use std::fmt::Write;

/// A verb: its line in `orbital --help`, and how its definition is made.
#[derive(Debug)]
pub struct Verb {
    /// As it is typed.
    pub name: &'static str,
    /// One line that says what it does.
    pub line: &'static str,
    /// Its flags, its arguments and its long help.
    define: fn(Command) -> Command,
}

/// All verbs, under the headings of `orbital --help`, in the order of a container's life.
pub const VERBS: [(&str, &[Verb]); 5] = [
    (
        "Before it lives:",
        &[
            listed("spec", "write a config.json to begin with", spec),
            listed("plan", "explain what create would do, and do nothing", plan),
        ],
    ),
    (
        "Its life, step by step:",
        &[
            listed(
                "create",
                "make the container, up to the moment before its program",
                create,
            ),
            listed("start", "let its program begin", start),
            listed("state", "print what it is doing now", state),
            listed("kill", "send it a signal", kill),
            listed("exec", "run a second process in it", exec::exec),
            listed("delete", "remove what create has made", delete),
        ],
    ),
    (
        "Its life, all at once:",
        &[listed(
            "run",
            "create, start, wait for the end, delete",
            run,
        )],
    ),
    (
        "While it lives:",
        &[
            listed("ps", "show its processes", living::ps),
            listed("events", "print what it uses", living::events),
            listed(
                "pause",
                "stop its processes where they stand",
                living::pause,
            ),
            listed("resume", "let them go on", living::resume),
            listed("update", "change its limits", living::update),
            listed("checkpoint", "write it to disk", frozen::checkpoint),
            listed("restore", "let it go on from there", frozen::restore),
        ],
    ),
    (
        "Around it:",
        &[
            listed("list", "show all containers", list),
            listed(
                "features",
                "print what this build can do, as JSON",
                features,
            ),
        ],
    ),
];

const fn listed(name: &'static str, line: &'static str, define: fn(Command) -> Command) -> Verb {
    Verb { name, line, define }
}

pub(super) const WHAT_IT_IS: &str = "\
orbital runs containers as the Open Container Initiative describes them.

A container is an ordinary process that the kernel shows a world of its own: its own
root directory, process numbers, network and host name (namespaces), a limit on what it may
use (a cgroup), and fewer privileges than its user has. A bundle is a folder that says so:
config.json, and the root directory that it names. containerd, Docker and podman make
bundles and call orbital; so can you.";

pub(super) const ROOT_EXAMPLE: &str = "\
Example:
  mkdir -p hello/rootfs/bin && cp /bin/busybox hello/rootfs/bin/sh
  orbital spec --bundle hello     writes hello/config.json
  orbital plan hello              explains it
  orbital run --bundle hello c1   runs it; the shell's exit ends it

orbital VERB --help tells more about each verb. Global options come before the verb.";

/// The definition of what comes before the verb.
#[must_use]
pub fn root(name: &'static str) -> Command {
    Command::new(name)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .args(flags::GLOBAL.iter().map(arg))
        .args([
            switch("version", "print the version").short('v'),
            switch("help", "print this").short('h'),
        ])
}

/// The text of `orbital --help`.
#[must_use]
pub fn root_help(name: &'static str) -> String {
    let mut verbs = String::new();
    for (heading, members) in &VERBS {
        let _ = write!(verbs, "\n{heading}\n");
        for verb in *members {
            let _ = writeln!(verbs, "  {:11}{}", verb.name, verb.line);
        }
    }
    let template = format!(
        "{WHAT_IT_IS}\n\nUsage: {name} [GLOBAL OPTIONS] VERB [OPTIONS] [ARGUMENTS]\n{verbs}\nGlobal options:\n{{options}}\n\n{ROOT_EXAMPLE}\n"
    );
    root(name).help_template(template).render_help().to_string()
}

/// The definition of one verb, or nothing for a word that is none.
#[must_use]
pub fn verb(program: &str, name: &str) -> Option<Command> {
    let found = names().find(|verb| verb.name == name)?;
    let help = Arg::new("help").short('h').long("help");
    let command = Command::new(found.name)
        .bin_name(format!("{program} {}", found.name))
        .disable_help_flag(true)
        .args_override_self(true);
    let help = help.action(ArgAction::HelpShort).help("print this");
    Some((found.define)(command).arg(help))
}

/// All verbs, in the order of the help.
pub fn names() -> impl Iterator<Item = &'static Verb> {
    VERBS.iter().flat_map(|(_, members)| members.iter())
}

fn create(command: Command) -> Command {
    birth(command)
        .about(
            "\
Make a container from a bundle: namespaces, root file system, mounts, devices, cgroup and
privileges are set up, then its process waits at the door of its own program. orbital itself
exits; `orbital start` opens the door.",
        )
        .after_help("Example:\n  orbital create --bundle hello --pid-file hello.pid c1")
}

fn run(command: Command) -> Command {
    birth(command)
        .args(flags::RUN.iter().map(arg))
        .about(
            "\
Create a container, start its program, wait for its end and delete it. The exit status is the
program's own, or 128 and the signal's number where a signal ended it. Signals that orbital
receives are passed on.",
        )
        .after_help(
            "Example:\n  orbital run --bundle hello c1\n\nOf `orbital run IMAGE` tells orbital-engine run --help, where that is installed.",
        )
}

fn birth(command: Command) -> Command {
    command.arg(id()).args(flags::BIRTH.iter().map(arg))
}

fn start(command: Command) -> Command {
    command
        .arg(id())
        .about(
            "\
Let the program of a created container begin. From then on it is running; what it prints goes
where create's own output went.",
        )
        .after_help("Example:\n  orbital start c1")
}

fn state(command: Command) -> Command {
    command
        .arg(id())
        .about(
            "\
Print the state of a container as JSON: creating, created, running, paused or stopped, its
process id on the host, its bundle. The kernel is asked each time; nothing is remembered
that could be out of date.",
        )
        .after_help("Example:\n  orbital state c1")
}

fn kill(command: Command) -> Command {
    let signal = Arg::new("signal")
        .value_name("SIGNAL")
        .value_parser(value_parser!(std::ffi::OsString));
    command
        .arg(id())
        .arg(signal.help("9, KILL, SIGKILL, kill or RTMIN+3 [TERM]"))
        .args(flags::KILL.iter().map(arg))
        .about(
            "\
Send a signal to a container's first process. That process is number 1 in its world: it only
receives signals that it has asked for, except KILL and STOP.",
        )
        .after_help("Example:\n  orbital kill c1 KILL")
}

fn delete(command: Command) -> Command {
    command
        .arg(id())
        .args(flags::DELETE.iter().map(arg))
        .about(
            "\
Remove a stopped container: its cgroup and orbital's memory of it. The bundle stays as it
is.",
        )
        .after_help("Example:\n  orbital delete c1")
}

fn list(command: Command) -> Command {
    command
        .args([
            choice(
                "format",
                "FORMAT",
                &["table", "json"],
                "for people or for programs",
            )
            .short('f'),
            switch("quiet", "only the ids").short('q'),
        ])
        .about("Show all containers that are remembered below --root, and what each is doing now.")
        .after_help("Example:\n  orbital list --format json")
}

fn spec(command: Command) -> Command {
    command
        .args([
            bundle("the folder to write config.json into"),
            switch(
                "rootless",
                "for a user without privileges, in a user namespace of their own",
            ),
        ])
        .about(
            "\
Write a config.json that runs a shell in ./rootfs with all the usual walls around it. It is
a beginning: change it as you need. An existing config.json is never overwritten.",
        )
        .after_help("Example:\n  orbital spec --bundle hello")
}

fn features(command: Command) -> Command {
    command
        .about(
            "\
Print what this build of orbital can do, as the JSON document that callers ask for before they
rely on it. It needs no privileges.",
        )
        .after_help("Example:\n  orbital features")
}

fn plan(command: Command) -> Command {
    let folder = Arg::new("folder")
        .value_name("BUNDLE")
        .value_parser(value_parser!(std::ffi::OsString));
    command
        .arg(
            folder
                .help("the folder with config.json [.]")
                .conflicts_with("bundle"),
        )
        .args([
            bundle("the same, as create has it"),
            switch("json", "for programs"),
            choice(
                "platform",
                "NAME",
                &["linux", "windows"],
                "what the bundle is for [this machine]",
            ),
        ])
        .about(
            "\
Read a bundle and decide everything, as create would, then print it and do nothing: each step,
the kernel's calls, and the place in config.json where each comes from. It needs no
privileges.",
        )
        .after_help("Example:\n  orbital plan hello")
}

fn id() -> Arg {
    Arg::new("id")
        .value_name("ID")
        .required(true)
        .value_parser(value_parser!(std::ffi::OsString))
        .help("the container's name, unique below --root")
}

/// A flag of a table.
fn arg(flag: &'static Flag) -> Arg {
    let arg = match flag.takes {
        Takes::Nothing => switch(flag.name, flag.help),
        Takes::Text(of) => value(flag.name, of, flag.help),
        Takes::Many(of) => many(flag.name, of, flag.help),
        Takes::Word(of, words) => choice(flag.name, of, words, flag.help),
        Takes::Number(of) => value(flag.name, of, flag.help).value_parser(value_parser!(u32)),
    };
    match flag.short {
        Some(letter) => arg.short(letter),
        None => arg,
    }
}

fn bundle(help: &'static str) -> Arg {
    value("bundle", "DIR", help).short('b')
}

/// A flag with a value. An empty one counts as none, as Go's callers mean it.
fn value(name: &'static str, of: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(of)
        .help(help)
        .value_parser(value_parser!(std::ffi::OsString))
}

fn choice(
    name: &'static str,
    of: &'static str,
    words: &'static [&'static str],
    help: &'static str,
) -> Arg {
    value(name, of, help).value_parser(PossibleValuesParser::new(words))
}

/// A flag with a value that may be given again and again.
fn many(name: &'static str, of: &'static str, help: &'static str) -> Arg {
    value(name, of, help).action(ArgAction::Append)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .help(help)
        .action(ArgAction::SetTrue)
}

#[cfg(test)]
mod tests;
