//! What the process is given: arguments, directory, environment, streams.

use super::{Named, Outcome};
use crate::lab::{Lab, ensure};
use serde_json::{Value, json};

pub(super) const CASES: &[Named] = &[
    ("process/arguments-arrive-as-they-are", arguments),
    ("process/command-line-is-taken-as-it-is", command_line),
    ("process/directory-and-environment", surroundings),
    ("process/the-program-is-looked-for-in-its-own-path", path),
    ("process/not-in-the-callers-folder", not_here),
    ("process/scripts-of-cmd-are-refused", scripts),
    ("process/streams-are-the-callers", streams),
    ("process/the-callers-own-name", own_name),
    ("process/somebody-elses-name", other_name),
];

/// What the dweller of this bundle says of itself.
fn said(lab: &Lab, words: &[&str], more: Value) -> Result<Value, String> {
    let file = lab.path("said");
    let mut all = vec!["say", &file];
    all.extend(words);
    let bundle = lab.bundle("b", &all, more)?;
    lab.good(&["run", "--bundle", &bundle, "c1"])?;
    let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

fn arguments(lab: &Lab) -> Result<Outcome, String> {
    let odd = [
        "",
        "a b",
        "\"",
        "a\"b",
        "\\",
        "a\\\\\"b",
        "c:\\x y\\",
        "ünï",
        "%PATH%",
        "^&|<>",
        "*",
        "tab\there",
    ];
    let said = said(lab, &odd, json!({}))?;
    let arrived: Vec<&str> = said["args"]
        .as_array()
        .into_iter()
        .flatten()
        .skip(1)
        .filter_map(Value::as_str)
        .collect();
    ensure(arrived == odd, format!("{arrived:?} for {odd:?}"))?;
    Ok(Outcome::Shown)
}

fn command_line(lab: &Lab) -> Result<Outcome, String> {
    let file = lab.path("said");
    let line = format!("\"{}\" say \"{file}\"  x   \"y z\"", lab.dweller());
    let said = said(lab, &["never"], json!({"process": {"commandLine": line}}))?;
    ensure(said["args"] == json!([file, "x", "y z"]), format!("{said}"))?;
    Ok(Outcome::Shown)
}

fn surroundings(lab: &Lab) -> Result<Outcome, String> {
    let place = lab.path("place");
    std::fs::create_dir(&place).map_err(|error| error.to_string())?;
    let env = ["A=1", "b=2", "B=3", "Empty="];
    let said = said(lab, &[], json!({"process": {"cwd": place, "env": env}}))?;
    ensure(said["cwd"] == json!(place), format!("{said}"))?;
    let env = &said["env"];
    let upper = |name: &str| {
        let all = env.as_object().into_iter().flatten();
        let found = all
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone());
        found.collect::<Vec<_>>()
    };
    ensure(
        env["A"] == "1" && upper("b") == [json!("3")] && upper("empty") == [json!("")],
        format!("{env}"),
    )?;
    ensure(
        upper("SystemRoot").len() == 1,
        format!("without SystemRoot little works: {env}"),
    )?;
    ensure(
        upper("USERPROFILE").is_empty(),
        format!("the caller's environment is not the container's: {env}"),
    )?;
    Ok(Outcome::Shown)
}

fn path(lab: &Lab) -> Result<Outcome, String> {
    let folder = lab.lodge("bin", "lodger.exe")?;
    let process = json!({"args": ["lodger", "exit", "6"], "cwd": "C:\\", "env": [format!("Path=relative;{folder}")]});
    let bundle = lab.write_bundle("b", &json!({"ociVersion": "1.2.0", "process": process}))?;
    let said = lab.call(&["run", "--bundle", &bundle, "c1"])?;
    ensure(said.status == 6, format!("{said:?}"))?;
    Ok(Outcome::Shown)
}

/// CreateProcessW by itself would take it from there.
fn not_here(lab: &Lab) -> Result<Outcome, String> {
    lab.lodge("", "lodger.exe")?;
    let process = json!({"args": ["lodger", "exit", "6"], "cwd": "C:\\", "env": ["PATH=."]});
    let bundle = lab.write_bundle("b", &json!({"ociVersion": "1.2.0", "process": process}))?;
    let told = lab.bad(&["run", "--bundle", &bundle, "c1"])?;
    ensure(told.contains("executable file not found in $PATH"), told)?;
    Ok(Outcome::Shown)
}

fn scripts(lab: &Lab) -> Result<Outcome, String> {
    std::fs::write(lab.path("x.bat"), "exit 0").map_err(|error| error.to_string())?;
    let process = json!({"args": [lab.path("x.bat")], "cwd": "C:\\"});
    let bundle = lab.write_bundle("b", &json!({"ociVersion": "1.2.0", "process": process}))?;
    let told = lab.bad(&["create", "--bundle", &bundle, "c1"])?;
    ensure(told.contains("script for cmd"), told)?;
    Ok(Outcome::Shown)
}

fn streams(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["grumble"], json!({}))?;
    let said = lab.call(&["run", "--bundle", &bundle, "c1"])?;
    ensure(
        said.status == 4 && said.err.contains("the bridge does not exist"),
        format!("{said:?}"),
    )?;
    Ok(Outcome::Shown)
}

fn own_name(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["sleep"], json!({}))?;
    lab.good(&["create", "--bundle", &bundle, "c1"])?;
    let owner = lab.state("c1")?["owner"]
        .as_str()
        .unwrap_or_default()
        .to_uppercase();
    lab.good(&["delete", "--force", "c1"])?;
    let user = json!({"process": {"user": {"username": owner}}});
    let bundle = lab.bundle("b2", &["exit", "3"], user)?;
    let said = lab.call(&["run", "--bundle", &bundle, "c2"])?;
    ensure(said.status == 3, format!("{said:?}"))?;
    Ok(Outcome::Shown)
}

fn other_name(lab: &Lab) -> Result<Outcome, String> {
    let user = json!({"process": {"user": {"username": "nobody-of-this-name"}}});
    let bundle = lab.bundle("b", &["exit", "3"], user)?;
    let told = lab.bad(&["create", "--bundle", &bundle, "c1"])?;
    ensure(
        told.contains("config.json#/process/user/username") && told.contains("without a password"),
        told,
    )?;
    Ok(Outcome::Shown)
}
