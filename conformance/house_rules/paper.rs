//! Rules about what is not Rust: manifests, golden messages, and what no file may mention.

use crate::scan;
use crate::tree;
use std::collections::BTreeSet;
use std::fs;

/// How many direct dependencies each manifest may have, in all of its sections together.
pub(crate) const MOST_DEPENDENCIES: [(&str, usize); 3] = [
    ("Cargo.toml", 28),
    ("conformance/Cargo.toml", 7),
    ("conformance/fuzz/Cargo.toml", 5),
];

/// Steps that no bundle can make fail, each with the reason.
const WITHOUT_BUNDLE: [(&str, &str); 19] = [
    ("SealHeap", "sets a flag; no system call"),
    ("Mapped", "a gate breaks only if the parent dies"),
    (
        "BecomeRoot",
        "0 is mapped, or the step is left out; a joined user namespace without 0 needs another container",
    ),
    (
        "Unshare",
        "fails only where the host's limit of cgroup namespaces is reached",
    ),
    (
        "Network",
        "fails only where no descriptor or no memory is left",
    ),
    ("Propagation", "the mount namespace is the container's own"),
    ("Pivot", "fails only where / is the initial ramfs"),
    (
        "RootFlags",
        "sets flags of mounts that earlier steps have made",
    ),
    (
        "Personality",
        "the kernel refuses none of the values that are planned",
    ),
    ("Bounding", "the plan leaves out what the caller lacks"),
    (
        "Ids",
        "the plan knows the mappings, but those of a joined user namespace, which needs another container",
    ),
    ("Capabilities", "the plan leaves out what the caller lacks"),
    ("Session", "a new process may always begin a session"),
    ("Mounted", "a gate breaks only if the parent dies"),
    ("Stdio", "the null device was opened before"),
    ("NoNewPrivs", "the kernel never refuses it"),
    ("CloseOnExec", "close_range fails on no bundle"),
    ("Ready", "a gate breaks only if the parent dies"),
    (
        "Start",
        "a gate breaks only if the waiting process is killed",
    ),
];

/// Hints that no bundle can trigger on every host, by how they begin after their first value, each with the reason.
const WITHOUT_TRIGGER: [(&str, &str); 12] = [
    (
        ", or hand it over in a file",
        "the same: program/what-is-too-long-is-named",
    ),
    (
        "shorten the ",
        "it takes a config.json of some hundred KiB; program/what-is-too-long-is-named has one",
    ),
    (
        "where / is the initial ramfs",
        "the machine of the tests has a real root",
    ),
    (
        " enter it by its mode",
        "root may enter every directory but one of a network file system",
    ),
    (
        "let the container's root user reach it",
        "only an ordinary user can be kept from it",
    ),
    (
        "choose ids that the container's user namespace maps",
        "the user namespace of another container is needed",
    ),
    (
        "use rbind: the source holds mounts",
        "only the mounts of an ordinary user are locked",
    ),
    (
        "making namespaces needs CAP_SYS_ADMIN",
        "the tests are root",
    ),
    (
        "this host forbids user namespaces",
        "a setting of the whole host",
    ),
    (
        "the limit of namespaces is reached",
        "a setting of the whole host",
    ),
    ("orbital needs Linux", "the tests run on a newer one"),
    (
        "lowerdir, upperdir and workdir",
        "kernels before 6.5 look at an overlay's directories together",
    ),
];

/// Directories that every Linux has: what lies in them says nothing of one machine.
const EVERYWHERE: [&str; 6] = ["/", "/tmp", "/home", "/srv", "/opt", "/root"];

/// Ends of host names that only one network can resolve.
const PRIVATE_ENDS: [&str; 6] = [".local", ".internal", ".lan", ".corp", ".intranet", ".svc"];

/// Each dependency stands under a comment that is a sentence, and there are not too many.
pub(crate) fn dependencies(manifest: &str, text: &str, most: usize) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut count = 0;
    let mut inside = false;
    let mut above = "";
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            inside = section.trim_end_matches(']').ends_with("dependencies");
        } else if inside && line.contains('=') && !line.starts_with('#') {
            count += 1;
            // A comment may speak for the lines that follow it without a gap.
            if !(above.starts_with("# ") && above.ends_with('.') || above.contains(" = ")) {
                complaints.push(format!("{manifest}: no sentence of reason above {line}"));
            }
        }
        above = line;
    }
    if count > most {
        complaints.push(format!(
            "{manifest}: {count} dependencies, {most} are allowed"
        ));
    }
    complaints
}

/// The lock file takes every package from crates.io.
pub(crate) fn lock_sources(lock: &str) -> Vec<String> {
    let expected = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let sources = lock.lines().filter(|line| line.starts_with("source = "));
    let others: BTreeSet<_> = sources.filter(|line| *line != expected).collect();
    others
        .into_iter()
        .map(|line| format!("Cargo.lock: {line}"))
        .collect()
}

/// The steps that `step.rs` declares, as (number, name): a line of these two and the step's words.
pub(crate) fn steps(text: &str) -> Vec<(&str, &str)> {
    let declared = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (number, name) = (words.next()?, words.next()?);
        let counted = number.bytes().all(|b| b.is_ascii_digit());
        let named = name.starts_with(|c: char| c.is_ascii_uppercase());
        (counted && named && words.next()?.starts_with('"')).then_some((number, name))
    });
    declared.collect()
}

/// Every step is the step of some golden message.
pub(crate) fn steps_without_golden(step_rs: &str, goldens: &[String]) -> Vec<String> {
    let declared = steps(step_rs);
    if declared.is_empty() {
        return vec!["src/linux/step.rs: declares no step that this rule can read".to_owned()];
    }
    let shown = |number: &str| {
        let line = format!("step:  {number} of ");
        goldens.iter().any(|golden| golden.contains(&line))
    };
    let exempt = |name: &str| WITHOUT_BUNDLE.iter().any(|(step, _)| *step == name);
    let untold = declared.iter();
    let untold = untold.filter(|(number, name)| !exempt(name) && !shown(number));
    let untold = untold.map(|(number, name)| {
        format!("src/linux/step.rs: no golden message shows step {number}, {name}")
    });
    untold.collect()
}

/// Every sentence of the table of hints is in some golden message: in its longest part without a value.
pub(crate) fn hints_without_golden(hints_rs: &str, goldens: &[String]) -> Vec<String> {
    let view = scan::views(hints_rs).text;
    let parts = literals(&view).into_iter().map(|text| longest_part(&text));
    let exempt = |part: &str| {
        WITHOUT_TRIGGER
            .iter()
            .any(|(words, _)| part.contains(words))
    };
    let told = |part: &str| goldens.iter().any(|golden| golden.contains(part));
    // Single words are names and values, not sentences.
    let sentences = parts.filter(|part| part.trim().contains(' '));
    let untold = sentences.filter(|part| !exempt(part) && !told(part));
    untold
        .map(|part| format!("src/linux/hints.rs: no broken bundle triggers {part:?}"))
        .collect()
}

/// The strings of a view of text, as they are printed.
fn literals(view: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = view.chars();
    while chars.any(|c| c == '"') {
        let mut literal = String::new();
        while let Some(c) = chars.next().filter(|c| *c != '"') {
            literal.extend(if c == '\\' { chars.next() } else { Some(c) });
        }
        found.push(literal);
    }
    found
}

/// The longest of the parts around `{…}`. The braces of JSON in a hint hold quotes, or are doubled.
fn longest_part(literal: &str) -> String {
    let parts = literal.split('{').map(|part| match part.split_once('}') {
        Some((value, rest)) if !value.contains('"') => rest,
        _ => part,
    });
    let longest = parts.max_by_key(|part| part.len()).unwrap_or_default();
    longest.to_owned()
}

/// The golden messages: of the broken bundles, and of what no bundle alone can make fail.
pub(crate) fn goldens() -> Vec<String> {
    let all = tree::text_files().into_iter();
    let golden = all.filter(|(path, _)| {
        let broken = path.starts_with("bundle-examples/broken/") && path.ends_with("/message.txt");
        broken || path.starts_with("conformance/messages/")
    });
    golden.map(|(_, text)| text).collect()
}

/// Every folder in `bundle-examples/broken` has a message that says what cannot be done.
pub(crate) fn broken_without_message() -> Vec<String> {
    let Ok(entries) = fs::read_dir(tree::top().join("bundle-examples/broken")) else {
        return Vec::new();
    };
    let folders = entries.flatten().map(|entry| entry.path());
    let folders = folders.filter(|path| path.is_dir() && !path.ends_with("rootfs"));
    let silent = folders.filter(|path| {
        let message = fs::read_to_string(path.join("message.txt")).unwrap_or_default();
        !message.contains("cannot ")
    });
    silent
        .map(|path| format!("{}: no message.txt with a \"cannot\"", path.display()))
        .collect()
}

/// The paths that only this machine has: the checkout itself and what lies beside it.
pub(crate) fn places_of_this_machine() -> Vec<String> {
    let top = tree::top();
    let mut places = vec![top.display().to_string()];
    let Some(parent) = top.parent() else {
        return places;
    };
    if EVERYWHERE.contains(&parent.display().to_string().as_str()) {
        return places;
    }
    let beside = fs::read_dir(parent).into_iter().flatten().flatten();
    places.extend(beside.map(|entry| entry.path().display().to_string()));
    places
}

/// Lines that name one of the places, or a host that only one network knows.
pub(crate) fn local_names(path: &str, text: &str, places: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let place = places.iter().find(|place| names(line, place));
        if let Some(place) = place {
            complaints.push(format!("{path}:{}: names {place}", at + 1));
        }
        if let Some(host) = hosts(line).find(|host| private(host)) {
            complaints.push(format!("{path}:{}: names the host {host}", at + 1));
        }
    }
    complaints
}

/// Whether the line has the place as a whole path, not as the beginning of another name.
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let after = line[at + place.len()..].chars().next();
        let before = line[..at].chars().next_back();
        let goes_on =
            |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
        !goes_on(after) && !goes_on(before)
    })
}

/// The hosts of the web addresses in a line.
fn hosts(line: &str) -> impl Iterator<Item = &str> {
    let addresses = line.match_indices("://").map(|(at, _)| &line[at + 3..]);
    let cut = |c: char| !(c.is_alphanumeric() || c == '.' || c == '-');
    addresses.map(move |rest| rest.split(cut).next().unwrap_or_default())
}

fn private(host: &str) -> bool {
    PRIVATE_ENDS.iter().any(|end| host.ends_with(end))
}
