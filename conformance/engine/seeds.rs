//! `seeds.md` has no hole: each feature of the small engines before this one has a test that exists.

/// Whether a test exists.
#[path = "../named.rs"]
#[allow(dead_code, reason = "the suite's own list is not asked here")]
mod named;

use named::{here, is_unit_test, quoted};
use std::fs;
use std::path::Path;

/// Number and tests of each row, in order.
fn rows(markdown: &str) -> Vec<(String, Vec<String>)> {
    let row = |line: &str| {
        let cells: Vec<&str> = line
            .strip_prefix("| ")?
            .strip_suffix(" |")?
            .split(" | ")
            .collect();
        let [number, _, _, _, tests] = cells[..] else {
            return None;
        };
        number.parse::<u32>().ok()?;
        Some((
            number.to_owned(),
            quoted(tests).map(str::to_owned).collect(),
        ))
    };
    markdown.lines().filter_map(row).collect()
}

/// Whether there is a test of this name, in any of the places that the table names.
fn exists(name: &str) -> bool {
    let engine = here().join("engine");
    if let Some(case) = name.strip_prefix("windows:") {
        return is_case(&here().join("windows/src/cases"), case);
    }
    // `engine::` is a folder of the product as well.
    let of_images = name
        .strip_prefix("engine::")
        .is_some_and(|rest| is_unit_test(&engine, rest));
    of_images || is_unit_test(&engine, name) || is_unit_test(&here().join("../src"), name)
}

fn is_case(folder: &Path, case: &str) -> bool {
    let line = format!("(\"{case}\",");
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|file| fs::read_to_string(file.path()).ok())
        .any(|text| text.contains(&line))
}

#[test]
fn every_feature_has_its_tests() {
    let text = fs::read_to_string(here().join("engine/seeds.md")).unwrap_or_default();
    let rows = rows(&text);
    let numbers: Vec<String> = rows.iter().map(|(number, _)| number.clone()).collect();
    let expected: Vec<String> = (1..=rows.len()).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
    assert!(rows.len() >= 13, "only {} rows were found", rows.len());
    let mut faults = Vec::new();
    for (number, tests) in rows {
        if tests.is_empty() {
            faults.push(format!("row {number} has no test"));
        }
        let missing = tests.iter().filter(|test| !exists(test));
        faults.extend(missing.map(|test| format!("row {number}: there is no test {test}")));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_hole_is_seen() {
    let found = rows("| 1 | a | b | c | `x::y` |\n| 2 | a | b | c | none |\n| no | row | `x` |\n");
    assert_eq!(found.len(), 2);
    assert!(found[1].1.is_empty());
    assert!(exists("containers::seeds::capabilities_come_and_go"));
    for missing in [
        "containers::seeds::nothing_of_the_kind",
        "engine::images::nothing_of_the_kind",
        "cli::front::tests::nothing_of_the_kind",
        "windows:run/nothing-of-the-kind",
        "windows:run",
    ] {
        assert!(!exists(missing), "{missing}");
    }
}
