//! Flags in every spelling that callers send, and what is said of wrong ones.

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[
    Case::new("rootless-wants-one-of-its-words", rootless_word)
        .deviates(&[("crun", "has no such flag")]),
    Case::new("unknown-verb-is-an-error", unknown_verb),
    Case::new("unknown-flag-is-an-error", unknown_flag),
    Case::new("missing-value-is-told-in-gos-words", missing_value)
        .deviates(&[("crun", "has its library's words")]),
    Case::new("missing-id-is-an-error", missing_id),
    Case::new("errors-exit-with-one", exit_one).deviates(&[("crun", "some are 255")]),
    Case::new("flags-with-equals", |lab| {
        spelt(lab, |bundle, pid| {
            vec![format!("--bundle={bundle}"), format!("--pid-file={pid}")]
        })
    }),
    Case::new("flags-with-one-dash", |lab| {
        spelt(lab, |bundle, pid| {
            vec![
                "-bundle".into(),
                bundle.into(),
                "-pid-file".into(),
                pid.into(),
            ]
        })
    })
    .deviates(&[("crun", "takes -bundle for -b undle")]),
    Case::new("flags-with-one-dash-and-equals", |lab| {
        spelt(lab, |bundle, pid| {
            vec![format!("-bundle={bundle}"), format!("-pid-file={pid}")]
        })
    })
    .deviates(&[("crun", "takes -bundle for -b undle")]),
    Case::new("short-flags", |lab| {
        spelt(lab, |bundle, pid| {
            vec!["-b".into(), bundle.into(), "--pid-file".into(), pid.into()]
        })
    }),
    Case::new("repeated-flags-last-wins", |lab| {
        spelt(lab, |bundle, pid| {
            vec![
                "--bundle".into(),
                "/nowhere".into(),
                "--bundle".into(),
                bundle.into(),
                "--pid-file".into(),
                pid.into(),
            ]
        })
    }),
    Case::new("flags-after-the-id", flags_after).deviates(&[("crun", "takes them for ids")]),
    Case::new("repeated-global-flags", repeated_globals),
    Case::new("global-root-with-equals", root_equals),
    Case::new("flags-that-callers-send", callers_flags),
];

fn unknown_verb(lab: &Lab) -> Outcome {
    let said = lab.call(&["levitate"]).say()?;
    ensure!(
        !said.status.success(),
        "an unknown verb was accepted: {said}"
    );
    contains("what it says", &(said.out + &said.err), "levitate")
}

fn unknown_flag(lab: &Lab) -> Outcome {
    let said = lab.call(&["create", "--levitate", "x"]).say()?;
    ensure!(
        !said.status.success(),
        "an unknown flag was accepted: {said}"
    );
    contains("what it says", &(said.out + &said.err), "levitate")
}

/// podman looks for these words (CALLERS rule 3).
fn missing_value(lab: &Lab) -> Outcome {
    let said = lab.call(&["create", "--bundle"]).say()?;
    ensure!(
        !said.status.success(),
        "a flag without its value was accepted: {said}"
    );
    mentions(
        "what it says",
        &(said.out + &said.err),
        &[
            "flag needs an argument: -bundle",
            "flag needs an argument: --bundle",
        ],
    )
}

fn missing_id(lab: &Lab) -> Outcome {
    for verb in ["create", "start", "state", "kill", "delete", "run"] {
        let said = lab.call(&[verb]).say()?;
        ensure!(
            !said.status.success(),
            "{verb} without an id was accepted: {said}"
        );
    }
    Ok(())
}

fn exit_one(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.hook("createRuntime", "exit 23");
    })?;
    for args in [
        vec!["state", "nobody"],
        vec!["start", "nobody"],
        vec!["kill", "nobody", "KILL"],
        vec!["delete", "nobody"],
        vec!["create", "--bundle", "/no/such/bundle", "x"],
        vec!["create", "--bundle", bundle.arg(), "x"],
        vec!["run", "--bundle", bundle.arg(), "x"],
    ] {
        same(
            &format!("exit code of {args:?}"),
            lab.call(&args).refused()?.code(),
            1,
        )?;
    }
    Ok(())
}

/// `create` with these flags, which name the bundle and the pid file.
fn spelt(lab: &Lab, flags: impl FnOnce(&str, &str) -> Vec<String>) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let (pid, id) = (lab.scratch("pid"), lab.id("spelt"));
    let flags = flags(bundle.arg(), &pid.to_string_lossy());
    let mut args = vec!["create"];
    args.extend(flags.iter().map(String::as_str));
    args.push(&id);
    lab.call(&args).ok()?;
    ensure!(pid.exists(), "no pid file");
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn flags_after(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let (pid, id) = (lab.scratch("pid"), lab.id("after"));
    lab.call(&[
        "create",
        &id,
        "--bundle",
        bundle.arg(),
        "--pid-file",
        &pid.to_string_lossy(),
    ])
    .ok()?;
    ensure!(pid.exists(), "no pid file");
    lab.call(&["delete", &id, "--force"]).ok().map(drop)
}

/// conmon-rs sends them twice; the last wins.
fn repeated_globals(lab: &Lab) -> Outcome {
    let root = lab.root().to_string_lossy().into_owned();
    let bundle = lab.bundle(|_| ())?;
    let id = lab.id("twice");
    lab.call(&[
        "--root",
        &root,
        "--debug",
        "--debug",
        "create",
        "--bundle",
        bundle.arg(),
        &id,
    ])
    .root(std::path::Path::new("/nowhere/at/all"))
    .ok()?;
    let list = lab.list()?;
    ensure!(list.contains(&id), "it is not in the last --root: {list:?}");
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn root_equals(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let (root, id) = (format!("--root={}", lab.root().display()), lab.id("eq"));
    lab.call(&[&root, "create", "--bundle", bundle.arg(), &id])
        .bare()
        .ok()?;
    ensure!(lab.list()?.contains(&id), "list does not know {id}");
    lab.call(&[&root, "delete", "--force", &id])
        .bare()
        .ok()
        .map(drop)
}

/// What containerd's shim and podman's conmon send, traced.
fn callers_flags(lab: &Lab) -> Outcome {
    let (bundle, id, id2) = (lab.bundle(|_| ())?, lab.id("shim"), lab.id("conmon"));
    let (log, pid) = (lab.scratch("log"), lab.scratch("pid"));
    let (log, pid) = (log.to_string_lossy(), pid.to_string_lossy());
    lab.call(&[
        "--log",
        &log,
        "--log-format",
        "json",
        "create",
        "--bundle",
        bundle.arg(),
        "--pid-file",
        &pid,
        &id,
    ])
    .ok()?;
    lab.call(&["--log", &log, "--log-format", "json", "start", &id])
        .ok()?;
    lab.call(&[
        "--log",
        &log,
        "--log-format",
        "json",
        "kill",
        "--all",
        &id,
        "9",
    ])
    .ok()?;
    lab.call(&[
        "--log",
        &log,
        "--log-format",
        "json",
        "delete",
        "--force",
        &id,
    ])
    .ok()?;
    let flag = "--log-format=json";
    lab.call(&[
        flag,
        "--log",
        &log,
        "create",
        "--bundle",
        bundle.arg(),
        "--pid-file",
        &pid,
        "--no-new-keyring",
        &id2,
    ])
    .ok()?;
    lab.call(&["delete", "--force", &id2]).ok().map(drop)
}

fn rootless_word(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    for word in ["auto", "true", "false"] {
        let said = lab.call(&["--rootless", word, "list"]).say()?;
        ensure!(said.status.success(), "--rootless {word}: {said}");
    }
    let id = lab.id("rootless");
    let said = lab
        .call(&[
            "--rootless",
            "maybe",
            "create",
            "--bundle",
            bundle.arg(),
            &id,
        ])
        .refused()?;
    mentions("the refusal", &said.err, &["maybe", "rootless"])
}
