use super::super::tests::{refusal, settings};
use super::weight;
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn processors() {
    let of = |cpu: Value| settings(json!({"cpu": cpu}));
    assert_eq!(
        of(json!({"shares": 1024})),
        ["cpu.weight = 100 (/cpu/shares)"]
    );
    assert_eq!(
        of(json!({"quota": 50000})),
        ["cpu.max = 50000 100000 (/cpu/quota)"]
    );
    assert_eq!(
        of(json!({"period": 50000})),
        ["cpu.max = max 50000 (/cpu/period)"]
    );
    assert_eq!(
        of(json!({"quota": -1, "period": 50000})),
        ["cpu.max = max 50000 (/cpu/quota)"]
    );
    assert_eq!(
        of(json!({"quota": 20000, "period": 50000, "burst": 0})),
        [
            "cpu.max = 20000 50000 (/cpu/quota)",
            "cpu.max.burst = 0 (/cpu/burst)"
        ]
    );
    assert_eq!(
        of(json!({"idle": 1, "shares": 2})),
        ["cpu.weight = 1 (/cpu/shares)", "cpu.idle = 1 (/cpu/idle)"]
    );
    assert_eq!(
        of(json!({"cpus": "0-2", "mems": "0"})),
        [
            "cpuset.cpus = 0-2 (/cpu/cpus)",
            "cpuset.mems = 0 (/cpu/mems)"
        ]
    );
    assert!(of(json!({"shares": 0, "quota": 0, "period": 0, "cpus": "", "realtimeRuntime": 0, "realtimePeriod": 0})).is_empty());
    assert_eq!(
        refusal(json!({"cpu": {"realtimeRuntime": 5}})),
        "cannot limit realtime processes: /cpu/realtimeRuntime: refused: cgroup v2 has no realtime limits"
    );
    assert!(refusal(json!({"cpu": {"realtimePeriod": 5}})).contains("/cpu/realtimePeriod"));
    assert!(refusal(json!({"cpu": {"idle": 2}})).contains("it is 0 or 1"));
}

#[test]
fn shares_meet_the_three_points() {
    let points = [
        (0, 1),
        (1, 1),
        (2, 1),
        (1024, 100),
        (262_143, 10_000),
        (262_144, 10_000),
        (u64::MAX, 10_000),
    ];
    for (shares, expected) in points {
        assert_eq!(weight(shares), expected, "{shares}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn more_shares_never_weigh_less(shares in 0u64..300_000, more in 0u64..300_000) {
        let (less, more) = (weight(shares), weight(shares + more));
        prop_assert!((1..=10_000).contains(&less) && less <= more);
    }
}
