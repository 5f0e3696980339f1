//! The verbs that need no container, and the state directory: version, help, features, spec, plan.

use std::fs;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::container::Container;
use crate::lab::{Lab, USER};
use crate::spec::Spec;

pub(super) const CASES: &[Case] = &[
    Case::new("version", version),
    Case::new("version-follows-the-programs-name", version_by_name)
        .needs(&[Need::Root, Need::OrbitalOnly]),
    Case::new("help-of-every-verb", help),
    Case::new("features-is-json-alone", features),
    Case::new("features-needs-no-privilege", features_as_user),
    Case::new("spec-writes-a-config", spec),
    Case::new("spec-does-not-overwrite", spec_twice),
    Case::new("spec-rootless", spec_rootless).deviates(&[("crun", "writes no mappings")]),
    Case::new("what-spec-writes-runs", spec_runs),
    Case::new("two-roots-are-two-worlds", two_roots),
    Case::new("root-is-made-and-private", private_root),
    Case::new("root-that-cannot-be-made", bad_root),
    Case::new("plan-explains-without-privilege", plan).needs(&[Need::Root, Need::OrbitalOnly]),
    Case::new("plan-warns-of-misspelt-members", plan_misspelt)
        .needs(&[Need::Root, Need::OrbitalOnly]),
    Case::new("plan-as-json", plan_json).needs(&[Need::Root, Need::OrbitalOnly]),
];

fn version(lab: &Lab) -> Outcome {
    for flag in ["--version", "-v"] {
        let said = lab.call(&[flag]).bare().say()?;
        if flag == "-v" && !said.status.success() && lab.runtime.name == "crun" {
            continue;
        }
        ensure!(said.status.success(), "{flag}: {said}");
        let lines: Vec<_> = said.out.lines().collect();
        let first: Vec<_> = lines
            .first()
            .copied()
            .unwrap_or_default()
            .split(' ')
            .collect();
        ensure!(
            first.len() == 3 && first.get(1) == Some(&"version"),
            "first line: {lines:?}"
        );
        ensure!(
            lines.iter().any(|line| line.starts_with("commit: ")),
            "no commit: {lines:?}"
        );
        ensure!(
            lines.iter().any(|line| line.starts_with("spec: 1.")),
            "no spec: {lines:?}"
        );
    }
    Ok(())
}

/// Tools look at the word before "version" (CALLERS rule 1).
fn version_by_name(lab: &Lab) -> Outcome {
    let link = lab.folder("names")?.join("runc");
    std::os::unix::fs::symlink(&lab.runtime.path, &link)?;
    let said = lab.call(&["--version"]).bare().program(&link).ok()?;
    ensure!(said.out.starts_with("runc version "), "version: {said}");
    Ok(())
}

fn help(lab: &Lab) -> Outcome {
    for verb in [
        "create", "start", "state", "kill", "delete", "run", "list", "spec", "features", "ps",
        "pause", "resume", "update",
    ] {
        let said = lab.call(&[verb, "--help"]).bare().ok()?;
        contains(&format!("{verb} --help"), &said.out.to_lowercase(), verb)?;
    }
    let said = lab.call(&["--help"]).bare().ok()?;
    for verb in ["create", "start", "state", "kill", "delete", "run", "list"] {
        contains("--help", &said.out, verb)?;
    }
    Ok(())
}

fn features(lab: &Lab) -> Outcome {
    let said = lab.call(&["features"]).bare().ok()?;
    same("standard error", said.err.as_str(), "")?;
    let value: Value = serde_json::from_str(&said.out)?;
    for member in [
        "/ociVersionMin",
        "/ociVersionMax",
        "/hooks",
        "/mountOptions",
        "/linux/namespaces",
        "/linux/capabilities",
        "/linux/cgroup",
    ] {
        ensure!(value.pointer(member).is_some(), "no {member}: {value}");
    }
    let list = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    for hook in [
        "prestart",
        "createRuntime",
        "createContainer",
        "startContainer",
        "poststart",
        "poststop",
    ] {
        ensure!(list("/hooks").contains(&json!(hook)), "no hook {hook}");
    }
    for option in ["ro", "nosuid", "rbind", "rprivate", "rro"] {
        ensure!(
            list("/mountOptions").contains(&json!(option)),
            "no mount option {option}"
        );
    }
    for name in ["pid", "network", "mount", "user", "cgroup", "ipc", "uts"] {
        ensure!(
            list("/linux/namespaces").contains(&json!(name)),
            "no namespace {name}"
        );
    }
    Ok(())
}

fn features_as_user(lab: &Lab) -> Outcome {
    let said = lab
        .user_call(&["features"])?
        .bare()
        .env(&[("PATH", "/usr/bin:/bin")])
        .ok()?;
    same("standard error", said.err.as_str(), "")?;
    serde_json::from_str::<Value>(&said.out)?;
    lab.user_call(&["--version"])?
        .bare()
        .env(&[])
        .ok()
        .map(drop)
}

fn spec(lab: &Lab) -> Outcome {
    let folder = lab.folder("spec")?;
    lab.call(&["spec"]).bare().dir(&folder).ok()?;
    let value: Value = serde_json::from_slice(&fs::read(folder.join("config.json"))?)?;
    same(
        "terminal",
        value["process"]["terminal"].as_bool(),
        Some(true),
    )?;
    same("root", value["root"]["path"].as_str(), Some("rootfs"))?;
    ensure!(
        value["ociVersion"]
            .as_str()
            .is_some_and(|v| v.starts_with("1.")),
        "ociVersion: {}",
        value["ociVersion"]
    );
    let other = lab.folder("spec")?;
    lab.call(&["spec", "--bundle", &other.to_string_lossy()])
        .bare()
        .ok()?;
    ensure!(
        other.join("config.json").exists(),
        "--bundle was not heeded"
    );
    Ok(())
}

fn spec_twice(lab: &Lab) -> Outcome {
    let folder = lab.folder("spec")?;
    fs::write(folder.join("config.json"), "mine")?;
    lab.call(&["spec"]).bare().dir(&folder).refused()?;
    same(
        "config.json",
        fs::read_to_string(folder.join("config.json"))?.as_str(),
        "mine",
    )
}

fn spec_rootless(lab: &Lab) -> Outcome {
    let folder = lab.folder("spec")?;
    std::os::unix::fs::chown(&folder, Some(USER), Some(USER))?;
    lab.user_call(&["spec", "--rootless"])?
        .bare()
        .dir(&folder)
        .ok()?;
    let value: Value = serde_json::from_slice(&fs::read(folder.join("config.json"))?)?;
    same(
        "mapped to",
        value["linux"]["uidMappings"][0]["hostID"].as_u64(),
        Some(u64::from(USER)),
    )?;
    let user = value["linux"]["namespaces"]
        .as_array()
        .is_some_and(|list| list.contains(&json!({"type": "user"})));
    ensure!(user, "no user namespace: {}", value["linux"]["namespaces"]);
    Ok(())
}

fn spec_runs(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    fs::remove_file(bundle.dir.join("config.json"))?;
    lab.call(&["spec"]).bare().dir(&bundle.dir).ok()?;
    let file = bundle.dir.join("config.json");
    let mut spec = crate::spec::Spec(serde_json::from_slice(&fs::read(&file)?)?);
    spec.set("/process/terminal", json!(false)).sh("echo fine");
    bundle.write(&spec)?;
    same("output", lab.run_in(&bundle)?.out.as_str(), "fine\n")
}

fn two_roots(lab: &Lab) -> Outcome {
    let (one, other) = (lab.create(|_| ())?, lab.folder("other-root")?);
    let id = format!("{}-b", one.id);
    lab.call(&["create", "--bundle", one.bundle.arg(), &id])
        .root(&other)
        .ok()?;
    ensure!(
        !lab.list()?.contains(&id),
        "a container of the other --root is listed"
    );
    lab.call(&["state", &one.id]).root(&other).refused()?;
    lab.call(&["delete", "--force", &id]).root(&other).ok()?;
    one.end()
}

/// CVE-2021-41103's lesson: what is in there is nobody else's business.
fn private_root(lab: &Lab) -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    let container = Container::create(lab, &lab.bundle(|_| ())?, &lab.id("private"))?;
    let mode = |path: &std::path::Path| -> Outcome<u32> {
        Ok(fs::metadata(path)?.permissions().mode() & 0o777)
    };
    let (root, own) = (mode(&lab.root())?, mode(&lab.root().join(&container.id))?);
    ensure!(
        root & 0o077 == 0 || own & 0o077 == 0,
        "others may enter: the root is {root:o}, the container's directory {own:o}"
    );
    container.end()
}

fn bad_root(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let file = lab.file("plain", "")?;
    let said = lab
        .call(&["create", "--bundle", bundle.arg(), &lab.id("bad")])
        .root(&file.join("below"))
        .refused()?;
    mentions("the refusal", &said.err, &["not a directory"])
}

fn plan(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let said = lab.user_call(&["plan", bundle.arg()])?.bare().ok()?;
    for word in ["/proc", "pivot", "config.json"] {
        contains("the plan", &said.out, word)?;
    }
    Ok(())
}

fn plan_json(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let said = lab
        .user_call(&["plan", "--json", bundle.arg()])?
        .bare()
        .ok()?;
    serde_json::from_str::<Value>(&said.out)?;
    let again = lab
        .user_call(&["plan", "--json", bundle.arg()])?
        .bare()
        .ok()?;
    same("the plan a second time", again.out, said.out)
}

/// A name that nobody knows is ignored, as the specification wants it; `plan` says which one was meant.
fn plan_misspelt(lab: &Lab) -> Outcome {
    let misspelt = |spec: &mut Spec| {
        spec.set("/process/capabilites", json!({}));
        spec.set(
            "/annotations",
            json!({"limits": "a name of the bundle's own"}),
        );
    };
    let bundle = lab.bundle(misspelt)?;
    let said = lab.call(&["plan", bundle.arg()]).ok()?;
    let warnings: Vec<&str> = said
        .out
        .lines()
        .filter(|line| line.contains("did you mean"))
        .collect();
    same("how many warnings there are", warnings.len(), 1)?;
    contains(
        "the warning",
        warnings[0],
        "config.json#/process/capabilites ",
    )?;
    contains("the warning", warnings[0], "did you mean capabilities?")?;
    lab.look("true", misspelt).map(drop)
}
