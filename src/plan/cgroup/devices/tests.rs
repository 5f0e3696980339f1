use super::super::tests::{planned, planned_for, refusal};
use super::DeviceRule;
use crate::plan::facts::Privilege;
use serde_json::{Value, json};

fn rules(devices: Value) -> Vec<String> {
    let text = |rule: &DeviceRule| {
        let number = |n: Option<u32>| n.map_or("*".to_owned(), |n| n.to_string());
        format!(
            "{:?} {:?} {}:{} {}",
            rule.verdict,
            rule.kind,
            number(rule.major),
            number(rule.minor),
            rule.access
        )
    };
    planned(json!({"devices": devices}))
        .unwrap()
        .devices
        .iter()
        .map(text)
        .collect()
}

#[test]
fn device_rules_keep_their_order_with_our_own_behind() {
    let ours = rules(json!([]));
    assert_eq!(ours.len(), 10);
    assert_eq!(ours[0], "Allow All *:* 1");
    assert!(
        ours.contains(&"Allow Character 10:200 7".to_owned()),
        "tun: {ours:?}"
    );
    assert!(
        !ours.iter().any(|rule| rule.contains("5:1 ")),
        "the host's console: {ours:?}"
    );
    let given = rules(json!([
        {"allow": false, "access": "rwm"},
        {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"},
        {"allow": true, "type": "b", "major": 8, "minor": -1, "access": "r"},
    ]));
    assert_eq!(
        given[..3],
        [
            "Deny All *:* 7",
            "Allow Character 10:229 6",
            "Allow Block 8:* 2"
        ]
    );
    assert_eq!(given[3..], ours);
}

#[test]
fn device_rules_that_mean_nothing_are_refused() {
    let of = |rule: Value| refusal(json!({"devices": [rule]}));
    assert!(of(json!({"allow": true})).contains("/devices/0: refused: it names no access"));
    assert!(of(json!({"allow": true, "access": "rx"})).contains("'x' is none of them"));
    assert!(of(json!({"allow": true, "type": "p", "access": "r"})).contains("/devices/0/type"));
    assert!(of(json!({"allow": true, "major": -2, "access": "r"})).contains("/devices/0/major"));
    assert!(
        of(json!({"allow": true, "minor": 4_294_967_296_i64, "access": "r"}))
            .contains("/devices/0/minor")
    );
}

#[test]
fn a_user_gets_no_filter_since_it_may_load_none() {
    assert!(
        planned_for(Privilege::User, json!({}))
            .unwrap()
            .devices
            .is_empty()
    );
}
