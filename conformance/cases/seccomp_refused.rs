//! Seccomp profiles that contradict themselves, or that are misspelt: refused at create, with the place.

use serde_json::{Value, json};

use crate::case::Case;
use crate::check::{Outcome, ensure, mentions};
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[
    Case::new("an-unknown-word", words),
    Case::new("an-unknown-flag", flag)
        .deviates(&[("crun", "it looks only when the filter is loaded")]),
    Case::new("an-errno-for-an-action-without", errno_for_none)
        .deviates(&[("runc", "it ignores the number")]),
    Case::new("notify-as-the-default", notify_default),
    Case::new("notify-of-write", notify_write),
    Case::new("notify-without-a-listener", notify_nobody)
        .deviates(&[("crun", "it loads the filter, and nobody answers")]),
];

fn rule(name: &str, action: &str) -> Value {
    json!({"names": [name], "action": format!("SCMP_ACT_{action}")})
}

/// Refused, with a word about what it was.
fn refused(lab: &Lab, profile: Value, parts: &[&str]) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/linux/seccomp", profile);
    })?;
    ensure!(!said.err.is_empty(), "refused without a word");
    if lab.runtime.name == "orbital" {
        mentions("the refusal", &said.err, parts)?;
    }
    Ok(())
}

fn words(lab: &Lab) -> Outcome {
    let rule = |name: &str, value: Value| {
        let mut rule = json!({"names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 0}]});
        match name {
            "op" => rule["args"][0]["op"] = value,
            _ => rule[name] = value,
        }
        json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]})
    };
    for (profile, parts) in [
        (
            json!({"defaultAction": "SCMP_ACT_ALOW"}),
            ["/linux/seccomp/defaultAction", "SCMP_ACT_ALLOW"],
        ),
        (
            rule("action", json!("SCMP_ACT_ERNO")),
            ["/linux/seccomp/syscalls/0/action", "SCMP_ACT_ERRNO"],
        ),
        (
            rule("op", json!("SCMP_CMP_QE")),
            ["/linux/seccomp/syscalls/0/args/0/op", "SCMP_CMP_"],
        ),
        (
            json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X68"]}),
            ["/linux/seccomp/architectures/0", "SCMP_ARCH_X86"],
        ),
    ] {
        let name = profile.to_string();
        refused(lab, profile, &parts).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn flag(lab: &Lab) -> Outcome {
    refused(
        lab,
        json!({"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LGO"]}),
        &["/linux/seccomp/flags/0", "SECCOMP_FILTER_FLAG_LOG"],
    )
}

fn errno_for_none(lab: &Lab) -> Outcome {
    refused(
        lab,
        json!({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}),
        &["/linux/seccomp/defaultErrnoRet"],
    )?;
    let rules = json!([{"names": ["getpriority"], "action": "SCMP_ACT_KILL", "errnoRet": 1}]);
    refused(
        lab,
        json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}),
        &["/linux/seccomp/syscalls/0/errnoRet"],
    )
}

fn notify_default(lab: &Lab) -> Outcome {
    refused(
        lab,
        json!({"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/run/nobody"}),
        &["/linux/seccomp/defaultAction"],
    )
}

fn notify_nobody(lab: &Lab) -> Outcome {
    let rules = json!([rule("getpriority", "NOTIFY")]);
    refused(
        lab,
        json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}),
        &["/linux/seccomp/listenerPath"],
    )
}

/// With runc the child itself writes to hand the listener over: it would wait for itself.
fn notify_write(lab: &Lab) -> Outcome {
    let rules = json!([rule("write", "NOTIFY")]);
    refused(
        lab,
        json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/nobody", "syscalls": rules}),
        &["/linux/seccomp/syscalls/0/names/0"],
    )
}
