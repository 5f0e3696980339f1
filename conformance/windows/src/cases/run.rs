//! `run`: the foreground, and no bundle.

use super::{Named, Outcome, is_wine};
use crate::lab::{Lab, count, ensure, is_gone, until};
use serde_json::json;

pub(super) const CASES: &[Named] = &[
    ("run/its-status-is-the-programs", status),
    ("run/a-status-of-32-bits", large_status),
    ("run/nothing-is-left", nothing_left),
    ("run/keep", keep),
    ("run/detached", detached),
    ("run/all-is-gone-when-the-run-is", gone_with_the_run),
    ("run/others-see-it", others_see_it),
    ("run/a-program-without-a-bundle", without_a_bundle),
    ("run/cmd-without-a-bundle", cmd),
    ("run/powershell-without-a-bundle", powershell),
    ("run/with-a-terminal", terminal),
];

fn status(lab: &Lab) -> Result<Outcome, String> {
    for wanted in [0, 1, 7, 255] {
        let bundle = lab.bundle("b", &["exit", &wanted.to_string()], json!({}))?;
        let said = lab.call(&["run", "--bundle", &bundle, "c1"])?;
        ensure(said.status == wanted, format!("{said:?} for {wanted}"))?;
    }
    Ok(Outcome::Shown)
}

fn large_status(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["exit", "3221225786"], json!({}))?;
    let said = lab.call(&["run", "--bundle", &bundle, "c1"])?;
    ensure(
        said.status == 3_221_225_786u32.cast_signed(),
        format!("{said:?}"),
    )?;
    Ok(Outcome::Shown)
}

fn nothing_left(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["tree-then-leave", "2", &lab.path("")], json!({}))?;
    lab.good(&["run", "--bundle", &bundle, "c1"])?;
    ensure(
        is_gone(&lab.path("0")) && is_gone(&lab.path("1")),
        "its descendants have outlived the run",
    )?;
    let quiet = lab.good(&["list", "--quiet"])?;
    ensure(quiet.trim().is_empty(), quiet)?;
    Ok(Outcome::Shown)
}

fn keep(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["exit", "0"], json!({}))?;
    lab.good(&["run", "--keep", "--bundle", &bundle, "c1"])?;
    ensure(
        lab.status("c1")? == "stopped",
        "it is kept, and has stopped",
    )?;
    lab.good(&["delete", "c1"])?;
    Ok(Outcome::Shown)
}

fn detached(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["tree", "1", &lab.path("")], json!({}))?;
    lab.good(&["run", "--detach", "--bundle", &bundle, "c1"])?;
    ensure(lab.status("c1")? == "running", "it runs after the run")?;
    until("both tick", || {
        Ok(["0", "1"]
            .iter()
            .all(|name| count(&lab.path(name)).is_some()))
    })?;
    let before = count(&lab.path("0"));
    until("it goes on", || Ok(count(&lab.path("0")) > before))?;
    lab.good(&["delete", "--force", "c1"])?;
    Ok(Outcome::Shown)
}

/// The one use of KILL_ON_JOB_CLOSE that needs no process to hold the job.
fn gone_with_the_run(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["tree", "1", &lab.path("")], json!({}))?;
    let run = lab.begin(&["run", "--bundle", &bundle, "c1"])?;
    until("both tick", || {
        Ok(["0", "1"]
            .iter()
            .all(|name| count(&lab.path(name)).is_some()))
    })?;
    run.crash()?;
    for name in ["0", "1"] {
        until("all are gone with the run", || Ok(is_gone(&lab.path(name))))?;
    }
    ensure(lab.status("c1")? == "stopped", "its record says so")?;
    lab.good(&["delete", "c1"])?;
    Ok(Outcome::Shown)
}

fn others_see_it(lab: &Lab) -> Result<Outcome, String> {
    let bundle = lab.bundle("b", &["tick", &lab.path("t")], json!({}))?;
    let run = lab.begin(&["run", "--bundle", &bundle, "c1"])?;
    until("it ticks", || Ok(count(&lab.path("t")).is_some()))?;
    ensure(lab.status("c1")? == "running", "others see it run")?;
    lab.good(&["kill", "c1", "KILL"])?;
    let said = run.finish()?;
    ensure(said.status == 137, format!("{said:?}"))?;
    Ok(Outcome::Shown)
}

fn without_a_bundle(lab: &Lab) -> Result<Outcome, String> {
    let (file, dweller) = (lab.path("said"), lab.dweller());
    lab.good(&["run", "--", &dweller, "say", &file, "--x", "a b"])?;
    let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let said: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    ensure(said["args"] == json!([file, "--x", "a b"]), text.clone())?;
    let cwd = said["cwd"]
        .as_str()
        .unwrap_or_default()
        .trim_end_matches('\\')
        .to_owned();
    ensure(
        cwd == lab.path("").trim_end_matches('\\'),
        format!("its folder is the caller's: {cwd}"),
    )?;
    let said = lab.call(&["run", &dweller, "exit", "12"])?;
    ensure(said.status == 12, format!("{said:?}"))?;
    Ok(Outcome::Shown)
}

fn cmd(lab: &Lab) -> Result<Outcome, String> {
    let said = lab.call(&["run", "cmd", "/c", "exit", "5"])?;
    ensure(said.status == 5, format!("{said:?}"))?;
    let out = lab.good(&["run", "--", "cmd", "/c", "echo", "hello"])?;
    ensure(out.trim() == "hello", out)?;
    Ok(Outcome::Shown)
}

fn powershell(lab: &Lab) -> Result<Outcome, String> {
    let words = [
        "run",
        "--",
        "powershell",
        "-NoProfile",
        "-Command",
        "exit 3",
    ];
    if is_wine() {
        // Its powershell is a program that says it is none; that it was found and run is all that shows.
        let said = lab.call(&words)?;
        ensure(!said.err.contains("not found"), format!("{said:?}"))?;
        return Ok(Outcome::NotUnderWine("Wine's powershell does nothing"));
    }
    let said = lab.call(&words)?;
    ensure(said.status == 3, format!("{said:?}"))?;
    Ok(Outcome::Shown)
}

fn terminal(lab: &Lab) -> Result<Outcome, String> {
    let process =
        json!({"process": {"terminal": true, "consoleSize": {"height": 30, "width": 90}}});
    let bundle = lab.bundle("b", &["grumble"], process)?;
    let told = lab.bad(&["create", "--bundle", &bundle, "c1"])?;
    ensure(told.contains("cannot allocate tty"), told)?;
    let said = lab.call(&["run", "--bundle", &bundle, "c1"])?;
    ensure(said.status == 4, format!("{said:?}"))?;
    if is_wine() && !said.out.contains("the bridge does not exist") {
        return Ok(Outcome::NotUnderWine(
            "its pseudo-consoles show nothing without a screen",
        ));
    }
    ensure(
        said.out.contains("the bridge does not exist"),
        format!("{said:?}"),
    )?;
    Ok(Outcome::Shown)
}
