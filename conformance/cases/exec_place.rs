//! A second process: in which cgroup it is born, and in whose containers.

use std::fs;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, same};
use crate::lab::{Lab, USER};
use crate::probe;

const CGROUP: &[Need] = &[Need::Root, Need::CgroupV2];
const ROOTLESS: &[Need] = &[Need::Root, Need::UserNs, Need::Program("setpriv")];

pub(super) const CASES: &[Case] = &[
    Case::new("it-is-born-in-the-containers-cgroup", cgroup).needs(CGROUP),
    Case::new("a-cgroup-below", cgroup_below).needs(CGROUP),
    Case::new("a-cgroup-that-is-not-there", cgroup_missing).needs(CGROUP),
    Case::new("a-cgroup-above-is-refused", cgroup_above).needs(CGROUP),
    Case::new("inits-cgroup-where-the-own-one-takes-none", cgroup_of_init).needs(&[
        Need::Root,
        Need::CgroupV2,
        Need::Controller("pids"),
    ]),
    Case::new("with-the-hosts-pid-namespace", host_pids),
    Case::new("in-an-ordinary-users-container", rootless).needs(ROOTLESS),
    Case::new("in-a-user-namespace", user_namespace),
];

fn cgroup(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let (file, group) = (lab.scratch("pid"), probe::cgroup(container.pid)?);
    container
        .exec(
            &["-d", "--pid-file", &file.to_string_lossy()],
            &["sleep", "99"],
        )
        .ok()?;
    let pid = fs::read_to_string(&file)?.parse()?;
    same("its cgroup", probe::cgroup(pid)?, group)?;
    container.end()
}

fn cgroup_below(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let (file, group) = (lab.scratch("pid"), probe::cgroup(container.pid)?);
    fs::create_dir_all(probe::cgroup_dir(container.pid)?.join("inner/most"))?;
    let name = file.to_string_lossy();
    container
        .exec(
            &["--cgroup", "/inner/most", "-d", "--pid-file", &name],
            &["sleep", "99"],
        )
        .ok()?;
    let pid = fs::read_to_string(&file)?.parse()?;
    same(
        "its cgroup",
        probe::cgroup(pid)?,
        format!("{group}/inner/most"),
    )?;
    container.end()
}

fn cgroup_missing(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container
        .exec(&["--cgroup", "nowhere"], &["true"])
        .refused()?;
    container.end()
}

fn cgroup_above(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container
        .exec(&["--cgroup", "../.."], &["true"])
        .refused()?;
    container
        .exec(&["--cgroup", "a/../../.."], &["true"])
        .refused()?;
    container.end()
}

/// As systemd in a container does it: the first process moves down and gives its controllers away.
fn cgroup_of_init(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let dir = probe::cgroup_dir(container.pid)?;
    fs::create_dir(dir.join("init"))?;
    fs::write(dir.join("init/cgroup.procs"), container.pid.to_string())?;
    fs::write(dir.join("cgroup.subtree_control"), "+pids")?;
    let file = lab.scratch("pid");
    container
        .exec(
            &["-d", "--pid-file", &file.to_string_lossy()],
            &["sleep", "99"],
        )
        .ok()?;
    let pid = fs::read_to_string(&file)?.parse()?;
    same(
        "its cgroup",
        probe::cgroup(pid)?,
        probe::cgroup(container.pid)?,
    )?;
    container.end()
}

fn host_pids(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.no_namespace("pid");
    })?;
    let out = container.inside(&[], "readlink /proc/self/ns/pid")?;
    same(
        "its pid namespace",
        out.trim(),
        probe::own_namespace("pid")?.as_str(),
    )?;
    container.end()
}

fn rootless(lab: &Lab) -> Outcome {
    let bundle = lab.user_bundle(|_| ())?;
    let id = lab.id("user");
    lab.user_call(&["create", "--bundle", bundle.arg(), &id])?
        .ok()?;
    lab.user_call(&["start", &id])?.ok()?;
    let script = "id -u; cat /proc/self/uid_map; readlink /proc/self/ns/user; readlink /proc/1/ns/user; exit 3";
    let said = lab.user_call(&["exec", &id, "sh", "-c", script])?.say()?;
    same("status", said.code(), 3)?;
    let lines: Vec<&str> = said.out.lines().collect();
    same("lines", lines.len(), 4)?;
    same("uid", lines.first(), Some(&"0"))?;
    contains("uid_map", lines[1], &USER.to_string())?;
    same("user namespace", lines[2], lines[3])?;
    lab.user_call(&["delete", "--force", &id])?.ok().map(drop)
}

fn user_namespace(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.user_namespace(100_000, 65536);
    })?;
    let out = container.inside(
        &["-u", "1000:1000"],
        "id -u; id -g; awk '{print $2}' /proc/self/uid_map",
    )?;
    same("what it is", out.as_str(), "1000\n1000\n100000\n")?;
    let file = lab.scratch("pid");
    container
        .exec(
            &["-d", "--pid-file", &file.to_string_lossy()],
            &["sleep", "99"],
        )
        .ok()?;
    let pid = fs::read_to_string(&file)?.parse()?;
    let status = probe::proc_file(pid, "status")?;
    contains(
        "its ids on the host",
        &probe::field(&status, "Uid")?,
        "100000",
    )?;
    container.end()
}
