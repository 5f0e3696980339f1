//! What is wrong with a command line, in the words of every other error, with the nearest right word.

use super::Global;
use crate::error::nearest;
use crate::error::{Cause, Error, Object};
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// A command line that cannot be understood.
#[derive(Debug)]
pub struct Misuse {
    /// The global flags as far as they were understood: where to log this.
    pub global: Global,
    /// What is wrong.
    pub error: Error,
}

/// The same failure where the command line was the engine's and there is none: what to do, unless a word was merely
/// misspelt.
#[must_use]
pub fn without_engine(error: Error, absent: &'static str) -> Error {
    match error.report().hint.as_deref() {
        Some(near) if near.starts_with("did you mean") => error,
        _ => error.hint(absent),
    }
}

/// A refusal of `what`, as it was typed.
pub(super) fn refused(what: &str, why: &str) -> Error {
    let object = if what.is_empty() {
        Object::Nothing
    } else {
        Object::Argument(what.to_owned())
    };
    Error::new(
        "read the command line",
        object,
        Cause::Refused(why.to_owned()),
    )
}

/// A flag without its value. podman looks for these words, which are those of Go's `flag` package.
pub(super) fn needs_argument(flag: &str) -> Error {
    refused("", &format!("flag needs an argument: --{flag}"))
}

/// A flag that `command` does not have.
pub(super) fn unknown_flag(flag: &str, command: &clap::Command) -> Error {
    let name = flag
        .trim_start_matches('-')
        .split('=')
        .next()
        .unwrap_or_default();
    let whose = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let flags = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set())
        .filter_map(|arg| arg.get_long());
    let hint = match nearest(name, flags) {
        Some(near) => format!("did you mean --{near}?"),
        None if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("write {name} without the dash")
        }
        None => format!("see {whose} --help"),
    };
    refused(flag, &format!("{whose} has no such flag")).hint(hint)
}

/// A word that is none of the `known` verbs.
#[must_use]
pub fn no_such_verb<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    program: &str,
) -> Error {
    let hint = match nearest(word, known) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("see {program} --help for all verbs"),
    };
    refused(word, "there is no such verb").hint(hint)
}

/// What clap found wrong after the flags had been put in order.
#[must_use]
pub fn from_clap(error: &clap::Error, whose: &str) -> Error {
    let argument = context(error, ContextKind::InvalidArg);
    let value = context(error, ContextKind::InvalidValue);
    let see = format!("see {whose} --help");
    // clap writes `--format <FORMAT>`; the flag alone is what was typed.
    let flag = argument.split(' ').next().unwrap_or_default();
    match error.kind() {
        ErrorKind::MissingRequiredArgument => refused(
            "",
            &format!("{} is missing", argument.trim_matches(['<', '>'])),
        ),
        ErrorKind::UnknownArgument => refused(&argument, "one argument too many"),
        ErrorKind::ArgumentConflict => refused(
            flag,
            &format!(
                "not together with {}",
                context(error, ContextKind::PriorArg)
            ),
        ),
        ErrorKind::InvalidValue => {
            let words = context(error, ContextKind::ValidValue);
            refused(&format!("{flag}={value}"), "no such value").hint(format!("use one of {words}"))
        }
        ErrorKind::ValueValidation => {
            refused(&format!("{flag}={value}"), "not a number that fits").hint(see)
        }
        _ => refused(&argument, &error.kind().to_string()).hint(see),
    }
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    }
}
