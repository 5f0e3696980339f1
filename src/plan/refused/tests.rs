use super::*;
use crate::plan::sample::{spec, told};
use serde_json::json;

#[test]
fn what_is_asked_for_and_not_done_is_refused_at_its_place() {
    for (more, place) in [
        (
            json!({"process": {"apparmorProfile": "docker-default"}}),
            "/process/apparmorProfile",
        ),
        (
            json!({"process": {"selinuxLabel": "u:r:t:s0"}}),
            "/process/selinuxLabel",
        ),
        (
            json!({"process": {"scheduler": {"policy": "SCHED_IDLE"}}}),
            "/process/scheduler",
        ),
        (
            json!({"process": {"ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 4}}}),
            "/process/ioPriority",
        ),
        (
            json!({"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}}),
            "/linux/seccomp",
        ),
        (
            json!({"linux": {"mountLabel": "u:r:t:s0"}}),
            "/linux/mountLabel",
        ),
        (
            json!({"linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0"}}}),
            "/linux/memoryPolicy",
        ),
    ] {
        let (pointer, line) = told(&check(&spec(more)).unwrap_err());
        assert_eq!(pointer, place, "{line}");
        assert!(
            line.contains("this version of orbital cannot do that yet (hint: leave it out"),
            "{line}"
        );
    }
}

#[test]
fn what_asks_for_nothing_passes() {
    let more = json!({
        "process": {"apparmorProfile": "unconfined", "selinuxLabel": "", "execCPUAffinity": {"initial": "0"}},
        "linux": {"mountLabel": "", "timeOffsets": {}, "netDevices": {}},
        "vm": {"kernel": {"path": "/vmlinuz"}},
    });
    assert!(check(&spec(more)).is_ok());
}
