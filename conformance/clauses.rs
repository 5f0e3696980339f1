//! `clauses.md` has no hole: each clause of the specification has a test that exists, or a reason why none
//! can. That the clauses are all there is compared by counts, which `conformance/clauses` proves against the
//! specification itself; here nothing is fetched.

/// Whether a test exists.
mod named;

use named::{cases, here};
use std::collections::BTreeMap;
use std::fs;

/// One line of a table of clauses.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// `file/section/number`.
    id: String,
    /// How many normative words it covers.
    words: usize,
    /// The last column.
    covered: String,
}

fn table() -> String {
    fs::read_to_string(here().join("clauses.md"))
        .unwrap_or_else(|error| panic!("clauses.md: {error}"))
}

/// The cells of each table line, without heads and rules.
fn lines(markdown: &str) -> impl Iterator<Item = Vec<&str>> {
    markdown
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").map(str::trim).collect())
}

/// The clauses, in order.
fn rows(markdown: &str) -> Vec<Row> {
    lines(markdown)
        .filter_map(|cells| match cells[..] {
            [id, words, _, covered] if id.contains(".md/") => Some(Row {
                id: id.to_owned(),
                words: words.parse().unwrap_or(0),
                covered: covered.to_owned(),
            }),
            _ => None,
        })
        .collect()
}

/// A heading as it stands in an id.
fn slug(heading: &str) -> String {
    let word = |part: &str| part.to_lowercase();
    let parts = heading.split(|c: char| !c.is_ascii_alphanumeric());
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).map(word).collect();
    parts.join("-")
}

/// Section id → words and rows, as the table of counts says.
fn counts(markdown: &str) -> BTreeMap<String, (usize, usize)> {
    lines(markdown)
        .filter_map(|cells| match cells[..] {
            [file, section, words, rows] if file.ends_with(".md") => Some((
                format!("{file}/{}", slug(section)),
                (words.parse().ok()?, rows.parse().ok()?),
            )),
            _ => None,
        })
        .collect()
}

/// What is wrong with a row; `exists` knows the tests.
fn fault(row: &Row, exists: &dyn Fn(&str) -> bool) -> Option<String> {
    if row.words == 0 {
        return Some("it covers no word".to_owned());
    }
    if let Some(reason) = row.covered.strip_prefix("none:") {
        return (reason.trim().len() < 5).then(|| "neither a test nor a reason".to_owned());
    }
    if row.covered.starts_with("pending") {
        return Some(format!("it waits: {}", row.covered));
    }
    let names: Vec<&str> = named::quoted(&row.covered).collect();
    if names.is_empty() {
        return Some("neither a test nor a reason".to_owned());
    }
    let missing = names
        .into_iter()
        .find(|name| !name.contains('/') && !name.contains("::") || !exists(name));
    missing.map(|name| format!("there is no test {name}"))
}

fn is_unit_test(path: &str) -> bool {
    named::is_unit_test(&here().join("../src"), path)
}

#[test]
fn every_clause_has_a_test_or_a_reason() {
    let cases = cases();
    let exists = |name: &str| match name.contains("::") {
        true => is_unit_test(name),
        false => cases.contains(name),
    };
    let faults: Vec<_> = rows(&table())
        .iter()
        .filter_map(|row| Some(format!("{}: {}", row.id, fault(row, &exists)?)))
        .collect();
    assert!(
        faults.is_empty(),
        "{} clauses:\n  {}",
        faults.len(),
        faults.join("\n  ")
    );
}

#[test]
fn the_rows_add_up_to_the_counts() {
    let text = table();
    let counts = counts(&text);
    let mut found: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for row in rows(&text) {
        let (section, number) = row.id.rsplit_once('/').expect("a number");
        let entry = found.entry(section.to_owned()).or_default();
        *entry = (entry.0 + row.words, entry.1 + 1);
        assert_eq!(number, entry.1.to_string(), "{} is out of order", row.id);
    }
    assert!(counts.len() > 40, "the table of counts was not found");
    assert_eq!(found, counts);
}

#[test]
fn a_hole_is_seen() {
    let row = |covered: &str| Row {
        id: "x.md/y/1".to_owned(),
        words: 1,
        covered: covered.to_owned(),
    };
    let exists = |name: &str| name == "kill/by-name";
    let judged = |covered: &str| fault(&row(covered), &exists);
    assert_eq!(judged("`kill/by-name`; and more"), None);
    assert_eq!(judged("none: binds the writer"), None);
    for bad in [
        "",
        "none:",
        "`kill/by-nam`",
        "pending: seccomp",
        "`kill/by-name`, `x::y`",
        "soon",
    ] {
        assert!(judged(bad).is_some(), "{bad:?} was let through");
    }
    assert!(is_unit_test(
        "plan::options::tests::no_word_of_the_specification_is_taken_for_data"
    ));
    assert!(!is_unit_test("plan::options::tests::no_such_test"));
}
