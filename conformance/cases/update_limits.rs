//! `update` of each limit, as the kernel's own files show it afterwards.

use serde_json::{Value, json};

use super::update::{fed, file};
use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

const MEMORY: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("memory")];
const CPU: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("cpu")];
const CPUSET: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("cpuset")];
const PIDS: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("pids")];
const IO: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("io")];

/// 64 MiB.
const SOME: i64 = 67_108_864;

pub(super) const CASES: &[Case] = &[
    Case::new("memory", |lab| {
        let container = begun(lab)?;
        shows(
            lab,
            &container,
            &["--memory", "50M"],
            &[("memory.max", "52428800")],
        )?;
        shows(
            lab,
            &container,
            &["--memory=64m"],
            &[("memory.max", "67108864"), ("pids.max", "20")],
        )?;
        shows(
            lab,
            &container,
            &["--memory-reservation", "32m"],
            &[("memory.low", "33554432")],
        )?;
        container.end()
    })
    .needs(MEMORY),
    Case::new("memory-without-limit", |lab| {
        let container = begun(lab)?;
        shows(
            lab,
            &container,
            &["--memory", "-1"],
            &[("memory.max", "max")],
        )?;
        container.end()
    })
    .needs(MEMORY),
    Case::new("memory-and-swap-up-and-down", swap).needs(MEMORY),
    Case::new("swap-counts-with-the-memory-that-there-is", swap_alone)
        .needs(MEMORY)
        .deviates(&[("crun", "wants both")]),
    Case::new("memory-checked-before", checked)
        .needs(MEMORY)
        .deviates(&[("runc", "1.1 does not know it")]),
    Case::new("quota-and-period-one-at-a-time", |lab| {
        let container = begun(lab)?;
        shows(
            lab,
            &container,
            &["--cpu-period", "900000"],
            &[("cpu.max", "500000 900000")],
        )?;
        shows(
            lab,
            &container,
            &["--cpu-quota", "600000"],
            &[("cpu.max", "600000 900000")],
        )?;
        shows(
            lab,
            &container,
            &["--cpu-quota", "-1"],
            &[("cpu.max", "max 900000")],
        )?;
        let both = ["--cpu-quota", "-1", "--cpu-period", "100000"];
        shows(lab, &container, &both, &[("cpu.max", "max 100000")])?;
        container.end()
    })
    .needs(CPU)
    .deviates(&[("crun", "an absent one becomes the usual one")]),
    Case::new("quota-where-there-was-none", |lab| {
        let container = lab.started(|_| ())?;
        shows(
            lab,
            &container,
            &["--cpu-quota", "30000"],
            &[("cpu.max", "30000 100000")],
        )?;
        container.end()
    })
    .needs(CPU)
    .deviates(&[("crun", "gives no controller")]),
    Case::new("shares", |lab| {
        let container = begun(lab)?;
        shows(
            lab,
            &container,
            &["--cpu-share", "1024"],
            &[("cpu.weight", "100")],
        )?;
        shows(
            lab,
            &container,
            &["--cpu-share", "2"],
            &[("cpu.weight", "1")],
        )?;
        container.end()
    })
    .needs(CPU)
    .deviates(&[("runc", "1.1 has a straight line from shares to weight")]),
    Case::new("burst-with-its-quota", burst)
        .needs(CPU)
        .deviates(&[("runc", "1.1 does not know burst")]),
    Case::new("idle-on-and-off", idle)
        .needs(CPU)
        .deviates(&[("runc", "1.1 does not know idle")]),
    Case::new("processors", |lab| {
        let container = begun(lab)?;
        let flags = ["--cpuset-cpus", "0", "--cpuset-mems=0"];
        shows(
            lab,
            &container,
            &flags,
            &[("cpuset.cpus", "0"), ("cpuset.mems", "0")],
        )?;
        container.end()
    })
    .needs(CPUSET)
    .deviates(&[("crun", "gives no controller")]),
    Case::new("processes", |lab| {
        let container = begun(lab)?;
        shows(
            lab,
            &container,
            &["--pids-limit", "10"],
            &[("pids.max", "10")],
        )?;
        shows(
            lab,
            &container,
            &["--pids-limit", "-1"],
            &[("pids.max", "max")],
        )?;
        container.end()
    })
    .needs(PIDS),
    Case::new("processes-where-there-was-no-limit", |lab| {
        let container = lab.started(|_| ())?;
        shows(lab, &container, &["--pids-limit=7"], &[("pids.max", "7")])?;
        container.end()
    })
    .needs(PIDS)
    .deviates(&[("crun", "gives no controller")]),
    Case::new("weight-of-block-devices", weight).needs(IO),
    Case::new("all-at-once", all).needs(&[
        Need::Root,
        Need::CgroupV2,
        Need::Controller("memory"),
        Need::Controller("cpu"),
        Need::Controller("pids"),
    ]),
    Case::new("unified", |lab| {
        let container = begun(lab)?;
        fed(
            lab,
            &container,
            &json!({"unified": {"cpu.max": "max 100000", "cpu.weight": "16", "pids.max": "10"}}),
        )?;
        files(
            &container,
            &[
                ("cpu.max", "max 100000"),
                ("cpu.weight", "16"),
                ("pids.max", "10"),
            ],
        )?;
        container.end()
    })
    .needs(&[
        Need::Root,
        Need::CgroupV2,
        Need::Controller("cpu"),
        Need::Controller("pids"),
    ]),
    Case::new("a-refusal-takes-the-others-back", taken_back).needs(&[
        Need::OrbitalOnly,
        Need::Root,
        Need::Controller("memory"),
        Need::Controller("cpu"),
        Need::Controller("pids"),
    ]),
];

fn begun(lab: &Lab) -> Outcome<Container<'_>> {
    lab.started(|spec| {
        spec.set(
            "/linux/resources/memory",
            json!({"limit": SOME / 2, "reservation": SOME / 4}),
        )
        .set(
            "/linux/resources/cpu",
            json!({"shares": 100, "quota": 500_000, "period": 1_000_000}),
        )
        .set("/linux/resources/pids", json!({"limit": 20}));
    })
}

fn files(container: &Container<'_>, expected: &[(&str, &str)]) -> Outcome {
    for (name, value) in expected {
        same(name, file(container, name)?.as_str(), *value)?;
    }
    Ok(())
}

fn shows(
    lab: &Lab,
    container: &Container<'_>,
    flags: &[&str],
    expected: &[(&str, &str)],
) -> Outcome {
    let line = [&["update"], flags, &[container.id.as_str()]].concat();
    lab.call(&line).ok()?;
    files(container, expected)
}

fn has_swap(container: &Container<'_>) -> Outcome<bool> {
    Ok(probe::cgroup_dir(container.pid)?
        .join("memory.swap.max")
        .exists())
}

fn swap(lab: &Lab) -> Outcome {
    let container = begun(lab)?;
    if has_swap(&container)? {
        for (memory, both, left) in [
            ("30m", "50m", 20),
            ("60m", "80m", 20),
            ("60m", "60m", 0),
            ("20m", "90m", 70),
        ] {
            let flags = ["--memory", memory, "--memory-swap", both];
            let bytes = (left << 20).to_string();
            shows(lab, &container, &flags, &[("memory.swap.max", &bytes)])?;
        }
        shows(
            lab,
            &container,
            &["--memory-swap", "-1", "--memory", "20m"],
            &[("memory.swap.max", "max")],
        )?;
    }
    container.end()
}

fn swap_alone(lab: &Lab) -> Outcome {
    let container = begun(lab)?;
    if has_swap(&container)? {
        let more = [("memory.max", "33554432"), ("memory.swap.max", "33554432")];
        shows(lab, &container, &["--memory-swap", "64m"], &more)?;
    }
    container.end()
}

fn checked(lab: &Lab) -> Outcome {
    let container = begun(lab)?;
    let limits = json!({"memory": {"limit": 1024, "checkBeforeUpdate": true}});
    let input = std::fs::File::open(lab.file("limits", &limits.to_string())?)?;
    let said = lab
        .call(&["update", "-r", "-", &container.id])
        .stdin(input)
        .refused()?;
    mentions(
        "the refusal",
        &said.err,
        &["memory limit", "memory usage", "current usage"],
    )?;
    same("status", container.status()?, "running")?;
    files(&container, &[("memory.max", "33554432")])?;
    container.end()
}

fn burst(lab: &Lab) -> Outcome {
    let container = begun(lab)?;
    let cpu = |quota: i64, burst: u64| json!({"cpu": {"quota": quota, "period": 1_000_000, "burst": burst}});
    for (quota, burst) in [
        (500_000, 400_000),
        (900_000, 800_000),
        (100_000, 50_000),
        (100_000, 0),
    ] {
        fed(lab, &container, &cpu(quota, burst))?;
        let (line, burst) = (format!("{quota} 1000000"), burst.to_string());
        files(&container, &[("cpu.max", &line), ("cpu.max.burst", &burst)])?;
    }
    container.end()
}

fn idle(lab: &Lab) -> Outcome {
    let container = begun(lab)?;
    for value in [1, 0, 1] {
        fed(lab, &container, &json!({"cpu": {"idle": value}}))?;
        files(&container, &[("cpu.idle", &value.to_string())])?;
    }
    fed(
        lab,
        &container,
        &json!({"cpu": {"idle": 0, "shares": 1024}}),
    )?;
    files(&container, &[("cpu.idle", "0"), ("cpu.weight", "100")])?;
    container.end()
}

fn weight(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/linux/resources/blockIO", json!({"weight": 100}));
    })?;
    lab.call(&["update", "--blkio-weight", "500", &container.id])
        .ok()?;
    let bfq = file(&container, "io.bfq.weight").unwrap_or_default();
    let usual = file(&container, "io.weight").unwrap_or_default();
    ensure!(
        bfq.starts_with("default 500") || bfq == "500" || usual.starts_with("default 4950"),
        "io.bfq.weight is {bfq:?}, io.weight {usual:?}"
    );
    container.end()
}

fn all(lab: &Lab) -> Outcome {
    let container = begun(lab)?;
    let flags = [
        "--cpu-period",
        "900000",
        "--cpu-quota",
        "600000",
        "--memory",
        "67108864",
        "--memory-reservation",
        "33554432",
        "--pids-limit",
        "10",
    ];
    let expected = [
        ("cpu.max", "600000 900000"),
        ("memory.max", "67108864"),
        ("memory.low", "33554432"),
        ("pids.max", "10"),
    ];
    shows(lab, &container, &flags, &expected)?;
    let back: Value = json!({"memory": {"limit": SOME / 2, "reservation": SOME / 4},
        "cpu": {"quota": 500_000, "period": 1_000_000}, "pids": {"limit": 20}});
    fed(lab, &container, &back)?;
    let before = [
        ("cpu.max", "500000 1000000"),
        ("memory.max", "33554432"),
        ("memory.low", "16777216"),
        ("pids.max", "20"),
    ];
    files(&container, &before)?;
    container.end()
}

/// The period is refused by the kernel, after pids and memory were written.
fn taken_back(lab: &Lab) -> Outcome {
    let container = begun(lab)?;
    let line = [
        "update",
        "--pids-limit",
        "10",
        "--memory",
        "64m",
        "--cpu-quota",
        "1000",
        "--cpu-period",
        "5",
        &container.id,
    ];
    let said = lab.call(&line).refused()?;
    ensure!(
        said.err.contains("--cpu-quota 1000"),
        "it does not name the flag: {said}"
    );
    let before = [
        ("cpu.max", "500000 1000000"),
        ("memory.max", "33554432"),
        ("pids.max", "20"),
    ];
    files(&container, &before)?;
    container.end()
}
