use super::*;
use crate::plan::sample::{spec, told};
use serde_json::{Value, json};

fn planned(more: Value) -> Result<Scheduling> {
    plan(&spec(more), &mut Vec::new())
}

fn cpu(scheduler: Value) -> Result<Cpu> {
    planned(json!({ "process": { "scheduler": scheduler } })).map(|all| all.cpu.unwrap())
}

fn memory(policy: Value) -> Result<Memory> {
    planned(json!({ "linux": { "memoryPolicy": policy } })).map(|all| all.memory.unwrap())
}

#[test]
fn what_is_not_asked_for_is_not_planned() {
    assert_eq!(planned(json!({})).unwrap(), Scheduling::default());
}

#[test]
fn the_policies_have_the_kernels_numbers() {
    for (policy, number) in [
        (json!({"policy": "SCHED_OTHER", "nice": -20}), 0),
        (json!({"policy": "SCHED_FIFO", "priority": 1}), 1),
        (json!({"policy": "SCHED_RR", "priority": 99}), 2),
        (json!({"policy": "SCHED_BATCH", "nice": 19}), 3),
        (json!({"policy": "SCHED_IDLE"}), 5),
    ] {
        let cpu = cpu(policy.clone()).unwrap();
        assert_eq!(
            (cpu.policy, cpu.affinity),
            (number, Affinity::Keep),
            "{policy}"
        );
        assert_eq!(cpu.name, policy["policy"]);
    }
    let deadline = json!({"policy": "SCHED_DEADLINE", "runtime": 1024, "deadline": 2048,
        "flags": ["SCHED_FLAG_RECLAIM", "SCHED_FLAG_KEEP_PARAMS"]});
    let cpu = cpu(deadline).unwrap();
    assert_eq!((cpu.policy, cpu.affinity), (6, Affinity::All));
    assert_eq!(
        (cpu.runtime, cpu.deadline, cpu.period, cpu.flags),
        (1024, 2048, 0, 0x12)
    );
}

/// Each scheduler is refused at its place, with these words.
fn refused(all: &[(Value, &str, &str)]) {
    for (scheduler, place, why) in all {
        let (pointer, line) = told(&cpu(scheduler.clone()).unwrap_err());
        assert_eq!(pointer, format!("/process/scheduler{place}"), "{scheduler}");
        assert!(line.contains(why), "{line}");
    }
}

#[test]
fn values_out_of_range_are_refused_at_their_place() {
    refused(&[
        (json!({"policy": "SCHED_ISO"}), "/policy", "never got"),
        (
            json!({"policy": "SCHED_OTHER", "nice": 20}),
            "/nice",
            "to 19",
        ),
        (
            json!({"policy": "SCHED_BATCH", "nice": -21}),
            "/nice",
            "-20",
        ),
        (
            json!({"policy": "SCHED_OTHER", "priority": 1}),
            "/priority",
            "only SCHED_FIFO",
        ),
        (json!({"policy": "SCHED_FIFO"}), "", "from 1"),
        (
            json!({"policy": "SCHED_FIFO", "priority": 0}),
            "/priority",
            "from 1",
        ),
        (
            json!({"policy": "SCHED_RR", "priority": 100}),
            "/priority",
            "to 99",
        ),
        (
            json!({"policy": "SCHED_RR", "priority": -1}),
            "/priority",
            "to 99",
        ),
        (
            json!({"policy": "SCHED_IDLE", "priority": -1}),
            "/priority",
            "only SCHED_FIFO",
        ),
    ]);
}

#[test]
fn times_that_no_deadline_can_have() {
    refused(&[
        (
            json!({"policy": "SCHED_OTHER", "runtime": 1}),
            "/runtime",
            "only SCHED_DEADLINE",
        ),
        (
            json!({"policy": "SCHED_OTHER", "period": 1}),
            "/period",
            "only SCHED_DEADLINE",
        ),
        (json!({"policy": "SCHED_DEADLINE"}), "", "1024 <="),
        (
            json!({"policy": "SCHED_DEADLINE", "runtime": 1023, "deadline": 2048}),
            "",
            "1024 <=",
        ),
        (
            json!({"policy": "SCHED_DEADLINE", "runtime": 4096, "deadline": 2048}),
            "",
            "1024 <=",
        ),
        (
            json!({"policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 4000, "period": 3000}),
            "",
            "1024 <=",
        ),
        (
            json!({"policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 1u64 << 63}),
            "",
            "1024 <=",
        ),
    ]);
}

#[test]
fn a_nice_value_without_use_is_warned_of() {
    let mut warnings = Vec::new();
    let given = json!({"process": {"scheduler": {"policy": "SCHED_IDLE", "nice": 5}}});
    assert!(plan(&spec(given), &mut warnings).is_ok());
    assert_eq!(
        warnings,
        ["left /process/scheduler/nice out: SCHED_IDLE has no nice value"]
    );
}

#[test]
fn io_priorities() {
    for (class, level, number) in [
        ("IOPRIO_CLASS_RT", 0, 0x2000),
        ("IOPRIO_CLASS_BE", 7, 0x4007),
        ("IOPRIO_CLASS_IDLE", 0, 0x6000),
    ] {
        let given = json!({"process": {"ioPriority": {"class": class, "priority": level}}});
        assert_eq!(planned(given).unwrap().io, Some(number));
    }
    for level in [-1, 8, 65536] {
        let given =
            json!({"process": {"ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": level}}});
        let (pointer, _) = told(&planned(given).unwrap_err());
        assert_eq!(pointer, "/process/ioPriority/priority");
    }
}

#[test]
fn the_cpus_of_exec_must_be_a_list() {
    for good in ["0", "0-3,7", "8191"] {
        let given = json!({"process": {"execCPUAffinity": {"initial": good, "final": good}}});
        assert_eq!(planned(given).unwrap(), Scheduling::default(), "{good}");
    }
    for (name, bad) in [("initial", "3-1"), ("final", "8192")] {
        let given = json!({"process": {"execCPUAffinity": {name: bad}}});
        let (pointer, _) = told(&planned(given).unwrap_err());
        assert_eq!(pointer, format!("/process/execCPUAffinity/{name}"));
    }
}

#[test]
fn memory_policies() {
    let planned = memory(
        json!({"mode": "MPOL_INTERLEAVE", "nodes": "0-1,65", "flags": ["MPOL_F_STATIC_NODES"]}),
    );
    let planned = planned.unwrap();
    assert_eq!(planned.mode, 3 | 1 << 15);
    assert_eq!((planned.nodes[0], planned.nodes[1]), (3, 2));
    for (mode, number) in [
        ("MPOL_DEFAULT", 0),
        ("MPOL_LOCAL", 4),
        ("MPOL_PREFERRED", 1),
    ] {
        assert_eq!(memory(json!({"mode": mode})).unwrap().mode, number);
    }
    for (mode, number) in [
        ("MPOL_BIND", 2),
        ("MPOL_PREFERRED_MANY", 5),
        ("MPOL_WEIGHTED_INTERLEAVE", 6),
    ] {
        assert_eq!(
            memory(json!({"mode": mode, "nodes": "0"})).unwrap().mode,
            number
        );
    }
}

#[test]
fn memory_policies_that_cannot_be() {
    for (given, place) in [
        (json!({"mode": "MPOL_BIND"}), ""),
        (json!({"mode": "MPOL_BIND", "nodes": ""}), ""),
        (json!({"mode": "MPOL_LOCAL", "nodes": "0"}), "/nodes"),
        (json!({"mode": "MPOL_BIND", "nodes": "1024"}), "/nodes"),
        (json!({"mode": "MPOL_BIND", "nodes": "a"}), "/nodes"),
        (
            json!({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}),
            "/flags",
        ),
    ] {
        let (pointer, _) = told(&memory(given).unwrap_err());
        assert_eq!(pointer, format!("/linux/memoryPolicy{place}"));
    }
}
