use super::{Verb, check};
use crate::state::Status::{Created, Creating, Paused, Running, Stopped};

const STATUSES: [crate::state::Status; 5] = [Creating, Created, Running, Paused, Stopped];

/// The table of the module's head, read from there.
#[test]
fn the_table() {
    let verbs = [
        ("start", Verb::Start),
        ("kill", Verb::Kill),
        ("pause", Verb::Pause),
        ("resume", Verb::Resume),
        ("update", Verb::Update),
        ("events", Verb::Events),
        ("ps", Verb::Ps),
        ("delete", Verb::Delete),
    ];
    let text = include_str!("mod.rs");
    for (name, verb) in verbs {
        let row = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("//! | {name} | ")));
        let row: Vec<&str> = row.unwrap().trim_end_matches(" |").split(" | ").collect();
        assert_eq!(row.len(), STATUSES.len() + 1, "{name}");
        for (cell, status) in row.iter().zip(STATUSES) {
            assert_eq!(
                check(verb, "a", status, 7).is_ok(),
                *cell == "yes",
                "{name} {status:?}"
            );
        }
    }
}

/// Words that callers look for.
#[test]
fn the_words() {
    let rows = [
        (Verb::Pause, Paused, "container not running"),
        (Verb::Pause, Stopped, "container not running"),
        (Verb::Resume, Running, "container not paused"),
        (Verb::Resume, Stopped, "container not paused"),
        (Verb::Update, Stopped, "container not running"),
        (Verb::Events, Stopped, "container not running"),
        (Verb::Kill, Stopped, "container not running"),
        (
            Verb::Start,
            Stopped,
            "cannot start a container that has stopped",
        ),
        (Verb::Ps, Creating, "still being created"),
    ];
    for (verb, status, words) in rows {
        let told = check(verb, "a", status, 7).unwrap_err().one_line();
        assert!(told.contains(words), "{verb:?} {status:?}: {told}");
    }
}
