//! Limits. Wine accepts those of memory and of processes, tells nothing of them again and does not keep them; CPU
//! rates, masks and I/O rates it does not know. What can be seen there is that orbital asks and says what it was told.

use super::{Named, Outcome, is_wine};
use crate::lab::{Lab, ensure, until};
use serde_json::{Value, json};

pub(super) const CASES: &[Named] = &[
    ("limits/memory-is-felt", memory),
    ("limits/processes-are-felt", processes),
    ("limits/read-back", read_back),
    ("limits/update", update),
    ("limits/processor-time", processor_time),
    ("limits/affinity", affinity),
    ("limits/disk-operations", disk),
];

const NOT_KEPT: &str = "it accepts the limit and does not keep it";

fn of(resources: Value) -> Value {
    json!({"windows": {"resources": resources}})
}

fn memory(lab: &Lab) -> Result<Outcome, String> {
    let limit = of(json!({"memory": {"limit": 64 << 20}}));
    let small = lab.bundle("small", &["allocate", "8"], limit.clone())?;
    lab.good(&["run", "--bundle", &small, "c1"])?;
    let large = lab.bundle("large", &["allocate", "256"], limit)?;
    let said = lab.call(&["run", "--bundle", &large, "c2"])?;
    if is_wine() {
        return Ok(Outcome::NotUnderWine(NOT_KEPT));
    }
    ensure(said.status == 3, format!("{said:?}"))?;
    Ok(Outcome::Shown)
}

fn processes(lab: &Lab) -> Result<Outcome, String> {
    let file = lab.path("crowd");
    let bundle = lab.bundle(
        "b",
        &["crowd", "6", &file],
        json!({"annotations": {"orbital.job.processes": "4"}}),
    )?;
    lab.good(&["run", "--detach", "--bundle", &bundle, "c1"])?;
    until("it has tried", || Ok(std::path::Path::new(&file).exists()))?;
    let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    lab.good(&["delete", "--force", "c1"])?;
    if is_wine() {
        return Ok(Outcome::NotUnderWine(NOT_KEPT));
    }
    ensure(
        text == "3",
        format!("{text} of six children beside the first, where four may be"),
    )?;
    Ok(Outcome::Shown)
}

fn limits_of(lab: &Lab) -> Result<(Value, Value), String> {
    let line = lab.good(&["events", "--stats", "c1"])?;
    let stats: Value = serde_json::from_str(&line).map_err(|error| error.to_string())?;
    let data = &stats["data"];
    Ok((
        data["memory"]["usage"]["limit"].clone(),
        data["pids"]["limit"].clone(),
    ))
}

fn read_back(lab: &Lab) -> Result<Outcome, String> {
    let mut config = of(json!({"memory": {"limit": 64 << 20}}));
    config["annotations"] = json!({"orbital.job.processes": "7"});
    let bundle = lab.bundle("b", &["sleep"], config)?;
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    let (memory, processes) = limits_of(lab)?;
    lab.good(&["delete", "--force", "c1"])?;
    if is_wine() {
        return Ok(Outcome::NotUnderWine("it tells nothing of a limit again"));
    }
    ensure(
        memory == json!(64 << 20) && processes == 7,
        format!("{memory}, {processes}"),
    )?;
    Ok(Outcome::Shown)
}

fn update(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["sleep"], json!({}))?;
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    lab.good(&["update", "--memory", "96m", "--pids-limit", "9", "c1"])?;
    let (memory, processes) = limits_of(lab)?;
    lab.good(&["delete", "--force", "c1"])?;
    if is_wine() {
        return Ok(Outcome::NotUnderWine("it tells nothing of a limit again"));
    }
    ensure(
        memory == json!(96 << 20) && processes == 9,
        format!("{memory}, {processes}"),
    )?;
    Ok(Outcome::Shown)
}

/// What a system does not know is an error that names the place, and no container is left.
fn asked(lab: &Lab, resources: Value, place: &str) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["exit", "0"], of(resources))?;
    let said = lab.call(&["run", "--bundle", &bundle, "c1"])?;
    if is_wine() {
        ensure(
            said.status == 0 || said.err.contains(place),
            format!("{said:?}"),
        )?;
        return Ok(Outcome::NotUnderWine("it does not know this limit"));
    }
    ensure(said.status == 0, format!("{said:?}"))?;
    Ok(Outcome::Shown)
}

fn processor_time(lab: &Lab) -> Result<Outcome, String> {
    asked(
        lab,
        json!({"cpu": {"maximum": 5000}}),
        "config.json#/windows/resources/cpu",
    )
}

fn affinity(lab: &Lab) -> Result<Outcome, String> {
    asked(
        lab,
        json!({"cpu": {"affinity": [{"mask": 1, "group": 0}]}}),
        "config.json#/windows/resources/cpu/affinity",
    )
}

fn disk(lab: &Lab) -> Result<Outcome, String> {
    asked(
        lab,
        json!({"storage": {"iops": 500}}),
        "config.json#/windows/resources/storage",
    )
}
