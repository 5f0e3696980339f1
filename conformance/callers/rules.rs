//! `callers/rules.md` has no hole: each rule that callers of a runtime rely on has a test that exists.

/// Whether a test exists.
#[path = "../named.rs"]
mod named;

use named::{cases, here};
use std::fs;

/// Number and tests of each rule, in order.
fn rules(markdown: &str) -> Vec<(String, Vec<String>)> {
    let row = |line: &str| {
        let cells: Vec<&str> = line
            .strip_prefix("| ")?
            .strip_suffix(" |")?
            .split(" | ")
            .collect();
        let [number, _, tests] = cells[..] else {
            return None;
        };
        number.trim().parse::<u32>().ok()?;
        let names = named::quoted(tests).map(str::to_owned).collect();
        Some((number.trim().to_owned(), names))
    };
    markdown.lines().filter_map(row).collect()
}

#[test]
fn every_rule_has_its_tests() {
    let text = fs::read_to_string(here().join("callers/rules.md")).unwrap_or_default();
    let rules = rules(&text);
    let cases = cases();
    let numbers: Vec<String> = rules.iter().map(|(number, _)| number.clone()).collect();
    let expected: Vec<String> = (1..=rules.len()).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
    assert!(rules.len() >= 20, "only {} rules were found", rules.len());
    for (number, tests) in rules {
        assert!(!tests.is_empty(), "rule {number} has no test");
        for test in tests {
            let exists =
                cases.contains(&test) || named::is_unit_test(&here().join("../src"), &test);
            assert!(exists, "rule {number}: there is no test {test}");
        }
    }
}

#[test]
fn a_hole_is_seen() {
    let found = rules("| 1 | words | `a/b`, `c/d` |\n| 2 | words | none |\n| no | rule | `x` |\n");
    assert_eq!(found[0].1, ["a/b", "c/d"]);
    assert!(found[1].1.is_empty());
    assert_eq!(found.len(), 2);
    let source = here().join("../src");
    assert!(!named::is_unit_test(
        &source,
        "cli::normal::tests::no_such_test"
    ));
}
