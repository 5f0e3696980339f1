//! Control groups: where the container is placed, which limits are written, what is removed.

use std::fs;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, same};
use crate::lab::Lab;
use crate::probe;

const V2: &[Need] = &[Need::Root, Need::CgroupV2];

pub(super) const CASES: &[Case] = &[
    Case::new("path-absolute", path_absolute).needs(V2),
    Case::new("path-of-several-parts-is-removed-again", path_deep).needs(V2),
    Case::new("path-by-default-names-the-id", path_default).needs(V2),
    Case::new("path-relative", path_relative).needs(V2),
    Case::new("path-for-a-systemd-that-is-not-asked", path_for_systemd).needs(V2),
    Case::new("path-with-dot-dot-stays-below", path_dot_dot)
        .needs(V2)
        .deviates(&[("crun", "1.28 makes a folder outside of the hierarchy")]),
    Case::new("placed-before-the-program-starts", placed_early).needs(V2),
    Case::new("children-are-in-it", children).needs(V2),
    Case::new("init-is-in-a-group-of-its-own", own_group).needs(V2),
    Case::new("an-empty-group-is-taken-over", existing).needs(V2),
    Case::new("an-occupied-group-is-refused", occupied)
        .needs(V2)
        .deviates(&[("runc", "1.1 only warns"), ("crun", "joins it")]),
    Case::new("pids-limit", |lab| {
        limit(lab, &json!({"pids": {"limit": 20}}), "pids.max", "20")
    })
    .needs(&[Need::Root, Need::CgroupV2, Need::Controller("pids")]),
    Case::new("memory-limit", |lab| {
        limit(
            lab,
            &json!({"memory": {"limit": 67_108_864}}),
            "memory.max",
            "67108864",
        )
    })
    .needs(&[Need::Root, Need::CgroupV2, Need::Controller("memory")]),
    Case::new("memory-and-swap", |lab| {
        limit(
            lab,
            &json!({"memory": {"limit": 67_108_864, "swap": 100_663_296}}),
            "memory.swap.max",
            "33554432",
        )
    })
    .needs(&[Need::Root, Need::CgroupV2, Need::Controller("memory")]),
    Case::new("cpu-quota", |lab| {
        limit(
            lab,
            &json!({"cpu": {"quota": 20_000, "period": 100_000}}),
            "cpu.max",
            "20000 100000",
        )
    })
    .needs(&[Need::Root, Need::CgroupV2, Need::Controller("cpu")]),
    Case::new("pids-limit-is-in-force", pids_in_force).needs(&[
        Need::Root,
        Need::CgroupV2,
        Need::Controller("pids"),
    ]),
    Case::new("pids-without-its-controller-is-refused", |lab| {
        missing(lab, &json!({"pids": {"limit": 20}}), "pids")
    })
    .needs(&[Need::Root, Need::CgroupV2, Need::NoController("pids")])
    .deviates(&[("crun", "1.28 leaves the cgroup")]),
    Case::new("memory-without-its-controller-is-refused", |lab| {
        missing(lab, &json!({"memory": {"limit": 67_108_864}}), "memory")
    })
    .needs(&[Need::Root, Need::CgroupV2, Need::NoController("memory")])
    .deviates(&[("crun", "1.28 leaves the cgroup")]),
    Case::new("cpu-without-its-controller-is-refused", |lab| {
        missing(
            lab,
            &json!({"cpu": {"quota": 20_000, "period": 100_000}}),
            "cpu",
        )
    })
    .needs(&[Need::Root, Need::CgroupV2, Need::NoController("cpu")])
    .deviates(&[("crun", "1.28 leaves the cgroup")]),
    Case::new("limits-of-nothing-need-no-controller", nothing_wanted).needs(V2),
    Case::new("read-only-inside", read_only_inside).needs(V2),
    Case::new("sub-groups-of-the-container-are-removed", sub_groups).needs(V2),
];

fn path_absolute(lab: &Lab) -> Outcome {
    let path = format!("/{}-here", lab.tag());
    let container = lab.create(|spec| {
        spec.set("/linux/cgroupsPath", json!(path));
    })?;
    same("cgroup", probe::cgroup(container.pid)?, path)?;
    container.start()?;
    container.end()
}

fn path_deep(lab: &Lab) -> Outcome {
    let top = format!("/{}-top", lab.tag());
    let container = lab.create(|spec| {
        spec.set("/linux/cgroupsPath", json!(format!("{top}/middle/leaf")));
    })?;
    same(
        "cgroup",
        probe::cgroup(container.pid)?,
        format!("{top}/middle/leaf"),
    )?;
    container.end()?;
    let leaf = probe::cgroup_mount().join(format!("{}/middle/leaf", top.trim_start_matches('/')));
    ensure!(!leaf.exists(), "{} is still there", leaf.display());
    // The parents are shared with other containers: whether they go with the last one is open.
    for parent in ["/middle", ""] {
        let _ = fs::remove_dir(
            probe::cgroup_mount().join(format!("{}{parent}", top.trim_start_matches('/'))),
        );
    }
    Ok(())
}

fn path_default(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    contains("cgroup", &probe::cgroup(container.pid)?, &container.id)?;
    container.end()
}

fn path_relative(lab: &Lab) -> Outcome {
    named_relative(lab, &format!("{}-relative", lab.tag()))
}

/// BuildKit, inside docker, asks for this.
fn path_for_systemd(lab: &Lab) -> Outcome {
    named_relative(lab, &format!("system.slice:{}:name", lab.tag()))
}

fn named_relative(lab: &Lab, name: &str) -> Outcome {
    let container = lab.create(|spec| {
        spec.set("/linux/cgroupsPath", json!(name));
    })?;
    let found = probe::cgroup(container.pid)?;
    ensure!(
        found.ends_with(&format!("/{name}")),
        "cgroup: expected …/{name}, found {found}"
    );
    container.end()
}

fn path_dot_dot(lab: &Lab) -> Outcome {
    let name = format!("{}-up", lab.tag());
    let bundle = lab.bundle(|spec| {
        spec.set("/linux/cgroupsPath", json!(format!("/../../../../{name}")));
    })?;
    let id = lab.id("up");
    let said = lab.call(&["create", "--bundle", bundle.arg(), &id]).say()?;
    if said.status.success() {
        lab.call(&["delete", "--force", &id]).ok()?;
    }
    for above in probe::cgroup_mount().ancestors().skip(1) {
        let outside = above.join(&name);
        let made = std::fs::remove_dir(&outside);
        ensure!(made.is_err(), "made {}", outside.display());
    }
    Ok(())
}

fn placed_early(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let before = probe::cgroup(container.pid)?;
    ensure!(
        before != probe::cgroup(std::process::id().cast_signed())?,
        "it is in the caller's cgroup"
    );
    container.start()?;
    same("cgroup after start", probe::cgroup(container.pid)?, before)?;
    container.end()
}

fn children(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh("sleep 90 & (setsid sleep 91 &); sleep 0.1; echo ready; exec sleep 92");
    })?;
    container.wrote("ready")?;
    same("processes", container.processes()?.len(), 3)?;
    container.end()
}

fn own_group(lab: &Lab) -> Outcome {
    let (one, two) = (lab.create(|_| ())?, lab.create(|_| ())?);
    ensure!(
        probe::cgroup(one.pid)? != probe::cgroup(two.pid)?,
        "two containers in one cgroup"
    );
    same("processes in the first's", one.processes()?, vec![one.pid])?;
    one.end()?;
    two.end()
}

/// Two containers in one group would share limits, freezing and killing.
fn occupied(lab: &Lab) -> Outcome {
    let path = format!("/{}-taken", lab.tag());
    let container = lab.create(|spec| {
        spec.set("/linux/cgroupsPath", json!(path));
    })?;
    lab.refuse(|spec| {
        spec.set("/linux/cgroupsPath", json!(path));
    })?;
    same("status of the first", container.status()?, "created")?;
    container.end()
}

fn existing(lab: &Lab) -> Outcome {
    let name = format!("{}-ready", lab.tag());
    fs::create_dir(probe::cgroup_mount().join(&name))?;
    let container = lab.create(|spec| {
        spec.set("/linux/cgroupsPath", json!(format!("/{name}")));
    })?;
    same("cgroup", probe::cgroup(container.pid)?, format!("/{name}"))?;
    container.end()?;
    let _ = fs::remove_dir(probe::cgroup_mount().join(&name));
    Ok(())
}

fn resources(spec: &mut crate::spec::Spec, resources: &Value) {
    for (name, value) in resources.as_object().into_iter().flatten() {
        spec.set(&format!("/linux/resources/{name}"), value.clone());
    }
}

fn limit(lab: &Lab, wanted: &Value, file: &str, want: &str) -> Outcome {
    let container = lab.create(|spec| resources(spec, wanted))?;
    let found = fs::read_to_string(probe::cgroup_dir(container.pid)?.join(file))?;
    same(file, found.trim(), want)?;
    container.end()
}

fn pids_in_force(lab: &Lab) -> Outcome {
    let out = lab.look(
        "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done 2>&1 | grep -c fork; true",
        |spec| {
            resources(spec, &json!({"pids": {"limit": 5}}));
        },
    )?;
    ensure!(out.trim() != "0", "a limit of 5 let 8 children live");
    Ok(())
}

/// A limit that cannot be kept is not to be forgotten in silence.
fn missing(lab: &Lab, wanted: &Value, controller: &str) -> Outcome {
    let said = lab.refuse(|spec| resources(spec, wanted))?;
    contains("the refusal", &said.err, controller)
}

fn nothing_wanted(lab: &Lab) -> Outcome {
    lab.look("true", |spec| {
        spec.set("/linux/resources", json!({"memory": {}, "cpu": {}}));
    })
    .map(drop)
}

fn read_only_inside(lab: &Lab) -> Outcome {
    let out = lab.look("echo 1 > /sys/fs/cgroup/cgroup.freeze || echo refused; mkdir /sys/fs/cgroup/x || echo refused", |_| ())?;
    same("output", out.as_str(), "refused\nrefused\n")
}

fn sub_groups(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let dir = probe::cgroup_dir(container.pid)?;
    fs::create_dir_all(dir.join("a/b"))?;
    fs::create_dir_all(dir.join("c"))?;
    container.end()?;
    ensure!(!dir.exists(), "{} is still there", dir.display());
    Ok(())
}
