//! From run to rm, and all that may come between.

use super::ground::{Ground, group};
use std::time::{Duration, Instant};

/// Waits until it holds.
#[track_caller]
pub(crate) fn until(holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "it never held");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_detached_container_is_listed_stopped_and_removed() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    let id = ground.good(
        &["-d", "--name", "one", "-l", "colour=red"],
        &["sleep", "1000"],
    );
    assert_eq!(id.len(), 64);
    let table = lab.good(&["ps"]);
    assert!(
        table.starts_with("CONTAINER ID") && table.contains(&id[..12]) && table.contains("Up "),
        "{table}"
    );
    assert_eq!(
        lab.good(&["ps", "-q", "--no-trunc", "--filter", "label=colour=red"]),
        id
    );
    assert_eq!(lab.good(&["ps", "-q", "--filter", "name=other"]), "");
    let about = lab.json(&["inspect", &id[..6]]);
    assert_eq!(about[0]["State"]["Status"], "running");
    let refused = lab.bad(&["rm", "one"], "the container runs");
    assert!(refused.contains("orbital rm -f one"));
    lab.bad(
        &[
            "run",
            "--network",
            "none",
            "--name",
            "one",
            "./root",
            "true",
        ],
        "has it",
    );
    assert!(group(&id).is_some());
    lab.good(&["stop", "-t", "0", "one"]);
    assert!(group(&id).is_none());
    assert_eq!(lab.good(&["ps", "-q"]), "");
    let all = lab.json(&["ps", "-a", "--format", "json"]);
    assert_eq!(
        (all[0]["State"].as_str(), all[0]["ExitCode"].as_i64()),
        (Some("exited"), Some(137))
    );
    assert_eq!(lab.good(&["rm", "one"]), "one");
    ground.nothing_is_left();
}

#[test]
fn a_container_starts_again_with_the_files_that_it_left() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    let script = "cat /kept 2>/dev/null; echo kept > /kept";
    assert_eq!(
        ground.good(&["--name", "again", "--overlay"], &["sh", "-c", script]),
        ""
    );
    assert_eq!(lab.good(&["start", "-a", "again"]), "kept");
    lab.good(&["cp", "again:/kept", "./copy"]);
    assert_eq!(
        std::fs::read_to_string(lab.path().join("copy")).unwrap(),
        "kept\n"
    );
    lab.good(&["rename", "again", "renamed"]);
    lab.bad(&["start", "again"], "no such container");
    lab.good(&["rm", "renamed"]);
    ground.nothing_is_left();
}

#[test]
fn the_paused_stand_still_and_the_restarted_begin_anew() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    ground.good(&["-d", "--name", "p1"], &["sleep", "1000"]);
    lab.good(&["pause", "p1"]);
    assert!(lab.good(&["ps"]).contains("(Paused)"));
    lab.good(&["unpause", "p1"]);
    let pid = |word: &str| lab.good(&["inspect", "-f", word, "p1"]);
    let before = pid("{{.State.Pid}}");
    lab.good(&["restart", "-t", "0", "p1"]);
    assert_ne!(before, pid("{{.State.Pid}}"));
    let top = lab.good(&["top", "p1"]);
    assert!(top.contains("sleep 1000"), "{top}");
    let stats = lab.json(&["stats", "--no-stream", "--format", "json", "p1"]);
    assert_eq!(stats[0]["Name"], "p1");
    lab.good(&["kill", "-s", "KILL", "p1"]);
    assert_eq!(lab.good(&["wait", "p1"]), "137");
    lab.good(&["prune"]);
    ground.nothing_is_left();
}

#[test]
fn a_killed_monitor_leaves_nothing_that_rm_does_not_remove() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    for overlay in [
        &["-d", "--name", "m1"][..],
        &["-d", "--name", "m1", "--overlay", "--rm"],
    ] {
        let id = ground.good(overlay, &["sleep", "1000"]);
        let monitor = lab.good(&["inspect", "-f", "{{.State.MonitorPid}}", "m1"]);
        let monitor = nix::unistd::Pid::from_raw(monitor.parse().unwrap());
        nix::sys::signal::kill(monitor, nix::sys::signal::Signal::SIGKILL).unwrap();
        until(|| lab.good(&["inspect", "-f", "{{.State.MonitorPid}}", "m1"]) == "0");
        assert!(lab.good(&["ps"]).contains("Up "), "the container runs on");
        lab.good(&["rm", "-f", "m1"]);
        assert!(group(&id).is_none());
        ground.nothing_is_left();
    }
}

/// One that dies over its work, as `rm` waits for it, has left the rest to `rm`.
#[test]
fn a_monitor_killed_while_rm_waits_for_it_leaves_nothing() {
    use nix::sys::signal::{Signal, kill};
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    let id = ground.good(&["-d", "--name", "m2"], &["sleep", "1000"]);
    let pid = |key: &str| lab.good(&["inspect", "-f", &format!("{{{{.State.{key}}}}}"), "m2"]);
    let monitor = nix::unistd::Pid::from_raw(pid("MonitorPid").parse().unwrap());
    let first = nix::unistd::Pid::from_raw(pid("Pid").parse().unwrap());
    kill(monitor, Signal::SIGSTOP).unwrap();
    kill(first, Signal::SIGKILL).unwrap();
    // A zombie has no words; nobody reaps it.
    let words = format!("/proc/{first}/cmdline");
    until(|| std::fs::read(&words).unwrap().is_empty());
    std::thread::scope(|scope| {
        let removed = scope.spawn(|| lab.good(&["rm", "m2"]));
        std::thread::sleep(Duration::from_millis(300));
        kill(monitor, Signal::SIGKILL).unwrap();
        assert_eq!(removed.join().unwrap(), "m2");
    });
    assert!(group(&id).is_none());
    ground.nothing_is_left();
}

#[test]
fn what_cannot_begin_leaves_nothing_with_rm() {
    let Some(ground) = Ground::new() else { return };
    for (flags, command) in [
        (&["--rm"][..], "nothing-here"),
        (&["--rm", "-u", "nobody-here"], "true"),
    ] {
        assert_ne!(ground.run(flags, &[command]).status, 0);
        ground.nothing_is_left();
    }
}

#[test]
fn twenty_at_once_all_speak_and_all_go() {
    let Some(ground) = Ground::new() else { return };
    let said: Vec<String> = std::thread::scope(|scope| {
        let ground = &ground;
        let one = |number: u32| {
            scope.spawn(move || ground.sh(&["--overlay"], &format!("echo number {number}")))
        };
        let all: Vec<_> = (0..20).map(one).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for (number, said) in said.iter().enumerate() {
        assert_eq!(*said, format!("number {number}"));
    }
    ground.nothing_is_left();
}

#[test]
fn exec_is_one_more_process_in_the_same_container() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    ground.good(&["-d", "--name", "e1", "-e", "A=1"], &["sleep", "1000"]);
    let ran = lab.run(&[
        "exec",
        "e1",
        "sh",
        "-c",
        "echo $A; ps | grep -c 'sleep 1000'; exit 9",
    ]);
    assert_eq!(ran.status, 9, "{ran:?}");
    assert!(ran.out.starts_with("1\n"), "{ran:?}");
    assert_eq!(
        lab.good(&[
            "exec",
            "-u",
            "web",
            "-w",
            "/tmp",
            "-e",
            "B=2",
            "e1",
            "sh",
            "-c",
            "id; pwd; echo $B"
        ]),
        "uid=33(web) gid=34(web) groups=4(logs)\n/tmp\n2"
    );
    assert_eq!(
        lab.run_with(&["exec", "-i", "e1", "cat"], b"typed").out,
        "typed"
    );
    assert_eq!(lab.run(&["exec", "e1", "nothing-here"]).status, 127);
    assert_eq!(lab.run(&["exec", "e1", "/etc"]).status, 126);
    lab.good(&["rm", "-f", "e1"]);
    lab.bad(&["exec", "e1", "true"], "no such container");
    ground.nothing_is_left();
}
