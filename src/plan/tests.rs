use super::sample::{bundle, request, root, told};
use super::*;
use serde_json::json;
use std::path::Path;

/// The rows of `bundle-examples/broken/README.md` under a heading: (bundle, place).
fn broken(heading: &str) -> Vec<(String, String)> {
    let table = include_str!("../../bundle-examples/broken/README.md");
    let (_, after) = table.split_once(&format!("\n## {heading}\n")).unwrap();
    let rows = after
        .split("\n## ")
        .next()
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("| ["));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let name = |cell: &str| cell[1..].split(']').next().unwrap().to_owned();
    cells
        .map(|cells| (name(cells[1]), cells[3].trim_matches('`').to_owned()))
        .collect()
}

#[test]
fn every_bundle_that_reading_or_planning_must_refuse_is_refused_at_its_place() {
    for (name, place) in broken("Reading").into_iter().chain(broken("Planning")) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("bundle-examples/broken")
            .join(&name);
        let error = match crate::spec::load(&folder) {
            Ok(bundle) => plan(&bundle, &root(), &request())
                .map(drop)
                .expect_err(&name),
            Err(error) => error,
        };
        let found = match told(&error) {
            (pointer, _) if !pointer.is_empty() => pointer,
            (_, line) if line.contains("/config.json: ") => "the file".to_owned(),
            (_, line) => line,
        };
        assert_eq!(found, place, "{name}: {error}");
    }
}

#[test]
fn every_bundle_that_fails_only_outside_is_planned() {
    for (name, _) in broken("Outside")
        .into_iter()
        .chain(broken("In the container"))
    {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("bundle-examples/broken")
            .join(&name);
        let bundle = crate::spec::load(&folder).unwrap();
        assert!(plan(&bundle, &root(), &request()).is_ok(), "{name}");
    }
}

#[test]
fn a_user_namespace_without_a_mount_namespace_is_refused_with_the_way_out() {
    let ids = json!([{"containerID": 0, "hostID": 1000, "size": 1}]);
    let linux = json!({"namespaces": [{"type": "user"}], "uidMappings": ids, "gidMappings": ids});
    let error = plan(&bundle(json!({"linux": linux})), &root(), &request()).unwrap_err();
    let report = error.report();
    assert_eq!(told(&error).0, "/linux/namespaces");
    assert_eq!(
        report.hint.as_deref(),
        Some("add {\"type\": \"mount\"} to /linux/namespaces")
    );
}

#[test]
fn what_reading_warned_of_is_in_the_plan_with_what_planning_warns_of() {
    let mut bundle = bundle(
        json!({"linux": {"namespaces": [{"type": "mount"}], "personality": {"domain": "LINUX", "flags": ["X"]}}}),
    );
    bundle.warnings.push("left something out".to_owned());
    let plan = plan(&bundle, &root(), &request()).unwrap();
    assert_eq!(
        plan.warnings,
        [
            "left something out",
            "left /linux/personality/flags out: the specification knows no flag"
        ]
    );
}

#[test]
fn annotations_are_in_the_order_of_their_keys() {
    let bundle = bundle(json!({"annotations": {"b": "2", "a": "1", "c": ""}}));
    let plan = plan(&bundle, &root(), &request()).unwrap();
    let found: Vec<(&str, &str)> = plan
        .annotations
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(found, [("a", "1"), ("b", "2"), ("c", "")]);
}
