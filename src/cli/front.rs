//! Whose a command line is: the runtime's, or that of orbital-engine, the program beside it.
//!
//! `run exec ps kill start pause update` are verbs of both. Whoever was written for runc must never meet the
//! engine, so everything that only a runtime's caller says decides for the runtime; the host is asked only
//! where the words do not tell. [`meaning`] is pure: what it asks comes in as functions. It allocates
//! nothing, since every `create` passes it.

use std::ffi::{OsStr, OsString};

/// Whose a command line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The runtime's: what it says is understood here.
    Runtime,
    /// The engine's, where there is one.
    Engine,
}

/// What the words of a command line leave open.
pub trait Host {
    /// Whether `./config.json` exists.
    fn has_bundle_here(&self) -> bool;

    /// Whether the runtime has a container of exactly this id.
    fn has_container(&self, id: &OsStr) -> bool;
}

/// Names under which only a runtime is called.
const RUNTIME_NAMES: [&str; 3] = ["runc", "crun", "orbital-runtime"];

/// Verbs that only a runtime has.
const RUNTIME_VERBS: [&str; 11] = [
    "create",
    "state",
    "delete",
    "list",
    "spec",
    "features",
    "events",
    "plan",
    "resume",
    "checkpoint",
    "restore",
];

/// Global flags that only the engine has.
const ENGINE_GLOBALS: [&str; 2] = ["store", "state"];

/// Flags after a verb that only a runtime's caller gives.
const RUNTIME_FLAGS: [&str; 17] = [
    "bundle",
    "b",
    "console-socket",
    "pid-file",
    "preserve-fds",
    "no-pivot",
    "no-new-keyring",
    "process",
    "pidfd-socket",
    "keep",
    "no-subreaper",
    "process-label",
    "apparmor",
    "cwd",
    "additional-gids",
    "ignore-paused",
    "resources",
];

/// The words after `orbital oci`, or all after the program's name.
#[must_use]
pub fn strict(argv: &[OsString]) -> Option<&[OsString]> {
    match argv.get(1) {
        Some(word) if word == "oci" => argv.get(2..),
        _ => None,
    }
}

/// Whose `argv` is, its first word being the program's own name.
pub fn meaning(argv: &[OsString], host: &impl Host) -> Meaning {
    let Some((name, words)) = argv.split_first() else {
        return Meaning::Runtime;
    };
    let name = std::path::Path::new(name).file_name().unwrap_or_default();
    if RUNTIME_NAMES.iter().any(|runtime| name == *runtime) {
        return Meaning::Runtime;
    }
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match flag(word) {
            None => return of_verb(word, rest.as_slice(), host),
            Some("debug") => {}
            Some(flag) if ENGINE_GLOBALS.contains(&flag) => return Meaning::Engine,
            // --root, --log and their like: a runtime's caller. Unknown ones are told by the runtime.
            Some(_) => return Meaning::Runtime,
        }
    }
    Meaning::Runtime
}

/// The name of a flag, without its dashes and its value.
fn flag(word: &OsStr) -> Option<&str> {
    let text = word.to_str().unwrap_or("-?");
    let bare = text.strip_prefix('-').filter(|bare| !bare.is_empty())?;
    let bare = bare.strip_prefix('-').unwrap_or(bare);
    Some(bare.split_once('=').map_or(bare, |(name, _)| name))
}

fn of_verb(verb: &OsStr, words: &[OsString], host: &impl Host) -> Meaning {
    let Some(verb) = verb.to_str() else {
        return Meaning::Runtime;
    };
    if RUNTIME_VERBS.contains(&verb) || verb == "help" {
        return Meaning::Runtime;
    }
    match verb {
        "run" | "exec" | "ps" | "kill" | "start" | "pause" | "update" if is_for_help(words) => {
            Meaning::Runtime
        }
        "run" => of_run(words, host),
        "exec" | "ps" | "kill" | "start" | "pause" | "update" => of_id(verb, words, host),
        _ => Meaning::Engine,
    }
}

/// The help of a verb of both is the runtime's, which names the other one.
fn is_for_help(words: &[OsString]) -> bool {
    matches!(words, [only] if matches!(flag(only), Some("help" | "h")))
}

/// Flags come first; the first word that is none is whom it is about, and of the flags that take a value
/// only those of a runtime matter, which decide by themselves.
fn leading_flags(words: &[OsString]) -> impl Iterator<Item = &str> {
    words.iter().map_while(|word| flag(word))
}

fn is_runtimes(verb: &str, flag: &str) -> bool {
    // publish in the engine's run, the process's file in a runtime's exec.
    RUNTIME_FLAGS.contains(&flag)
        || verb == "exec" && flag == "p"
        || verb == "update" && flag == "r"
}

/// `run ID`, as runc has it, is one word beside a config.json; everything else is `run IMAGE`.
fn of_run(words: &[OsString], host: &impl Host) -> Meaning {
    if leading_flags(words).any(|flag| is_runtimes("run", flag)) {
        return Meaning::Runtime;
    }
    let mut ids = 0;
    let mut foreign = false;
    for word in words {
        match flag(word) {
            None => ids += 1,
            Some(name) => {
                // runc's callers put flags after the id as well.
                if ids == 1 && is_runtimes("run", name) && !foreign {
                    return Meaning::Runtime;
                }
                foreign |= !matches!(name, "d" | "detach");
            }
        }
    }
    if ids == 1 && !foreign && host.has_bundle_here() {
        return Meaning::Runtime;
    }
    Meaning::Engine
}

/// Verbs about one container: the runtime's, if it has one of exactly this id.
fn of_id(verb: &str, words: &[OsString], host: &impl Host) -> Meaning {
    if leading_flags(words).any(|flag| is_runtimes(verb, flag)) {
        return Meaning::Runtime;
    }
    // The value of a flag (`--signal TERM c1`) is a word too: whichever names a container decides.
    // What follows a container's name in exec and ps is another program's.
    let mut named = words.iter().filter(|word| flag(word).is_none());
    let Some(first) = named.next() else {
        // Flags alone: `ps -a`, `kill --all`. `pause` without anything is told by whoever is there.
        return Meaning::Engine;
    };
    if host.has_container(first) {
        return Meaning::Runtime;
    }
    let after_a_flag = words.first().is_some_and(|word| flag(word).is_some());
    if after_a_flag && named.any(|word| host.has_container(word)) {
        return Meaning::Runtime;
    }
    // runc's `ps ID`; the engine's ps takes no name.
    if verb == "ps" && !after_a_flag {
        return Meaning::Runtime;
    }
    Meaning::Engine
}

#[cfg(test)]
mod tests;
