//! `state` and `list`: the document's members, and statuses that are derived, not remembered.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, eventually, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("a-created-one-has-all-members", members_when_created),
    Case::new("a-stopped-one-has-no-pid", pid_when_stopped),
    Case::new("bundle-is-absolute", absolute_bundle),
    Case::new("annotations-are-passed", annotations),
    Case::new("unknown-id-is-refused", unknown),
    Case::new("a-zombie-counts-as-stopped", zombie),
    Case::new("a-killed-one-is-stopped-without-our-help", killed_by_host),
    Case::new("a-frozen-one-is-paused", frozen).needs(&[Need::Root, Need::CgroupV2]),
    Case::new("list-json-has-every-container", list_json),
    Case::new("list-quiet-prints-ids", list_quiet),
    Case::new("list-table-has-a-header", list_table),
    Case::new("list-of-nothing-is-empty", list_nothing),
    Case::new("a-foreign-directory-is-no-container", foreign),
    Case::new("created-is-a-time", created_time),
];

fn members_when_created(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let state = container.state()?;
    same("id", state["id"].as_str(), Some(container.id.as_str()))?;
    same("status", state["status"].as_str(), Some("created"))?;
    same("pid", state["pid"].as_i64(), Some(i64::from(container.pid)))?;
    same(
        "bundle",
        state["bundle"].as_str(),
        Some(container.bundle.arg()),
    )?;
    let version = state["ociVersion"].as_str().unwrap_or_default();
    ensure!(
        version.starts_with("1."),
        "ociVersion: expected 1.…, found {state}"
    );
    ensure!(
        fs::exists(format!("/proc/{}", container.pid))?,
        "the pid is of no process"
    );
    container.end()
}

/// "pid … REQUIRED when status is created or running" (runtime.md, "State"): 0 or absent later.
fn pid_when_stopped(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    same(
        "pid while running",
        container.state()?["pid"].as_i64(),
        Some(i64::from(container.pid)),
    )?;
    container.stop()?;
    let pid = container.state()?["pid"].as_i64().unwrap_or(0);
    same("pid when stopped", pid, 0)?;
    container.delete()
}

fn absolute_bundle(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let id = lab.id("rel");
    let parent = bundle.dir.parent().ok_or("no parent")?;
    let name = bundle
        .dir
        .file_name()
        .ok_or("no name")?
        .to_string_lossy()
        .into_owned();
    lab.call(&["create", "--bundle", &name, &id])
        .dir(parent)
        .ok()?;
    let state: Value = serde_json::from_str(&lab.call(&["state", &id]).ok()?.out)?;
    same("bundle", state["bundle"].as_str(), Some(bundle.arg()))?;
    lab.call(&["start", &id]).ok()?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn annotations(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.set(
            "/annotations",
            json!({"org.example.a": "1", "org.example.b": "two words"}),
        );
    })?;
    let state = container.state()?;
    same(
        "annotation a",
        state["annotations"]["org.example.a"].as_str(),
        Some("1"),
    )?;
    same(
        "annotation b",
        state["annotations"]["org.example.b"].as_str(),
        Some("two words"),
    )?;
    container.end()
}

fn unknown(lab: &Lab) -> Outcome {
    let said = lab.call(&["state", &lab.id("nobody")]).refused()?;
    same("exit code", said.code(), 1)?;
    same("standard output", said.out.as_str(), "")?;
    mentions("the refusal", &said.err, &["does not exist"])
}

fn zombie(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    lab.reaper.pause();
    container.kill("KILL")?;
    eventually("init is a zombie", Duration::from_secs(5), || {
        Ok(probe::field(&probe::proc_file(container.pid, "status")?, "State")?.starts_with('Z'))
    })?;
    same("status", container.status()?, "stopped")?;
    lab.reaper.resume();
    container.delete()
}

fn killed_by_host(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(container.pid),
        nix::sys::signal::Signal::SIGKILL,
    )?;
    container.until("stopped")?;
    container.delete()
}

fn frozen(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let file = probe::cgroup_dir(container.pid)?.join("cgroup.freeze");
    fs::write(&file, "1")?;
    container.until("paused")?;
    fs::write(&file, "0")?;
    container.until("running")?;
    container.end()
}

fn list_json(lab: &Lab) -> Outcome {
    let (one, two) = (lab.create(|_| ())?, lab.started(|_| ())?);
    let said = lab.call(&["list", "--format", "json"]).ok()?;
    let list: Value = serde_json::from_str(&said.out)?;
    let status = |id: &str| {
        let entry = list.as_array()?.iter().find(|entry| entry["id"] == id)?;
        Some((entry["status"].as_str()?.to_owned(), entry["pid"].as_i64()?))
    };
    same(
        "the first",
        status(&one.id),
        Some(("created".to_owned(), i64::from(one.pid))),
    )?;
    same(
        "the second",
        status(&two.id),
        Some(("running".to_owned(), i64::from(two.pid))),
    )?;
    one.end()?;
    two.end()
}

fn list_quiet(lab: &Lab) -> Outcome {
    let (one, two) = (lab.create(|_| ())?, lab.create(|_| ())?);
    let said = lab.call(&["list", "-q"]).ok()?;
    let mut ids: Vec<_> = said.out.lines().map(str::to_owned).collect();
    ids.sort();
    let mut want = vec![one.id.clone(), two.id.clone()];
    want.sort();
    same("ids", ids, want)?;
    one.end()?;
    two.end()
}

fn list_table(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let said = lab.call(&["list"]).ok()?;
    let mut lines = said.out.lines();
    let header: Vec<_> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    ensure!(
        header.starts_with(&["ID", "PID", "STATUS", "BUNDLE"])
            || header.starts_with(&["NAME", "PID", "STATUS", "BUNDLE"]),
        "header: found {header:?}"
    );
    let row: Vec<_> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let pid = container.pid.to_string();
    ensure!(
        row.starts_with(&[&container.id, &pid, "created", container.bundle.arg()]),
        "row: found {row:?}"
    );
    container.end()
}

fn list_nothing(lab: &Lab) -> Outcome {
    ensure!(
        lab.list()?.is_empty(),
        "list knows a container where none is"
    );
    let said = lab.call(&["list", "-q"]).ok()?;
    same("list -q", said.out.as_str(), "")
}

/// Another program's directory below `--root` is refused in words and breaks nothing.
fn foreign(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let id = "someone-elses";
    fs::create_dir(lab.root().join(id))?;
    fs::write(lab.root().join(id).join("state.json"), "\u{0}not ours")?;
    fs::write(lab.root().join(id).join("status"), "{")?;
    lab.call(&["state", id]).refused()?;
    lab.call(&["kill", id, "KILL"]).refused()?;
    let list = lab.call(&["list", "-q"]).say()?;
    ensure!(!list.err.contains("panic"), "list: {list}");
    same("status of ours", container.status()?, "created")?;
    fs::remove_dir_all(lab.root().join(id))?;
    container.end()
}

fn created_time(lab: &Lab) -> Outcome {
    let container = Container::create(lab, &lab.bundle(|_| ())?, &lab.id("time"))?;
    let state = container.state()?;
    let created = state["created"].as_str().unwrap_or_default();
    let shape: String = created
        .chars()
        .take(19)
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    same("created", shape.as_str(), "0000-00-00T00:00:00")?;
    container.end()
}
