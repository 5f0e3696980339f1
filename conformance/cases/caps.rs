//! Capabilities: five sets, as the kernel shows them after the program has started.

use serde_json::json;

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, same};
use crate::lab::Lab;
use crate::probe;
use crate::spec::Spec;

pub(super) const CASES: &[Case] = &[
    Case::new("root-has-exactly-what-is-listed", root_sets),
    Case::new("root-with-differing-sets", root_differing),
    Case::new(
        "a-user-without-ambient-has-none-in-force",
        user_without_ambient,
    ),
    Case::new("a-user-with-ambient-has-them", user_with_ambient),
    Case::new("bounding-is-exact-for-a-user", user_bounding),
    Case::new("inheritable-only-when-listed", inheritable),
    Case::new("empty-sets-mean-none", empty),
    Case::new("no-capabilities-member-means-none", absent),
    Case::new("all-that-the-caller-has", all),
    Case::new("an-unknown-name-is-no-obstacle", unknown),
    Case::new("an-unknown-name-is-warned-of", unknown_is_told)
        .deviates(&[("crun", "passes over it in silence")]),
    Case::new("no-new-privileges", no_new_privileges),
    Case::new("a-missing-capability-is-missed", missing),
];

/// Inheritable, permitted, effective, bounding, ambient: as /proc/self/status has them.
fn sets(lab: &Lab, edit: impl FnOnce(&mut Spec)) -> Outcome<[u64; 5]> {
    let status = lab.look("cat /proc/self/status", edit)?;
    let mut found = [0; 5];
    for (place, name) in found
        .iter_mut()
        .zip(["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
    {
        *place = u64::from_str_radix(&probe::field(&status, name)?, 16)?;
    }
    Ok(found)
}

const CHOWN: u64 = 1;
const KILL: u64 = 1 << 5;
const BIND: u64 = 1 << 10;
const RAW: u64 = 1 << 13;

/// Compares in hexadecimal, which is how people read them.
fn equal(found: [u64; 5], want: [u64; 5]) -> Outcome {
    ensure!(
        found == want,
        "inh prm eff bnd amb: expected {want:x?}, found {found:x?}"
    );
    Ok(())
}

fn user(spec: &mut Spec) -> &mut Spec {
    spec.set("/process/user", json!({"uid": 1000, "gid": 1000}))
}

fn root_sets(lab: &Lab) -> Outcome {
    let found = sets(lab, |spec| {
        spec.capabilities(&["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"]);
    })?;
    let all = CHOWN | KILL | BIND;
    equal(found, [0, all, all, all, 0])
}

/// execve gives uid 0 its bounding and inheritable sets (capabilities(7)).
fn root_differing(lab: &Lab) -> Outcome {
    let found = sets(lab, |spec| {
        spec.set("/process/capabilities", json!({
            "bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN"], "permitted": ["CAP_CHOWN", "CAP_KILL"],
            "inheritable": ["CAP_KILL"]}));
    })?;
    equal(found, [KILL, CHOWN | KILL, CHOWN | KILL, CHOWN | KILL, 0])
}

fn user_without_ambient(lab: &Lab) -> Outcome {
    let found = sets(lab, |spec| {
        user(spec).capabilities(&["CAP_CHOWN", "CAP_KILL"]);
    })?;
    equal(found, [0, 0, 0, CHOWN | KILL, 0])
}

fn user_with_ambient(lab: &Lab) -> Outcome {
    let names = json!(["CAP_NET_RAW", "CAP_KILL"]);
    let found = sets(lab, |spec| {
        user(spec).set("/process/capabilities", json!({
            "bounding": names, "effective": names, "permitted": names, "inheritable": names, "ambient": ["CAP_NET_RAW"]}));
    })?;
    equal(found, [RAW | KILL, RAW, RAW, RAW | KILL, RAW])
}

fn user_bounding(lab: &Lab) -> Outcome {
    let found = sets(lab, |spec| {
        user(spec).set(
            "/process/capabilities",
            json!({"bounding": ["CAP_NET_RAW"]}),
        );
    })?;
    equal(found, [0, 0, 0, RAW, 0])
}

/// CVE-2022-29162 and its kin: nothing is inheritable unless config.json says so.
fn inheritable(lab: &Lab) -> Outcome {
    let [found, ..] = sets(lab, |_| ())?;
    same("inheritable", found, 0)
}

fn empty(lab: &Lab) -> Outcome {
    let found = sets(lab, |spec| {
        spec.set("/process/capabilities", json!({"bounding": [], "effective": [], "permitted": [], "inheritable": [], "ambient": []}));
    })?;
    equal(found, [0; 5])
}

fn absent(lab: &Lab) -> Outcome {
    let found = sets(lab, |spec| {
        spec.remove("/process/capabilities");
    })?;
    equal(found, [0; 5])
}

fn all(lab: &Lab) -> Outcome {
    let own = std::fs::read_to_string("/proc/self/status")?;
    let mask = u64::from_str_radix(&probe::field(&own, "CapPrm")?, 16)?;
    const NAMES: &[&str] = &[
        "CHOWN",
        "DAC_OVERRIDE",
        "DAC_READ_SEARCH",
        "FOWNER",
        "FSETID",
        "KILL",
        "SETGID",
        "SETUID",
        "SETPCAP",
        "LINUX_IMMUTABLE",
        "NET_BIND_SERVICE",
        "NET_BROADCAST",
        "NET_ADMIN",
        "NET_RAW",
        "IPC_LOCK",
        "IPC_OWNER",
        "SYS_MODULE",
        "SYS_RAWIO",
        "SYS_CHROOT",
        "SYS_PTRACE",
        "SYS_PACCT",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_NICE",
        "SYS_RESOURCE",
        "SYS_TIME",
        "SYS_TTY_CONFIG",
        "MKNOD",
        "LEASE",
        "AUDIT_WRITE",
        "AUDIT_CONTROL",
        "SETFCAP",
        "MAC_OVERRIDE",
        "MAC_ADMIN",
        "SYSLOG",
        "WAKE_ALARM",
        "BLOCK_SUSPEND",
        "AUDIT_READ",
        "PERFMON",
        "BPF",
        "CHECKPOINT_RESTORE",
    ];
    let had = |number: &usize| mask >> number & 1 == 1;
    let names: Vec<String> = NAMES
        .iter()
        .enumerate()
        .filter(|(n, _)| had(n))
        .map(|(_, name)| format!("CAP_{name}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = sets(lab, |spec| {
        spec.capabilities(&names);
    })?;
    equal(found, [0, mask, mask, mask, 0])
}

/// "… it MUST NOT fail … the runtime SHOULD log a warning" (config.md, "capabilities").
fn unknown(lab: &Lab) -> Outcome {
    let found = sets(lab, |spec| {
        spec.capabilities(&["CAP_CHOWN", "CAP_NO_SUCH_THING"]);
    })?;
    equal(found, [0, CHOWN, CHOWN, CHOWN, 0])
}

/// The warning is in the log that the caller named, with the name in it.
fn unknown_is_told(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("true")
            .capabilities(&["CAP_CHOWN", "CAP_NO_SUCH_THING"]);
    })?;
    let log = lab.scratch("log");
    let (id, arg) = (lab.id("caps"), log.to_string_lossy().into_owned());
    lab.call(&["--log", &arg, "run", "--bundle", bundle.arg(), &id])
        .ok()?;
    contains(
        "the log",
        &std::fs::read_to_string(&log)?,
        "CAP_NO_SUCH_THING",
    )
}

fn no_new_privileges(lab: &Lab) -> Outcome {
    for (value, want) in [(true, "1"), (false, "0")] {
        let status = lab.look("cat /proc/self/status", |spec| {
            spec.set("/process/noNewPrivileges", json!(value));
        })?;
        same(
            "NoNewPrivs",
            probe::field(&status, "NoNewPrivs")?.as_str(),
            want,
        )?;
    }
    Ok(())
}

fn missing(lab: &Lab) -> Outcome {
    let script = "touch /tmp/x; chown 5 /tmp/x 2>/dev/null && echo may || echo may not";
    same(
        "without CAP_CHOWN",
        lab.look(script, |_| ())?.trim(),
        "may not",
    )?;
    let with = lab.look(script, |spec| {
        spec.capabilities(&["CAP_CHOWN"]);
    })?;
    same("with CAP_CHOWN", with.trim(), "may")
}
