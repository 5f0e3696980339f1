//! The process: environment, user, groups, limits, working directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("environment-is-as-written", environment),
    Case::new("nothing-of-the-callers-environment", not_the_callers),
    Case::new("home-comes-from-the-images-passwd", home),
    Case::new("home-as-written-wins", home_written),
    Case::new("cwd", cwd),
    Case::new("cwd-is-made", cwd_made),
    Case::new("cwd-relative-is-refused", cwd_relative).deviates(&[("crun", "accepts it")]),
    Case::new("cwd-a-file-is-refused", cwd_file),
    Case::new("cwd-private-to-the-user", cwd_private),
    Case::new("user-and-group", user),
    Case::new("additional-groups", groups),
    Case::new("no-groups-of-the-callers", no_groups),
    Case::new("an-annotation-keeps-the-callers-groups", kept_groups)
        .deviates(&[("runc", "does not know it")]),
    Case::new("umask", umask),
    Case::new("umask-of-the-caller-spoils-nothing", callers_umask).deviates(&[
        ("runc", "1.1 makes mount targets with the caller's umask"),
        ("crun", "makes directories with mode 1755"),
    ]),
    Case::new("uid-out-of-range-is-refused", uid_range)
        .deviates(&[("crun", "takes 4294967296 for 0")]),
    Case::new("rlimits", rlimits),
    Case::new("rlimits-twice-are-refused", rlimits_twice)
        .deviates(&[("runc", "1.1 takes the last"), ("crun", "takes the last")]),
    Case::new("rlimit-unknown-is-refused", rlimit_unknown)
        .deviates(&[("crun", "1.28 leaves the cgroup")]),
    Case::new("rlimit-soft-above-hard-is-refused", rlimit_soft)
        .deviates(&[("crun", "1.28 leaves the cgroup")]),
    Case::new("oom-score-adj", oom_score),
    Case::new("oom-score-adj-unset-is-the-callers", oom_score_unset),
    Case::new("signals-are-as-at-birth", signals),
    Case::new("session-of-its-own", session),
    Case::new("root-in-passwd-is-not-looked-up", numeric_user),
];

fn environment(lab: &Lab) -> Outcome {
    let out = lab.look("cat /proc/1/environ | tr '\\0' '\\n'", |spec| {
        spec.set(
            "/process/env",
            json!([
                "PATH=/bin",
                "A=1",
                "B=two words",
                "C=",
                "D=x=y",
                "HOME=/h",
                "A_B=é"
            ]),
        );
    })?;
    let mut found: Vec<_> = out
        .lines()
        .filter(|line| !["PWD", "SHLVL", "OLDPWD"].contains(&line.split('=').next().unwrap_or("")))
        .collect();
    found.sort_unstable();
    same(
        "environment",
        found,
        vec![
            "A=1",
            "A_B=é",
            "B=two words",
            "C=",
            "D=x=y",
            "HOME=/h",
            "PATH=/bin",
        ],
    )
}

fn not_the_callers(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["env"]);
    })?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("env")])
        .env(&[
            ("PATH", "/usr/sbin:/usr/bin:/bin"),
            ("SECRET", "of the caller"),
            ("LD_PRELOAD", "/none"),
        ])
        .say()?;
    ensure!(said.status.success(), "run: {said}");
    ensure!(
        !said.out.contains("SECRET") && !said.out.contains("LD_PRELOAD"),
        "environment inside: {:?}",
        said.out
    );
    Ok(())
}

fn home(lab: &Lab) -> Outcome {
    same(
        "HOME of root",
        lab.look("echo $HOME", |_| ())?.trim(),
        "/root",
    )?;
    let out = lab.look("echo $HOME", |spec| {
        spec.set("/process/user", json!({"uid": 1000, "gid": 1000}));
    })?;
    same("HOME of 1000", out.trim(), "/home/ana")
}

fn home_written(lab: &Lab) -> Outcome {
    let out = lab.look("echo $HOME", |spec| {
        spec.push("/process/env", json!("HOME=/elsewhere"));
    })?;
    same("HOME", out.trim(), "/elsewhere")
}

fn cwd(lab: &Lab) -> Outcome {
    let out = lab.look("pwd; readlink /proc/self/cwd; echo $PWD", |spec| {
        spec.set("/process/cwd", json!("/usr/bin"));
    })?;
    same("cwd", out.as_str(), "/usr/bin\n/usr/bin\n/usr/bin\n")
}

fn cwd_made(lab: &Lab) -> Outcome {
    let out = lab.look("pwd; stat -c '%a %u' /work /work/deep", |spec| {
        spec.set("/process/cwd", json!("/work/deep"));
    })?;
    same("cwd", out.as_str(), "/work/deep\n755 0\n755 0\n")
}

fn cwd_relative(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/process/cwd", json!("usr/bin"));
    })?;
    mentions("the refusal", &said.err, &["cwd", "usr/bin"])
}

fn cwd_file(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/process/cwd", json!("/etc/passwd"));
    })?;
    mentions("the refusal", &said.err, &["not a directory"])
}

/// A directory that only the final user may enter.
fn cwd_private(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/user", json!({"uid": 1000, "gid": 1000}))
            .set("/process/cwd", json!("/home/ana"))
            .sh("pwd");
    })?;
    let dir = bundle.rootfs().join("home/ana");
    fs::create_dir_all(&dir)?;
    std::os::unix::fs::chown(&dir, Some(1000), Some(1000))?;
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
    same("cwd", lab.run_in(&bundle)?.out.trim(), "/home/ana")
}

fn user(lab: &Lab) -> Outcome {
    let status = lab.look("cat /proc/self/status", |spec| {
        spec.set("/process/user", json!({"uid": 4242, "gid": 77}));
    })?;
    same(
        "Uid",
        probe::field(&status, "Uid")?.as_str(),
        "4242 4242 4242 4242",
    )?;
    same("Gid", probe::field(&status, "Gid")?.as_str(), "77 77 77 77")
}

fn groups(lab: &Lab) -> Outcome {
    let status = lab.look("cat /proc/self/status", |spec| {
        spec.set(
            "/process/user",
            json!({"uid": 4242, "gid": 77, "additionalGids": [5, 900, 65000]}),
        );
    })?;
    let groups = probe::field(&status, "Groups")?;
    for group in ["5", "900", "65000"] {
        ensure!(
            groups.split(' ').any(|g| g == group),
            "no group {group} in {groups:?}"
        );
    }
    ensure!(
        !groups.split(' ').any(|g| g == "0"),
        "group 0 in {groups:?}"
    );
    Ok(())
}

fn no_groups(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/user", json!({"uid": 4242, "gid": 77}))
            .args(&["cat", "/proc/self/status"]);
    })?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("groups")])
        .through(&["setpriv", "--groups", "4,24,27"])
        .ok()?;
    let groups = probe::field(&said.out, "Groups")?;
    ensure!(
        groups.is_empty() || groups == "77",
        "groups of the caller inside: {groups:?}"
    );
    Ok(())
}

/// The annotation is crun's, `run.oci.keep_original_groups`.
fn kept_groups(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/user", json!({"uid": 4242, "gid": 77}))
            .set("/annotations", json!({"run.oci.keep_original_groups": "1"}))
            .args(&["cat", "/proc/self/status"]);
    })?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("groups")])
        .through(&["setpriv", "--groups", "4,24,27"])
        .ok()?;
    same(
        "groups",
        probe::field(&said.out, "Groups")?.as_str(),
        "4 24 27",
    )
}

fn umask(lab: &Lab) -> Outcome {
    let out = lab.look("umask; touch /tmp/x; stat -c %a /tmp/x", |spec| {
        spec.set("/process/user", json!({"uid": 0, "gid": 0, "umask": 0o027}));
    })?;
    same("umask", out.as_str(), "0027\n640\n")
}

fn callers_umask(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/user", json!({"uid": 1000, "gid": 1000}))
            .mount("/made/here", "tmpfs", "tmpfs", &["mode=1777"]);
        spec.sh(
            "stat -c %a /dev/null /made; echo x > /dev/null && touch /made/here/x && echo fine",
        );
    })?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("umask")])
        .through_sh("umask 077; exec \"$@\"")
        .ok()?;
    same("modes", said.out.as_str(), "666\n755\nfine\n")
}

/// CVE-2024-40635: a number that does not fit must not wrap to root.
fn uid_range(lab: &Lab) -> Outcome {
    for uid in [json!(4_294_967_296_u64), json!(-1), json!("root")] {
        lab.refuse(|spec| {
            spec.set("/process/user/uid", uid);
        })?;
    }
    Ok(())
}

fn rlimits(lab: &Lab) -> Outcome {
    let out = lab.look("cat /proc/self/limits", |spec| {
        spec.set("/process/rlimits", json!([
            {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
            {"type": "RLIMIT_FSIZE", "soft": 1_048_576, "hard": 2_097_152}, {"type": "RLIMIT_STACK", "soft": 4_194_304, "hard": 8_388_608}]));
    })?;
    let line = |name: &str| {
        let line = out
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default();
        line.get(name.len()..)
            .unwrap_or_default()
            .split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (name, want) in [
        ("Max open files", "100 200"),
        ("Max core file size", "0 0"),
        ("Max file size", "1048576 2097152"),
        ("Max stack size", "4194304 8388608"),
    ] {
        same(name, line(name).as_str(), want)?;
    }
    Ok(())
}

fn rlimits_twice(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        let limit = json!({"type": "RLIMIT_CORE", "soft": 0, "hard": 0});
        spec.push("/process/rlimits", limit.clone())
            .push("/process/rlimits", limit);
    })?;
    contains("the refusal", &said.err, "RLIMIT_CORE")
}

fn rlimit_unknown(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.push(
            "/process/rlimits",
            json!({"type": "RLIMIT_PATIENCE", "soft": 10, "hard": 10}),
        );
    })?;
    contains("the refusal", &said.err, "RLIMIT_PATIENCE")
}

fn rlimit_soft(lab: &Lab) -> Outcome {
    lab.refuse(|spec| {
        spec.set(
            "/process/rlimits",
            json!([{"type": "RLIMIT_NOFILE", "soft": 300, "hard": 200}]),
        );
    })
    .map(drop)
}

fn oom_score(lab: &Lab) -> Outcome {
    let out = lab.look("cat /proc/self/oom_score_adj", |spec| {
        spec.set("/process/oomScoreAdj", json!(123));
    })?;
    same("oom_score_adj", out.trim(), "123")
}

fn oom_score_unset(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["cat", "/proc/self/oom_score_adj"]);
    })?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("oom")])
        .through_sh("echo 77 > /proc/self/oom_score_adj; exec \"$@\"")
        .ok()?;
    same("oom_score_adj", said.out.trim(), "77")
}

/// What the runtime did with signals for itself must not be inherited.
fn signals(lab: &Lab) -> Outcome {
    let status = lab.look("cat /proc/1/status", |spec| {
        spec.args(&["cat", "/proc/1/status"]);
    })?;
    for name in ["SigBlk", "SigIgn"] {
        let mask = u64::from_str_radix(&probe::field(&status, name)?, 16)?;
        // glibc's posix_spawn, by which the harness starts things, ignores its own two: 32 and 33.
        ensure!(mask & !(3 << 31) == 0, "{name}: {mask:#x}");
    }
    Ok(())
}

/// Without a terminal too: the caller's terminal must be out of reach (CVE-2017-5226's class).
fn session(lab: &Lab) -> Outcome {
    let out = lab.look("cut -d ' ' -f 5-7 /proc/1/stat", |_| ())?;
    same("process group, session, terminal", out.trim(), "1 1 0")
}

/// CVE-2016-3697: a user whose *name* is the number asked for.
fn numeric_user(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/user", json!({"uid": 1000, "gid": 1000}))
            .args(&["cat", "/proc/self/status"]);
    })?;
    bundle.file("etc/passwd", "1000:x:0:0:root:/root:/bin/sh\n")?;
    bundle.file("etc/group", "1000:x:0:\n")?;
    let said = lab.run_in(&bundle)?;
    same(
        "Uid",
        probe::field(&said.out, "Uid")?.as_str(),
        "1000 1000 1000 1000",
    )
}
