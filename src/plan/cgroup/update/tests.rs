use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// 64 MiB, of which 8 are used, 32 MiB of swap; half a processor.
const NOW: Current = Current {
    memory: Some(64 << 20),
    memory_used: 8 << 20,
    swap: Some(32 << 20),
    swap_used: 1 << 20,
    quota: Some(50_000),
    period: Some(100_000),
};

fn changes(resources: Value, current: &Current) -> Result<Vec<String>> {
    let resources = serde_json::from_value(resources).unwrap();
    let line = |one: &Setting| format!("{} = {} ({})", one.file, one.value, one.pointer.as_str());
    Ok(plan(&resources, current)?
        .settings
        .iter()
        .map(line)
        .collect())
}

fn files(resources: Value) -> Vec<String> {
    let lines = changes(resources, &NOW).unwrap();
    lines
        .iter()
        .map(|line| line.rsplit_once(" (").unwrap().0.to_owned())
        .collect()
}

fn refusal(resources: Value) -> String {
    changes(resources, &NOW).unwrap_err().one_line()
}

#[test]
fn what_is_absent_is_not_written() {
    assert_eq!(files(json!({})), [""; 0]);
    let empty = json!({"memory": {}, "cpu": {"cpus": "", "shares": 0}, "blockIO": {"weight": 0}});
    assert_eq!(files(empty), [""; 0]);
    assert_eq!(files(json!({"pids": {"limit": 5}})), ["pids.max = 5"]);
    assert_eq!(
        files(json!({"memory": {"limit": 1 << 27}})),
        ["memory.max = 134217728"]
    );
}

#[test]
fn devices_are_never_touched() {
    let devices = json!({"devices": [{"allow": false, "access": "rwm"}], "pids": {"limit": 5}});
    assert_eq!(files(devices), ["pids.max = 5"]);
}

#[test]
fn memory_and_swap_make_room_first() {
    let memory = |limit: i64, swap: i64| files(json!({"memory": {"limit": limit, "swap": swap}}));
    // More swap before less or more memory; less swap after.
    assert_eq!(
        memory(32 << 20, 96 << 20),
        ["memory.swap.max = 67108864", "memory.max = 33554432"]
    );
    assert_eq!(
        memory(96 << 20, 160 << 20),
        ["memory.swap.max = 67108864", "memory.max = 100663296"]
    );
    assert_eq!(
        memory(32 << 20, 40 << 20),
        ["memory.max = 33554432", "memory.swap.max = 8388608"]
    );
    assert_eq!(
        memory(96 << 20, 96 << 20),
        ["memory.max = 100663296", "memory.swap.max = 0"]
    );
    assert_eq!(
        memory(96 << 20, -1),
        ["memory.swap.max = max", "memory.max = 100663296"]
    );
    assert_eq!(
        files(json!({"memory": {"limit": -1}})),
        ["memory.swap.max = max", "memory.max = max"]
    );
}

#[test]
fn swap_alone_counts_with_the_memory_that_there_is() {
    let told = changes(json!({"memory": {"swap": 96 << 20}}), &NOW).unwrap();
    assert_eq!(told, ["memory.swap.max = 33554432 (/memory/swap)"]);
    let less = refusal(json!({"memory": {"swap": 1 << 20}}));
    assert!(less.contains("less than the memory limit"), "{less}");
    let none = changes(json!({"memory": {"swap": 1 << 20}}), &Current::default());
    assert!(
        none.unwrap_err()
            .one_line()
            .contains("there is no memory limit")
    );
}

#[test]
fn quota_and_period_complete_each_other() {
    let told = changes(json!({"cpu": {"period": 200_000}}), &NOW).unwrap();
    assert_eq!(told, ["cpu.max = 50000 200000 (/cpu/period)"]);
    assert_eq!(
        files(json!({"cpu": {"quota": 70_000}})),
        ["cpu.max = 70000 100000"]
    );
    assert_eq!(
        files(json!({"cpu": {"quota": -1}})),
        ["cpu.max = max 100000"]
    );
    let none = changes(json!({"cpu": {"period": 200_000}}), &Current::default()).unwrap();
    assert_eq!(none, ["cpu.max = max 200000 (/cpu/period)"]);
}

#[test]
fn burst_and_quota_never_cross() {
    let cpu = |quota: i64, burst: u64| files(json!({"cpu": {"quota": quota, "burst": burst}}));
    assert_eq!(
        cpu(20_000, 10_000),
        ["cpu.max.burst = 10000", "cpu.max = 20000 100000"]
    );
    assert_eq!(
        cpu(90_000, 80_000),
        ["cpu.max = 90000 100000", "cpu.max.burst = 80000"]
    );
}

#[test]
fn idle_ends_before_there_is_a_weight() {
    let cpu = |idle: i64| files(json!({"cpu": {"idle": idle, "shares": 1024}}));
    assert_eq!(cpu(0), ["cpu.idle = 0", "cpu.weight = 100"]);
    assert_eq!(cpu(1), ["cpu.weight = 100", "cpu.idle = 1"]);
}

#[test]
fn a_limit_below_the_use_is_refused_where_that_is_asked_for() {
    let checked = |memory: Value| {
        let mut memory = memory;
        memory["checkBeforeUpdate"] = json!(true);
        changes(json!({ "memory": memory }), &NOW)
    };
    let told = checked(json!({"limit": 1024})).unwrap_err().one_line();
    assert!(
        told.contains("/memory/limit: refused: rejecting memory limit 1024: 8388608"),
        "{told}"
    );
    let told = checked(json!({"limit": 1024, "swap": 2048}))
        .unwrap_err()
        .one_line();
    assert!(
        told.contains("rejecting memory+swap limit 2048: 9437184"),
        "{told}"
    );
    assert!(checked(json!({"limit": 9 << 20})).is_ok());
    assert!(checked(json!({"limit": -1})).is_ok());
    assert!(changes(json!({"memory": {"limit": 1024}}), &NOW).is_ok());
}

#[test]
fn unified_has_the_last_word() {
    let both =
        json!({"pids": {"limit": 5}, "unified": {"pids.max": "7", "memory.high": "1048576"}});
    assert_eq!(files(both), ["memory.high = 1048576", "pids.max = 7"]);
}

proptest! {
    /// Whatever is asked for, no moment between two writes has a burst above the quota, if both ends have not.
    #[test]
    fn no_moment_is_refused(quota in 1_000i64..100_000, burst in 0u64..100_000, old_quota in 1_000u64..100_000, old_burst in 0u64..100_000) {
        prop_assume!(burst <= quota.unsigned_abs() && old_burst <= old_quota);
        let current = Current { quota: Some(old_quota), ..NOW };
        let lines = changes(json!({"cpu": {"quota": quota, "burst": burst}}), &current).unwrap();
        let (mut now_quota, mut now_burst) = (old_quota, old_burst);
        for line in lines {
            match line.starts_with("cpu.max.burst") {
                true => now_burst = burst,
                false => now_quota = quota.unsigned_abs(),
            }
            // A quota below the old burst is the one thing that has no good order but burst first.
            prop_assert!(now_burst <= now_quota, "{now_burst} {now_quota}");
        }
    }
}
