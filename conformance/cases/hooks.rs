//! Hooks: the six kinds, their order, where they run, and what they are told.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, same};
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("order-of-all-six", order).deviates(&[
        ("runc", "1.1 runs poststart at create"),
        ("crun", "runs poststart before startContainer"),
    ]),
    Case::new("order-within-a-kind", order_within),
    Case::new("state-on-stdin", state_on_stdin).deviates(&[
        ("runc", "1.1 says created to poststart"),
        ("crun", "says created to prestart"),
    ]),
    Case::new("pid-in-the-state-is-the-containers", pid_in_state).deviates(&[
        ("runc", "1.1 tells createContainer the pid inside"),
        ("crun", "tells createContainer 0"),
    ]),
    Case::new("create-runtime-runs-outside", create_runtime_place),
    Case::new(
        "create-container-runs-in-the-new-namespaces",
        create_container_place,
    ),
    Case::new(
        "start-container-has-the-containers-root",
        start_container_place,
    ),
    Case::new(
        "mounts-of-create-container-are-seen-inside",
        create_container_mount,
    ),
    Case::new("poststart-runs-after-the-program-began", poststart_after)
        .deviates(&[("runc", "1.1 runs poststart at create")]),
    Case::new("poststop-runs-once-at-delete", poststop_once),
    Case::new("poststop-runs-at-forced-delete", poststop_forced),
    Case::new("all-run-in-a-foreground-run", foreground).deviates(&[
        ("runc", "1.1 runs poststart at create"),
        ("crun", "runs poststart before startContainer"),
    ]),
];

pub(super) const KINDS: [&str; 6] = [
    "prestart",
    "createRuntime",
    "createContainer",
    "startContainer",
    "poststart",
    "poststop",
];

/// A directory that host and container see under the same path, and a log file in it.
pub(super) fn shared(lab: &Lab) -> Outcome<(PathBuf, String)> {
    let folder = lab.folder("shared")?;
    let path = folder.to_string_lossy().into_owned();
    Ok((folder, path))
}

pub(super) fn read(folder: &Path, name: &str) -> Outcome<String> {
    let path = folder.join(name);
    fs::read_to_string(&path).map_err(|error| {
        format!(
            "cannot read what the hook wrote, {}: {error}",
            path.display()
        )
        .into()
    })
}

fn order(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.create(|spec| {
        spec.bind(&path, &path, &["bind"])
            .sh(&format!("echo program >> {path}/log"));
        for kind in KINDS {
            spec.hook(kind, &format!("echo {kind} >> {path}/log"));
        }
    })?;
    same(
        "after create",
        read(&folder, "log")?.as_str(),
        "prestart\ncreateRuntime\ncreateContainer\n",
    )?;
    container.start()?;
    container.until("stopped")?;
    let log = read(&folder, "log")?;
    let lines: Vec<_> = log.lines().skip(3).collect();
    ensure!(
        lines == ["startContainer", "program", "poststart"]
            || lines == ["startContainer", "poststart", "program"],
        "after start: found {lines:?}"
    );
    container.delete()?;
    same(
        "last line",
        read(&folder, "log")?.lines().last(),
        Some("poststop"),
    )
}

fn order_within(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.create(|spec| {
        for number in 0..5 {
            spec.hook("createRuntime", &format!("echo {number} >> {path}/log"));
        }
    })?;
    same("log", read(&folder, "log")?.as_str(), "0\n1\n2\n3\n4\n")?;
    container.end()
}

fn state_on_stdin(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.started(|spec| {
        spec.bind(&path, &path, &["bind"])
            .set("/annotations", json!({"org.example.k": "v"}));
        for kind in KINDS {
            spec.hook(kind, &format!("cat > {path}/{kind}"));
        }
    })?;
    container.stop()?;
    container.delete()?;
    for kind in KINDS {
        let text = read(&folder, kind)?;
        let state: Value =
            serde_json::from_str(&text).map_err(|error| format!("{kind}: {error}: {text:?}"))?;
        same(
            &format!("id for {kind}"),
            state["id"].as_str(),
            Some(container.id.as_str()),
        )?;
        same(
            &format!("bundle for {kind}"),
            state["bundle"].as_str(),
            Some(container.bundle.arg()),
        )?;
        same(
            &format!("annotation for {kind}"),
            state["annotations"]["org.example.k"].as_str(),
            Some("v"),
        )?;
        ensure!(
            state["ociVersion"].is_string(),
            "{kind}: no ociVersion in {text}"
        );
        let allowed: &[&str] = match kind {
            "prestart" | "createRuntime" | "createContainer" => &["creating"],
            "startContainer" => &["created"],
            "poststart" => &["running", "stopped"],
            _ => &["stopped"],
        };
        let status = state["status"].as_str().unwrap_or_default();
        ensure!(
            allowed.contains(&status),
            "status for {kind}: expected {allowed:?}, found {status:?}"
        );
    }
    Ok(())
}

fn pid_in_state(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.started(|spec| {
        spec.bind(&path, &path, &["bind"]);
        for kind in KINDS {
            spec.hook(kind, &format!("cat > {path}/{kind}"));
        }
    })?;
    for kind in ["prestart", "createRuntime", "createContainer", "poststart"] {
        let state: Value = serde_json::from_str(&read(&folder, kind)?)?;
        same(
            &format!("pid for {kind}"),
            state["pid"].as_i64(),
            Some(i64::from(container.pid)),
        )?;
    }
    container.stop()?;
    container.delete()?;
    let state: Value = serde_json::from_str(&read(&folder, "poststop")?)?;
    same("pid for poststop", state["pid"].as_i64().unwrap_or(0), 0)
}

/// The namespaces in which a hook of `kind` runs: its links, one a line.
fn places(lab: &Lab, kind: &str) -> Outcome<(String, i32)> {
    let (folder, path) = shared(lab)?;
    let container = lab.create(|spec| {
        spec.bind(&path, &path, &["bind"]);
        spec.hook(
            kind,
            &format!(
                "for n in mnt net uts ipc pid; do readlink /proc/self/ns/$n; done > {path}/ns"
            ),
        );
    })?;
    let places = read(&folder, "ns")?;
    let (mnt, net) = (
        probe::namespace(container.pid, "mnt")?,
        probe::namespace(container.pid, "net")?,
    );
    container.end()?;
    let inside = i32::from(places.contains(&mnt)) + i32::from(places.contains(&net));
    Ok((places, inside))
}

fn create_runtime_place(lab: &Lab) -> Outcome {
    let (places, inside) = places(lab, "createRuntime")?;
    same(
        &format!("container's namespaces among {places:?}"),
        inside,
        0,
    )?;
    contains("mount namespace", &places, &probe::own_namespace("mnt")?)?;
    contains("network namespace", &places, &probe::own_namespace("net")?)
}

/// "executed in the container namespace … path resolves in the runtime namespace" (config.md, "CreateContainer Hooks").
fn create_container_place(lab: &Lab) -> Outcome {
    let (places, inside) = places(lab, "createContainer")?;
    same(
        &format!("container's namespaces among {places:?}"),
        inside,
        2,
    )
}

fn start_container_place(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.push(
            "/hooks/startContainer",
            json!({"path": "/opt/hook", "args": ["hook"], "env": ["PATH=/bin"]}),
        );
        spec.sh("cat /tmp/hook-was-here");
    })?;
    bundle.file(
        "opt/hook",
        "#!/bin/sh\n{ hostname; ls / | wc -l; echo $$; } > /tmp/hook-was-here\n",
    )?;
    let said = lab.run_in(&bundle)?;
    ensure!(said.out.starts_with("box\n10\n"), "the hook wrote {said}");
    Ok(())
}

/// What this hook is for: it may still change the container's mounts.
fn create_container_mount(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("cat /mnt/mark; ls /tmp");
    })?;
    fs::create_dir(bundle.rootfs().join("mnt"))?;
    let target = bundle.rootfs().join("mnt");
    let mut spec = crate::spec::Spec::ordinary();
    spec.sh("cat /mnt/mark");
    spec.hook(
        "createContainer",
        &format!(
            "mount -t tmpfs hook '{0}' && echo from the hook > '{0}/mark'",
            target.display()
        ),
    );
    bundle.write(&spec)?;
    same(
        "output",
        lab.run_in(&bundle)?.out.as_str(),
        "from the hook\n",
    )
}

fn poststart_after(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.started(|spec| {
        spec.hook("poststart", &format!("for i in 1 2 3 4 5 6 7 8 9 10; do cat /proc/[0-9]*/comm | grep -x sleep > {path}/seen && exit 0; sleep 0.05; done"));
    })?;
    same(
        "what it saw",
        read(&folder, "seen")?.lines().next(),
        Some("sleep"),
    )?;
    container.end()
}

fn poststop_once(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.started(|spec| {
        spec.hook(
            "poststop",
            &format!("cat > /dev/null; echo ran >> {path}/log"),
        );
    })?;
    container.stop()?;
    ensure!(!folder.join("log").exists(), "poststop ran before delete");
    container.delete()?;
    same("log", read(&folder, "log")?.as_str(), "ran\n")?;
    container.end()?;
    same(
        "log after another delete",
        read(&folder, "log")?.as_str(),
        "ran\n",
    )
}

fn poststop_forced(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.started(|spec| {
        spec.hook(
            "poststop",
            &format!("cat > /dev/null; echo ran >> {path}/log"),
        );
    })?;
    // The hooks were read at create: the bundle's file does not matter any more.
    fs::remove_file(container.bundle.dir.join("config.json"))?;
    container.end()?;
    same("log", read(&folder, "log")?.as_str(), "ran\n")
}

fn foreground(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    lab.look("true", |spec| {
        spec.bind(&path, &path, &["bind"]);
        for kind in KINDS {
            spec.hook(kind, &format!("echo {kind} >> {path}/log"));
        }
    })?;
    same(
        "log",
        read(&folder, "log")?.lines().collect::<Vec<_>>(),
        KINDS.to_vec(),
    )
}
