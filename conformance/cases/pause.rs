//! `pause` and `resume`: every process stands still, knows nothing of it, and can still be killed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, eventually, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

const V2: &[Need] = &[Need::Root, Need::CgroupV2];

pub(super) const CASES: &[Case] = &[
    Case::new("the-program-stands-still-and-goes-on", stands).needs(V2),
    Case::new("all-stand-when-pause-returns", all_stand)
        .needs(V2)
        .deviates(&[("crun", "does not wait")]),
    Case::new("groups-below-stand-too", below)
        .needs(V2)
        .deviates(&[("crun", "does not wait")]),
    Case::new("status-in-state-and-list", status).needs(V2),
    Case::new("a-created-one-can-be-paused", created)
        .needs(V2)
        .deviates(&[("crun", "calls it created all the same")]),
    Case::new("twice-is-refused", twice)
        .needs(V2)
        .deviates(&[("crun", "freezes it again")]),
    Case::new("resume-of-a-running-one-is-refused", not_paused)
        .needs(V2)
        .deviates(&[("crun", "thaws it again")]),
    Case::new("a-stopped-one-is-refused", stopped).needs(V2),
    Case::new("an-unknown-one-is-refused", unknown),
    Case::new("kill-ends-a-paused-one", killed).needs(V2),
    Case::new("kill-all-ends-a-paused-one", killed_all).needs(V2),
    Case::new("other-signals-wait-until-it-goes-on", waits).needs(V2),
    Case::new("delete-of-a-paused-one-is-refused", delete_refused).needs(V2),
    Case::new("delete-force-of-a-paused-one", delete_forced).needs(V2),
    Case::new("a-group-frozen-from-above-is-told", above).needs(&[
        Need::OrbitalOnly,
        Need::Root,
        Need::CgroupV2,
    ]),
];

fn call(lab: &Lab, verb: &str, container: &Container<'_>) -> Outcome {
    lab.call(&[verb, &container.id]).ok().map(drop)
}

fn dir(container: &Container<'_>) -> Outcome<PathBuf> {
    probe::cgroup_dir(container.pid)
}

fn is_frozen(dir: &std::path::Path) -> Outcome<bool> {
    Ok(fs::read_to_string(dir.join("cgroup.events"))?.contains("frozen 1"))
}

/// A program that writes all the time.
fn talker(lab: &Lab) -> Outcome<Container<'_>> {
    let container = lab.started(|spec| {
        spec.sh("trap 'echo got TERM' TERM; while :; do echo tick; sleep 0.01; done");
    })?;
    container.wrote("tick")?;
    Ok(container)
}

fn grows(container: &Container<'_>) -> Outcome {
    let before = container.output()?.len();
    eventually("the program goes on", Duration::from_secs(10), || {
        Ok(container.output()?.len() > before)
    })
}

fn stands(lab: &Lab) -> Outcome {
    let container = talker(lab)?;
    call(lab, "pause", &container)?;
    let before = container.output()?.len();
    std::thread::sleep(Duration::from_millis(150));
    same("output of a paused one", container.output()?.len(), before)?;
    call(lab, "resume", &container)?;
    grows(&container)?;
    container.end()
}

fn all_stand(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh(
            "for i in 1 2 3 4 5 6 7 8; do (while :; do sleep 0.01; done) & done; echo ready; wait",
        );
    })?;
    container.wrote("ready")?;
    for _ in 0..5 {
        call(lab, "pause", &container)?;
        ensure!(
            is_frozen(&dir(&container)?)?,
            "pause returned before all stood"
        );
        call(lab, "resume", &container)?;
        ensure!(
            !is_frozen(&dir(&container)?)?,
            "resume returned before they went on"
        );
    }
    container.end()
}

/// Makes a group below the container's and moves all its processes there.
fn nest(container: &Container<'_>) -> Outcome<PathBuf> {
    let outer = dir(container)?;
    let inner = outer.join("inner");
    fs::create_dir(&inner)?;
    let what = "all processes are in the group below";
    eventually(what, Duration::from_secs(10), || {
        let left = fs::read_to_string(outer.join("cgroup.procs"))?;
        for pid in left.lines() {
            // One that has ended meanwhile needs no move.
            let _ = fs::write(inner.join("cgroup.procs"), pid);
        }
        Ok(left.is_empty())
    })?;
    Ok(inner)
}

fn below(lab: &Lab) -> Outcome {
    let container = talker(lab)?;
    let inner = nest(&container)?;
    call(lab, "pause", &container)?;
    ensure!(is_frozen(&inner)?, "the group below runs on");
    same("status", container.status()?, "paused")?;
    call(lab, "resume", &container)?;
    grows(&container)?;
    container.end()
}

fn status(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    call(lab, "pause", &container)?;
    same("state", container.status()?, "paused")?;
    same(
        "pid",
        container.state()?["pid"].as_i64(),
        Some(container.pid.into()),
    )?;
    let said = lab.call(&["list"]).ok()?;
    ensure!(said.out.contains(" paused "), "list: {said}");
    call(lab, "resume", &container)?;
    same("state", container.status()?, "running")?;
    container.end()
}

fn created(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.sh("echo begun; sleep 99");
    })?;
    call(lab, "pause", &container)?;
    same("status", container.status()?, "paused")?;
    call(lab, "resume", &container)?;
    same("status", container.status()?, "created")?;
    container.start()?;
    container.wrote("begun")?;
    container.end()
}

fn twice(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    call(lab, "pause", &container)?;
    let said = lab.call(&["pause", &container.id]).refused()?;
    mentions("the refusal", &said.err, &["container not running"])?;
    same("status", container.status()?, "paused")?;
    container.end()
}

fn not_paused(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let said = lab.call(&["resume", &container.id]).refused()?;
    mentions("the refusal", &said.err, &["not paused"])?;
    same("status", container.status()?, "running")?;
    container.end()
}

fn stopped(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container.stop()?;
    for verb in ["pause", "resume"] {
        let said = lab.call(&[verb, &container.id]).refused()?;
        mentions(verb, &said.err, &["not running", "not paused", "no longer"])?;
    }
    container.delete()
}

fn unknown(lab: &Lab) -> Outcome {
    for verb in ["pause", "resume"] {
        let said = lab.call(&[verb, &lab.id("nobody")]).refused()?;
        mentions(verb, &said.err, &["does not exist"])?;
        same("exit code", said.code(), 1)?;
    }
    Ok(())
}

fn killed(lab: &Lab) -> Outcome {
    let container = talker(lab)?;
    call(lab, "pause", &container)?;
    container.stop()?;
    container.delete()
}

fn killed_all(lab: &Lab) -> Outcome {
    let container = talker(lab)?;
    call(lab, "pause", &container)?;
    lab.call(&["kill", "--all", &container.id, "KILL"]).ok()?;
    container.until("stopped")?;
    container.delete()
}

fn waits(lab: &Lab) -> Outcome {
    let container = talker(lab)?;
    call(lab, "pause", &container)?;
    container.kill("TERM")?;
    std::thread::sleep(Duration::from_millis(100));
    ensure!(
        !container.output()?.contains("got TERM"),
        "a paused one ran its trap"
    );
    same("status", container.status()?, "paused")?;
    call(lab, "resume", &container)?;
    container.wrote("got TERM")?;
    container.end()
}

fn delete_refused(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    call(lab, "pause", &container)?;
    lab.call(&["delete", &container.id]).refused()?;
    same("status", container.status()?, "paused")?;
    container.end()
}

fn delete_forced(lab: &Lab) -> Outcome {
    let container = talker(lab)?;
    let group = dir(&container)?;
    nest(&container)?;
    call(lab, "pause", &container)?;
    container.end()?;
    ensure!(!group.exists(), "{} is left", group.display());
    ensure!(lab.list()?.is_empty(), "it is still listed");
    Ok(())
}

fn above(lab: &Lab) -> Outcome {
    let parent = format!("/{}-above", lab.tag());
    let container = lab.started(|spec| {
        spec.set("/linux/cgroupsPath", format!("{parent}/c").into());
    })?;
    let file = probe::cgroup_mount()
        .join(parent.trim_start_matches('/'))
        .join("cgroup.freeze");
    fs::write(&file, "1")?;
    container.until("paused")?;
    let said = lab.call(&["resume", &container.id]).refused()?;
    mentions("the refusal", &said.err, &["a group above"])?;
    fs::write(&file, "0")?;
    container.until("running")?;
    container.end()
}
