//! Tests that tables name: whether there are such.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// This package's own directory.
pub(crate) fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What stands between backticks.
pub(crate) fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The suite's own list.
pub(crate) fn cases() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .arg("--list")
        .output()
        .unwrap_or_else(|error| panic!("conformance --list: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}

/// `plan::options::tests::name`: a function `name` marked as a test in the file of `plan::options::tests` below
/// `source`, or of its parent where the module stands inline.
pub(crate) fn is_unit_test(source: &Path, path: &str) -> bool {
    let parts: Vec<&str> = path.split("::").collect();
    let Some((name, modules)) = parts.split_last() else {
        return false;
    };
    (1..=modules.len()).rev().any(|depth| {
        let stem = source.join(modules[..depth].join("/"));
        let files = [stem.with_extension("rs"), stem.join("mod.rs")];
        files.iter().any(|file| has_test(file, name))
    })
}

/// Whether the file has a test function of that name.
pub(crate) fn has_test(file: &Path, name: &str) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if marked && line.starts_with(&format!("fn {name}(")) {
            return true;
        }
        marked = line == "#[test]" || marked && line.starts_with("#[");
    }
    false
}
