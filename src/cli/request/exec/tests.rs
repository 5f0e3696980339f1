//! What is typed for `exec`.

use crate::cli::{Attendance, Exec, Paused, Request, Switch, parse};

fn exec(words: &[&str]) -> Result<Exec, String> {
    let argv = ["runc", "exec"].iter().chain(words).map(Into::into);
    match parse(argv) {
        Ok((_, Request::Exec(exec))) => Ok(exec),
        Ok(other) => Err(format!("{other:?}")),
        Err(misuse) => Err(misuse.error.one_line()),
    }
}

#[test]
fn what_follows_the_id_is_the_programs() {
    let found = exec(&[
        "-e", "A=1", "--env", "B=-x", "c1", "ls", "-l", "--help", "--",
    ]);
    let found = found.unwrap();
    assert_eq!(found.id, "c1");
    assert_eq!(found.command, ["ls", "-l", "--help", "--"]);
    assert_eq!(found.changes.env, ["A=1", "B=-x"]);
    assert_eq!(found.attendance, Attendance::Foreground);
}

#[cfg(unix)]
#[test]
fn what_callers_send() {
    let conmon = ["--pid-file", "/p", "--process", "/f", "--detach", "c1"];
    let found = exec(&conmon).unwrap();
    assert_eq!(found.process.as_deref(), Some("/f".as_ref()));
    assert_eq!(found.attendance, Attendance::Detached);
    let rs = [
        "-d",
        "--console-socket=",
        "--tty",
        "--pid-file=",
        "c1",
        "sh",
    ];
    let found = exec(&rs).unwrap();
    assert_eq!((found.console_socket, found.pid_file), (None, None));
    assert_eq!(found.changes.terminal, Switch::Given);
    let found = exec(&[
        "-dt",
        "-ignore-paused",
        "-c",
        "CAP_KILL",
        "-c=CAP_CHOWN",
        "c",
        "a",
    ]);
    let found = found.unwrap();
    assert_eq!(found.paused, Paused::Wait);
    assert_eq!(found.changes.capabilities, ["CAP_KILL", "CAP_CHOWN"]);
}

#[test]
fn users_are_numbers() {
    for (typed, user) in [
        ("0", (0, None)),
        ("1000:5", (1000, Some(5))),
        ("4294967294", (4_294_967_294, None)),
    ] {
        let found = exec(&["-u", typed, "c1", "id"]).unwrap();
        assert_eq!(found.changes.user, Some(user));
    }
    for typed in [
        "1000:",
        ":5",
        "+5",
        "0x0",
        "4294967296",
        "root",
        "-1",
        "1:2:3",
        " 1",
    ] {
        let told = exec(&["-u", typed, "c1", "id"]).unwrap_err();
        assert!(told.contains("ids are numbers"), "{typed}: {told}");
    }
}

#[test]
fn nothing_to_run_or_two_things() {
    assert!(exec(&["c1"]).unwrap_err().contains("COMMAND is missing"));
    assert!(exec(&[]).unwrap_err().contains("ID is missing"));
    let both = exec(&["-p", "f", "c1", "ls"]).unwrap_err();
    assert!(both.contains("described already"));
}

#[test]
fn groups_below_the_containers() {
    for typed in ["a/b", "/a/b/", ":a/b", ":/a/b"] {
        let found = exec(&["--cgroup", typed, "c1", "id"]).unwrap();
        assert_eq!(found.cgroup.as_deref(), Some("a/b"), "{typed}");
    }
    for typed in ["../a", "a/../../b", "cpu:a", "cpu,cpuset:a"] {
        assert!(exec(&["--cgroup", typed, "c1", "id"]).is_err(), "{typed}");
    }
}
