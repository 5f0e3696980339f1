//! `security.md` has no hole: each rule and each known attack has a test that exists.

/// The tests that a table may name.
mod named;

use std::collections::BTreeSet;
use std::fs;

use named::{cases, has_test, here, is_unit_test, quoted};

/// First cell and tests of each row; a table's head and rule have none.
fn rows(markdown: &str) -> Vec<(String, Vec<String>)> {
    let row = |line: &str| {
        let cells: Vec<&str> = line
            .strip_prefix("| ")?
            .strip_suffix(" |")?
            .split(" | ")
            .collect();
        let [name, .., tests] = cells[..] else {
            return None;
        };
        let is_head = tests.trim() == "tests" || tests.starts_with("---");
        let names = quoted(tests).map(str::to_owned).collect();
        (!is_head).then(|| (name.trim().to_owned(), names))
    };
    markdown.lines().filter_map(row).collect()
}

/// A case, a unit test of the runtime's, or `house_rules::name`.
fn exists(cases: &BTreeSet<String>, test: &str) -> bool {
    match test.strip_prefix("house_rules::") {
        Some(name) => has_test(&here().join("house_rules.rs"), name),
        None => cases.contains(test) || is_unit_test(&here().join("../src"), test),
    }
}

/// What is wrong with the table, a line each.
fn faults(markdown: &str, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, tests) in rows(markdown) {
        if tests.is_empty() {
            faults.push(format!("{name} has no test"));
        }
        let missing = tests.iter().filter(|test| !exists(test));
        faults.extend(missing.map(|test| format!("{name}: there is no test {test}")));
    }
    faults
}

#[test]
fn every_rule_and_every_attack_has_its_tests() {
    let text = fs::read_to_string(here().join("security.md")).unwrap_or_default();
    let cases = cases();
    let faults = faults(&text, &|test| exists(&cases, test));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_rule_is_missing() {
    let text = fs::read_to_string(here().join("security.md")).unwrap_or_default();
    let rules: Vec<String> = rows(&text)
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with('R'))
        .collect();
    let expected: Vec<String> = (1..=22).map(|number| format!("R{number}")).collect();
    assert_eq!(rules, expected);
    assert!(rows(&text).len() > 50, "the table of attacks was not found");
}

#[test]
fn a_hole_is_seen() {
    let judged = |line: &str| faults(line, &|test| test == "a/b");
    assert!(judged("| R1 | words | words | `a/b` |").is_empty());
    assert_eq!(judged("| R2 | words | words | none |"), ["R2 has no test"]);
    assert_eq!(
        judged("| R3 | words | words | `a/b`, `c/d` |"),
        ["R3: there is no test c/d"]
    );
    assert!(judged("| rule | what | tests |\n|---|---|---|\n").is_empty());
    let none = BTreeSet::new();
    assert!(exists(&none, "house_rules::unsafe_stands_only_in_its_home"));
    assert!(!exists(&none, "house_rules::no_such_test"));
}
