//! Hooks: each at its moment, with the state on its standard input; one that fails is an error that quotes it.

use super::{Named, Outcome};
use crate::lab::{Lab, ensure};
use serde_json::{Value, json};

pub(super) const CASES: &[Named] = &[
    ("hooks/each-at-its-moment", moments),
    ("hooks/one-that-fails-is-quoted", failing),
    ("hooks/one-that-hangs-is-ended", hanging),
];

fn noting(lab: &Lab, kind: &str) -> Value {
    json!([{"path": lab.dweller(), "args": ["dweller", "note", lab.path(kind)]}])
}

fn noted(lab: &Lab, kind: &str) -> Option<String> {
    let text = std::fs::read_to_string(lab.path(kind)).ok()?;
    let state: Value = serde_json::from_str(&text).ok()?;
    Some(state["status"].as_str()?.to_owned())
}

fn moments(lab: &Lab) -> Result<Outcome, String> {
    const KINDS: [&str; 6] = [
        "prestart",
        "createRuntime",
        "createContainer",
        "startContainer",
        "poststart",
        "poststop",
    ];
    let hooks: serde_json::Map<String, Value> = KINDS
        .iter()
        .map(|kind| ((*kind).to_owned(), noting(lab, kind)))
        .collect();
    let bundle = lab.bundle("b", &["sleep"], json!({"hooks": hooks}))?;
    let seen = |lab: &Lab| {
        KINDS
            .iter()
            .filter_map(|kind| noted(lab, kind))
            .collect::<Vec<_>>()
            .join(" ")
    };
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    ensure(
        seen(lab) == "creating creating creating",
        format!("after create: {}", seen(lab)),
    )?;
    lab.good(&["start", "c1"])?;
    ensure(
        seen(lab) == "creating creating creating created running",
        format!("after start: {}", seen(lab)),
    )?;
    lab.good(&["delete", "--force", "c1"])?;
    ensure(
        seen(lab).ends_with("running stopped"),
        format!("after delete: {}", seen(lab)),
    )?;
    Ok(Outcome::Shown)
}

fn failing(lab: &Lab) -> Result<Outcome, String> {
    let hook = json!({"createRuntime": [{"path": lab.dweller(), "args": ["dweller", "grumble"]}]});
    let bundle = lab.bundle("b", &["sleep"], json!({"hooks": hook}))?;
    let told = lab.bad(&["create", "--bundle", &bundle, "c1"])?;
    let words = [
        "config.json#/hooks/createRuntime/0/path",
        "it exited with 4",
        "the bridge does not exist",
    ];
    ensure(words.iter().all(|word| told.contains(word)), told)?;
    let quiet = lab.good(&["list", "--quiet"])?;
    ensure(quiet.trim().is_empty(), quiet)?;
    Ok(Outcome::Shown)
}

fn hanging(lab: &Lab) -> Result<Outcome, String> {
    let hook =
        json!({"prestart": [{"path": lab.dweller(), "args": ["dweller", "sleep"], "timeout": 1}]});
    let bundle = lab.bundle("b", &["sleep"], json!({"hooks": hook}))?;
    let told = lab.bad(&["create", "--bundle", &bundle, "c1"])?;
    ensure(
        told.contains("it ran for longer than 1 s and was killed"),
        told,
    )?;
    Ok(Outcome::Shown)
}
