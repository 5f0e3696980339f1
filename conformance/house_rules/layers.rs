//! The rooms of `src/` and who may know whom: data flows `spec → plan → linux | windows`, `state` keeps what remains,
//! and `life` tells the story above them all.

use crate::tree::Source;
use crate::walls::known;

/// Each room with the rooms that it may know; they all stand above it in this list, so that there is no way round.
pub(crate) const ROOMS: [(&str, &[&str]); 11] = [
    ("sys", &[]),
    ("error", &["sys"]),
    ("spec", &["sys", "error"]),
    ("cli", &["sys", "error", "spec"]),
    ("plan", &["error", "spec", "cli"]),
    ("state", &["sys", "error", "plan"]),
    ("cgroup", &["sys", "error", "plan"]),
    (
        "linux",
        &["sys", "error", "spec", "cli", "plan", "state", "cgroup"],
    ),
    ("windows", &["sys", "error", "spec", "cli", "plan", "state"]),
    // The story asks the kernel nothing itself, and does not know which platform carries it out.
    (
        "life",
        &["error", "spec", "cli", "plan", "state", "backend"],
    ),
    // A program beside the runtime: it calls that by its command line, and shares what lies below.
    (
        "engine",
        &["sys", "error", "cli", "state", "cgroup", "linux"],
    ),
];

/// What `lib.rs` calls the one platform that is built.
pub(crate) const PLATFORM: &str = "backend";

/// No room knows one that stands above it.
pub(crate) fn arrows(source: &Source) -> Vec<String> {
    let Some((room, _)) = source
        .path
        .strip_prefix("src/")
        .and_then(|path| path.split_once('/'))
    else {
        return Vec::new(); // lib.rs and main.rs know all of them
    };
    let Some((_, below)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        let path = &source.path;
        return vec![format!("{path}: {room} is no room that the layers name")];
    };
    let is_room = |name: &str| name == PLATFORM || ROOMS.iter().any(|(room, _)| *room == name);
    let wrong = known(source).into_iter().filter(|(_, path)| {
        let other = path.get(1).map_or("", String::as_str);
        path[0] == "crate" && other != room && is_room(other) && !below.contains(&other)
    });
    wrong
        .map(|(line, path)| {
            let path = path.join("::");
            format!("{}:{line}: {room} may not know {path}", source.path)
        })
        .collect()
}
