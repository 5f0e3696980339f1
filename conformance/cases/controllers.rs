//! The controllers on the way to a group: given where they are to be had, named where they are not.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;

use serde_json::json;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same, skip};
use crate::lab::{Lab, USER};
use crate::probe;

const V2: &[Need] = &[Need::Root, Need::CgroupV2];
const MEMORY: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("memory")];

pub(super) const CASES: &[Case] = &[
    Case::new("a-new-group-has-every-controller", every)
        .needs(V2)
        .deviates(&[("crun", "1.28 has a list of its own, without rdma")]),
    Case::new("without-a-limit-it-is-counted", counted).needs(MEMORY),
    Case::new("a-group-with-processes-is-left-as-it-is", left_alone)
        .needs(V2)
        .deviates(&[
            ("runc", "1.1 makes it a threaded one"),
            ("crun", "1.28 makes it a threaded one"),
        ]),
    Case::new("a-user-without-delegation-is-told-where", undelegated).needs(&[
        Need::Root,
        Need::CgroupV2,
        Need::UserNs,
        Need::OrbitalOnly,
        Need::Controller("memory"),
        Need::Program("setpriv"),
    ]),
    Case::new("without-controllers-it-is-frozen-filtered-and-killed", bare).needs(&[
        Need::Root,
        Need::CgroupV2,
        Need::NoController("memory"),
    ]),
    Case::new("version-1-alone-is-refused-in-a-sentence", version_1).needs(&[
        Need::Root,
        Need::OrbitalOnly,
        Need::CgroupV2,
    ]),
];

fn words(path: PathBuf) -> Outcome<Vec<String>> {
    let text = fs::read_to_string(path)?;
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    words.sort();
    Ok(words)
}

/// Also below groups that were made for it.
fn every(lab: &Lab) -> Outcome {
    let path = format!("/{}-all/inner", lab.tag());
    let container = lab.create(|spec| {
        spec.set("/linux/cgroupsPath", json!(path))
            .remove("/linux/resources");
    })?;
    let group = probe::cgroup_dir(container.pid)?;
    let has = words(group.join("cgroup.controllers"))?;
    let offered = words(probe::cgroup_mount().join("cgroup.controllers"))?;
    same("its controllers", has, offered)?;
    let given = words(group.join("cgroup.subtree_control"))?;
    ensure!(given.is_empty(), "it gives {given:?} itself");
    container.end()?;
    let _ = fs::remove_dir(group.parent().unwrap_or(&group));
    Ok(())
}

fn counted(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.remove("/linux/resources");
    })?;
    let group = probe::cgroup_dir(container.pid)?;
    let used: u64 = fs::read_to_string(group.join("memory.current"))?
        .trim()
        .parse()?;
    ensure!(used > 0, "memory.current is {used}");
    container.end()
}

/// A group that has processes and gives controllers is of another kind, and nobody could live below it.
fn left_alone(lab: &Lab) -> Outcome {
    let parent = probe::cgroup_mount().join(format!("{}-busy", lab.tag()));
    fs::create_dir(&parent)?;
    let mut other = lab.spawn(std::process::Command::new("sleep").arg("1000"))?;
    fs::write(parent.join("cgroup.procs"), other.pid().to_string())?;
    let made = lab.create(|spec| {
        spec.set(
            "/linux/cgroupsPath",
            json!(format!("/{}-busy/inner", lab.tag())),
        )
        .remove("/linux/resources");
    });
    let kind = fs::read_to_string(parent.join("cgroup.type"))?;
    let outcome = made.and_then(|container| {
        container.start()?;
        same("status", container.status()?.as_str(), "running")?;
        container.end()
    });
    other.signal(nix::sys::signal::Signal::SIGKILL);
    other.wait()?;
    fs::remove_dir(&parent)?;
    outcome?;
    same("the group with processes is", kind.trim(), "domain")
}

/// May make groups, may not give controllers.
fn undelegated(lab: &Lab) -> Outcome {
    let name = format!("{}-lent", lab.tag());
    let lent = probe::cgroup_mount().join(&name);
    fs::create_dir(&lent)?;
    chown(&lent, Some(USER), Some(USER))?;
    let bundle = lab.user_bundle(|spec| {
        spec.set("/linux/cgroupsPath", json!(format!("/{name}/box")))
            .set("/linux/resources/memory", json!({"limit": 67_108_864}));
    })?;
    let args = ["create", "--bundle", bundle.arg(), &lab.id("box")];
    let said = lab.user_call(&args)?.refused();
    let left = fs::read_dir(&lent)?
        .flatten()
        .any(|entry| entry.path().is_dir());
    fs::remove_dir(&lent)?;
    let said = said?;
    ensure!(!left, "a group was left behind");
    same("exit status", said.code(), 1)?;
    let file = lent.join("cgroup.subtree_control");
    let hint = format!("write +memory to {}", file.display());
    contains("the message", &said.err, &hint)?;
    contains("the message", &said.err, "/linux/resources/memory/limit")
}

fn bare(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.capabilities(&["CAP_MKNOD"])
            .set("/root/readonly", json!(false))
            .sh("mknod /tmp/mem c 1 1; (: </tmp/mem) 2>/dev/null || echo denied; i=0; while :; do i=$((i + 1)); echo $i; sleep 0.01; done");
    })?;
    container.wrote("denied\n1\n")?;
    lab.call(&["pause", &container.id]).ok()?;
    same("status", container.status()?.as_str(), "paused")?;
    let before = container.output()?;
    std::thread::sleep(std::time::Duration::from_millis(100));
    same("what it wrote meanwhile", container.output()?, before)?;
    lab.call(&["resume", &container.id]).ok()?;
    same("status", container.status()?.as_str(), "running")?;
    container.stop()?;
    container.delete()
}

/// A named hierarchy, or one of a controller that this host has in version 1.
fn version_1(lab: &Lab) -> Outcome {
    let script = "umount -l /sys/fs/cgroup; mount -t tmpfs none /sys/fs/cgroup && mkdir /sys/fs/cgroup/old || exit 99
        for what in none,name=systemd pids memory freezer none,name=suite; do
            mount -t cgroup -o $what none /sys/fs/cgroup/old 2>/dev/null && exec \"$@\"
        done
        echo no version 1; exit 98";
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
    let bundle = lab.bundle(|_| ())?;
    let id = lab.id("old");
    let said = lab
        .call(&["create", "--bundle", bundle.arg(), &id])
        .through(&wrapper)
        .say()?;
    if said.code() == 98 {
        return skip("this kernel has no cgroup v1");
    }
    same("exit status", said.code(), 1)?;
    mentions("the message", &said.err, &["does not use cgroup v1"])?;
    contains(
        "the message",
        &said.err,
        "systemd.unified_cgroup_hierarchy=1",
    )?;
    let known = lab.list()?;
    ensure!(!known.contains(&id), "there is a container now: {known:?}");
    Ok(())
}
