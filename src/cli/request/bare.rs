//! `run -- PROGRAM …` and `run PROGRAM WORD …`, where there are containers without a bundle.

use super::request;
use crate::cli::flags::Extent;
use crate::cli::normal::{Letters, normal};
use crate::cli::{Create, Manager, Platform, Request, misuse};
use crate::error::Error;
use std::ffi::OsString;

/// The request, where it is one: an id that more words follow is none, but for flags, which may follow an id everywhere.
pub(super) fn run(
    verb: &str,
    command: &clap::Command,
    argv: &[OsString],
    manager: Manager,
) -> Option<Result<Request, Error>> {
    if verb != "run" || Platform::HERE != Platform::Windows {
        return None;
    }
    let typed = normal(command, argv, Extent::FirstWord, Letters::Switches);
    let dashes = argv.len().checked_sub(typed.words.len() + 1);
    let is_explicit = dashes
        .and_then(|at| argv.get(at))
        .is_some_and(|word| word == "--");
    let second = typed.words.get(1);
    let follows = second.is_some_and(|word| !word.as_encoded_bytes().starts_with(b"-"));
    if typed.words.is_empty() || !(is_explicit || follows) {
        return None;
    }
    // The words are the program's; clap reads the flags with a name in the place of the id.
    let id = format!("run-{}", std::process::id());
    let line = typed.flags_for_clap().map(OsString::from);
    let line: Vec<OsString> = line.chain([OsString::from(id)]).collect();
    let mut found = match command.clone().try_get_matches_from(line) {
        Ok(found) => found,
        Err(error) => return Some(Err(misuse::from_clap(&error, "orbital run"))),
    };
    let words = typed.words.iter();
    let program = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    Some(
        request(verb, &mut found, manager).map(|request| match request {
            Request::Run {
                create,
                attendance,
                afterwards,
            } => Request::Run {
                create: Create {
                    command: program,
                    ..create
                },
                attendance,
                afterwards,
            },
            other => other,
        }),
    )
}
