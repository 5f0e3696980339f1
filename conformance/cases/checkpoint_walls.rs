//! `checkpoint` and `restore`: what is restored is confined as before, shares what it shared; what cannot be
//! is refused and leaves everything as it was.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::checkpoint::CRIU;
use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, eventually, mentions, same};
use crate::container::Container;
use crate::counter::{self, Counter, create, refused, restore};
use crate::lab::Lab;
use crate::probe;
use crate::pty::{ConsoleSocket, Screen};

pub(super) const CASES: &[Case] = &[
    Case::new("it-is-confined-as-before", confined)
        .needs(CRIU)
        .deviates(&[("runc", "the root directory is writable afterwards")]),
    Case::new("its-limits-are-as-before", limits).needs(&[
        Need::Root,
        Need::Criu,
        Need::Controller("pids"),
    ]),
    Case::new("its-loopback-device-is-up", loopback)
        .needs(CRIU)
        .deviates(&[("runc", "leaves it down")]),
    Case::new("a-joined-network-namespace", joined_network).needs(CRIU),
    Case::new("a-terminal", terminal).needs(CRIU),
    Case::new("a-created-one-is-refused", created)
        .needs(CRIU)
        .deviates(&[(
            "runc",
            "1.1 leaves the cgroup of a created one that is deleted by force, now and then",
        )]),
    Case::new("a-stopped-one-is-refused", stopped).needs(CRIU),
    Case::new("an-unknown-one-is-refused", unknown).needs(&[Need::Root]),
    Case::new("restore-of-a-name-that-is-taken", taken).needs(CRIU),
    Case::new("restore-without-images", no_images).needs(CRIU),
    Case::new("restore-of-broken-images-leaves-nothing", broken_images).needs(CRIU),
    Case::new("criu-says-why", why).needs(&[
        Need::OrbitalOnly,
        Need::Root,
        Need::CgroupV2,
        Need::Criu,
    ]),
    Case::new("cgroup2-stays-mounted-as-it-was", as_mounted).needs(&[
        Need::OrbitalOnly,
        Need::Root,
        Need::CgroupV2,
        Need::Criu,
    ]),
    Case::new("a-connection-needs-its-flag", tcp).needs(CRIU),
    Case::new("parent-path-must-be-relative", parent).needs(CRIU),
    Case::new("a-criu-that-does-not-run-here", no_criu).needs(&[
        Need::OrbitalOnly,
        Need::Root,
        Need::CgroupV2,
        Need::NoCriu,
    ]),
];

fn confined(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |spec| {
        spec.set("/root/readonly", json!(true))
            .set("/process/noNewPrivileges", json!(true))
            .set(
                "/linux/seccomp",
                json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                    {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}),
            );
    })?;
    let looks = |pid: i32| -> Outcome<Vec<String>> {
        let status = probe::proc_file(pid, "status")?;
        let fields = [
            "CapEff",
            "CapBnd",
            "CapAmb",
            "NoNewPrivs",
            "Seccomp",
            "Uid",
            "Gid",
        ];
        let mut looks = Vec::new();
        for field in fields {
            looks.push(format!("{field} {}", probe::field(&status, field)?));
        }
        let mounts = probe::mounts(&probe::proc_file(pid, "mountinfo")?);
        let mut places: Vec<String> = mounts
            .iter()
            .map(|mount| {
                let kept = ["ro", "nosuid", "nodev", "noexec"];
                let kept: Vec<_> = kept
                    .into_iter()
                    .filter(|word| mount.options.iter().any(|o| o == word))
                    .collect();
                format!("{} {}", mount.target, kept.join(","))
            })
            .collect();
        places.sort();
        looks.extend(places);
        Ok(looks)
    };
    let before = looks(counter.container.pid)?;
    let counter = counter.there_and_back()?;
    same(
        "what can be seen of it",
        looks(counter.container.pid)?,
        before,
    )?;
    let second = counter.container.exec(&[], &["/bin/mkdir", "/tmp"]).say()?;
    ensure!(!second.status.success(), "mkdir: {second}");
    counter.container.end()
}

fn limits(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |spec| {
        spec.set("/linux/resources/pids", json!({"limit": 77}));
    })?;
    let counter = counter.there_and_back()?;
    let group = probe::cgroup_dir(counter.container.pid)?;
    let limit = fs::read_to_string(group.join("pids.max"))?;
    same("pids.max", limit.trim(), "77")?;
    contains(
        "its cgroup",
        &group.to_string_lossy(),
        &counter.container.id,
    )?;
    counter.container.end()
}

fn loopback(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?.there_and_back()?;
    let seen = counter
        .container
        .inside(&[], "cat /sys/class/net/lo/flags")?;
    same("flags of lo", seen.trim(), "0x9")?;
    counter.container.end()
}

/// As an engine's containers have: made by others, there before and after.
fn joined_network(lab: &Lab) -> Outcome {
    let other = lab.started(|_| ())?;
    let path = format!("/proc/{}/ns/net", other.pid);
    let counter = Counter::running(lab, |spec| {
        spec.join("network", &path);
    })?;
    let before = probe::namespace(other.pid, "net")?;
    let counter = counter.there_and_back()?;
    let after = probe::namespace(counter.container.pid, "net")?;
    same("network namespace", after, before)?;
    counter.container.end()?;
    other.end()
}

fn terminal(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/terminal", json!(true))
            .sh("n=0; echo ready; while read line; do n=$((n+1)); echo \"got $n $line\"; done");
    })?;
    let socket = ConsoleSocket::listen(&lab.scratch("socket"))?;
    let id = lab.id("tty");
    let container = create(lab, &bundle, &id, &["--console-socket", socket.arg()])?;
    let (master, _) = socket.terminal()?;
    let screen = Screen::watch(master);
    container.start()?;
    screen.shows("ready")?;
    screen.keys("one\n")?;
    screen.shows("got 1 one")?;
    let images = lab.folder("images")?;
    let path = images.to_string_lossy();
    lab.call(&["checkpoint", "--image-path", &path, &id]).ok()?;
    let socket = ConsoleSocket::listen(&lab.scratch("socket"))?;
    let flags = ["--console-socket", socket.arg()];
    let said = restore(lab, &images, &bundle, &id, &flags).say()?;
    ensure!(
        said.status.success(),
        "{said}{}",
        counter::log(&images, "restore.log")
    );
    let (master, _) = socket.terminal()?;
    let screen = Screen::watch(master);
    screen.keys("two\n")?;
    screen.shows("got 2 two")?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn created(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let said = lab
        .call(&["checkpoint", &container.id])
        .dir(&lab.folder("here")?)
        .refused()?;
    mentions("the refusal", &said.err, &["created"])?;
    same("status", container.status()?, "created".to_owned())?;
    container.end()
}

fn stopped(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh("exit 0");
    })?;
    container.until("stopped")?;
    let said = lab
        .call(&["checkpoint", &container.id])
        .dir(&lab.folder("here")?)
        .refused()?;
    mentions("the refusal", &said.err, &["stopped", "not running"])?;
    container.delete()
}

fn unknown(lab: &Lab) -> Outcome {
    let said = lab
        .call(&["checkpoint", "nobody"])
        .dir(&lab.folder("here")?)
        .refused()?;
    mentions("the refusal", &said.err, &["does not exist"])
}

fn taken(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    counter.frozen(&["--leave-running"])?;
    let Container { bundle, id, .. } = &counter.container;
    let said = restore(lab, &counter.images, bundle, id, &[]).refused()?;
    mentions("the refusal", &said.err, &["already exists"])?;
    counter.passes(counter.count()?)?;
    counter.container.end()
}

fn fails_and_leaves_nothing(lab: &Lab, images: &Path) -> Outcome<String> {
    let bundle = lab.bundle(|_| ())?;
    let id = lab.id("bad");
    let said = restore(lab, images, &bundle, &id, &[]).refused()?;
    same("the list", lab.list()?, Vec::<String>::new())?;
    let group = probe::cgroups_with(&id);
    ensure!(group.is_empty(), "{group:?} is left");
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    ensure!(!mounts.contains(&id), "a mount is left:\n{mounts}");
    Ok(said.err)
}

fn no_images(lab: &Lab) -> Outcome {
    fails_and_leaves_nothing(lab, &lab.scratch("none")).map(drop)
}

fn broken_images(lab: &Lab) -> Outcome {
    let images = lab.folder("images")?;
    fs::write(images.join("descriptors.json"), "[]")?;
    fs::write(images.join("inventory.img"), "no image")?;
    fails_and_leaves_nothing(lab, &images).map(drop)
}

/// The first error of its log, where the log is, and the flag that would have allowed it.
fn why(lab: &Lab) -> Outcome {
    let counter = connected(lab)?;
    let said = counter.checkpoint(&[])?;
    let log = fs::read_to_string(counter.images.join("dump.log"))?;
    let first = log
        .lines()
        .find(|line| line.contains("Error ("))
        .ok_or("no error in the log")?;
    let (_, first) = first.split_once(") ").ok_or("no time in the log")?;
    contains("the report", &said.err, first)?;
    contains(
        "the report",
        &said.err,
        &counter.images.join("dump.log").to_string_lossy(),
    )?;
    contains("the report", &said.err, "--tcp-established allows that")?;
    counter.container.end()
}

/// One with a TCP connection to itself.
fn connected(lab: &Lab) -> Outcome<Counter<'_>> {
    let script = format!(
        "(sleep 999 | busybox nc -l -p 7777 >/vol/heard) & sleep 1; \
         (sleep 999 | busybox nc 127.0.0.1 7777 >/dev/null) & sleep 1; {}",
        counter::COUNT
    );
    Counter::running(lab, |spec| {
        spec.sh(&script);
    })
}

/// CRIU mounts cgroup2 without options, and so takes them from the whole machine.
fn as_mounted(lab: &Lab) -> Outcome {
    let options = || -> Outcome<Vec<String>> {
        let text = fs::read_to_string("/proc/self/mountinfo")?;
        let mount = probe::mounted(&text, "/sys/fs/cgroup")?;
        Ok(mount.superblock)
    };
    let before = options()?;
    Counter::running(lab, |_| ())?
        .there_and_back()?
        .container
        .end()?;
    let all = |now: &[String]| before.iter().all(|option| now.contains(option));
    // Another case's CRIU may be at work at this moment.
    eventually("the options are back", Duration::from_secs(60), || {
        Ok(all(&options()?))
    })
}

fn tcp(lab: &Lab) -> Outcome {
    let counter = connected(lab)?;
    refused(&counter, &[], &["tcp-established", "criu failed"])?;
    counter.frozen(&["--tcp-established", "--leave-running"])?;
    counter.passes(counter.count()?)?;
    counter.container.end()
}

fn parent(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    refused(&counter, &["--parent-path", "/tmp"], &["relative"])?;
    refused(
        &counter,
        &["--parent-path", "../nothing-here"],
        &["parent-path"],
    )?;
    counter.container.end()
}

fn no_criu(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    refused(
        &counter,
        &[],
        &[
            "there is no criu in",
            "it does not run here",
            "is needed",
            "criu says",
        ],
    )?;
    counter.container.end()
}
