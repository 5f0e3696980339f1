//! Both documents, read back.

use super::*;
use oci_spec::runtime::Spec;
use serde_json::{Value, json};

fn document(whom: SpecFor) -> Value {
    serde_json::from_str(&text(whom, 1000, 100)).unwrap()
}

#[test]
fn both_are_a_spec_and_lose_nothing_in_its_types() {
    for whom in [SpecFor::Root, SpecFor::User] {
        let typed: Spec = serde_json::from_str(&text(whom, 1000, 100)).unwrap();
        let mut again: Value = serde_json::to_value(&typed).unwrap();
        // The types keep these as sets, in any order.
        let sets = again
            .pointer_mut("/process/capabilities")
            .unwrap()
            .as_object_mut()
            .unwrap();
        for set in sets.values_mut() {
            set.as_array_mut().unwrap().sort_by_key(Value::to_string);
        }
        assert_eq!(again, document(whom), "{whom:?}");
    }
}

#[test]
fn what_callers_change_by_text_is_spelled_as_they_expect() {
    let text = text(SpecFor::Root, 0, 0);
    for piece in [
        "\"terminal\": true",
        "\"sh\"",
        "\"readonly\": true",
        "\"path\": \"rootfs\"",
    ] {
        assert_eq!(text.matches(piece).count(), 1, "{piece}");
    }
}

#[test]
fn a_user_has_one_mapping_and_nothing_that_needs_root() {
    let (root, user) = (document(SpecFor::Root), document(SpecFor::User));
    assert_eq!(
        user["linux"]["uidMappings"],
        json!([{"containerID": 0, "hostID": 1000, "size": 1}])
    );
    assert_eq!(
        user["linux"]["gidMappings"],
        json!([{"containerID": 0, "hostID": 100, "size": 1}])
    );
    let kinds = |document: &Value| -> Vec<Value> {
        document["linux"]["namespaces"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["type"].clone())
            .collect()
    };
    assert_eq!(
        kinds(&root),
        ["pid", "network", "ipc", "uts", "mount", "cgroup"]
    );
    assert_eq!(
        kinds(&user),
        ["user", "pid", "ipc", "uts", "mount", "cgroup"]
    );
    assert!(user["linux"].get("resources").is_none());
    assert!(!text(SpecFor::User, 1000, 100).contains("gid=5"));
    let source = |document: &Value| {
        document["mounts"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["destination"] == "/sys")
            .unwrap()["source"]
            .clone()
    };
    assert_eq!(
        (source(&root), source(&user)),
        (json!("sysfs"), json!("/sys"))
    );
    assert_eq!(root["process"], user["process"]);
}

#[test]
fn an_existing_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &text(SpecFor::Root, 0, 0)).unwrap();
    let path = folder.path().join("config.json");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        text(SpecFor::Root, 0, 0)
    );
    std::fs::write(&path, "mine").unwrap();
    let error = write(folder.path(), &text(SpecFor::Root, 0, 0))
        .unwrap_err()
        .to_string();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert!(
        error.contains("never overwritten") && error.contains("remove"),
        "{error}"
    );
}
