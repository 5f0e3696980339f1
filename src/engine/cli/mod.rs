//! The engine's command line: global flags, then a verb. Each family of verbs has a file, whose table says
//! of each how it is parsed and what carries it out. Flags are read as the runtime's are (`cli/normal.rs`):
//! `-long` is `--long`, and the last of two counts, unless a flag may be repeated.

/// Flags about how an image is fetched.
pub mod fetching;

/// Images that come and that are here.
pub mod images;

/// Images that go into a tar and come out of one.
mod archives;

/// Names of images that come and go.
mod remove;

/// Passwords.
mod login;

/// What the engine is and has.
mod about;

/// Containers, and what is around them.
mod containers;

/// What others have and we have not.
mod absent;

/// Verbs by which the engine calls itself.
mod own;

use super::network::{gate, proxy};
use super::places::Places;
use super::store::sweep;
use super::unpack;
use super::{Failed, Outcome};
use crate::cli::flags::Extent;
use crate::cli::misuse;
use crate::cli::normal::{Letters, normal};
use crate::error::{Error, Result};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A verb: its line in the help, how it is parsed, and what carries it out.
#[derive(Debug)]
pub struct Verb {
    /// As it is typed.
    pub name: &'static str,
    /// One line that says what it does.
    pub line: &'static str,
    /// How far its flags are looked for: up to the first word where the rest is another program's.
    pub extent: Extent,
    /// Its flags, its arguments and its long help.
    pub define: fn(Command) -> Command,
    /// What it does.
    pub run: fn(&ArgMatches, &Places) -> Outcome,
}

/// All verbs, under the headings of the help.
pub const FAMILIES: [(&str, &[Verb]); 8] = [
    ("Containers:", containers::VERBS),
    ("Looking into one:", containers::INSIDE),
    ("Around them:", containers::AROUND),
    ("Images:", images::VERBS),
    ("Their names:", remove::VERBS),
    ("Archives of them:", archives::VERBS),
    ("Registries:", login::VERBS),
    ("About the engine:", about::VERBS),
];

const WHAT_IT_IS: &str = "\
orbital-engine is orbital's small front: it fetches images, unpacks them, and has orbital, the
runtime, run them. `orbital VERB` starts it for every verb below that is none of the runtime's own.";

/// Carries out one command line, its first word being the program's own name.
///
/// # Errors
/// What the verb cannot do, or a command line that cannot be understood, with the exit status for it.
pub fn carry_out(argv: &[OsString]) -> Outcome {
    if let Some(status) = worker(argv) {
        return Ok(status);
    }
    // The engine calls itself by these, and nobody else does: they are in no list and have no flags.
    if argv.get(1).is_some_and(|word| word == proxy::VERB) {
        return Ok(proxy::serve().map(|()| 0)?);
    }
    if argv.get(1).is_some_and(|word| word == gate::VERB) {
        return Ok(gate::pass().map(|()| 0)?);
    }
    let root = root();
    let typed = normal(
        &root,
        argv.get(1..).unwrap_or_default(),
        Extent::FirstWord,
        Letters::Values,
    );
    if let Some(fault) = typed.fault {
        return Err(fault.into());
    }
    let found = root
        .try_get_matches_from(typed.flags_for_clap())
        .map_err(|error| misuse::from_clap(&error, "orbital"))?;
    if found.get_flag("version") {
        return say(&format!(
            "orbital-engine version {}",
            env!("CARGO_PKG_VERSION")
        ));
    }
    let Some((verb, rest)) = typed
        .words
        .split_first()
        .filter(|_| !found.get_flag("help"))
    else {
        return say(&help());
    };
    let verb = verb.to_string_lossy();
    let (verb, rest) = match (verb.as_ref(), rest.first()) {
        ("help", None) => return say(&help()),
        ("help", Some(about)) => (about.to_string_lossy(), &["--help".into()][..]),
        _ => (verb, rest),
    };
    let place = |name| found.get_one::<OsString>(name).map(PathBuf::from);
    let (store, state) = (place("store"), place("state"));
    if let Some(outcome) = own::carry_out(&verb, rest, || Places::new(store.clone(), state.clone()))
    {
        return outcome;
    }
    let (verb, rest) = of_images(&verb, rest);
    let verb = verbs()
        .find(|known| known.name == verb)
        .ok_or_else(|| unknown(&verb))?;
    one(verb, rest, || Places::new(store, state))
}

/// This program as a worker of its own.
fn worker(argv: &[OsString]) -> Option<u8> {
    match argv {
        [_, word, order] if word == unpack::WORD => Some(unpack::worker::work(order.to_str()?)),
        [_, word] if word == unpack::borrow::WORD => Some(unpack::borrow::work()),
        [_, word, path] if word == sweep::WORD => Some(sweep::work(Path::new(path))),
        _ => None,
    }
}

/// `image ls` is `images`, and so on, as docker and podman have it.
fn of_images<'w>(verb: &'w str, rest: &'w [OsString]) -> (Cow<'w, str>, &'w [OsString]) {
    match rest.split_first() {
        Some((word, after)) if verb == "image" => match word.to_str().unwrap_or_default() {
            "ls" | "list" => ("images".into(), after),
            "rm" | "remove" => ("rmi".into(), after),
            "prune" => ("image prune".into(), after),
            word @ ("pull" | "import" | "inspect" | "tag" | "save" | "load") => {
                (word.into(), after)
            }
            _ => (verb.into(), rest),
        },
        _ => (verb.into(), rest),
    }
}

fn one(verb: &Verb, argv: &[OsString], places: impl FnOnce() -> Result<Places>) -> Outcome {
    let mut command = definition(verb);
    let typed = normal(&command, argv, verb.extent, Letters::Values);
    if let Some(fault) = typed.fault {
        return Err(absent::flag(fault).into());
    }
    match command.try_get_matches_from_mut(typed.for_clap()) {
        Ok(found) => (verb.run)(&found, &places()?),
        Err(help) if help.kind() == ErrorKind::DisplayHelp => say(&help.render().to_string()),
        Err(error) => Err(misuse::from_clap(&error, &format!("orbital {}", verb.name)).into()),
    }
}

fn definition(verb: &Verb) -> Command {
    let command = Command::new(verb.name)
        .bin_name(format!("orbital {}", verb.name))
        .disable_help_flag(true)
        .args_override_self(true);
    let help = Arg::new("help").long("help").help("print this");
    (verb.define)(command).arg(help.action(ArgAction::HelpShort))
}

/// The whole command line as one definition, for manual pages and completions.
#[must_use]
pub fn whole() -> Command {
    let verbs = verbs().map(|verb| {
        let command = definition(verb);
        let long = command.get_about().cloned().unwrap_or_default();
        command.about(verb.line).long_about(long)
    });
    root()
        .about("fetch images, run containers of them, connect them")
        .long_about(WHAT_IT_IS)
        .disable_help_subcommand(true)
        .subcommands(verbs)
}

/// All verbs, in the order of the help.
pub fn verbs() -> impl Iterator<Item = &'static Verb> {
    FAMILIES.iter().flat_map(|(_, verbs)| verbs.iter())
}

fn unknown(word: &str) -> Failed {
    let runtimes = crate::cli::args::names().map(|verb| verb.name);
    let known = verbs().map(|verb| verb.name).chain(runtimes);
    absent::verb(misuse::no_such_verb(word, known, "orbital"), word).into()
}

fn root() -> Command {
    Command::new("orbital-engine")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .args([
            value("store", "DIR", "where images are kept [/var/lib/orbital; for a user $XDG_DATA_HOME/orbital]"),
            value("state", "DIR", "where running things are remembered [/run/orbital-engine; for a user $XDG_RUNTIME_DIR/orbital-engine]"),
            switch("version", "print the version").short('v'),
            switch("help", "print this").short('h'),
        ])
}

fn help() -> String {
    let mut listed = String::new();
    for (heading, verbs) in &FAMILIES {
        let _ = write!(listed, "\n{heading}\n");
        for verb in *verbs {
            let _ = writeln!(listed, "  {:14}{}", verb.name, verb.line);
        }
    }
    let template = format!(
        "{WHAT_IT_IS}\n\nUsage: orbital [GLOBAL OPTIONS] VERB [OPTIONS] [ARGUMENTS]\n{listed}\nGlobal options:\n{{options}}\n\norbital VERB --help tells more about each verb.\n"
    );
    root().help_template(template).render_help().to_string()
}

/// Prints `text` and a line's end; a reader that closed its end has read enough.
///
/// # Errors
/// Standard output that takes no more.
pub fn say(text: &str) -> Outcome {
    let line = text.trim_end_matches('\n').to_owned() + "\n";
    match std::io::stdout().write_all(line.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::io("write the answer", "standard output", "write", &error).into())
        }
        _ => Ok(0),
    }
}

/// A flag with a value.
#[must_use]
pub fn value(name: &'static str, of: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(of)
        .help(help)
        .value_parser(value_parser!(OsString))
}

/// A flag without.
#[must_use]
pub fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .help(help)
        .action(ArgAction::SetTrue)
}

/// A word or words that are no flags.
#[must_use]
pub fn word(name: &'static str, of: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .value_name(of)
        .help(help)
        .value_parser(value_parser!(OsString))
}

/// What was typed for `name`, where it was.
#[must_use]
pub fn text(found: &ArgMatches, name: &str) -> Option<String> {
    found
        .get_one::<OsString>(name)
        .map(|value| value.to_string_lossy().into_owned())
}

/// All that was typed for `name`.
#[must_use]
pub fn texts(found: &ArgMatches, name: &str) -> Vec<String> {
    let all = found.get_many::<OsString>(name).into_iter().flatten();
    all.map(|value| value.to_string_lossy().into_owned())
        .collect()
}
