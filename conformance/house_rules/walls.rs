//! Rules about who may know whom: the direction of the data, and the home of `unsafe`.

use crate::scan;
use crate::tree::{self, Source};

/// The only place of `unsafe`. The suite needs none.
const UNSAFE_HOME: &str = "src/sys/";

/// What a contract may not say, because it could not be wrong.
const EMPTY_CONTRACTS: [&str; 4] = [
    "parameters are valid",
    "arguments are valid",
    "this is safe",
    "always safe",
];

/// What `plan/` must not know: the plan is made from the spec, the facts and the request alone.
const NOT_IN_PLAN: [&str; 14] = [
    "crate::sys",
    "crate::linux",
    "crate::windows",
    "crate::cgroup",
    "crate::state",
    "crate::life",
    "std::fs",
    "std::env",
    "std::net",
    "std::time",
    "std::process",
    "nix",
    "rustix",
    "libc",
];

/// What the child may know besides `core` and its own module.
const IN_CHILD: [&str; 15] = [
    "crate::plan",
    "crate::sys",
    "crate::linux",
    "std::cmp",
    "std::convert",
    "std::ffi::CStr",
    "std::iter",
    "std::mem",
    "std::num",
    "std::ops",
    "std::option",
    "std::os",
    "std::result",
    "std::slice",
    "std::str",
];

/// Names that mean the heap, or words made at run time.
const HEAP: [&str; 15] = [
    "String", "Vec", "Box", "Rc", "Arc", "HashMap", "BTreeMap", "CString", "PathBuf", "OsString",
    "vec", "format", "println", "eprintln", "to_owned",
];

/// Crates that the child meets only through `sys/`.
const CRATES: [&str; 9] = [
    "nix",
    "rustix",
    "libc",
    "caps",
    "seccompiler",
    "serde_json",
    "oci_spec",
    "clap",
    "tracing",
];

/// Crates that only the engine is built with.
const ENGINES: [&str; 9] = [
    "base64",
    "basic_toml",
    "flate2",
    "indicatif",
    "landlock",
    "sha2",
    "tar",
    "ureq",
    "zstd",
];

/// `unsafe` stands only in its home.
pub(crate) fn unsafe_home(source: &Source) -> Vec<String> {
    if source.path.starts_with(UNSAFE_HOME) {
        return Vec::new();
    }
    let found = source.tokens.iter().filter(|t| t.text == "unsafe");
    found
        .map(|t| format!("{}:{}: unsafe outside its home", source.path, t.line))
        .collect()
}

/// Every unsafe block is one call, and above it stands a `// SAFETY:` that could be wrong.
pub(crate) fn unsafe_contract(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.raw.lines().map(str::trim).collect();
    let mut complaints = Vec::new();
    for (at, pair) in source.tokens.windows(2).enumerate() {
        let block = pair[1].text == "{";
        if pair[0].text != "unsafe" || !(block || pair[1].text == "impl") {
            continue;
        }
        let line = pair[0].line;
        let mut complain = |what| complaints.push(format!("{}:{line}: {what}", source.path));
        match contract_above(&lines, line) {
            None => complain("unsafe without a // SAFETY: above it"),
            Some(words) if empty_contract(&words) => complain("a SAFETY that names no contract"),
            Some(_) => {}
        }
        if block && statements(source, at + 1) > 1 {
            complain("an unsafe block of more than one statement");
        }
    }
    complaints
}

/// The words from `// SAFETY:` to the end of its comment, searched upwards from a line to the next
/// blank one.
fn contract_above(lines: &[&str], line: usize) -> Option<String> {
    let above = lines[..line - 1].iter().enumerate().rev();
    let mut near = above.take_while(|(_, text)| !text.is_empty());
    let (first, _) = near.find(|(_, text)| text.starts_with("// SAFETY:"))?;
    let comment = lines[first..].iter().take_while(|l| l.starts_with("//"));
    let words = comment.map(|l| l.trim_start_matches('/').trim());
    Some(words.collect::<Vec<_>>().join(" "))
}

fn empty_contract(words: &str) -> bool {
    let words = words.trim_start_matches("SAFETY:").trim().to_lowercase();
    words.len() < 16 || EMPTY_CONTRACTS.iter().any(|empty| words.contains(empty))
}

/// Semicolons directly in the block that opens at `open`.
fn statements(source: &Source, open: usize) -> usize {
    let end = scan::closing(&source.tokens, open);
    let mut at = open + 1;
    let mut found = 0;
    while at < end {
        match source.tokens[at].text.as_str() {
            "{" | "(" | "[" => at = scan::closing(&source.tokens, at),
            ";" => found += 1,
            _ => {}
        }
        at += 1;
    }
    let last = source.tokens[end - 1].text.as_str();
    found + usize::from(last != ";" && last != "}" && end - 1 > open)
}

/// `plan/` is pure: no file, clock, environment or kernel. Constants of the kernel are data.
pub(crate) fn pure_plan(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/plan/") {
        return Vec::new();
    }
    let wrong = known(source).into_iter().filter(|(_, path)| {
        let foreign = CRATES.contains(&path[0].as_str());
        NOT_IN_PLAN.iter().any(|no| within(path, no)) && !(foreign && constant(path))
    });
    wrong
        .map(|(line, path)| {
            let path = path.join("::");
            format!("{}:{line}: the plan may not ask {path}", source.path)
        })
        .collect()
}

/// The runtime is built without the engine, and without what only the engine needs.
pub(crate) fn no_engine(source: &Source) -> Vec<String> {
    let own = source.path.starts_with("src/engine/") || source.path == "src/lib.rs";
    if own || !source.path.starts_with("src/") {
        return Vec::new();
    }
    let foreign =
        |path: &[String]| within(path, "crate::engine") || ENGINES.contains(&path[0].as_str());
    let wrong = known(source).into_iter().filter(|(_, path)| foreign(path));
    wrong
        .map(|(line, path)| {
            let path = path.join("::");
            format!("{}:{line}: the runtime may not know {path}", source.path)
        })
        .collect()
}

/// `linux/child/` knows the plan, the syscalls and its own folder, and nothing that could allocate.
/// Of other crates it may use constants and types, which are the words of `sys/`, but call nothing.
pub(crate) fn bare_child(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/linux/child/") {
        return Vec::new();
    }
    let heap = source.product.iter();
    let heap = heap.filter(|t| HEAP.contains(&t.text.as_str()));
    let heap = heap.map(|t| {
        let (path, line, name) = (&source.path, t.line, &t.text);
        format!("{path}:{line}: the child has no heap: {name}")
    });
    let wrong = known(source).into_iter().filter(|(_, path)| {
        let judged = matches!(path[0].as_str(), "crate" | "std" | "alloc");
        let foreign = CRATES.contains(&path[0].as_str());
        foreign && calls(path) || judged && !IN_CHILD.iter().any(|yes| within(path, yes))
    });
    let wrong = wrong.map(|(line, path)| {
        let path = path.join("::");
        format!("{}:{line}: the child may not know {path}", source.path)
    });
    heap.chain(wrong).collect()
}

/// The paths of a file's product code from the root of its crate. A module of ours that has the name
/// of a foreign crate (`caps`) hides it once it is imported.
pub(crate) fn known(source: &Source) -> Vec<(usize, Vec<String>)> {
    let all = tree::paths(&source.product).into_iter();
    let all = all.map(|(line, path)| (line, tree::from_the_root(&source.path, &path)));
    let all: Vec<_> = all.collect();
    let ours = all.iter().filter(|(_, path)| path[0] == "crate");
    let ours: Vec<String> = ours.filter_map(|(_, path)| path.last().cloned()).collect();
    let hidden = |path: &[String]| ours.contains(&path[0]);
    all.into_iter().filter(|(_, path)| !hidden(path)).collect()
}

/// Whether a path ends in the name of a constant.
fn constant(path: &[String]) -> bool {
    path.last()
        .is_some_and(|name| !name.chars().any(char::is_lowercase))
}

/// Whether a path ends in the name of a function, or of a module that could hold any.
fn calls(path: &[String]) -> bool {
    path.last()
        .is_some_and(|name| name.starts_with(char::is_lowercase))
}

/// Whether a path is the named one or below it.
fn within(path: &[String], named: &str) -> bool {
    let mut names = path.iter().map(String::as_str);
    named.split("::").all(|name| names.next() == Some(name))
}
