//! `ps`: the processes of a container, by the kernel's word.

use std::collections::BTreeSet;
use std::fs;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

const V2: &[Need] = &[Need::Root, Need::CgroupV2];
const TABLE: &[Need] = &[Need::Root, Need::CgroupV2, Need::Program("ps")];
const PIDS_ONLY: &[(&str, &str)] = &[("crun", "its table has the pids alone")];

pub(super) const CASES: &[Case] = &[
    Case::new("json-is-an-array-of-the-hosts-pids", json).needs(V2),
    Case::new("json-has-those-of-groups-below", below).needs(V2),
    Case::new("json-of-a-created-one-has-its-first", created).needs(V2),
    Case::new("json-of-a-paused-one", paused).needs(V2),
    Case::new("json-of-a-stopped-one-is-empty", stopped).needs(V2),
    Case::new("json-needs-no-ps", without_path).needs(V2),
    Case::new("table-is-the-hosts-ps-of-these-pids", table)
        .needs(TABLE)
        .deviates(PIDS_ONLY),
    Case::new("table-of-a-stopped-one-is-a-heading", stopped_table).needs(TABLE),
    Case::new("options-go-to-ps", options)
        .needs(TABLE)
        .deviates(PIDS_ONLY),
    Case::new("options-that-look-like-flags-go-to-ps", flags)
        .needs(TABLE)
        .deviates(PIDS_ONLY),
    Case::new("options-without-pids-are-refused", no_pids)
        .needs(TABLE)
        .deviates(PIDS_ONLY),
    Case::new("options-that-ps-refuses", wrong_options)
        .needs(TABLE)
        .deviates(PIDS_ONLY),
    Case::new("a-host-without-ps-is-told", no_ps)
        .needs(V2)
        .deviates(PIDS_ONLY),
    Case::new("an-unknown-format-is-refused", unknown_format).needs(V2),
    Case::new("an-unknown-one-is-refused", |lab| {
        let said = lab.call(&["ps", &lab.id("nobody")]).refused()?;
        mentions("the refusal", &said.err, &["does not exist"])
    }),
];

/// A container of three processes.
fn family(lab: &Lab) -> Outcome<Container<'_>> {
    let container = lab.started(|spec| {
        spec.sh("sleep 71 & sleep 72 & echo ready; wait");
    })?;
    container.wrote("ready")?;
    Ok(container)
}

fn pids(lab: &Lab, container: &Container<'_>) -> Outcome<BTreeSet<i32>> {
    let said = lab.call(&["ps", "--format", "json", &container.id]).ok()?;
    let list: Option<Vec<i32>> =
        serde_json::from_str(&said.out).map_err(|error| format!("{error}: {said}"))?;
    Ok(list.unwrap_or_default().into_iter().collect())
}

fn json(lab: &Lab) -> Outcome {
    let container = family(lab)?;
    let kernels: BTreeSet<i32> = container.processes()?.into_iter().collect();
    same("how many", kernels.len(), 3)?;
    same("pids", pids(lab, &container)?, kernels)?;
    let short = lab.call(&["ps", "-f", "json", &container.id]).ok()?;
    contains("-f json", &short.out, &container.pid.to_string())?;
    container.end()
}

fn below(lab: &Lab) -> Outcome {
    let container = family(lab)?;
    let kernels: BTreeSet<i32> = container.processes()?.into_iter().collect();
    let inner = probe::cgroup_dir(container.pid)?.join("inner/most");
    fs::create_dir_all(&inner)?;
    let last = kernels.last().copied().unwrap_or_default();
    fs::write(inner.join("cgroup.procs"), last.to_string())?;
    same("pids", pids(lab, &container)?, kernels)?;
    container.end()
}

fn created(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    same(
        "pids",
        pids(lab, &container)?,
        BTreeSet::from([container.pid]),
    )?;
    container.end()
}

fn paused(lab: &Lab) -> Outcome {
    let container = family(lab)?;
    lab.call(&["pause", &container.id]).ok()?;
    same("how many", pids(lab, &container)?.len(), 3)?;
    container.end()
}

fn stopped(lab: &Lab) -> Outcome {
    let container = family(lab)?;
    container.stop()?;
    same("pids", pids(lab, &container)?, BTreeSet::new())?;
    container.delete()
}

fn without_path(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let call = lab.call(&["ps", "--format", "json", &container.id]);
    let said = call.env(&[("PATH", "/nowhere")]).ok()?;
    let pids: Vec<i32> = serde_json::from_str(&said.out)?;
    same("pids", pids, vec![container.pid])?;
    container.end()
}

/// The heading, and the first word in each line's column `title`.
fn column(text: &str, title: &str) -> Outcome<Vec<String>> {
    let mut lines = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let heading = lines.next().unwrap_or_default();
    let index = heading.iter().position(|word| *word == title);
    let index = index.ok_or_else(|| format!("no column {title} in {text:?}"))?;
    Ok(lines
        .filter_map(|line| line.get(index).map(|word| (*word).to_owned()))
        .collect())
}

fn ours(lab: &Lab, container: &Container<'_>, said: &str) -> Outcome {
    let shown: BTreeSet<String> = column(said, "PID")?.into_iter().collect();
    let kernels = pids(lab, container)?.iter().map(i32::to_string).collect();
    same("pids in the table", shown, kernels)
}

fn table(lab: &Lab) -> Outcome {
    let container = family(lab)?;
    let said = lab.call(&["ps", &container.id]).ok()?;
    ours(lab, &container, &said.out)?;
    for word in ["UID", "PPID", "CMD", "sleep 71", "sleep 72"] {
        contains("the table", &said.out, word)?;
    }
    container.end()
}

fn stopped_table(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container.stop()?;
    let said = lab.call(&["ps", &container.id]).ok()?;
    same("lines", said.out.lines().count(), 1)?;
    contains("the heading", &said.out, "PID")?;
    container.delete()
}

fn options(lab: &Lab) -> Outcome {
    let container = family(lab)?;
    let said = lab.call(&["ps", &container.id, "-eo", "pid,args"]).ok()?;
    ours(lab, &container, &said.out)?;
    same(
        "heading",
        said.out.split_whitespace().nth(1),
        Some("COMMAND"),
    )?;
    let said = lab
        .call(&[
            "ps",
            "--format",
            "table",
            &container.id,
            "-eo",
            "user,pid,args",
        ])
        .ok()?;
    contains("the table", &said.out, "sleep 71")?;
    same("lines", said.out.lines().count(), 4)?;
    container.end()
}

fn flags(lab: &Lab) -> Outcome {
    let container = family(lab)?;
    for words in [
        &["-e", "-x"][..],
        &["-ef"],
        &["aux"],
        &["-e", "-f"],
        &["-e", "--format", "pid,comm"],
    ] {
        let line = [&["ps", container.id.as_str()], words].concat();
        let said = lab.call(&line).ok()?;
        ours(lab, &container, &said.out).map_err(|error| format!("{words:?}: {error}"))?;
    }
    container.end()
}

fn no_pids(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let said = lab.call(&["ps", &container.id, "-eo", "comm"]).refused()?;
    mentions("the refusal", &said.err, &["PID"])?;
    same("standard output", said.out.as_str(), "")?;
    container.end()
}

fn wrong_options(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let said = lab
        .call(&["ps", &container.id, "--no-such-thing"])
        .refused()?;
    mentions("the refusal", &said.err, &["exit", "status"])?;
    container.end()
}

fn no_ps(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let call = lab
        .call(&["ps", &container.id])
        .env(&[("PATH", "/nowhere")]);
    let said = call.refused()?;
    ensure!(said.err.contains("ps"), "it does not name ps: {said}");
    mentions("the refusal", &said.err, &["not found", "no such file"])?;
    container.end()
}

fn unknown_format(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    lab.call(&["ps", "--format", "xml", &container.id])
        .refused()?;
    container.end()
}
