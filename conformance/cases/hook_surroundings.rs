//! What a hook finds around it: environment, arguments, descriptors.

use serde_json::json;

use super::hooks::{KINDS, read, shared};
use crate::case::Case;
use crate::check::{Outcome, ensure, same};
use crate::container::Container;
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[
    Case::new("environment-is-as-written", environment),
    Case::new("environment-unset-is-empty", environment_unset).deviates(&[
        ("crun", "gives the runtime's own environment"),
        ("runc", "1.1 gives the runtime's own environment"),
    ]),
    Case::new(
        "the-containers-environment-stays-out",
        no_container_environment,
    )
    .deviates(&[(
        "runc",
        "1.1 gives createContainer the container's environment",
    )]),
    Case::new("args-as-written", args),
    Case::new("no-args-gives-the-path", no_args),
    Case::new("no-extra-descriptors", descriptors).deviates(&[(
        "runc",
        "1.1 leaves its own descriptors open in createContainer",
    )]),
    Case::new("a-large-state-document", large_state),
    Case::new("output-in-files-of-the-caller", output_files)
        .deviates(&[("runc", "has no such annotation")]),
];

fn environment(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.create(|spec| {
        spec.push("/hooks/createRuntime", json!({"path": "/bin/sh", "args": ["sh", "-c", format!("cat /proc/$$/environ > {path}/env")],
            "env": ["PATH=/usr/bin:/bin", "A=1", "B=two words"]}));
    })?;
    let mut found: Vec<_> = read(&folder, "env")?
        .split('\0')
        .filter(|v| !v.is_empty())
        .map(str::to_owned)
        .collect();
    found.sort();
    same(
        "environment",
        found,
        vec!["A=1", "B=two words", "PATH=/usr/bin:/bin"],
    )?;
    container.end()
}

fn environment_unset(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.create(|spec| {
        spec.bind(&path, &path, &["bind"]);
        for kind in ["prestart", "createRuntime", "createContainer"] {
            let script =
                format!("/bin/cat > /dev/null; exec /bin/cat /proc/self/environ > {path}/{kind}");
            spec.push(
                &format!("/hooks/{kind}"),
                json!({"path": "/bin/sh", "args": ["sh", "-c", script]}),
            );
        }
    })?;
    for kind in ["prestart", "createRuntime", "createContainer"] {
        // The shell itself adds the working directory.
        let text = read(&folder, kind)?;
        let found: Vec<_> = text
            .split('\0')
            .filter(|v| !v.is_empty() && !v.starts_with("PWD="))
            .collect();
        ensure!(found.is_empty(), "environment of {kind}: {found:?}");
    }
    container.end()
}

/// CVE-2025-23266: LD_PRELOAD from an image must not reach a hook that runs the host's programs.
fn no_container_environment(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.started(|spec| {
        spec.bind(&path, &path, &["bind"])
            .push("/process/env", json!("LD_PRELOAD=/evil.so"));
        for kind in KINDS.iter().filter(|kind| **kind != "startContainer") {
            let script =
                format!("/bin/cat > /dev/null; exec /bin/cat /proc/self/environ > {path}/{kind}");
            spec.push(
                &format!("/hooks/{kind}"),
                json!({"path": "/bin/sh", "args": ["sh", "-c", script]}),
            );
        }
    })?;
    container.stop()?;
    container.delete()?;
    for kind in KINDS.iter().filter(|kind| **kind != "startContainer") {
        let seen = read(&folder, kind)?;
        ensure!(
            !seen.contains("LD_PRELOAD"),
            "{kind} has the container's environment: {seen:?}"
        );
    }
    Ok(())
}

fn args(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.create(|spec| {
        spec.push("/hooks/createRuntime", json!({"path": "/bin/sh",
            "args": ["another name", "-c", format!("printf '[%s]' \"$0\" \"$@\" > {path}/args"), "zero", "a b", ""]}));
    })?;
    same(
        "arguments",
        read(&folder, "args")?.as_str(),
        "[zero][a b][]",
    )?;
    container.end()
}

fn no_args(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let script = lab.file(
        "hook",
        &format!("#!/bin/sh\necho \"$0 $#\" > {path}/args\n"),
    )?;
    let container = lab.create(|spec| {
        spec.push(
            "/hooks/createRuntime",
            json!({"path": script.to_string_lossy()}),
        );
    })?;
    same(
        "arguments",
        read(&folder, "args")?.trim().to_owned(),
        format!("{} 0", script.display()),
    )?;
    container.end()
}

fn descriptors(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let bundle = lab.bundle(|spec| {
        spec.bind(&path, &path, &["bind"]);
        for kind in ["createRuntime", "createContainer"] {
            spec.hook(kind, &format!("ls -l /proc/self/fd > {path}/{kind}"));
        }
    })?;
    let container = Container::create(lab, &bundle, &lab.id("fds"))?;
    for kind in ["createRuntime", "createContainer"] {
        let listing = read(&folder, kind)?;
        // The head line, 0, 1, 2, and the directory that ls reads.
        same(
            &format!("lines of {kind}: {listing}"),
            listing.lines().count(),
            5,
        )?;
    }
    container.end()
}

/// More than a pipe holds, to a hook that does not read it.
fn large_state(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        spec.set(
            "/annotations",
            json!({"org.example.large": "x".repeat(200_000)}),
        );
        spec.hook("createRuntime", "exit 0");
    })?;
    same("status", container.status()?, "created")?;
    container.end()
}

/// crun's `run.oci.hooks.stdout` and `run.oci.hooks.stderr`: files of the host that are appended to.
fn output_files(lab: &Lab) -> Outcome {
    let (out, err) = (lab.file("out", "kept\n")?, lab.scratch("err"));
    let kinds = KINDS.iter().filter(|kind| **kind != "prestart");
    let container = lab.create(|spec| {
        spec.set("/annotations/run.oci.hooks.stdout", json!(out))
            .set("/annotations/run.oci.hooks.stderr", json!(err));
        for kind in kinds.clone() {
            spec.hook(
                kind,
                &format!("cat > /dev/null; echo {kind}; echo {kind} failed >&2"),
            );
        }
    })?;
    container.start()?;
    container.end()?;
    let lines = |suffix: &str| -> String {
        let all = kinds.clone().map(|kind| format!("{kind}{suffix}\n"));
        all.collect()
    };
    let found = std::fs::read_to_string(&out)?;
    same("standard output", found, format!("kept\n{}", lines("")))?;
    same(
        "standard error",
        std::fs::read_to_string(&err)?,
        lines(" failed"),
    )
}
