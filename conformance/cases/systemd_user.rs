//! Groups that an ordinary user's own systemd makes: `--systemd-cgroup` without root anywhere.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, eventually, same};
use crate::lab::Lab;
use crate::probe;
use crate::runtime::Call;
use crate::spec::Spec;

use super::systemd::{AS_USER, PATIENCE};

const NEEDS: &[Need] = &[
    Need::Root,
    Need::UserNs,
    Need::CgroupV2,
    Need::Program("setpriv"),
    Need::Program("systemctl"),
    Need::File("/run/user/1000/systemd/private"),
];

/// The user whose systemd runs, that of [`AS_USER`].
const UID: u32 = 1000;

const HOME: &str = "/run/user/1000";

pub(super) const CASES: &[Case] = &[
    Case::new("a-users-scope-with-limits", limits).needs(NEEDS),
    Case::new("a-users-limit-is-felt", felt).needs(NEEDS),
    Case::new("a-users-update-outlives-a-reload", update).needs(NEEDS),
    Case::new("a-users-failed-create-leaves-no-unit", failed).needs(NEEDS),
];

fn call<'l>(lab: &'l Lab, args: &[&str]) -> Outcome<Call<'l>> {
    let state = lab.dir.join("of-user");
    if !state.exists() {
        fs::create_dir(&state)?;
        std::os::unix::fs::chown(&state, Some(UID), Some(UID))?;
    }
    let env = [("PATH", "/usr/bin:/bin"), ("XDG_RUNTIME_DIR", HOME)];
    Ok(lab.call(args).root(&state).env(&env).through(AS_USER))
}

/// What the user's systemctl says.
fn systemctl(lab: &Lab, words: &[&str]) -> Outcome<String> {
    let env = [
        "env",
        "XDG_RUNTIME_DIR=/run/user/1000",
        "systemctl",
        "--user",
    ];
    let said = lab.host(&[AS_USER, &env, words].concat())?;
    Ok(said.trim().to_owned())
}

fn shown(lab: &Lab, unit: &str, name: &str) -> Outcome<String> {
    systemctl(lab, &["show", "--value", "--property", name, unit])
}

fn bundle(lab: &Lab, id: &str, edit: impl FnOnce(&mut Spec)) -> Outcome<Bundle> {
    let bundle = lab.bundle(|spec| {
        let resources = json!({
            "memory": {"limit": 33_554_432, "swap": 33_554_432},
            "cpu": {"quota": 50_000, "period": 100_000},
            "pids": {"limit": 20},
        });
        spec.rootless(UID).set("/linux/resources", resources).set(
            "/linux/cgroupsPath",
            json!(format!("user.slice:suite:{id}")),
        );
        edit(spec);
    })?;
    bundle.give_to(UID)?;
    Ok(bundle)
}

/// A user's container in a scope of its own.
struct Made {
    id: String,
    unit: String,
    group: PathBuf,
}

fn made(lab: &Lab, edit: impl FnOnce(&mut Spec)) -> Outcome<Made> {
    let id = lab.id("own");
    let bundle = bundle(lab, &id, edit)?;
    let args = ["--systemd-cgroup", "create", "--bundle", bundle.arg(), &id];
    call(lab, &args)?.ok()?;
    let state: Value = serde_json::from_str(&call(lab, &["state", &id])?.ok()?.out)?;
    let pid = i32::try_from(state["pid"].as_i64().unwrap_or_default())?;
    let group = probe::cgroup_dir(pid)?;
    call(lab, &["start", &id])?.ok()?;
    let unit = format!("suite-{id}.scope");
    Ok(Made { id, unit, group })
}

fn in_force(made: &Made, files: &[(&str, &str)]) -> Outcome {
    for (name, value) in files {
        let found = fs::read_to_string(made.group.join(name))?;
        same(name, found.trim(), *value)?;
    }
    Ok(())
}

fn over(lab: &Lab, made: &Made) -> Outcome {
    call(lab, &["delete", "--force", &made.id])?.ok()?;
    gone(lab, &made.unit)
}

fn gone(lab: &Lab, unit: &str) -> Outcome {
    eventually("the unit to be forgotten", PATIENCE, || {
        Ok(shown(lab, unit, "LoadState")? == "not-found")
    })?;
    let left = probe::cgroups_with(unit);
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}

fn limits(lab: &Lab) -> Outcome {
    let made = made(lab, |spec| {
        spec.args(&["sleep", "100"]);
    })?;
    let place = format!("/user@{UID}.service/user.slice/{}", made.unit);
    contains("the group", &made.group.to_string_lossy(), &place)?;
    let files = [
        ("memory.max", "33554432"),
        ("cpu.max", "50000 100000"),
        ("pids.max", "20"),
    ];
    in_force(&made, &files)?;
    same(
        "ActiveState",
        shown(lab, &made.unit, "ActiveState")?.as_str(),
        "active",
    )?;
    same(
        "MemoryMax",
        shown(lab, &made.unit, "MemoryMax")?.as_str(),
        "33554432",
    )?;
    let status = systemctl(lab, &["status", "--no-pager", &made.unit])?;
    contains("systemctl status", &status, "active (running)")?;
    over(lab, &made)
}

fn felt(lab: &Lab) -> Outcome {
    let id = lab.id("own");
    let bundle = bundle(lab, &id, |spec| {
        spec.sh("dd if=/dev/zero of=/dev/null bs=99000000 count=1 2>/dev/null; echo ended with $?");
    })?;
    let args = ["--systemd-cgroup", "run", "--bundle", bundle.arg(), &id];
    let said = call(lab, &args)?.ok()?;
    same("what the shell saw", said.out.as_str(), "ended with 137\n")?;
    gone(lab, &format!("suite-{id}.scope"))
}

fn update(lab: &Lab) -> Outcome {
    let made = made(lab, |spec| {
        spec.args(&["sleep", "100"]);
    })?;
    let args = [
        "update",
        "--pids-limit",
        "30",
        "--memory",
        "50331648",
        "--memory-swap",
        "50331648",
        &made.id,
    ];
    call(lab, &args)?.ok()?;
    let files = [("memory.max", "50331648"), ("pids.max", "30")];
    in_force(&made, &files)?;
    systemctl(lab, &["daemon-reload"])?;
    in_force(&made, &files)?;
    over(lab, &made)
}

fn failed(lab: &Lab) -> Outcome {
    let id = lab.id("own");
    let bundle = bundle(lab, &id, |spec| {
        spec.args(&["/no/such/program"]);
    })?;
    let args = ["--systemd-cgroup", "create", "--bundle", bundle.arg(), &id];
    call(lab, &args)?.refused()?;
    gone(lab, &format!("suite-{id}.scope"))
}
