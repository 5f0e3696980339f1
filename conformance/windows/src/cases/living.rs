//! A living container: exec, pause, update, events.

use super::{Named, Outcome, is_wine};
use crate::lab::{Lab, count, ensure, is_gone, until};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const CASES: &[Named] = &[
    ("exec/status-and-surroundings", exec),
    ("exec/it-is-in-the-job", exec_in_the_job),
    ("exec/only-in-a-living-one", exec_in_a_stopped_one),
    ("exec/what-only-linux-has", exec_flags),
    ("pause/it-stands-and-goes-on", pause),
    ("pause/not-before-it-was-started", pause_created),
    ("kill/what-windows-has-no-word-for", other_signals),
    ("kill/asking-one-that-can-be-asked", asking),
    ("events/what-it-uses", stats),
    ("events/until-it-ends", events),
    ("update/what-a-job-does-not-know", update_refused),
];

fn living(lab: &Lab) -> Result<(), String> {
    let bundle = lab.bundle("b", &["tick", &lab.path("t")], json!({}))?;
    lab.good(&["run", "--detach", "--bundle", &bundle, "c1"])?;
    until("it ticks", || Ok(count(&lab.path("t")).is_some()))
}

fn gone(lab: &Lab) -> Result<Outcome, String> {
    lab.good(&["delete", "--force", "c1"])?;
    Ok(Outcome::Shown)
}

fn exec(lab: &Lab) -> Result<Outcome, String> {
    living(lab)?;
    let (file, dweller) = (lab.path("said"), lab.dweller());
    let said = lab.call(&["exec", "c1", &dweller, "exit", "9"])?;
    ensure(said.status == 9, format!("{said:?}"))?;
    lab.good(&[
        "exec", "--env", "MORE=1", "--cwd", "C:\\", "c1", &dweller, "say", &file,
    ])?;
    let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let said: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    ensure(
        said["env"]["NAME"] == "value" && said["env"]["MORE"] == "1",
        text.clone(),
    )?;
    ensure(said["cwd"] == "C:\\", text)?;
    let said = lab.call(&["exec", "c1", "no-such-program"])?;
    ensure(
        said.status == 255 && said.err.contains("executable file not found"),
        format!("{said:?}"),
    )?;
    gone(lab)
}

fn exec_in_the_job(lab: &Lab) -> Result<Outcome, String> {
    living(lab)?;
    let (file, second) = (lab.path("pid"), lab.path("second"));
    lab.good(&[
        "exec",
        "--detach",
        "--pid-file",
        &file,
        "c1",
        &lab.dweller(),
        "tick",
        &second,
    ])?;
    until("it ticks", || Ok(count(&second).is_some()))?;
    let pid = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let list = lab.good(&["ps", "--format", "json", "c1"])?;
    ensure(
        list.trim_matches(['[', ']', '\n', '\r'])
            .split(',')
            .any(|one| one == pid),
        format!("{pid} in {list}"),
    )?;
    lab.good(&["kill", "c1", "KILL"])?;
    until("it is gone with the container", || Ok(is_gone(&second)))?;
    gone(lab)
}

fn exec_in_a_stopped_one(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["exit", "0"], json!({}))?;
    lab.good(&["run", "--keep", "--bundle", &bundle, "c1"])?;
    let told = lab.bad(&["exec", "c1", &lab.dweller(), "exit", "0"])?;
    ensure(told.contains("cannot exec in a stopped container"), told)?;
    gone(lab)
}

fn exec_flags(lab: &Lab) -> Result<Outcome, String> {
    living(lab)?;
    for flag in [
        "--user=1000",
        "--additional-gids=5",
        "--no-new-privs",
        "--apparmor=x",
        "--process-label=x",
        "--cgroup=x",
    ] {
        let told = lab.bad(&["exec", flag, "c1", &lab.dweller(), "exit", "0"])?;
        ensure(
            told.contains("Windows has nothing of the kind"),
            format!("{flag}: {told}"),
        )?;
    }
    gone(lab)
}

fn pause(lab: &Lab) -> Result<Outcome, String> {
    living(lab)?;
    lab.good(&["pause", "c1"])?;
    ensure(lab.status("c1")? == "paused", "it is paused")?;
    let told = lab.bad(&["pause", "c1"])?;
    ensure(told.contains("it is paused already"), told)?;
    let stands = count(&lab.path("t"));
    std::thread::sleep(Duration::from_millis(400));
    ensure(
        count(&lab.path("t")) == stands,
        "it ticks while it is paused",
    )?;
    let told = lab.bad(&["exec", "c1", &lab.dweller(), "exit", "0"])?;
    ensure(told.contains("cannot exec in a paused container"), told)?;
    lab.good(&["resume", "c1"])?;
    ensure(lab.status("c1")? == "running", "it runs again")?;
    until("it ticks again", || Ok(count(&lab.path("t")) > stands))?;
    lab.good(&["pause", "c1"])?;
    lab.good(&["kill", "c1", "KILL"])?;
    until("a paused one can be killed", || {
        Ok(lab.status("c1")? == "stopped")
    })?;
    gone(lab)
}

fn pause_created(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["sleep"], json!({}))?;
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    let told = lab.bad(&["pause", "c1"])?;
    ensure(told.contains("stands still already"), told)?;
    ensure(
        lab.status("c1")? == "created",
        "it still waits to be started",
    )?;
    gone(lab)
}

fn other_signals(lab: &Lab) -> Result<Outcome, String> {
    living(lab)?;
    for signal in ["USR1", "STOP", "40"] {
        let told = lab.bad(&["kill", "c1", signal])?;
        ensure(
            told.contains("Windows has no signals"),
            format!("{signal}: {told}"),
        )?;
    }
    gone(lab)
}

fn asking(lab: &Lab) -> Result<Outcome, String> {
    living(lab)?;
    let said = lab.call(&["kill", "c1", "TERM"])?;
    if is_wine() {
        // What must be true there, too: who cannot be asked is not said to have been.
        ensure(
            said.status == 0 || said.err.contains("nobody can ask it"),
            format!("{said:?}"),
        )?;
        gone(lab)?;
        return Ok(Outcome::NotUnderWine(
            "a Ctrl-Break of another invocation does not arrive, and there is no screen for windows",
        ));
    }
    ensure(said.status == 0, format!("{said:?}"))?;
    until("it has ended by itself", || {
        Ok(lab.status("c1")? == "stopped")
    })?;
    gone(lab)
}

fn stats(lab: &Lab) -> Result<Outcome, String> {
    living(lab)?;
    let line = lab.good(&["events", "--stats", "c1"])?;
    let stats: Value = serde_json::from_str(&line).map_err(|error| format!("{error}: {line}"))?;
    ensure(
        stats["type"] == "stats" && stats["id"] == "c1",
        line.clone(),
    )?;
    ensure(
        stats["data"]["pids"]["current"].as_u64() >= Some(1),
        line.clone(),
    )?;
    ensure(
        stats["data"]["memory"]["usage"]["usage"].as_u64() > Some(0),
        line,
    )?;
    gone(lab)
}

fn events(lab: &Lab) -> Result<Outcome, String> {
    living(lab)?;
    let events = lab.begin(&["events", "--interval", "100ms", "c1"])?;
    std::thread::sleep(Duration::from_millis(500));
    lab.good(&["kill", "c1", "KILL"])?;
    let text = events.finish()?.good()?;
    ensure(
        text.lines().count() >= 2,
        format!("lines come until the end: {text}"),
    )?;
    gone(lab)
}

fn update_refused(lab: &Lab) -> Result<Outcome, String> {
    living(lab)?;
    for (flag, value) in [
        ("--cpu-quota", "50000"),
        ("--memory-swap", "64m"),
        ("--cpuset-cpus", "0"),
        ("--blkio-weight", "100"),
    ] {
        let told = lab.bad(&["update", flag, value, "c1"])?;
        ensure(
            told.contains("a Job Object has no such limit") && told.contains(flag),
            told,
        )?;
    }
    gone(lab)
}
