//! Kernel parameters: the container's own may be set, the host's may not.

use serde_json::json;

use crate::case::Case;
use crate::check::{Outcome, contains, mentions, same};
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[
    Case::new("network", |lab| {
        set(
            lab,
            "net.ipv4.ip_forward",
            "/proc/sys/net/ipv4/ip_forward",
            "1",
        )
    }),
    Case::new("network-with-slashes", |lab| {
        set(
            lab,
            "net/ipv4/ip_default_ttl",
            "/proc/sys/net/ipv4/ip_default_ttl",
            "42",
        )
    }),
    Case::new("network-range", |lab| {
        set(
            lab,
            "net.ipv4.ping_group_range",
            "/proc/sys/net/ipv4/ping_group_range",
            "0\t100",
        )
    }),
    Case::new("shared-memory", |lab| {
        set(
            lab,
            "kernel.shm_rmid_forced",
            "/proc/sys/kernel/shm_rmid_forced",
            "1",
        )
    }),
    Case::new("messages", |lab| {
        set(lab, "kernel.msgmax", "/proc/sys/kernel/msgmax", "16384")
    }),
    Case::new("semaphores", |lab| {
        set(
            lab,
            "kernel.sem",
            "/proc/sys/kernel/sem",
            "100\t3200\t32\t64",
        )
    }),
    Case::new("message-queues", |lab| {
        set(
            lab,
            "fs.mqueue.msg_max",
            "/proc/sys/fs/mqueue/msg_max",
            "20",
        )
    }),
    Case::new("network-without-its-namespace-is-refused", |lab| {
        refused(
            lab,
            Some("network"),
            "net.ipv4.ip_forward",
            "/proc/sys/net/ipv4/ip_forward",
        )
    }),
    Case::new("shared-memory-without-its-namespace-is-refused", |lab| {
        refused(lab, Some("ipc"), "kernel.shmmni", "/proc/sys/kernel/shmmni")
    }),
    Case::new("the-hosts-own-are-refused", |lab| {
        refused(lab, None, "vm.swappiness", "/proc/sys/vm/swappiness")
    }),
    Case::new("core-pattern-is-refused", |lab| {
        refused(
            lab,
            None,
            "kernel.core_pattern",
            "/proc/sys/kernel/core_pattern",
        )
    }),
    Case::new("a-way-out-is-refused", |lab| {
        refused(
            lab,
            None,
            "net/ipv4/../../kernel/core_pattern",
            "/proc/sys/kernel/core_pattern",
        )
    }),
    Case::new("no-such-parameter-is-an-error", no_such),
    Case::new("a-bad-value-is-an-error", bad_value),
];

/// Sets `key` inside; `file` must show it there, and the host's must stay as it is.
fn set(lab: &Lab, key: &str, file: &str, value: &str) -> Outcome {
    let before = std::fs::read_to_string(file)?;
    let inside = lab.look(&format!("cat {file}"), |spec| {
        spec.set("/linux/sysctl", json!({key: value}));
    })?;
    same(&format!("{key} inside"), inside.trim(), value)?;
    same(
        &format!("{key} of the host"),
        std::fs::read_to_string(file)?,
        before,
    )
}

fn refused(lab: &Lab, without: Option<&str>, key: &str, file: &str) -> Outcome {
    let before = std::fs::read_to_string(file)?;
    let said = lab.refuse(|spec| {
        if let Some(kind) = without {
            spec.no_namespace(kind)
                .no_mount("/sys")
                .no_mount("/dev/mqueue");
        }
        spec.set("/linux/sysctl", json!({key: "7"}));
    });
    same(
        &format!("{key} of the host"),
        std::fs::read_to_string(file)?,
        before,
    )?;
    let last = key.rsplit(['.', '/']).next().unwrap_or(key);
    contains("the refusal", &said?.err, last)
}

fn no_such(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/linux/sysctl", json!({"net.ipv4.no_such_thing": "1"}));
    })?;
    contains("the refusal", &said.err, "no_such_thing")
}

fn bad_value(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/linux/sysctl", json!({"net.ipv4.ip_default_ttl": "much"}));
    })?;
    mentions(
        "the refusal",
        &said.err,
        &["ip_default_ttl", "invalid argument"],
    )
}
