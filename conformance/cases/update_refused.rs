//! `update` of what cannot be: the refusal names the flag or the place, and nothing is changed.

use serde_json::json;

use super::update::file;
use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::container::Container;
use crate::lab::Lab;

const V2: &[Need] = &[Need::Root, Need::CgroupV2];
const OURS: &[Need] = &[Need::OrbitalOnly, Need::Root, Need::CgroupV2];

pub(super) const CASES: &[Case] = &[
    Case::new("text-that-is-no-json-is-refused", no_json).needs(V2),
    Case::new("a-value-of-another-type-is-refused", wrong_type).needs(V2),
    Case::new("a-refusal-names-the-place-in-the-file", names_place).needs(OURS),
    Case::new("a-refusal-names-the-flag", names_flag).needs(OURS),
    Case::new("flags-that-are-no-sizes-are-refused", no_sizes)
        .needs(V2)
        .deviates(&[("crun", "takes some of them")]),
    Case::new("a-file-that-is-not-there-is-refused", no_file).needs(V2),
    Case::new("files-outside-of-the-group-are-refused", outside)
        .needs(V2)
        .deviates(&[("crun", "1.28 leaves the cgroup")]),
    Case::new("shares-of-caches-need-a-group-of-them", no_rdt)
        .needs(V2)
        .deviates(&[("crun", "ignores them")]),
    Case::new("a-stopped-one-is-refused", stopped)
        .needs(V2)
        .deviates(&[("crun", "looks for its files first")]),
    Case::new("an-unknown-one-is-refused", |lab| {
        let said = lab
            .call(&["update", "--pids-limit", "5", &lab.id("nobody")])
            .refused()?;
        mentions("the refusal", &said.err, &["does not exist"])
    }),
];

fn refused(lab: &Lab, container: &Container<'_>, text: &str) -> Outcome<String> {
    let path = lab.file("limits", text)?.display().to_string();
    let said = lab
        .call(&["update", "--resources", &path, &container.id])
        .refused()?;
    same("exit code", said.code(), 1)?;
    Ok(said.err.replace(&path, "FILE"))
}

fn no_json(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for text in ["", "nonsense", "{\"memory\": ", "[1"] {
        refused(lab, &container, text)?;
    }
    container.end()
}

fn wrong_type(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    refused(
        lab,
        &container,
        r#"{"unified": {"cgroup.max.depth": ["3"]}}"#,
    )?;
    same(
        "cgroup.max.depth",
        file(&container, "cgroup.max.depth")?,
        "max",
    )?;
    container.end()
}

fn names_place(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for (text, place) in [
        (r#"{"memory": {"limit": "64m"}}"#, "FILE#/memory/limit"),
        (r#"{"memory": {"limit": -5}}"#, "FILE#/memory/limit = -5"),
        (
            r#"{"memory": {"limit": 5, "swap": 4}}"#,
            "FILE#/memory/swap = 4",
        ),
        (r#"{"cpu": {"idle": 2}}"#, "FILE#/cpu/idle = 2"),
        (r#"{"blockIO": {"weight": 5}}"#, "FILE#/blockIO/weight = 5"),
        (
            r#"{"unified": {"cgroup.max.depth": "x"}}"#,
            "FILE#/unified/cgroup.max.depth",
        ),
        ("{\n  \"memory\": {,}}", "line 2"),
    ] {
        let told = refused(lab, &container, text)?;
        contains(text, &told, place)?;
        ensure!(
            !told.contains("config.json"),
            "{text}: it speaks of config.json: {told}"
        );
    }
    container.end()
}

fn names_flag(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for flags in [
        &["--memory", "64x"][..],
        &["--memory", "5", "--memory-swap", "4"],
        &["--cpu-idle", "2"],
        &["--blkio-weight", "5"],
        &["--pids-limit", "-7"],
        &["--cpu-rt-runtime", "9"],
        &["--cpu-period", "-1"],
    ] {
        let line = [&["update"], flags, &[container.id.as_str()]].concat();
        let said = lab.call(&line).refused()?;
        let last = flags.chunks(2).next_back().unwrap_or_default().join(" ");
        contains("the refusal", &said.err, &last)?;
        ensure!(
            !said.err.contains("config.json"),
            "it speaks of config.json: {said}"
        );
    }
    container.end()
}

fn no_sizes(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for flag in [
        "--memory=64x",
        "--memory=m",
        "--memory-swap=1..5k",
        "--cpu-quota=much",
        "--cpu-share=-1",
        "--pids-limit=x",
        "--no-such=1",
    ] {
        lab.call(&["update", flag, &container.id]).refused()?;
    }
    container.end()
}

fn no_file(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let said = lab
        .call(&["update", "-r", "/nowhere/limits.json", &container.id])
        .refused()?;
    mentions("the refusal", &said.err, &["/nowhere/limits.json"])?;
    container.end()
}

fn outside(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for name in ["../cgroup.max.depth", "x/cgroup.max.depth"] {
        refused(
            lab,
            &container,
            &json!({"unified": {name: "3"}}).to_string(),
        )?;
    }
    container.end()
}

fn no_rdt(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for flag in ["--l3-cache-schema=L3:0=ff", "--mem-bw-schema=MB:0=50"] {
        let said = lab.call(&["update", flag, &container.id]).refused()?;
        mentions("the refusal", &said.err, &["rdt", "resctrl"])?;
    }
    container.end()
}

fn stopped(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container.stop()?;
    let said = lab
        .call(&["update", "--pids-limit", "5", &container.id])
        .refused()?;
    mentions("the refusal", &said.err, &["not running"])?;
    container.delete()
}
