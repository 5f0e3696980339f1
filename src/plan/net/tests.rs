use super::*;
use crate::plan::birth;
use crate::plan::sample::{root, spec, told, user};
use serde_json::{Value, json};

fn planned(devices: Value, kinds: &str, facts: &Facts) -> Result<Vec<NetDevice>> {
    let namespaces: Vec<Value> = kinds
        .split_whitespace()
        .map(|kind| json!({ "type": kind }))
        .collect();
    let spec = spec(json!({"linux": {"netDevices": devices, "namespaces": namespaces}}));
    let birth = birth::plan(&spec, &root(), &mut Vec::new()).unwrap();
    plan(&spec, &birth, facts)
}

#[test]
fn names_inside() {
    let devices =
        json!({"b0": {}, "a0": {"name": "eth0"}, "c0": {"name": ""}, "d0": {"name": "net%d"}});
    let found = planned(devices, "mount network", &root()).unwrap();
    let exactly = |name: &str| Name::Exactly(CString::new(name).unwrap());
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.outside.to_str().unwrap(), one.inside.clone()))
        .collect();
    assert_eq!(
        found,
        [
            ("a0", exactly("eth0")),
            ("b0", exactly("b0")),
            ("c0", exactly("c0")),
            ("d0", Name::Numbered("net".to_owned())),
        ]
    );
    assert_eq!(planned(json!({}), "mount", &user()).unwrap(), []);
}

#[test]
fn what_cannot_be_moved() {
    for (devices, place, words) in [
        (json!({"": {}}), "/", "at least one"),
        (json!({"lo": {}}), "/lo", "never leaves"),
        (
            json!({"sixteen-letters-": {}}),
            "/sixteen-letters-",
            "at most 15",
        ),
        (json!({"..": {}}), "/..", "directory"),
        (json!({"a:b": {}}), "/a:b", "no slash, colon or blank"),
        (json!({"a0": {"name": "x/y"}}), "/a0/name", "no slash"),
        (json!({"a0": {"name": "x\ty"}}), "/a0/name", "blank"),
        (json!({"a0": {"name": "."}}), "/a0/name", "directory"),
        (json!({"eth%d": {}}), "/eth%d", "template"),
        (json!({"a0": {"name": "%dx"}}), "/a0/name", "template"),
        (json!({"a0": {"name": "%d%d"}}), "/a0/name", "template"),
        (
            json!({"a0": {"name": "fifteen-bytes-x%d"}}),
            "/a0/name",
            "at most 15",
        ),
        (json!({"a0": {"name": "a\u{0}b"}}), "/a0/name", "NUL"),
        (
            json!({"a0": {"name": "x"}, "x": {}}),
            "/x",
            "/linux/netDevices/a0 would have the same",
        ),
    ] {
        let (pointer, line) = told(&planned(devices, "mount network", &root()).unwrap_err());
        assert_eq!(pointer, format!("/linux/netDevices{place}"), "{line}");
        assert!(line.contains(words), "{line}");
    }
}

#[test]
fn whose_network_and_who_may() {
    let one = json!({"a0": {}});
    let (place, line) = told(&planned(one.clone(), "mount", &root()).unwrap_err());
    assert_eq!(place, "/linux/netDevices");
    assert!(line.contains("{\"type\": \"network\"}"), "{line}");
    let (_, line) = told(&planned(one, "mount network", &user()).unwrap_err());
    assert!(line.contains("only root"), "{line}");
}
