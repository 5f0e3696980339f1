//! From create to delete, in invocations of their own.

use super::{Named, Outcome};
use crate::lab::{Lab, count, ensure, is_gone, until};
use serde_json::{Value, json};

pub(super) const CASES: &[Named] = &[
    ("life/step-by-step", step_by_step),
    ("life/nothing-runs-before-start", nothing_runs_before_start),
    (
        "life/its-children-end-with-the-first",
        children_end_with_the_first,
    ),
    ("life/its-children-are-killed-with-it", children_are_killed),
    ("life/each-verb-in-its-time", each_verb_in_its_time),
    ("life/an-id-is-taken-once", an_id_is_taken_once),
    (
        "life/a-killed-one-that-was-not-started",
        killed_before_start,
    ),
    ("life/pid-file", pid_file),
    ("life/list", list),
    ("life/delete-force", delete_force),
    (
        "life/nothing-is-left-of-a-create-that-could-not",
        nothing_left,
    ),
    ("life/fifty-at-once", fifty_at_once),
];

fn pids(lab: &Lab, id: &str) -> Result<Vec<u64>, String> {
    let text = lab.good(&["ps", "--format", "json", id])?;
    let list: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok(list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect())
}

fn step_by_step(lab: &Lab) -> Result<Outcome, String> {
    let tree = lab.path("");
    let bundle = lab.bundle("b", &["tree", "2", &tree], json!({}))?;
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    let state = lab.state("c1")?;
    ensure(
        state["status"] == "created",
        format!("after create: {state}"),
    )?;
    ensure(
        state["bundle"] == json!(bundle),
        format!("the bundle: {state}"),
    )?;
    lab.good(&["start", "c1"])?;
    ensure(lab.status("c1")? == "running", "after start it must run")?;
    until("the grandchild ticks", || {
        Ok(count(&lab.path("0")).is_some())
    })?;
    let all = pids(lab, "c1")?;
    let first = lab.state("c1")?["pid"].as_u64().unwrap_or_default();
    ensure(
        all.len() >= 3 && all.contains(&first),
        format!("three generations: {all:?}, the first {first}"),
    )?;
    let table = lab.good(&["ps", "c1"])?;
    let dwellers = table
        .lines()
        .filter(|line| line.contains("dweller"))
        .count();
    ensure(dwellers == 3, format!("three dwellers in\n{table}"))?;
    lab.good(&["kill", "c1", "KILL"])?;
    until("it has stopped", || Ok(lab.status("c1")? == "stopped"))?;
    ensure(lab.state("c1")?["pid"] == 0, "a stopped one has no pid")?;
    lab.good(&["delete", "c1"])?;
    let told = lab.bad(&["state", "c1"])?;
    ensure(told.contains("container does not exist"), told)?;
    Ok(Outcome::Shown)
}

fn nothing_runs_before_start(lab: &Lab) -> Result<Outcome, String> {
    let mark = lab.path("mark");
    let bundle = lab.bundle("b", &["say", &mark], json!({}))?;
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    std::thread::sleep(std::time::Duration::from_millis(300));
    ensure(
        !std::path::Path::new(&mark).exists(),
        "the program ran before start",
    )?;
    lab.good(&["start", "c1"])?;
    until("the program has run", || {
        Ok(std::path::Path::new(&mark).exists())
    })?;
    until("it has stopped", || Ok(lab.status("c1")? == "stopped"))?;
    lab.good(&["delete", "c1"])?;
    Ok(Outcome::Shown)
}

/// Nobody watches the container: its job must see to it alone.
fn children_end_with_the_first(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["tree-then-leave", "2", &lab.path("")], json!({}))?;
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    lab.good(&["start", "c1"])?;
    until("the first process has ended", || {
        Ok(lab.status("c1")? == "stopped")
    })?;
    for name in ["0", "1"] {
        ensure(
            count(&lab.path(name)).is_some(),
            format!("the descendant {name} never ticked"),
        )?;
        until("its descendants are gone", || Ok(is_gone(&lab.path(name))))?;
    }
    lab.good(&["delete", "c1"])?;
    Ok(Outcome::Shown)
}

fn children_are_killed(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["tree", "2", &lab.path("")], json!({}))?;
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    lab.good(&["start", "c1"])?;
    until("all tick", || {
        Ok(["0", "1", "2"]
            .iter()
            .all(|name| count(&lab.path(name)).is_some()))
    })?;
    ensure(
        !is_gone(&lab.path("0")),
        "a dweller that ticks must hold its lock",
    )?;
    lab.good(&["kill", "c1", "KILL"])?;
    for name in ["0", "1", "2"] {
        until("all are gone", || Ok(is_gone(&lab.path(name))))?;
    }
    lab.good(&["delete", "c1"])?;
    Ok(Outcome::Shown)
}

fn each_verb_in_its_time(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["sleep"], json!({}))?;
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    let told = lab.bad(&["delete", "c1"])?;
    ensure(
        told.contains("only a stopped container can be deleted"),
        told,
    )?;
    lab.good(&["start", "c1"])?;
    let told = lab.bad(&["start", "c1"])?;
    ensure(told.contains("it is running"), told)?;
    lab.good(&["kill", "--all", "c1", "9"])?;
    until("it has stopped", || Ok(lab.status("c1")? == "stopped"))?;
    let told = lab.bad(&["kill", "c1", "KILL"])?;
    ensure(told.contains("container not running"), told)?;
    let told = lab.bad(&["start", "c1"])?;
    ensure(
        told.contains("cannot start a container that has stopped"),
        told,
    )?;
    lab.good(&["delete", "c1"])?;
    Ok(Outcome::Shown)
}

fn an_id_is_taken_once(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["sleep"], json!({}))?;
    let calls: Result<Vec<_>, _> = (0..4)
        .map(|_| lab.begin(&["create", "--bundle", &bundle, "c1"]))
        .collect();
    let said: Result<Vec<_>, _> = calls?.into_iter().map(crate::lab::Call::finish).collect();
    let said = said?;
    let winners = said.iter().filter(|one| one.status == 0).count();
    ensure(winners == 1, format!("{winners} of four have made c1"))?;
    let told = said
        .iter()
        .filter(|one| one.err.contains("container with given ID already exists"))
        .count();
    ensure(told == 3, format!("{said:?}"))?;
    lab.good(&["delete", "--force", "c1"])?;
    Ok(Outcome::Shown)
}

fn killed_before_start(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["sleep"], json!({}))?;
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    lab.good(&["kill", "c1", "KILL"])?;
    until("it has stopped", || Ok(lab.status("c1")? == "stopped"))?;
    lab.good(&["delete", "c1"])?;
    Ok(Outcome::Shown)
}

fn pid_file(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["sleep"], json!({}))?;
    let file = lab.path("pid");
    lab.good(&["create", "--bundle", &bundle, "--pid-file", &file, "c1"])?;
    let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    ensure(
        text.parse().ok() == lab.state("c1")?["pid"].as_u64(),
        format!("the pid file has {text:?}"),
    )?;
    lab.good(&["delete", "--force", "c1"])?;
    Ok(Outcome::Shown)
}

fn list(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["sleep"], json!({}))?;
    for id in ["a", "b2"] {
        lab.good(&["create", "--bundle", &bundle, id])?;
    }
    lab.good(&["start", "a"])?;
    let quiet = lab.good(&["list", "--quiet"])?;
    ensure(quiet.split_whitespace().eq(["a", "b2"]), quiet)?;
    let table = lab.good(&["list"])?;
    let row = |id: &str| {
        table
            .lines()
            .find(|line| line.starts_with(id))
            .unwrap_or_default()
            .to_owned()
    };
    ensure(
        row("a ").contains("running") && row("b2").contains("created"),
        table.clone(),
    )?;
    for id in ["a", "b2"] {
        lab.good(&["delete", "--force", id])?;
    }
    Ok(Outcome::Shown)
}

fn delete_force(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["tree", "1", &lab.path("")], json!({}))?;
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    lab.good(&["start", "c1"])?;
    until("both tick", || {
        Ok(["0", "1"]
            .iter()
            .all(|name| count(&lab.path(name)).is_some()))
    })?;
    lab.good(&["delete", "--force", "c1"])?;
    ensure(
        is_gone(&lab.path("0")) && is_gone(&lab.path("1")),
        "after delete --force nothing lives",
    )?;
    lab.good(&["delete", "--force", "c1"])?;
    Ok(Outcome::Shown)
}

fn nothing_left(lab: &Lab) -> Result<Outcome, String> {
    let cwd = json!({"process": {"cwd": lab.path("missing")}});
    let bundle = lab.bundle("b", &["sleep"], cwd)?;
    let told = lab.bad(&["create", "--bundle", &bundle, "c1"])?;
    ensure(told.contains("config.json#/process/cwd"), told)?;
    let quiet = lab.good(&["list", "--quiet"])?;
    ensure(quiet.trim().is_empty(), quiet)?;
    // The lab looks for files when it is closed.
    Ok(Outcome::Shown)
}

fn fifty_at_once(lab: &Lab) -> Result<Outcome, String> {
    let ids: Vec<String> = (0..50).map(|number| format!("c{number}")).collect();
    let mut bundles = Vec::new();
    for id in &ids {
        bundles.push(lab.bundle(id, &["hold", &lab.path(&format!("{id}.tick"))], json!({}))?);
    }
    // A few at a time: what is to be at once is their life, not their birth.
    let together = |words: &dyn Fn(usize) -> Vec<String>| -> Result<(), String> {
        let indices: Vec<usize> = (0..ids.len()).collect();
        for few in indices.chunks(5) {
            let begin = |index: &usize| {
                let words = words(*index);
                lab.begin(&words.iter().map(String::as_str).collect::<Vec<_>>())
            };
            let calls: Result<Vec<_>, String> = few.iter().map(begin).collect();
            for call in calls? {
                call.finish()?.good()?;
            }
        }
        Ok(())
    };
    let owned = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    together(&|index| owned(&["create", "--bundle", &bundles[index], &ids[index]]))?;
    together(&|index| owned(&["start", &ids[index]]))?;
    let ticks = |id: &str| lab.path(&format!("{id}.tick"));
    until("all fifty are there", || {
        Ok(ids.iter().all(|id| count(&ticks(id)).is_some()))
    })?;
    let all: Value = serde_json::from_str(&lab.good(&["list", "--format", "json"])?)
        .map_err(|error| error.to_string())?;
    let running = all
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["status"] == "running")
        .count();
    ensure(running == 50, format!("{running} of fifty run"))?;
    together(&|index| owned(&["delete", "--force", &ids[index]]))?;
    ensure(
        ids.iter().all(|id| is_gone(&ticks(id))),
        "some have outlived their container",
    )?;
    let quiet = lab.good(&["list", "--quiet"])?;
    ensure(quiet.trim().is_empty(), quiet)?;
    Ok(Outcome::Shown)
}
