//! A second process: who it is, where, and with what. Without `--process` it is as the first one is.

use serde_json::{Value, json};

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;
use crate::spec::Spec;

pub(super) const CASES: &[Case] = &[
    Case::new("as-the-first-one-is", as_the_first).deviates(&[("crun", "begins in /")]),
    Case::new("user-by-numbers", user),
    Case::new("user-alone-keeps-the-group", user_alone).deviates(&[("crun", "takes group 0")]),
    Case::new("users-that-are-no-numbers", bad_users).deviates(&[
        ("crun", "takes a part of some for a number"),
        ("runc", "1.1 takes signs, and what is too large"),
    ]),
    Case::new("a-user-named-as-a-number", user_named_1000),
    Case::new("more-groups", groups).deviates(&[("crun", "has no such flag")]),
    Case::new("cwd", cwd),
    Case::new("cwd-that-is-missing", cwd_missing).deviates(&[("crun", "makes it")]),
    Case::new("env-comes-on-top", env),
    Case::new("home-of-its-own-user", home),
    Case::new("path-is-the-containers", path).deviates(&[("crun", "exits with 1")]),
    Case::new("limits-are-the-first-ones", limits).deviates(&[
        ("crun", "sets none"),
        ("runc", "1.1 raises the soft limit to the hard one"),
    ]),
    Case::new("oom-score-is-the-first-ones", oom_score).deviates(&[("crun", "sets none")]),
    Case::new("umask-is-the-first-ones", umask).deviates(&[("runc", "1.1 leaves the caller's")]),
    Case::new("its-words-are-its-own", words),
    Case::new("process-file", process_file),
    Case::new("process-file-with-limits-and-umask", process_file_limits),
    Case::new("process-file-that-is-wrong", process_file_wrong)
        .deviates(&[("crun", "takes what is no process")]),
    Case::new("a-session-and-no-terminal", session),
    Case::new("affinity-final", affinity).deviates(&[
        ("runc", "1.1 does not know it"),
        ("crun", "was built without it"),
    ]),
];

fn user_1000(spec: &mut Spec) {
    spec.set(
        "/process/user",
        json!({"uid": 1000, "gid": 100, "additionalGids": [7, 8]}),
    );
}

fn as_the_first(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        user_1000(spec);
        spec.set("/process/cwd", json!("/tmp"))
            .push("/process/env", json!("ONE=1"));
    })?;
    let out = container.inside(&[], "id -u; id -g; id -G; pwd; echo $ONE")?;
    same("what it is", out.as_str(), "1000\n100\n100 7 8\n/tmp\n1\n")?;
    container.end()
}

fn user(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let out = container.inside(
        &["--user", "1000:2000"],
        "id -u; id -g; grep Uid: /proc/self/status",
    )?;
    contains(
        "what it is",
        &out,
        "1000\n2000\nUid:\t1000\t1000\t1000\t1000\n",
    )?;
    container.end()
}

fn user_alone(lab: &Lab) -> Outcome {
    let container = lab.started(user_1000)?;
    let out = container.inside(&["-u", "5"], "id -u; id -g")?;
    same("what it is", out.as_str(), "5\n100\n")?;
    container.end()
}

/// CVE-2026-30892: what is not understood must not become root.
fn bad_users(lab: &Lab) -> Outcome {
    let container = lab.started(user_1000)?;
    for typed in [
        "1000:",
        ":5",
        "+5",
        "0x0",
        "4294967296",
        "4294967295",
        "-1",
        "root",
        "1:2:3",
        " 1",
    ] {
        let said = container.exec(&["-u", typed], &["id", "-u"]).say()?;
        ensure!(!said.status.success(), "-u {typed:?}: {said}");
    }
    container.end()
}

/// CVE-2016-3697.
fn user_named_1000(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    bundle.file("etc/passwd", "1000:x:0:0::/root:/bin/sh\n")?;
    let container = Container::create(lab, &bundle, &lab.id("named"))?;
    container.start()?;
    same(
        "uid",
        container.inside(&["-u", "1000"], "id -u")?.as_str(),
        "1000\n",
    )?;
    container.end()
}

fn groups(lab: &Lab) -> Outcome {
    let container = lab.started(user_1000)?;
    let out = container.inside(&["-g", "11", "-g", "12"], "id -G")?;
    same("groups", out.as_str(), "100 7 8 11 12\n")?;
    container.end()
}

fn cwd(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    same(
        "cwd",
        container.inside(&["--cwd", "/usr/bin"], "pwd")?.as_str(),
        "/usr/bin\n",
    )?;
    container.end()
}

fn cwd_missing(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let said = container
        .exec(&["--cwd", "/not/there"], &["pwd"])
        .refused()?;
    same("status", said.code(), 255)?;
    container.end()
}

fn env(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.push("/process/env", json!("ONE=first"))
            .push("/process/env", json!("TWO=2"));
    })?;
    let out = container.inside(
        &["-e", "ONE=second", "-e", "THREE=a=b", "-e", "FOUR="],
        "echo $ONE $TWO $THREE; env | grep FOUR",
    )?;
    same("environment", out.as_str(), "second 2 a=b\nFOUR=\n")?;
    container.end()
}

fn home(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for (user, home) in [("0", "/root\n"), ("1000", "/home/ana\n"), ("4242", "/\n")] {
        same(
            "HOME",
            container.inside(&["-u", user], "echo $HOME")?.as_str(),
            home,
        )?;
    }
    container.end()
}

fn path(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/env", json!(["PATH=/opt:/bin"]));
    })?;
    bundle.file("opt/here", "#!/bin/sh\necho found\n")?;
    let container = Container::create(lab, &bundle, &lab.id("path"))?;
    container.start()?;
    same(
        "output",
        container.exec(&[], &["here"]).ok()?.out.as_str(),
        "found\n",
    )?;
    let other = container.exec(&["-e", "PATH=/bin"], &["here"]).refused()?;
    same("status with another PATH", other.code(), 255)?;
    container.end()
}

fn limits(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set(
            "/process/rlimits",
            json!([{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 99}]),
        );
    })?;
    let out = container.inside(&[], "ulimit -Sn; ulimit -Hn")?;
    same("limits", out.as_str(), "77\n99\n")?;
    container.end()
}

fn oom_score(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/process/oomScoreAdj", json!(321));
    })?;
    same(
        "score",
        container
            .inside(&[], "cat /proc/self/oom_score_adj")?
            .as_str(),
        "321\n",
    )?;
    container.end()
}

fn umask(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/process/user", json!({"uid": 0, "gid": 0, "umask": 0o27}));
    })?;
    let found = container
        .exec(&[], &["sh", "-c", "umask"])
        .through_sh("umask 0; exec \"$@\"")
        .ok()?;
    same("umask", found.out.as_str(), "0027\n")?;
    container.end()
}

fn words(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let said = container
        .exec(&[], &["echo", "-t", "--help", "--user", "1", "--", "", "x"])
        .ok()?;
    same("output", said.out.as_str(), "-t --help --user 1 --  x\n")?;
    container.end()
}

/// `exec` of a process described in a file.
fn described(lab: &Lab, container: &Container<'_>, process: Value) -> Outcome<String> {
    let file = lab.file("process", &process.to_string())?;
    let name = file.to_string_lossy();
    Ok(container.exec(&["--process", &name], &[]).ok()?.out)
}

fn process_file(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.push("/process/env", json!("ONE=1"));
    })?;
    let process = json!({
        "user": {"uid": 33, "gid": 44, "additionalGids": [55]}, "cwd": "/usr",
        "env": ["PATH=/bin", "TWO=2"], "args": ["sh", "-c", "id -u; id -g; id -G; pwd; echo \"$ONE:$TWO\""],
        "capabilities": {"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"], "effective": ["CAP_KILL"]},
    });
    same(
        "output",
        described(lab, &container, process)?.as_str(),
        "33\n44\n44 55\n/usr\n:2\n",
    )?;
    container.end()
}

fn process_file_limits(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set(
            "/process/rlimits",
            json!([{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 99}]),
        );
    })?;
    let process = json!({
        "user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bin"],
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 55, "hard": 66}],
        "args": ["sh", "-c", "ulimit -Sn; ulimit -Hn"],
    });
    same(
        "limits",
        described(lab, &container, process)?.as_str(),
        "55\n66\n",
    )?;
    container.end()
}

fn process_file_wrong(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let user = json!({"uid": 0, "gid": 0});
    for text in [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        json!({"user": user, "cwd": "relative", "args": ["true"]}).to_string(),
        json!({"user": user, "cwd": "/", "args": []}).to_string(),
        json!({"user": user, "cwd": "/", "args": ["true"], "env": 5}).to_string(),
    ] {
        let file = lab.file("process", &text)?;
        let said = container
            .exec(&["-p", &file.to_string_lossy()], &[])
            .refused()?;
        same(&format!("status for {text:?}"), said.code(), 255).or_else(|error| {
            if lab.runtime.name == "orbital" {
                Err(error)
            } else {
                Ok(())
            }
        })?;
    }
    container.exec(&["-p", "/no/such/file"], &[]).refused()?;
    container.end()
}

/// A session of its own: nothing can be pushed into the caller's terminal (CVE-2017-5226).
fn session(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let said = container
        .exec(&[], &["sh", "-c", "cut -d ' ' -f 1,6,7 /proc/$$/stat"])
        .ok()?;
    let fields: Vec<&str> = said.out.split_whitespace().collect();
    same("fields", fields.len(), 3)?;
    same("its session is its own", fields[0], fields[1])?;
    same("its terminal", fields[2], "0")?;
    container.end()
}

fn affinity(lab: &Lab) -> Outcome {
    let own = probe::field(
        &probe::proc_file(i32::try_from(std::process::id())?, "status")?,
        "Cpus_allowed_list",
    )?;
    let first = own.split([',', '-']).next().unwrap_or("0").to_owned();
    let container = lab.started(|spec| {
        spec.set(
            "/process/execCPUAffinity",
            json!({"initial": first, "final": first}),
        );
    })?;
    let out = container.inside(
        &[],
        "grep Cpus_allowed_list /proc/self/status /proc/1/status",
    )?;
    contains(
        "CPUs",
        &out,
        &format!("/proc/self/status:Cpus_allowed_list:\t{first}\n"),
    )?;
    contains(
        "CPUs of the first process",
        &out,
        &format!("/proc/1/status:Cpus_allowed_list:\t{own}\n"),
    )?;
    container.end()
}
