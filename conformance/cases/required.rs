//! Members of config.json that must be there: without one of them the bundle is refused, with it it runs.

use serde_json::{Value, json};

use crate::case::Case;
use crate::check::{Outcome, mentions};
use crate::lab::Lab;
use crate::spec::Spec;

/// What the types of those written in Go do; the older one does not know some of the objects at all.
const RUNC: &[(&str, &str)] = &[("runc", "reads an absent member as empty")];

pub(super) const CASES: &[Case] = &[
    Case::new("version", |lab| lacking(lab, "/ociVersion")).deviates(RUNC),
    Case::new("root-path", |lab| lacking(lab, "/root/path")),
    Case::new("process-cwd", |lab| lacking(lab, "/process/cwd")),
    Case::new("rlimit-type", |lab| lacking(lab, "/process/rlimits/0/type")),
    Case::new("mount-destination", |lab| {
        lacking(lab, "/mounts/6/destination")
    }),
    Case::new("namespace-type", |lab| {
        lacking(lab, "/linux/namespaces/0/type")
    }),
    Case::new("device-type", |lab| lacking(lab, "/linux/devices/0/type")),
    Case::new("device-path", |lab| lacking(lab, "/linux/devices/0/path")).deviates(RUNC),
    Case::new("device-numbers", |lab| {
        lacking(lab, "/linux/devices/0/major")?;
        lacking(lab, "/linux/devices/0/minor")
    })
    .deviates(&[
        ("runc", "reads an absent member as empty"),
        ("crun", "makes a device 0:0"),
    ]),
    Case::new("hook-path", |lab| {
        for kind in super::hooks::KINDS {
            lacking(lab, &format!("/hooks/{kind}/0/path"))?;
        }
        Ok(())
    })
    .deviates(&[("runc", "finds out when it runs the hook")]),
    Case::new("personality-domain", |lab| {
        empty(lab, "/linux/personality", "domain")
    })
    .deviates(&[
        ("runc", "1.1 knows no personality"),
        ("crun", "dies of it, without a word"),
    ]),
    Case::new("seccomp-default-action", |lab| {
        empty(lab, "/linux/seccomp", "defaultAction")
    })
    .deviates(RUNC),
    Case::new("seccomp-rule", |lab| {
        for member in ["names", "action"] {
            lacking(lab, &format!("/linux/seccomp/syscalls/0/{member}"))?;
        }
        Ok(())
    })
    .deviates(RUNC),
    Case::new("seccomp-condition", |lab| {
        for member in ["index", "value", "op"] {
            lacking(lab, &format!("/linux/seccomp/syscalls/0/args/0/{member}"))?;
        }
        Ok(())
    })
    .deviates(&[
        ("runc", "reads an absent member as empty"),
        ("crun", "reads an absent index as 0"),
    ]),
    Case::new("io-priority", |lab| {
        lacking(lab, "/process/ioPriority/class")?;
        lacking(lab, "/process/ioPriority/priority")
    })
    .deviates(&[
        ("runc", "1.1 knows no I/O priority"),
        ("crun", "reads an absent priority as 0"),
    ]),
    Case::new("scheduler-policy", |lab| {
        empty(lab, "/process/scheduler", "policy")
    })
    .deviates(RUNC),
    Case::new("memory-policy-mode", |lab| {
        empty(lab, "/linux/memoryPolicy", "mode")
    })
    .deviates(RUNC),
];

/// A config.json that has all the members of the table.
fn full(spec: &mut Spec) {
    spec.sh("true")
        .push(
            "/linux/devices",
            json!({"path": "/dev/extra", "type": "c", "major": 1, "minor": 3}),
        )
        .set(
            "/process/rlimits",
            json!([{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]),
        );
    let condition = json!({"index": 0, "value": 7, "op": "SCMP_CMP_EQ"});
    let rule = json!({"names": ["swapoff"], "action": "SCMP_ACT_ERRNO", "args": [condition]});
    spec.set(
        "/linux/seccomp",
        json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}),
    )
    .set(
        "/process/ioPriority",
        json!({"class": "IOPRIO_CLASS_BE", "priority": 5}),
    );
    for kind in super::hooks::KINDS {
        spec.hook(kind, "true");
    }
    spec.remove("/hooks/startContainer");
    spec.push(
        "/hooks/startContainer",
        json!({"path": "/bin/true", "args": ["true"]}),
    );
}

/// With the member at `pointer` the bundle runs, without it it is refused.
fn lacking(lab: &Lab, pointer: &str) -> Outcome {
    lab.look("true", full)?;
    lab.refuse(|spec| {
        full(spec);
        let (parent, member) = pointer.rsplit_once('/').unwrap_or_default();
        if let Some(Value::Object(members)) = spec.0.pointer_mut(parent) {
            members.remove(member);
        }
    })
    .map(drop)
}

/// The object at `pointer` is refused when it has nothing in it, and the member that it lacks is named.
fn empty(lab: &Lab, pointer: &str, name: &str) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set(pointer, json!({}));
    })?;
    mentions("the refusal", &said.err, &[name])
}
