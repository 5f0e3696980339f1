//! What cannot be: the status, the runtime's own words in podman's message, and nothing left.

use std::fs;

use crate::case::{Case, Need};
use crate::check::Outcome;
use crate::place::Place;

use super::{Podman, shows};

pub(super) const CASES: &[Case] = &[
    Case::new("podman/a-program-that-is-not-there", missing),
    Case::new("podman/a-program-that-may-not-run", denied),
    Case::new("podman/a-mount-that-cannot-be", no_folder),
    Case::new("podman/a-sysctl-that-cannot-be", sysctl),
    Case::new("podman/a-limit-below-what-it-needs", too_small).needs(&[Need::Controller("memory")]),
    Case::new("podman/hooks-of-the-host", hooks),
    Case::new("podman/a-hook-that-says-no", hook_fails),
];

fn fails(place: &Place<'_>, script: &str, status: i32, words: &[&str]) -> Outcome {
    let podman = Podman::root(place)?;
    let said = podman.ask(&format!(
        "{script}; status=$?; podman rm -fa -t 0 >/dev/null; exit $status"
    ))?;
    said.ended(status)?
        .complained(words)?
        .complained(&["Error: "])?;
    Ok(())
}

fn missing(place: &Place<'_>) -> Outcome {
    fails(
        place,
        "podman run --rm box nothing-like-it",
        127,
        &["nothing-like-it"],
    )?;
    fails(
        place,
        "podman run --rm box /bin/nothing-like-it",
        127,
        &["/bin/nothing-like-it"],
    )?;
    fails(
        place,
        "podman create --name $tag box nothing-like-it >/dev/null; podman start $tag",
        125,
        &["nothing-like-it"],
    )
}

fn denied(place: &Place<'_>) -> Outcome {
    fails(
        place,
        "podman run --rm box /etc/not-a-program",
        126,
        &["/etc/not-a-program"],
    )?;
    fails(
        place,
        "podman run --rm box /etc",
        126,
        &["permission denied", "is a directory"],
    )
}

/// A file of the host where the image has a folder.
fn no_folder(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    let said = podman.ask("echo >$dir/file; podman run --rm -v $dir/file:/etc box true")?;
    crate::check::ensure!(said.status != 0, "expected a failure, {said}");
    said.complained(&["not a directory", "is a directory"])?;
    Ok(())
}

fn sysctl(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    let said = podman.ask("podman run --rm --sysctl net.ipv4.ip_forward=banana box true")?;
    crate::check::ensure!(said.status != 0, "expected a failure, {said}");
    said.complained(&["ip_forward"])?
        .complained(&["invalid argument"])?;
    Ok(())
}

/// Either the runtime says so, or the program is killed as soon as there is one: a small runtime fits where a large one
/// does not.
fn too_small(place: &Place<'_>) -> Outcome {
    let podman = Podman::root(place)?;
    let said = podman.ask("podman run --rm -m 100k box true")?;
    crate::check::ensure!(said.status != 0, "expected a failure, {said}");
    if said.status != 137 {
        said.complained(&["Error: "])?;
    }
    Ok(())
}

/// Before, and after its end; with the state of the container on standard input.
fn hooks(place: &Place<'_>) -> Outcome {
    let dir = place.dir.join("hooks");
    fs::create_dir(&dir)?;
    let hook = serde_json::json!({
        "version": "1.0.0",
        "hook": {"path": "/bin/sh", "args": ["sh", "-c", "grep -o '\"status\": *\"[a-z]*\"' >>$OUT"],
            "env": [format!("OUT={}/heard", place.dir.display()), "PATH=/usr/bin:/bin"]},
        "when": {"always": true},
        "stages": ["createRuntime", "poststart", "poststop"]
    });
    fs::write(dir.join("tell.json"), hook.to_string())?;
    shows(
        place,
        "podman --hooks-dir $dir/hooks run --rm box true
        for i in $(seq 50); do [ $(wc -l <$dir/heard) = 3 ] && break; sleep 0.2; done
        tr -d ' ' <$dir/heard | sed 's/\"running\"/\"started\"/' | sort -u | wc -l; wc -l <$dir/heard",
        "3\n3",
    )
}

fn hook_fails(place: &Place<'_>) -> Outcome {
    let dir = place.dir.join("hooks");
    fs::create_dir(&dir)?;
    let hook = serde_json::json!({
        "version": "1.0.0",
        "hook": {"path": "/bin/sh", "args": ["sh", "-c", "echo not today >&2; exit 3"]},
        "when": {"always": true},
        "stages": ["createRuntime"]
    });
    fs::write(dir.join("no.json"), hook.to_string())?;
    let said = Podman::root(place)?.ask("podman --hooks-dir $dir/hooks run --rm box echo ran")?;
    said.ended(126)?.has_not("ran")?.complained(&["hook"])?;
    Ok(())
}
