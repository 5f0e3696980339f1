//! What the callers of a runtime rely on, as far as no other topic has it: `callers/rules.md` has them all.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, eventually, same};
use crate::lab::Lab;
use crate::pty::ConsoleSocket;

pub(super) const CASES: &[Case] = &[
    Case::new("texts-that-callers-look-for", texts).deviates(&[
        ("crun", "has words of its own"),
        ("runc", "1.1 has other words for some"),
    ]),
    Case::new("long-paths-of-log-pid-file-and-socket", long_paths)
        .deviates(&[("runc", "cannot connect to a path of more than 108 bytes")]),
    Case::new("a-failure-with-warnings-is-one-record", warnings).needs(&[
        Need::OrbitalOnly,
        Need::Root,
        Need::CgroupV2,
    ]),
    Case::new("the-log-file-has-its-mode-and-is-added-to", log_file),
    Case::new("a-record-of-another-runtime", strangers_record).deviates(&[(
        "crun",
        "reads no such file, and says that there is no container",
    )]),
    Case::new("verbs-without-privileges-and-places", unprivileged),
    Case::new("lsm-mount-context-without-value", podmans_question)
        .deviates(&[("crun", "1.28 has other words for it")]),
    Case::new("checkpoint-help-is-a-success", checkpoint_help),
    Case::new("the-forms-of-log-that-crun-takes", crun_log).needs(&[Need::Root, Need::OrbitalOnly]),
];

/// A failing call, which must say this somewhere.
fn fails(lab: &Lab, args: &[&str], words: &str) -> Outcome {
    let said = lab.call(args).refused()?;
    contains(&format!("what {args:?} says"), &said.err, words)
}

fn texts(lab: &Lab) -> Outcome {
    for verb in [
        "state",
        "start",
        "kill",
        "delete",
        "pause",
        "resume",
        "checkpoint",
    ] {
        fails(lab, &[verb, "nobody"], "does not exist")?;
    }
    let container = lab.create(|_| ())?;
    let id = container.id.as_str();
    fails(
        lab,
        &["create", "--bundle", container.bundle.arg(), id],
        "container with given ID already exists",
    )?;
    fails(lab, &["resume", id], "container not paused")?;
    container.start()?;
    container.stop()?;
    fails(
        lab,
        &["start", id],
        "cannot start a container that has stopped",
    )?;
    fails(lab, &["kill", id, "TERM"], "container not running")?;
    fails(lab, &["pause", id], "container not running")?;
    fails(
        lab,
        &["exec", id, "true"],
        "cannot exec in a stopped container",
    )?;
    container.delete()?;
    let bundle = lab.bundle(|spec| {
        spec.args(&["helo"]);
    })?;
    let words = "exec: \"helo\": executable file not found in $PATH";
    fails(
        lab,
        &["create", "--bundle", bundle.arg(), &lab.id("bad")],
        words,
    )
}

fn long_paths(lab: &Lab) -> Outcome {
    let mut dir = lab.folder("deep")?;
    for _ in 0..5 {
        dir = dir.join("a-directory-with-a-name-of-some-length");
    }
    fs::create_dir_all(&dir)?;
    let (log, pid) = (dir.join("log.json"), dir.join("pid"));
    let bundle = lab.bundle(|spec| {
        spec.set("/process/terminal", json!(true));
    })?;
    let socket = ConsoleSocket::listen(&dir.join("socket"))?;
    let (log, pid) = (log.to_string_lossy(), pid.to_string_lossy());
    let before = ["--log", &log, "--log-format", "json"];
    let id = lab.id("long");
    let create = ["create", "--bundle", bundle.arg(), "--pid-file", &pid];
    let args = [
        &before[..],
        &create,
        &["--console-socket", socket.arg(), &id],
    ]
    .concat();
    lab.call(&args).ok()?;
    socket.terminal()?;
    let said = lab
        .call(&[&before[..], &["start", "nobody"]].concat())
        .refused()?;
    contains("standard error", &said.err, "does not exist")?;
    contains("the log", &fs::read_to_string(&*log)?, "does not exist")?;
    fs::read_to_string(&*pid)?.parse::<i32>()?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

/// podman takes the whole log for one JSON object.
fn warnings(lab: &Lab) -> Outcome {
    // Both a warning (ambient, but not inheritable) and a failure.
    let bundle = lab.bundle(|spec| {
        spec.set("/process/capabilities/ambient", json!(["CAP_KILL"]))
            .set("/process/capabilities/inheritable", json!([]))
            .args(&["/no/such/program"]);
    })?;
    let log = lab.scratch("log");
    let path = log.to_string_lossy();
    let id = lab.id("bad");
    let args = [
        "--log",
        &path,
        "--log-format",
        "json",
        "create",
        "--bundle",
        bundle.arg(),
        &id,
    ];
    lab.call(&args).refused()?;
    let text = fs::read_to_string(&log)?;
    let record: Value = serde_json::from_str(&text)
        .map_err(|error| format!("the log is no single JSON object: {error}: {text:?}"))?;
    same("level", record["level"].as_str(), Some("error"))
}

fn log_file(lab: &Lab) -> Outcome {
    let log = lab.scratch("log");
    let path = log.to_string_lossy();
    let args = ["--log", &path, "state", "nobody"];
    lab.call(&args)
        .through_sh("umask 022; exec \"$@\"")
        .refused()?;
    same(
        "mode",
        fs::metadata(&log)?.permissions().mode() & 0o777,
        0o644,
    )?;
    let first = fs::read_to_string(&log)?;
    lab.call(&args).refused()?;
    let both = fs::read_to_string(&log)?;
    ensure!(
        both.starts_with(&first) && both.len() > first.len(),
        "it was not added to: {both:?}"
    );
    Ok(())
}

/// A state directory that two runtimes share: each verb says what is wrong, and `list` goes on.
fn strangers_record(lab: &Lab) -> Outcome {
    let folder = lab.root().join("stranger");
    fs::create_dir_all(&folder)?;
    let foreign = json!({"a": "record", "of": ["another", "runtime"], "pid": "seven"});
    fs::write(folder.join("state.json"), foreign.to_string())?;
    for verb in ["state", "kill", "start"] {
        let said = lab.call(&[verb, "stranger"]).refused()?;
        ensure!(!said.err.contains("does not exist"), "{verb}: {said}");
    }
    let said = lab.call(&["list", "--quiet"]).say()?;
    ensure!(said.status.code().is_some(), "list: {said}");
    fs::remove_dir_all(folder).map_err(Into::into)
}

/// Callers ask these before there is anything: as nobody, with no state directory, no cgroups in sight.
fn unprivileged(lab: &Lab) -> Outcome {
    for args in [
        &["--version"][..],
        &["--help"],
        &["features"],
        &["create", "--help"],
    ] {
        let said = lab
            .call(args)
            .bare()
            .env(&[("PATH", "/usr/bin:/bin")])
            .through(&[
                "setpriv",
                "--reuid",
                "12345",
                "--regid",
                "12345",
                "--clear-groups",
            ])
            .ok()?;
        ensure!(!said.out.is_empty(), "{args:?} said nothing");
        same(
            &format!("standard error of {args:?}"),
            said.err.as_str(),
            "",
        )?;
    }
    Ok(())
}

/// So podman finds out whether a pod can be restored.
fn podmans_question(lab: &Lab) -> Outcome {
    let said = lab.call(&["restore", "--lsm-mount-context"]).refused()?;
    let found = [&said.err, &said.out]
        .iter()
        .any(|text| text.contains("flag needs an argument"));
    ensure!(found, "expected \"flag needs an argument\", found {said}");
    Ok(())
}

/// And so whether a container can be checkpointed.
fn checkpoint_help(lab: &Lab) -> Outcome {
    let said = lab.call(&["checkpoint", "--help"]).ok()?;
    for flag in [
        "--image-path",
        "--work-path",
        "--leave-running",
        "--tcp-established",
        "--pre-dump",
    ] {
        contains("the help", &said.out, flag.trim_start_matches('-'))?;
    }
    Ok(())
}

/// `file:PATH` is a file; `journald:NAME` and `syslog:NAME` are the host's own logs, never files of such names.
fn crun_log(lab: &Lab) -> Outcome {
    let (file, folder) = (lab.scratch("log"), lab.folder("where")?);
    let path = format!("file:{}", file.display());
    lab.call(&["--log", &path, "--log-level", "error", "start", "nobody"])
        .refused()?;
    contains("the log", &fs::read_to_string(&file)?, "does not exist")?;
    let name = format!("orbital-{}", std::process::id());
    for (kind, socket) in [
        ("journald", "/run/systemd/journal/socket"),
        ("syslog", "/dev/log"),
    ] {
        let place = format!("{kind}:{name}");
        let said = lab
            .call(&["--log", &place, "start", "nobody"])
            .dir(&folder)
            .refused()?;
        ensure!(
            !folder.join(&place).exists(),
            "a file of the name {place} was made"
        );
        if !Path::new(socket).exists() {
            contains("the refusal", &said.err, "or name a file")?;
            continue;
        }
        contains("standard error", &said.err, "does not exist")?;
        journal_has(lab, &name, kind)?;
    }
    Ok(())
}

/// journald reads both sockets, on a host that has it.
fn journal_has(lab: &Lab, name: &str, kind: &str) -> Outcome {
    let transport = match kind {
        "journald" => "_TRANSPORT=journal",
        _ => "_TRANSPORT=syslog",
    };
    let words = [
        "journalctl",
        "-o",
        "cat",
        "-t",
        name,
        "-p",
        "err",
        transport,
    ];
    let what = format!("journalctl has what went to {kind}");
    eventually(&what, Duration::from_secs(20), || {
        Ok(lab.host(&words)?.contains("does not exist"))
    })
}
