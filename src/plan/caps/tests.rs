use super::*;
use crate::plan::sample::{birth, root, spec, told};
use serde_json::{Value, json};

const CHOWN: u64 = 1;
const KILL: u64 = 1 << 5;

fn planned(capabilities: Value, facts: &Facts) -> (Result<Sets>, Vec<String>) {
    let mut warnings = Vec::new();
    let sets = plan(
        &spec(json!({"process": {"capabilities": capabilities}})),
        &birth(json!({})),
        facts,
        &mut warnings,
    );
    (sets, warnings)
}

#[test]
fn names_become_bits() {
    let all = json!(["CAP_CHOWN", "CAP_KILL"]);
    let given = json!({"bounding": all, "permitted": all, "effective": ["CAP_KILL"], "inheritable": ["CAP_CHOWN"], "ambient": ["CAP_CHOWN"]});
    let (sets, warnings) = planned(given, &root());
    let expected = Sets {
        bounding: CHOWN | KILL,
        permitted: CHOWN | KILL,
        effective: KILL,
        inheritable: CHOWN,
        ambient: CHOWN,
        last: 40,
    };
    assert_eq!((sets.unwrap(), warnings), (expected, vec![]));
}

#[test]
fn none_named_is_none_given() {
    assert_eq!(
        planned(json!({}), &root()).0.unwrap(),
        Sets {
            last: 40,
            ..Sets::default()
        }
    );
    assert_eq!(
        planned(Value::Null, &root()).0.unwrap(),
        Sets {
            last: 40,
            ..Sets::default()
        }
    );
}

#[test]
fn the_number_of_every_name_is_the_kernel_s() {
    // First, last of the lower word, first of the upper word, and last in linux/capability.h.
    for (name, bit) in [
        ("CAP_CHOWN", 0),
        ("CAP_SETFCAP", 31),
        ("CAP_MAC_OVERRIDE", 32),
        ("CAP_CHECKPOINT_RESTORE", 40),
    ] {
        let (sets, _) = planned(json!({"bounding": [name]}), &root());
        assert_eq!(sets.unwrap().bounding, 1 << bit, "{name}");
        assert_eq!(names(1 << bit), [name]);
    }
}

#[test]
fn what_cannot_be_granted_is_left_out_with_a_warning() {
    let given = json!({"bounding": ["CAP_BPF", "CAP_CHOWN", "CAP_PERFMON"]});
    let old = Facts {
        last_capability: 37,
        ..root()
    };
    let (sets, warnings) = planned(given.clone(), &old);
    assert_eq!(sets.unwrap().bounding, CHOWN);
    assert_eq!(
        warnings,
        [
            "left CAP_PERFMON, CAP_BPF out of /process/capabilities/bounding: this kernel does not have it"
        ]
    );

    let poor = Facts {
        grantable: CHOWN,
        ..root()
    };
    let (sets, warnings) = planned(given, &poor);
    assert_eq!(sets.unwrap().bounding, CHOWN);
    assert_eq!(
        warnings,
        [
            "left CAP_PERFMON, CAP_BPF out of /process/capabilities/bounding: the caller does not have it"
        ]
    );
}

#[test]
fn in_a_user_namespace_of_its_own_everything_can_be_granted() {
    let map = json!([{"containerID": 0, "hostID": 0, "size": 1}]);
    let linux = json!({"namespaces": [{"type": "mount"}, {"type": "user"}], "uidMappings": map, "gidMappings": map});
    let spec = spec(json!({"process": {"capabilities": {"bounding": ["CAP_KILL"]}}}));
    let poor = Facts {
        grantable: 0,
        ..root()
    };
    let sets = plan(
        &spec,
        &birth(json!({ "linux": linux })),
        &poor,
        &mut Vec::new(),
    )
    .unwrap();
    assert_eq!(sets.bounding, KILL);
}

#[test]
fn an_ambient_one_must_be_permitted_and_inheritable() {
    for (permitted, inheritable) in [
        (json!([]), json!(["CAP_KILL"])),
        (json!(["CAP_KILL"]), json!([])),
    ] {
        let given = json!({"bounding": ["CAP_KILL"], "permitted": permitted, "inheritable": inheritable, "ambient": ["CAP_KILL"]});
        let (sets, warnings) = planned(given, &root());
        assert_eq!(sets.unwrap().ambient, 0);
        assert_eq!(
            warnings,
            [
                "left CAP_KILL out of /process/capabilities/ambient: not in both permitted and inheritable"
            ]
        );
    }
}

#[test]
fn sets_that_the_kernel_would_refuse_are_refused() {
    for (given, place, words) in [
        (
            json!({"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"]}),
            "/process/capabilities/effective",
            "add CAP_KILL to /process/capabilities/permitted",
        ),
        (
            json!({"inheritable": ["CAP_CHOWN", "CAP_KILL"]}),
            "/process/capabilities/inheritable",
            "add CAP_CHOWN, CAP_KILL to /process/capabilities/bounding",
        ),
    ] {
        let (pointer, line) = told(&planned(given, &root()).0.unwrap_err());
        assert_eq!(pointer, place, "{line}");
        assert!(line.contains(words), "{line}");
    }
}
