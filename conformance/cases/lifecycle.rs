//! create, start, run, delete: the order of a container's life, and what each verb waits for.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, eventually, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("created-running-stopped-gone", whole_life),
    Case::new("the-program-waits-for-start", waits_for_start),
    Case::new("all-but-the-program-is-there-at-create", environment),
    Case::new("create-leaves-only-the-container", only_the_container),
    Case::new("duplicate-id-is-refused", duplicate_id),
    Case::new("two-creates-of-one-id-one-wins", two_creates)
        .deviates(&[("runc", "1.1 has no lock: both may lose")]),
    Case::new("start-twice-is-refused", start_twice),
    Case::new("start-of-a-stopped-one-is-refused", start_stopped),
    Case::new("start-of-an-unknown-one-is-refused", start_unknown),
    Case::new("config-is-read-at-create-only", config_read_once),
    Case::new("ids-are-strict", strict_ids),
    Case::new("bundle-defaults-to-the-working-directory", default_bundle),
    Case::new("init-belongs-to-the-caller", reparented),
    Case::new("init-exit-status-reaches-the-caller", exit_status_of_init),
    Case::new("life-of-a-program-that-ends-at-once", ends_at_once),
];

/// The statuses of one life, each seen by `state`.
fn whole_life(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    same("after create", container.status()?, "created")?;
    container.start()?;
    same("after start", container.status()?, "running")?;
    container.kill("KILL")?;
    container.until("stopped")?;
    container.delete()?;
    let state = lab.call(&["state", &container.id]).refused()?;
    same(
        "state of a deleted container prints",
        state.out.as_str(),
        "",
    )
}

fn waits_for_start(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.sh("echo begun; exec sleep 100");
    })?;
    std::thread::sleep(Duration::from_millis(100));
    same("output before start", container.output()?.as_str(), "")?;
    container.start()?;
    container.wrote("begun")?;
    container.end()
}

/// Mounts, host name, devices, limits and place of a container that has only been created.
fn environment(lab: &Lab) -> Outcome {
    let group = format!("/{}-early", lab.tag());
    let container = lab.create(|spec| {
        spec.mount("/early", "tmpfs", "tmpfs", &["size=64k"])
            .set("/hostname", json!("early-bird"))
            .set("/linux/cgroupsPath", json!(group))
            .set(
                "/process/rlimits",
                json!([{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 99}]),
            );
    })?;
    let mounts = probe::proc_file(container.pid, "mountinfo")?;
    for target in ["/early", "/dev/shm", "/sys/fs/cgroup"] {
        probe::mounted(&mounts, target)?;
    }
    let inside = format!("/proc/{}/root", container.pid);
    ensure!(
        fs::metadata(format!("{inside}/dev/null")).is_ok(),
        "no /dev/null in {inside}"
    );
    let name = format!("--uts=/proc/{}/ns/uts", container.pid);
    same(
        "host name",
        lab.host(&["nsenter", &name, "hostname"])?.trim(),
        "early-bird",
    )?;
    contains(
        "limits",
        &probe::proc_file(container.pid, "limits")?,
        "Max open files            77                   99",
    )?;
    same("cgroup", probe::cgroup(container.pid)?, group)?;
    container.end()
}

/// Of all that `create` started, one process is there when it returns: the container's.
fn only_the_container(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let own = std::process::id().cast_signed();
    let alone = || Ok(probe::descendants(own).keys().copied().eq([container.pid]));
    eventually(
        "the runtime's own processes are gone",
        Duration::from_millis(300),
        alone,
    )?;
    container.end()
}

fn duplicate_id(lab: &Lab) -> Outcome {
    let first = lab.create(|_| ())?;
    let bundle = lab.bundle(|_| ())?;
    let said = lab
        .call(&["create", "--bundle", bundle.arg(), &first.id])
        .refused()?;
    mentions(
        "the refusal",
        &said.err,
        &["already exists", "already used"],
    )?;
    same("status of the first", first.status()?, "created")?;
    same(
        "pid of the first",
        first.state()?["pid"].as_i64(),
        Some(i64::from(first.pid)),
    )?;
    first.start()?;
    first.end()
}

fn two_creates(lab: &Lab) -> Outcome {
    let (left, right) = (lab.bundle(|_| ())?, lab.bundle(|_| ())?);
    for round in 0..20 {
        let id = lab.id("race");
        let create = |bundle: &crate::bundle::Bundle| {
            lab.call(&["create", "--bundle", bundle.arg(), &id]).say()
        };
        let (one, two) = std::thread::scope(|scope| {
            let one = scope.spawn(|| create(&left));
            let two = create(&right);
            (one.join().map_err(|_| "a thread panicked"), two)
        });
        let (one, two) = (one??, two?);
        let wins = [&one, &two]
            .iter()
            .filter(|said| said.status.success())
            .count();
        ensure!(
            wins == 1,
            "round {round}: {wins} of two creates won: {one}; {two}"
        );
        lab.call(&["start", &id]).ok()?;
        lab.call(&["delete", "--force", &id]).ok()?;
    }
    Ok(())
}

fn start_twice(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    lab.call(&["start", &container.id]).refused()?;
    same("status afterwards", container.status()?, "running")?;
    container.end()
}

fn start_stopped(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container.stop()?;
    let said = lab.call(&["start", &container.id]).refused()?;
    mentions(
        "the refusal",
        &said.err,
        &[
            "cannot start a container that has stopped",
            "not in created state",
            "not running",
            "`stopped`",
        ],
    )?;
    container.delete()
}

fn start_unknown(lab: &Lab) -> Outcome {
    let said = lab.call(&["start", &lab.id("nobody")]).refused()?;
    mentions("the refusal", &said.err, &["does not exist"])
}

/// "Any changes made to config.json after this step will not have an effect" (runtime.md, "Create").
fn config_read_once(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.sh("echo the first");
    })?;
    let mut other = crate::spec::Spec::ordinary();
    other.sh("echo the second");
    container.bundle.write(&other)?;
    container.start()?;
    same("output", container.finish()?.as_str(), "the first\n")
}

fn strict_ids(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let long = "x".repeat(1100);
    for id in [
        "", ".", "..", "a/b", "../evil", "/abs", "a b", "a\nb", "naïve", &long,
    ] {
        let said = lab.call(&["create", "--bundle", bundle.arg(), id]).say()?;
        ensure!(!said.status.success(), "the id {id:?} was accepted");
    }
    let id = format!("{}_A.b+c-1", lab.tag());
    Container::create(lab, &bundle, &id)?.end()
}

fn default_bundle(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("echo here");
    })?;
    let said = lab.call(&["run", &lab.id("cwd")]).dir(&bundle.dir).ok()?;
    same("output", said.out.as_str(), "here\n")
}

/// The nearest subreaper, which is the case's process, becomes init's parent.
fn reparented(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let status = probe::proc_file(container.pid, "status")?;
    same(
        "parent of init",
        probe::field(&status, "PPid")?,
        std::process::id().to_string(),
    )?;
    container.end()
}

fn exit_status_of_init(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh("exit 7");
    })?;
    container.until("stopped")?;
    eventually("init was collected", Duration::from_secs(2), || {
        Ok(lab.reaper.ended(container.pid).is_some())
    })?;
    let status = format!("{:?}", lab.reaper.ended(container.pid));
    contains("how init ended", &status, "7")?;
    let killed = lab.started(|_| ())?;
    killed.stop()?;
    eventually("init was collected", Duration::from_secs(2), || {
        Ok(lab.reaper.ended(killed.pid).is_some())
    })?;
    let status = format!("{:?}", lab.reaper.ended(killed.pid));
    contains(
        "how the killed init ended",
        &status,
        &format!("{:?}", Signal::SIGKILL),
    )?;
    container.delete()?;
    killed.delete()
}

fn ends_at_once(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["true"]).set("/root/readonly", json!(true));
    })?;
    for _ in 0..5 {
        let container = Container::create(lab, &bundle, &lab.id("brief"))?;
        container.start()?;
        container.finish()?;
    }
    ensure!(
        fs::exists(bundle.rootfs().join("bin/busybox"))?,
        "the bundle was deleted too"
    );
    Ok(())
}
