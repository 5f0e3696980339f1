//! Other limits for a group that systemd made: systemd is told, or it would write the old ones again.

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, same};
use crate::container::Container;
use crate::lab::Lab;

use super::systemd::{SYSTEMD, file, limited, over, shown};

const CRUN: &[(&str, &str)] = &[("crun", "1.21 does not tell systemd of a quota")];

pub(super) const CASES: &[Case] = &[
    Case::new("an-update-outlives-a-reload", reload)
        .needs(SYSTEMD)
        .deviates(CRUN),
    Case::new("an-update-of-what-systemd-does-not-know", unknown).needs(SYSTEMD),
    Case::new("an-update-is-exact-where-systemd-rounds", exact)
        .needs(SYSTEMD)
        .deviates(CRUN),
    Case::new("an-update-takes-a-limit-away", away)
        .needs(SYSTEMD)
        .deviates(CRUN),
    Case::new(
        "a-refused-update-leaves-systemd-with-the-old-limits",
        refused,
    )
    .needs(&[
        Need::Root,
        Need::CgroupV2,
        Need::OrbitalOnly,
        Need::File("/run/systemd/private"),
        Need::Program("systemctl"),
    ]),
];

fn update(lab: &Lab, container: &Container<'_>, flags: &[&str]) -> Outcome {
    let args = [&["update"][..], flags, &[&container.id]].concat();
    lab.call(&args).ok().map(drop)
}

/// The same from a file.
fn by_file<'l>(lab: &'l Lab, id: &str, resources: &Value) -> Outcome<crate::runtime::Call<'l>> {
    let path = lab.file("resources", &resources.to_string())?;
    Ok(lab.call(&["update", "--resources", &path.to_string_lossy(), id]))
}

/// What the kernel's files and systemd say.
fn says(
    lab: &Lab,
    container: &Container<'_>,
    unit: &str,
    files: &[(&str, &str)],
    properties: &[(&str, &str)],
) -> Outcome {
    for (name, value) in files {
        same(name, file(container, name)?.as_str(), *value)?;
    }
    for (name, value) in properties {
        same(name, shown(lab, unit, name)?.as_str(), *value)?;
    }
    Ok(())
}

fn reload(lab: &Lab) -> Outcome {
    let (container, unit) = limited(lab)?;
    let flags = [
        "--memory",
        "134217728",
        "--pids-limit",
        "30",
        "--cpu-quota",
        "30000",
        "--cpuset-cpus",
        "1",
    ];
    update(lab, &container, &flags)?;
    let files = [
        ("memory.max", "134217728"),
        ("memory.low", "33554432"),
        ("pids.max", "30"),
        ("cpu.max", "30000 100000"),
        ("cpuset.cpus", "1"),
    ];
    let properties = [
        ("MemoryMax", "134217728"),
        ("TasksMax", "30"),
        ("CPUQuotaPerSecUSec", "300ms"),
        ("AllowedCPUs", "1"),
    ];
    says(lab, &container, &unit, &files, &properties)?;
    lab.host(&["systemctl", "daemon-reload"])?;
    says(lab, &container, &unit, &files, &properties)?;
    over(lab, &container, &unit)
}

fn unknown(lab: &Lab) -> Outcome {
    let (container, unit) = limited(lab)?;
    let files = json!({"unified": {"cgroup.max.depth": "5", "memory.oom.group": "1"}});
    by_file(lab, &container.id, &files)?.ok()?;
    let files = [("cgroup.max.depth", "5"), ("memory.oom.group", "1")];
    says(lab, &container, &unit, &files, &[])?;
    over(lab, &container, &unit)
}

fn exact(lab: &Lab) -> Outcome {
    let (container, unit) = limited(lab)?;
    update(lab, &container, &["--cpu-quota", "33333"])?;
    std::thread::sleep(std::time::Duration::from_millis(300));
    let files = [("cpu.max", "33333 100000")];
    says(
        lab,
        &container,
        &unit,
        &files,
        &[("CPUQuotaPerSecUSec", "340ms")],
    )?;
    over(lab, &container, &unit)
}

fn away(lab: &Lab) -> Outcome {
    let (container, unit) = limited(lab)?;
    update(
        lab,
        &container,
        &["--pids-limit", "-1", "--cpu-quota", "-1"],
    )?;
    let files = [("pids.max", "max"), ("cpu.max", "max 100000")];
    let properties = [("TasksMax", "infinity"), ("CPUQuotaPerSecUSec", "infinity")];
    says(lab, &container, &unit, &files, &properties)?;
    lab.host(&["systemctl", "daemon-reload"])?;
    says(lab, &container, &unit, &files, &properties)?;
    over(lab, &container, &unit)
}

/// The last of its files is refused by the kernel, when systemd has been told of the others.
fn refused(lab: &Lab) -> Outcome {
    let (container, unit) = limited(lab)?;
    let wanted = json!({"memory": {"limit": 134_217_728}, "pids": {"limit": 30},
        "unified": {"cgroup.max.depth": "deep"}});
    by_file(lab, &container.id, &wanted)?.refused()?;
    let files = [("memory.max", "67108864"), ("pids.max", "20")];
    let properties = [("MemoryMax", "67108864"), ("TasksMax", "20")];
    says(lab, &container, &unit, &files, &properties)?;
    lab.host(&["systemctl", "daemon-reload"])?;
    says(lab, &container, &unit, &files, &properties)?;
    over(lab, &container, &unit)
}
