//! Namespaces: new ones, joined ones, the host's, and what each must isolate.

use serde_json::json;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("listed-ones-are-new", listed_are_new),
    Case::new("unlisted-ones-are-the-hosts", unlisted_are_hosts),
    Case::new("two-containers-share-none", two_share_none),
    Case::new("pid-one-inside", pid_one),
    Case::new("only-own-processes-inside", own_processes),
    Case::new("hostname-inside-only", hostname),
    Case::new("domainname-inside-only", domainname)
        .deviates(&[("runc", "1.1 is older than domainname")]),
    Case::new("hostname-without-uts-is-refused", hostname_without_uts),
    Case::new("loopback-only-and-up", loopback),
    Case::new("ipc-is-separate", ipc),
    Case::new("own-cgroup-is-the-root-inside", cgroup_root).needs(&[Need::Root, Need::CgroupV2]),
    Case::new("path-of-another-type-is-refused", wrong_type).deviates(&[
        ("crun", "1.28 leaves the cgroup"),
        ("runc", "1.1 leaves a cgroup now and then"),
    ]),
    Case::new("missing-path-is-refused", missing_path)
        .deviates(&[("crun", "1.28 leaves the cgroup")]),
    Case::new("duplicates-are-refused", duplicates).deviates(&[("crun", "1.28 leaves the cgroup")]),
    Case::new("unknown-type-is-refused", unknown_type)
        .deviates(&[("crun", "1.28 leaves the cgroup")]),
    Case::new("time-is-the-hosts-unless-listed", time_is_hosts),
];

/// Names in config.json and in /proc/PID/ns.
const KINDS: &[(&str, &str)] = &[
    ("pid", "pid"),
    ("network", "net"),
    ("ipc", "ipc"),
    ("uts", "uts"),
    ("mount", "mnt"),
    ("cgroup", "cgroup"),
];

fn listed_are_new(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    for (name, kind) in KINDS {
        let theirs = probe::namespace(container.pid, kind)?;
        ensure!(
            theirs != probe::own_namespace(kind)?,
            "the {name} namespace is the host's: {theirs}"
        );
    }
    let user = probe::namespace(container.pid, "user")?;
    same("user namespace", user, probe::own_namespace("user")?)?;
    container.end()
}

fn unlisted_are_hosts(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        for kind in ["pid", "network", "ipc", "uts", "cgroup"] {
            spec.no_namespace(kind);
        }
        spec.remove("/hostname")
            .no_mount("/dev/mqueue")
            .no_mount("/sys");
        spec.bind("/sys", "/sys", &["rbind", "ro"]);
    })?;
    for (name, kind) in KINDS.iter().filter(|(name, _)| *name != "mount") {
        let theirs = probe::namespace(container.pid, kind)?;
        same(
            &format!("{name} namespace"),
            theirs,
            probe::own_namespace(kind)?,
        )?;
    }
    ensure!(
        probe::namespace(container.pid, "mnt")? != probe::own_namespace("mnt")?,
        "the mount namespace is the host's"
    );
    container.start()?;
    container.end()
}

fn two_share_none(lab: &Lab) -> Outcome {
    let (one, two) = (lab.create(|_| ())?, lab.create(|_| ())?);
    for (name, kind) in KINDS {
        ensure!(
            probe::namespace(one.pid, kind)? != probe::namespace(two.pid, kind)?,
            "both containers have the same {name} namespace"
        );
    }
    one.end()?;
    two.end()
}

fn pid_one(lab: &Lab) -> Outcome {
    same("pid inside", lab.look("echo $$", |_| ())?.trim(), "1")?;
    let outside = lab.look("echo $$", |spec| {
        spec.no_namespace("pid");
    })?;
    ensure!(
        outside.trim() != "1",
        "without a pid namespace the program is still pid 1"
    );
    Ok(())
}

fn own_processes(lab: &Lab) -> Outcome {
    let out = lab.look("for d in /proc/[0-9]*; do echo ${d#/proc/}; done", |_| ())?;
    same("pids inside", out.lines().collect::<Vec<_>>(), vec!["1"])
}

fn hostname(lab: &Lab) -> Outcome {
    let before = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    let out = lab.look("hostname; cat /proc/sys/kernel/hostname", |spec| {
        spec.set("/hostname", json!("a-name.of-its-own"));
    })?;
    same(
        "hostname inside",
        out.as_str(),
        "a-name.of-its-own\na-name.of-its-own\n",
    )?;
    same(
        "hostname of the host",
        std::fs::read_to_string("/proc/sys/kernel/hostname")?,
        before,
    )
}

fn domainname(lab: &Lab) -> Outcome {
    let before = std::fs::read_to_string("/proc/sys/kernel/domainname")?;
    let out = lab.look("cat /proc/sys/kernel/domainname", |spec| {
        spec.set("/domainname", json!("example.org"));
    })?;
    same("domainname inside", out.trim(), "example.org")?;
    same(
        "domainname of the host",
        std::fs::read_to_string("/proc/sys/kernel/domainname")?,
        before,
    )
}

fn hostname_without_uts(lab: &Lab) -> Outcome {
    let before = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    let said = lab.refuse(|spec| {
        spec.no_namespace("uts");
    })?;
    mentions("the refusal", &said.err, &["uts", "hostname"])?;
    same(
        "hostname of the host",
        std::fs::read_to_string("/proc/sys/kernel/hostname")?,
        before,
    )
}

fn loopback(lab: &Lab) -> Outcome {
    let out = lab.look("ls /sys/class/net; cat /sys/class/net/lo/flags; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo answers", |spec| {
        spec.capabilities(&["CAP_NET_RAW"]);
    })?;
    let flags = out.lines().nth(1).unwrap_or_default();
    ensure!(out.starts_with("lo\n"), "interfaces: {out:?}");
    let up = u32::from_str_radix(flags.trim_start_matches("0x"), 16)? & 1 == 1;
    ensure!(up, "lo is down: flags {flags}");
    contains("a ping to 127.0.0.1", &out, "answers")
}

fn ipc(lab: &Lab) -> Outcome {
    let made = lab.host(&["ipcmk", "-M", "4096"])?;
    let number = made.split_whitespace().last().unwrap_or_default();
    let own = lab.look("wc -l < /proc/sysvipc/shm", |_| ());
    let hosts = lab.look("wc -l < /proc/sysvipc/shm", |spec| {
        spec.no_namespace("ipc");
    });
    lab.host(&["ipcrm", "-m", number])?;
    same("lines of shm inside, its header alone", own?.trim(), "1")?;
    ensure!(
        hosts?.trim() != "1",
        "without an ipc namespace the host's segment is not seen"
    );
    Ok(())
}

fn cgroup_root(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh("grep ^0:: /proc/self/cgroup; exec sleep 99");
    })?;
    container.wrote("\n")?;
    same("own cgroup inside", container.output()?.as_str(), "0::/\n")?;
    contains(
        "own cgroup outside",
        &probe::cgroup(container.pid)?,
        &container.id,
    )?;
    container.end()
}

fn wrong_type(lab: &Lab) -> Outcome {
    lab.refuse(|spec| {
        spec.join("network", "/proc/self/ns/ipc");
    })?;
    let file = lab.file("plain", "")?;
    lab.refuse(|spec| {
        spec.join("network", &file.to_string_lossy());
    })
    .map(drop)
}

fn missing_path(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.join("ipc", "/no/such/namespace");
    })?;
    contains("the refusal", &said.err, "/no/such/namespace")
}

fn duplicates(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.push("/linux/namespaces", json!({"type": "ipc"}));
    })?;
    mentions("the refusal", &said.err, &["ipc", "duplicate", "twice"])
}

fn unknown_type(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.push("/linux/namespaces", json!({"type": "taste"}));
    })?;
    contains("the refusal", &said.err, "taste")
}

fn time_is_hosts(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    same(
        "time namespace",
        probe::namespace(container.pid, "time")?,
        probe::own_namespace("time")?,
    )?;
    container.end()
}
