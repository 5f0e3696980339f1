//! Rules about the shape of a file: its length, its functions, its names, how it introduces itself.

use crate::scan::{self, Token};
use crate::tree::Source;

const MOST_LINES: usize = 400;
const MOST_LINES_OF_FUNCTION: usize = 60;
const MOST_LINES_OF_INLINE_TESTS: usize = 80;

/// Files that are one long table, each with the reason why it is not a data file.
const TABLES: [(&str, &str); 0] = [];

/// The four lists of steps. They may be longer, because each of their lines is a call.
const STRAIGHT: [(&str, &str); 4] = [
    ("src/linux/child/mod.rs", "enter"),
    ("src/linux/parent/mod.rs", "attend"),
    ("src/plan/mod.rs", "decide"),
    ("src/life/create.rs", "build"),
];

const EMPTY_NAMES: [&str; 8] = [
    "utils", "util", "common", "helpers", "helper", "misc", "types", "stuff",
];

const EMPTY_SUFFIXES: [&str; 5] = ["Manager", "Builder", "Impl", "Helper", "Context"];

/// No file over 400 lines.
pub(crate) fn file_length(source: &Source) -> Vec<String> {
    let lines = source.raw.lines().count();
    let exempt = TABLES.iter().any(|(path, _)| *path == source.path);
    if lines <= MOST_LINES || exempt {
        return Vec::new();
    }
    vec![format!(
        "{}: {lines} lines, {MOST_LINES} are allowed",
        source.path
    )]
}

/// No function over 60 lines, but for the lists of steps; those have no loop and no match.
pub(crate) fn function_length(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for function in scan::functions(&source.tokens) {
        let lines = function.last - function.first + 1;
        if lines <= MOST_LINES_OF_FUNCTION {
            continue;
        }
        let place = format!("{}:{}: {}()", source.path, function.first, function.name);
        if !STRAIGHT.contains(&(source.path.as_str(), function.name.as_str())) {
            complaints.push(format!(
                "{place} has {lines} lines, {MOST_LINES_OF_FUNCTION} are allowed"
            ));
            continue;
        }
        let body = &source.tokens[function.body];
        let turns = |t: &&Token| matches!(t.text.as_str(), "for" | "while" | "loop" | "match");
        complaints.extend(body.iter().filter(turns).map(|t| {
            format!(
                "{place} is a list of calls, but has a `{}` in line {}",
                t.text, t.line
            )
        }));
    }
    complaints
}

/// Inline test modules stay short; longer ones go to `x/tests.rs` beside `x.rs`.
pub(crate) fn inline_tests(source: &Source) -> Vec<String> {
    let found = scan::test_modules(&source.tokens);
    let sizes = found.into_iter().map(|range| {
        let (first, last) = (*range.start(), *range.end());
        let first = source.tokens[first].line;
        (first, source.tokens[last].line - first + 1)
    });
    let long = sizes.filter(|(_, lines)| *lines > MOST_LINES_OF_INLINE_TESTS);
    long.map(|(line, lines)| {
        format!(
            "{}:{line}: {lines} lines of tests belong in a file of their own",
            source.path
        )
    })
    .collect()
}

/// No file or folder is called utils, common, helpers, misc or types.
pub(crate) fn file_name(source: &Source) -> Vec<String> {
    let parts = source.path.split('/');
    let names = parts.map(|part| part.strip_suffix(".rs").unwrap_or(part));
    let empty = names.filter(|name| EMPTY_NAMES.contains(name));
    empty
        .map(|name| format!("{}: \"{name}\" says nothing of what is in it", source.path))
        .collect()
}

/// No type or trait is called …Manager, …Builder, …Impl, …Helper or …Context. The bare word is let
/// be: it may be the callers' own (the cgroup manager).
pub(crate) fn type_names(source: &Source) -> Vec<String> {
    let keywords = ["struct", "enum", "union", "trait", "type"];
    let pairs = source.tokens.windows(2);
    let declared = pairs.filter(|w| keywords.contains(&w[0].text.as_str()) && scan::is_name(&w[1]));
    let padded = |name: &str| {
        let mut bare = EMPTY_SUFFIXES.iter();
        bare.any(|suffix| name.strip_suffix(suffix).is_some_and(|n| !n.is_empty()))
    };
    let empty = declared.filter(|w| padded(&w[1].text));
    empty
        .map(|w| {
            format!(
                "{}:{}: the name {} says nothing by its suffix",
                source.path, w[1].line, w[1].text
            )
        })
        .collect()
}

/// Every `mod.rs`, library and program opens with what it is.
pub(crate) fn opening(source: &Source) -> Vec<String> {
    let name = source.path.rsplit('/').next().unwrap_or_default();
    let speaks = source.raw.starts_with("//!");
    if speaks || !matches!(name, "mod.rs" | "lib.rs" | "main.rs") {
        return Vec::new();
    }
    vec![format!(
        "{}:1: does not open with //! and what it is",
        source.path
    )]
}

/// Every `mod x;` has a sentence above it and a blank line above that, which keeps the order of the
/// story: rustfmt sorts only lines that touch. Test modules need no introduction.
pub(crate) fn mod_lines(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.raw.lines().map(str::trim).collect();
    let mut complaints = Vec::new();
    for at in mod_declarations(&source.tokens) {
        let mut above = at - 1; // index of the `mod` line itself
        while above > 0 && lines[above - 1].starts_with("#[") {
            above -= 1;
        }
        let attributes = &lines[above..at];
        if attributes.contains(&"#[cfg(test)]") {
            continue;
        }
        let mut start = above;
        while start > 0 && lines[start - 1].starts_with("//") {
            start -= 1;
        }
        let wrong = if start == above {
            "no sentence above it"
        } else if start > 0 && !lines[start - 1].is_empty() {
            "no blank line above its sentence"
        } else {
            continue;
        };
        complaints.push(format!("{}:{at}: a mod line with {wrong}", source.path));
    }
    complaints
}

/// Lines (from 1) of `mod name;`.
fn mod_declarations(tokens: &[Token]) -> Vec<usize> {
    let triples = tokens.windows(3);
    let found = triples.filter(|w| w[0].text == "mod" && scan::is_name(&w[1]) && w[2].text == ";");
    found.map(|w| w[0].line).collect()
}

/// Messages say "cannot", never "failed to".
pub(crate) fn wording(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/") {
        return Vec::new(); // the suite quotes other runtimes
    }
    let lines = source.text.lines().enumerate();
    let wrong = lines.filter(|(_, line)| line.to_lowercase().contains("failed to"));
    wrong
        .map(|(at, _)| format!("{}:{}: say \"cannot\"", source.path, at + 1))
        .collect()
}
