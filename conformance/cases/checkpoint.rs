//! `checkpoint` and `restore`: a container goes on where it stood.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, eventually, same};
use crate::counter::{COUNT, Counter, LIMIT, restore};
use crate::lab::Lab;
use crate::probe;

use super::systemd;

pub(super) const CRIU: &[Need] = &[Need::Root, Need::CgroupV2, Need::Criu];

pub(super) const CASES: &[Case] = &[
    Case::new("it-goes-on-where-it-stood", goes_on).needs(CRIU),
    Case::new("nothing-is-left-of-it-meanwhile", nothing_left).needs(CRIU),
    Case::new("leave-running", leave_running).needs(CRIU),
    Case::new("twice-leave-running", leave_running_twice).needs(CRIU),
    Case::new("a-restored-one-can-be-checkpointed", again).needs(CRIU),
    Case::new("by-another-name", other_name)
        .needs(CRIU)
        .deviates(&[("runc", "1.1 stays in the group of the old name")]),
    Case::new("exec-ps-pause-update-of-a-restored-one", verbs).needs(CRIU),
    Case::new("in-the-foreground", foreground).needs(CRIU),
    Case::new("the-pipes-of-whoever-restores", pipes).needs(CRIU),
    Case::new("pre-dump-and-parent-path", pre_dump).needs(CRIU),
    Case::new("a-paused-one", paused).needs(CRIU),
    Case::new("images-and-log-are-where-they-are-asked-for", places).needs(CRIU),
    Case::new("folders-that-are-links", links).needs(CRIU),
    Case::new("in-a-scope-of-systemd", in_a_scope).needs(&[
        Need::Root,
        Need::CgroupV2,
        Need::Criu,
        Need::File("/run/systemd/private"),
        Need::Program("systemctl"),
    ]),
    Case::new("hooks-of-both-verbs", hooks).needs(CRIU),
    Case::new("missing-mount-points-are-made", mount_points).needs(CRIU),
];

fn goes_on(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?.there_and_back()?;
    same("status", counter.container.status()?, "running".to_owned())?;
    let state = counter.container.state()?;
    same(
        "pid in the state",
        state["pid"].as_i64(),
        Some(counter.container.pid.into()),
    )?;
    counter.container.stop()?;
    counter.container.delete()
}

fn nothing_left(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    let group = probe::cgroup_dir(counter.container.pid)?;
    counter.frozen(&[])?;
    same("containers in the list", lab.list()?, Vec::<String>::new())?;
    ensure!(!group.exists(), "{} is still there", group.display());
    let left = fs::read_dir(lab.root())?.flatten().count();
    same("files below --root", left, 0)?;
    counter.there_is_no_process()
}

fn leave_running(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    counter.frozen(&["--leave-running"])?;
    same("status", counter.container.status()?, "running".to_owned())?;
    counter.passes(counter.count()?)?;
    counter.container.end()
}

/// podman sends the flag twice.
fn leave_running_twice(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    counter.frozen(&["--leave-running", "--leave-running"])?;
    counter.passes(counter.count()?)?;
    counter.container.end()
}

fn again(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?.there_and_back()?;
    let counter = Counter {
        images: lab.folder("images")?,
        ..counter
    };
    counter.there_and_back()?.container.end()
}

fn other_name(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    counter.frozen(&[])?;
    let before = counter.count()?;
    let id = lab.id("other");
    let counter = counter.thawed(&id, &[])?;
    counter.passes(before)?;
    same("the list", lab.list()?, vec![id.clone()])?;
    let group = probe::cgroup(counter.container.pid)?;
    contains("its cgroup", &group, &id)?;
    counter.container.end()
}

fn verbs(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?.there_and_back()?;
    let container = &counter.container;
    let inside = container.inside(&[], "cat /vol/count; hostname; id -u")?;
    ensure!(inside.lines().count() == 3, "exec printed {inside:?}");
    let ps = lab.call(&["ps", "--format", "json", &container.id]).ok()?;
    contains("ps", &ps.out, &container.pid.to_string())?;
    for kind in ["mnt", "pid", "net", "uts", "ipc"] {
        let script = format!("readlink /proc/self/ns/{kind}");
        let seen = container.inside(&[], &script)?;
        let own = probe::namespace(container.pid, kind)?;
        same("namespace of exec's process", seen.trim(), own.as_str())?;
    }
    lab.call(&["pause", &container.id]).ok()?;
    same("status", container.status()?, "paused".to_owned())?;
    lab.call(&["resume", &container.id]).ok()?;
    counter.passes(counter.count()?)?;
    container.end()
}

fn foreground(lab: &Lab) -> Outcome {
    let script = format!("trap 'exit 7' TERM; echo $$ > /vol/pid; {COUNT}");
    let counter = Counter::running(lab, |spec| {
        spec.sh(&script);
    })?;
    counter.frozen(&[])?;
    let before = counter.count()?;
    let images = counter.images.to_string_lossy();
    let id = &counter.container.id;
    let bundle = counter.container.bundle.arg();
    let args = ["restore", "--image-path", &images, "--bundle", bundle, id];
    let (mut command, _) = lab.call(&args).command()?;
    let mut child = lab.spawn(&mut command)?;
    counter.passes(before)?;
    // Its end is told by an exit status, and nothing is left to delete.
    lab.call(&["kill", id, "TERM"]).ok()?;
    same("exit status", child.wait()?.code(), Some(7))?;
    same("the list", lab.list()?, Vec::<String>::new())
}

/// What the first container wrote came through one pipe, what the restored one writes comes through another.
fn pipes(lab: &Lab) -> Outcome {
    let (first, second) = (lab.scratch("first"), lab.scratch("second"));
    let bundle = lab.bundle(|spec| {
        spec.sh("i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done");
    })?;
    let (images, id) = (lab.folder("images")?, lab.id("box"));
    let through = |file: &Path| format!("\"$@\" </dev/null 2>/dev/null | cat > {}", file.display());
    let speaks = |file: &Path| {
        eventually("it speaks", LIMIT, || {
            Ok(fs::read_to_string(file).unwrap_or_default().lines().count() > 2)
        })
    };
    let run = lab.call(&["run", "--detach", "--bundle", bundle.arg(), &id]);
    let (mut command, _) = run.through_sh(&through(&first)).command()?;
    let mut one = lab.spawn(&mut command)?;
    speaks(&first)?;
    let path = images.to_string_lossy();
    lab.call(&["checkpoint", "--image-path", &path, &id]).ok()?;
    one.wait()?;
    let last = fs::read_to_string(&first)?;
    let last = last.lines().last().unwrap_or_default();
    let restore = restore(lab, &images, &bundle, &id, &[]);
    let (mut command, _) = restore.through_sh(&through(&second)).command()?;
    let mut two = lab.spawn(&mut command)?;
    speaks(&second)?;
    let text = fs::read_to_string(&second)?;
    let number = |line: &str| line.trim_start_matches("tick ").parse::<u64>().unwrap_or(0);
    let next = number(text.lines().next().unwrap_or_default());
    ensure!(
        next > number(last) && next <= number(last) + 2,
        "the last line was {last:?}, and the next is tick {next}"
    );
    lab.call(&["delete", "--force", &id]).ok()?;
    two.wait().map(drop)
}

fn pre_dump(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    let before = lab.folder("before")?;
    let path = before.to_string_lossy();
    let name = before.file_name().unwrap_or_default().to_string_lossy();
    let id = counter.container.id.clone();
    lab.call(&["checkpoint", "--pre-dump", "--image-path", &path, &id])
        .ok()?;
    same("status", counter.container.status()?, "running".to_owned())?;
    counter.passes(counter.count()?)?;
    ensure!(
        fs::read_dir(&before)?
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("pages-")),
        "no pages were written"
    );
    counter.frozen(&["--parent-path", &format!("../{name}")])?;
    let count = counter.count()?;
    let counter = counter.thawed(&id, &[])?;
    counter.passes(count)?;
    counter.container.end()
}

fn paused(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    let id = counter.container.id.clone();
    lab.call(&["pause", &id]).ok()?;
    counter.frozen(&[])?;
    let before = counter.count()?;
    let counter = counter.thawed(&id, &[])?;
    counter.passes(before)?;
    same("status", counter.container.status()?, "running".to_owned())?;
    counter.container.end()
}

fn places(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    let work = lab.scratch("work");
    let here = lab.folder("here")?;
    let id = &counter.container.id;
    let work_arg = work.to_string_lossy();
    let args = [
        "checkpoint",
        "--leave-running",
        "--work-path",
        &work_arg,
        id,
    ];
    lab.call(&args).dir(&here).ok()?;
    ensure!(
        here.join("checkpoint/inventory.img").exists(),
        "no images in ./checkpoint"
    );
    ensure!(work.join("dump.log").exists(), "no log in --work-path");
    ensure!(
        !here.join("checkpoint/dump.log").exists(),
        "a log among the images"
    );
    counter.container.end()
}

/// As containerd's work folder is.
fn links(lab: &Lab) -> Outcome {
    let mut counter = Counter::running(lab, |_| ())?;
    let work = lab.scratch("work");
    counter.images = lab.scratch("linked");
    symlink(lab.folder("images-there")?, &counter.images)?;
    symlink(lab.folder("work-there")?, &work)?;
    let work_arg = work.to_string_lossy();
    counter.frozen(&["--work-path", &work_arg])?;
    ensure!(work.join("dump.log").exists(), "no log in --work-path");
    let id = counter.container.id.clone();
    let counter = counter.thawed(&id, &["--work-path", &work_arg])?;
    counter.passes(counter.count()?)?;
    counter.container.end()
}

/// Callers need not say again who has made the group.
fn in_a_scope(lab: &Lab) -> Outcome {
    let (container, unit) = systemd::made(lab, |spec| {
        spec.sh("exec </dev/null >/dev/null 2>&1; exec sleep 100");
    })?;
    eventually("it sleeps", LIMIT, || {
        Ok(probe::proc_file(container.pid, "cmdline")?.starts_with("sleep"))
    })?;
    let images = lab.folder("images")?;
    let images = images.to_string_lossy();
    let id = container.id.as_str();
    lab.call(&["checkpoint", "--leave-running", "--image-path", &images, id])
        .ok()?;
    systemd::over(lab, &container, &unit)
}

fn hooks(lab: &Lab) -> Outcome {
    let told = lab.file("told", "")?;
    let hook = |word: &str| format!("echo {word} $(cat) >> {}", told.display());
    let counter = Counter::running(lab, |spec| {
        for kind in ["prestart", "createRuntime", "poststop"] {
            spec.hook(kind, &hook(kind));
        }
    })?;
    fs::write(&told, "")?;
    counter.frozen(&[])?;
    let text = fs::read_to_string(&told)?;
    same("hooks of checkpoint", words(&text), vec!["poststop"])?;
    fs::write(&told, "")?;
    let id = counter.container.id.clone();
    let counter = counter.thawed(&id, &[])?;
    let text = fs::read_to_string(&told)?;
    same(
        "hooks of restore",
        words(&text),
        vec!["prestart", "createRuntime"],
    )?;
    contains(
        "the state",
        &text,
        &format!("\"pid\":{}", counter.container.pid),
    )?;
    counter.container.end()
}

fn words(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.split(' ').next())
        .collect()
}

/// The bundle came here as an image of the files alone.
fn mount_points(lab: &Lab) -> Outcome {
    let inner = lab.folder("inner")?;
    let counter = Counter::running(lab, |spec| {
        spec.bind(&inner.to_string_lossy(), "/vol/inner", &["bind"])
            .set("/root/readonly", json!(false));
    })?;
    counter.frozen(&[])?;
    let root = counter.container.bundle.rootfs();
    for name in ["vol", "proc", "sys"] {
        fs::remove_dir(root.join(name))?;
    }
    fs::remove_dir(counter.volume.join("inner"))?;
    let before = counter.count()?;
    let id = counter.container.id.clone();
    let counter = counter.thawed(&id, &[])?;
    counter.passes(before)?;
    counter.container.end()
}
