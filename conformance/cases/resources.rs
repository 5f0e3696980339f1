//! Limits as the kernel's own files show them, and whom the group belongs to.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, same};
use crate::lab::Lab;
use crate::probe;

const V2: &[Need] = &[Need::Root, Need::CgroupV2];
const MEMORY: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("memory")];
const CPU: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("cpu")];
const CPUSET: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("cpuset")];
const PIDS: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("pids")];
const IO: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("io")];
const HUGETLB: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("hugetlb")];

/// 64 MiB.
const SOME: i64 = 67_108_864;

const OLD_WEIGHT: &[(&str, &str)] = &[("runc", "1.1 has a straight line from shares to weight")];

pub(super) const CASES: &[Case] = &[
    Case::new("memory-reservation-is-low", |lab| {
        shows(lab, json!({"memory": {"reservation": SOME}}), &[("memory.low", "67108864")])
    })
    .needs(MEMORY),
    Case::new("memory-of-minus-one-is-no-limit", |lab| {
        let none = json!({"memory": {"limit": -1}});
        shows(lab, none, &[("memory.max", "max"), ("memory.swap.max", "max")])
    })
    .needs(MEMORY),
    Case::new("swap-of-the-memory-limit-is-no-swap", |lab| {
        let same = json!({"memory": {"limit": SOME, "swap": SOME}});
        shows(lab, same, &[("memory.max", "67108864"), ("memory.swap.max", "0")])
    })
    .needs(MEMORY),
    Case::new("swap-of-minus-one-is-any-swap", |lab| {
        let any = json!({"memory": {"limit": SOME, "swap": -1}});
        shows(lab, any, &[("memory.max", "67108864"), ("memory.swap.max", "max")])
    })
    .needs(MEMORY),
    Case::new("memory-that-only-v1-has-is-let-pass", |lab| {
        let old = json!({"memory": {"limit": SOME, "kernel": SOME, "kernelTCP": SOME, "useHierarchy": true}});
        shows(lab, old, &[("memory.max", "67108864")])
    })
    .needs(MEMORY),
    Case::new("cpu-shares-of-1024-are-the-usual-weight", |lab| {
        shows(lab, json!({"cpu": {"shares": 1024}}), &[("cpu.weight", "100")])
    })
    .needs(CPU)
    .deviates(OLD_WEIGHT),
    Case::new("cpu-shares-keep-their-proportions", |lab| {
        shows(lab, json!({"cpu": {"shares": 2}}), &[("cpu.weight", "1")])?;
        shows(lab, json!({"cpu": {"shares": 512}}), &[("cpu.weight", "59")])?;
        shows(lab, json!({"cpu": {"shares": 262_144}}), &[("cpu.weight", "10000")])
    })
    .needs(CPU)
    .deviates(OLD_WEIGHT),
    Case::new("cpu-period-alone", |lab| {
        shows(lab, json!({"cpu": {"period": 50_000}}), &[("cpu.max", "max 50000")])
    })
    .needs(CPU),
    Case::new("cpu-quota-alone", |lab| {
        shows(lab, json!({"cpu": {"quota": 30_000}}), &[("cpu.max", "30000 100000")])
    })
    .needs(CPU),
    Case::new("cpu-burst-after-its-quota", |lab| {
        let burst = json!({"cpu": {"quota": 30_000, "period": 100_000, "burst": 20_000}});
        shows(lab, burst, &[("cpu.max", "30000 100000"), ("cpu.max.burst", "20000")])
    })
    .needs(CPU)
    .deviates(&[("runc", "1.1 does not know burst")]),
    Case::new("cpu-idle", |lab| shows(lab, json!({"cpu": {"idle": 1}}), &[("cpu.idle", "1")]))
        .needs(CPU)
        .deviates(&[("runc", "1.1 does not know idle")]),
    Case::new("cpus-and-mems", |lab| {
        let first = json!({"cpu": {"cpus": "0", "mems": "0"}});
        shows(lab, first, &[("cpuset.cpus", "0"), ("cpuset.mems", "0")])
    })
    .needs(CPUSET),
    Case::new("realtime-is-refused", |lab| {
        let said = lab.refuse(|spec| put(spec, &json!({"cpu": {"realtimeRuntime": 1000}})))?;
        contains("the refusal", &said.err.to_lowercase(), "realtime")
    })
    .needs(V2)
    .deviates(&[("runc", "1.1 ignores it"), ("crun", "1.28 leaves the cgroup")]),
    Case::new("pids-of-minus-one-are-no-limit", |lab| {
        shows(lab, json!({"pids": {"limit": -1}}), &[("pids.max", "max")])
    })
    .needs(PIDS),
    Case::new("pids-of-zero-are-a-limit", no_tasks)
        .needs(PIDS)
        .deviates(&[("runc", "1.1 takes 0 for no limit"), ("crun", "1.28 takes 0 for no limit")]),
    Case::new("io-weight", io_weight).needs(IO),
    Case::new("io-throttles-are-one-line-of-a-device", io_throttle).needs(IO),
    Case::new("huge-pages-in-use", |lab| {
        shows(lab, huge(), &[("hugetlb.2MB.max", "4194304")])
    })
    .needs(HUGETLB),
    Case::new("huge-pages-reserved", |lab| {
        shows(lab, huge(), &[("hugetlb.2MB.rsvd.max", "4194304")])
    })
    .needs(HUGETLB)
    .deviates(&[("runc", "1.1 limits the use alone"), ("crun", "1.28 limits the use alone")]),
    Case::new("unified-files-are-written", |lab| {
        let files = json!({"unified": {"cgroup.max.depth": "3", "cgroup.max.descendants": "7"}});
        shows(lab, files, &[("cgroup.max.depth", "3"), ("cgroup.max.descendants", "7")])
    })
    .needs(V2),
    Case::new("unified-enables-its-controller", |lab| {
        shows(lab, json!({"unified": {"hugetlb.2MB.max": "2097152"}}), &[("hugetlb.2MB.max", "2097152")])
    })
    .needs(HUGETLB),
    Case::new("cpu-burst-above-its-quota-is-refused", |lab| {
        lab.refuse(|spec| put(spec, &json!({"cpu": {"quota": 20_000, "burst": 30_000}}))).map(drop)
    })
    .needs(V2)
    .deviates(&[("runc", "1.1 does not know burst"), ("crun", "1.28 leaves the cgroup")]),
    Case::new("unified-overrules-the-typed-limit", |lab| {
        let both = json!({"hugepageLimits": [{"pageSize": "2MB", "limit": 4_194_304}],
            "unified": {"hugetlb.2MB.max": "2097152"}});
        shows(lab, both, &[("hugetlb.2MB.max", "2097152")])
    })
    .needs(HUGETLB),
    Case::new("unified-stays-in-the-group", |lab| {
        for name in ["../cgroup.max.depth", "a/cgroup.max.depth"] {
            lab.refuse(|spec| put(spec, &json!({"unified": {name: "3"}})))?;
        }
        Ok(())
    })
    .needs(V2)
    .deviates(&[("crun", "1.28 leaves the cgroup")]),
    Case::new("a-writable-group-belongs-to-the-user", delegated)
        .needs(&[Need::Root, Need::CgroupV2, Need::UserNs])
        .deviates(&[("runc", "1.1 hands over only what systemd made")]),
    Case::new("a-group-is-handed-over-without-the-kernels-list-too", |lab| {
        lab.host(&["mount", "-t", "tmpfs", "none", "/sys/kernel/cgroup"])?;
        let outcome = delegated(lab);
        lab.host(&["umount", "/sys/kernel/cgroup"])?;
        outcome
    })
        .needs(&[Need::Root, Need::CgroupV2, Need::UserNs, Need::File("/sys/kernel/cgroup/delegate")])
        .deviates(&[("runc", "1.1 hands over only what systemd made"), ("crun", "1.28 hands over nothing then")]),
    Case::new("a-read-only-group-stays-the-hosts", kept)
        .needs(&[Need::Root, Need::CgroupV2, Need::UserNs])
        .deviates(&[("crun", "1.28 hands every group over")]),
    Case::new("a-cgroup2-mounted-elsewhere-is-found", elsewhere).needs(&[
        Need::OrbitalOnly,
        Need::Root,
        Need::CgroupV2,
    ]),
];

fn put(spec: &mut crate::spec::Spec, resources: &Value) {
    for (name, value) in resources.as_object().into_iter().flatten() {
        spec.set(&format!("/linux/resources/{name}"), value.clone());
    }
}

/// The files of a container's group with these limits.
fn shows(lab: &Lab, resources: Value, files: &[(&str, &str)]) -> Outcome {
    let container = lab.create(|spec| put(spec, &resources))?;
    let dir = probe::cgroup_dir(container.pid)?;
    for (file, want) in files {
        let found = fs::read_to_string(dir.join(file));
        // A kernel without swap has no file for it, and a limit of it changes nothing.
        if *file == "memory.swap.max" && found.is_err() {
            continue;
        }
        same(file, found?.trim(), *want)?;
    }
    container.end()
}

fn huge() -> Value {
    json!({"hugepageLimits": [{"pageSize": "2MB", "limit": 4_194_304}]})
}

/// The process is there, and makes no other.
fn no_tasks(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh("(sleep 1) 2>/dev/null; echo after $?; read forever");
        put(spec, &json!({"pids": {"limit": 0}}));
    })?;
    container.until("stopped")?;
    let output = container.output()?;
    container.delete()?;
    ensure!(
        !output.contains("after 0"),
        "a limit of 0 let a child live: {output:?}"
    );
    let container = lab.create(|spec| put(spec, &json!({"pids": {"limit": 0}})))?;
    let dir = probe::cgroup_dir(container.pid)?;
    same(
        "pids.max",
        fs::read_to_string(dir.join("pids.max"))?.trim(),
        "0",
    )?;
    same(
        "pids.current",
        fs::read_to_string(dir.join("pids.current"))?.trim(),
        "1",
    )?;
    container.end()
}

/// With BFQ the weight as it is, else stretched from 10…1000 to 1…10000.
fn io_weight(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| put(spec, &json!({"blockIO": {"weight": 505}})))?;
    let dir = probe::cgroup_dir(container.pid)?;
    let read = |file: &str| fs::read_to_string(dir.join(file)).ok();
    let found = match read("io.bfq.weight") {
        Some(weight) => weight.contains("505"),
        None => read("io.weight").is_some_and(|weight| weight.contains("default 5000")),
    };
    ensure!(
        found,
        "io.bfq.weight {:?}, io.weight {:?}",
        read("io.bfq.weight"),
        read("io.weight")
    );
    container.end()
}

fn io_throttle(lab: &Lab) -> Outcome {
    let disk = fs::read_dir("/sys/block")?.flatten().find(|disk| {
        fs::read_to_string(disk.path().join("size")).is_ok_and(|size| size.trim() != "0")
    });
    let disk = disk.ok_or("no disk in /sys/block")?;
    let numbers = fs::read_to_string(disk.path().join("dev"))?
        .trim()
        .to_owned();
    let (major, minor) = numbers.split_once(':').ok_or("no device numbers")?;
    let (major, minor): (i64, i64) = (major.parse()?, minor.parse()?);
    let one = |rate: u64| json!([{"major": major, "minor": minor, "rate": rate}]);
    let limits = json!({"blockIO": {"throttleReadBpsDevice": one(1_048_576), "throttleWriteIOPSDevice": one(100)}});
    let container = lab.create(|spec| put(spec, &limits))?;
    let found = fs::read_to_string(probe::cgroup_dir(container.pid)?.join("io.max"))?;
    let want = format!("{numbers} rbps=1048576 wbps=max riops=max wiops=100");
    same("io.max", found.trim(), want.as_str())?;
    container.end()
}

/// Root of a user namespace sees its own group as the root of a writable tree.
fn handed(lab: &Lab, access: &str) -> Outcome<(Vec<u32>, String)> {
    let container = lab.started(|spec| {
        spec.user_namespace(100_000, 65_536).no_mount("/sys/fs/cgroup");
        spec.mount("/sys/fs/cgroup", "cgroup", "cgroup", &["nosuid", "noexec", "nodev", access]);
        spec.sh("mkdir /sys/fs/cgroup/inner && echo made; echo 5 >/sys/fs/cgroup/cgroup.max.depth || echo kept; echo ready; exec sleep 100");
    })?;
    container.wrote("ready")?;
    let dir = probe::cgroup_dir(container.pid)?;
    let dir = if dir.ends_with("inner") {
        dir.join("..")
    } else {
        dir
    };
    let files = [
        "",
        "cgroup.procs",
        "cgroup.threads",
        "cgroup.subtree_control",
        "cgroup.max.depth",
    ];
    let owners: Result<Vec<_>, _> = files
        .iter()
        .map(|file| fs::metadata(dir.join(file)).map(|meta| meta.uid()))
        .collect();
    let output = container.output()?;
    container.end()?;
    Ok((owners?, output))
}

fn delegated(lab: &Lab) -> Outcome {
    let (owners, output) = handed(lab, "rw")?;
    same(
        "owners",
        owners,
        vec![100_000, 100_000, 100_000, 100_000, 0],
    )?;
    contains("the container's output", &output, "made\n")?;
    // A limit is not the container's to change.
    contains("the container's output", &output, "kept\n")
}

fn kept(lab: &Lab) -> Outcome {
    let (owners, _) = handed(lab, "ro")?;
    same("owners", owners, vec![0; 5])
}

fn elsewhere(lab: &Lab) -> Outcome {
    let (place, bundle) = (lab.folder("group tree")?, lab.bundle(|_| ())?);
    let script = "mount --bind /sys/fs/cgroup \"$PLACE\" && mount -t tmpfs none /sys/fs/cgroup && exec \"$@\"";
    let id = lab.id("away");
    let path = std::env::var("PATH").unwrap_or_default();
    let wrapper = [
        "unshare",
        "-m",
        "--propagation",
        "private",
        "sh",
        "-c",
        script,
        "sh",
    ];
    let call = |args: &[&str]| {
        let env = [
            ("PLACE", place.to_str().unwrap_or_default()),
            ("PATH", path.as_str()),
        ];
        lab.call(args).env(&env).through(&wrapper)
    };
    let pid = lab.scratch("pid");
    call(&[
        "create",
        "--bundle",
        bundle.arg(),
        "--pid-file",
        &pid.to_string_lossy(),
        &id,
    ])
    .ok()?;
    let pid = fs::read_to_string(&pid)?.trim().parse()?;
    contains("cgroup", &probe::cgroup(pid)?, &id)?;
    call(&["delete", "--force", &id]).ok()?;
    let left = probe::cgroups_with(&id);
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}
