//! Input, output, terminals, exit statuses.

use super::ground::Ground;
use super::life::until;
use std::process::Command;

#[test]
fn three_numbers_of_dockers_and_the_programs_own() {
    let Some(ground) = Ground::new() else { return };
    ground.lab.write("root/bin/no-format", "\n");
    ground.lab.write("root/bin/closed", "\n");
    let closed = ground.root().join("bin/no-format");
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(closed, std::fs::Permissions::from_mode(0o755)).unwrap();
    let status = |words: &[&str]| ground.run(&["--rm"], words).status;
    assert_eq!(status(&["nothing-here"]), 127);
    assert_eq!(status(&["/nothing/here"]), 127);
    assert_eq!(status(&["/etc"]), 126);
    assert_eq!(status(&["/bin/closed"]), 126);
    assert_eq!(status(&["/bin/no-format"]), 126);
    assert_eq!(status(&["sh", "-c", "exit 42"]), 42);
    assert_eq!(
        status(&["sh", "-c", "kill -9 $$; sleep 1"]),
        0,
        "nobody inside kills process 1"
    );
    assert_eq!(
        ground.run(&["--rm", "--no-such-flag"], &["true"]).status,
        125
    );
    assert_eq!(ground.lab.run(&["run"]).status, 125);
    ground.nothing_is_left();
}

#[test]
fn both_streams_come_whole_and_apart_and_are_logged() {
    let Some(ground) = Ground::new() else { return };
    let script = "seq 20000; echo bad >&2; printf unfinished";
    let ran = ground.run(&["--name", "s1"], &["sh", "-c", script]);
    assert_eq!((ran.status, ran.err.as_str()), (0, "bad\n"));
    assert!(ran.out.ends_with("20000\nunfinished") && ran.out.lines().count() == 20001);
    let logged = ground.lab.run(&["logs", "s1"]);
    assert_eq!((logged.out, logged.err), (ran.out, ran.err));
    // Which of the two streams was read last is chance.
    let last = ground.lab.good(&["logs", "--tail", "2", "s1"]);
    assert!(
        last.ends_with("unfinished") && last.lines().count() <= 2,
        "{last}"
    );
    let stamped = ground.lab.good(&["logs", "-t", "--tail", "1", "s1"]);
    assert!(
        stamped.starts_with("20") && stamped.contains("T") && stamped.ends_with("Z unfinished"),
        "{stamped}"
    );
    assert_eq!(
        ground.lab.good(&["logs", "--until", "2020-01-01", "s1"]),
        ""
    );
    ground.lab.good(&["rm", "s1"]);
}

#[test]
fn a_log_has_a_size_and_can_be_followed() {
    let Some(ground) = Ground::new() else { return };
    let flags = [
        "--name",
        "l1",
        "--log-opt",
        "max-size=10k",
        "--log-opt",
        "max-file=2",
    ];
    ground.good(&flags, &["seq", "1000"]);
    let kept = ground.lab.good(&["logs", "l1"]);
    assert!(kept.ends_with("1000") && !kept.starts_with("1\n"), "{kept}");
    ground.lab.good(&["rm", "l1"]);
    ground.good(
        &["-d", "--name", "f1"],
        &["sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.2; done"],
    );
    assert_eq!(ground.lab.good(&["logs", "-f", "f1"]), "1\n2\n3");
    ground.lab.good(&["rm", "f1"]);
    ground.good(
        &["-d", "--name", "n1", "--log-driver", "none"],
        &["echo", "unheard"],
    );
    ground.lab.good(&["wait", "n1"]);
    ground.lab.bad(&["logs", "n1"], "--log-driver none");
    ground.lab.good(&["rm", "n1"]);
}

#[test]
fn input_goes_in_with_i_and_only_then() {
    let Some(ground) = Ground::new() else { return };
    let words = |flag: &'static str| ["run", "--rm", "--network", "none", flag, "./root", "cat"];
    assert_eq!(
        ground.lab.run_with(&words("-i"), b"a line\n").out,
        "a line\n"
    );
    assert_eq!(
        ground
            .lab
            .run_with(&words("--log-driver=json-file"), b"a line\n")
            .out,
        ""
    );
    let much = vec![b'x'; 3 << 20];
    assert_eq!(
        ground
            .lab
            .run_with(
                &[
                    "run",
                    "--rm",
                    "-i",
                    "--network",
                    "none",
                    "./root",
                    "wc",
                    "-c"
                ],
                &much
            )
            .out
            .trim(),
        much.len().to_string()
    );
}

#[test]
fn a_terminal_is_one() {
    let Some(ground) = Ground::new() else { return };
    let engine = ground.lab.command();
    let mut line: Vec<String> = vec![engine.get_program().to_string_lossy().into_owned()];
    line.extend(
        engine
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    line.push("run --rm -it --network none ./root sh -c 'tty; stty size; exit 3'".to_owned());
    let script = format!("stty rows 33 cols 99; {}", line.join(" "));
    let output = Command::new("script")
        .args(["-qec", &script, "/dev/null"])
        .current_dir(ground.lab.path())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(
        text.contains("/dev/pts/0") && text.contains("33 99"),
        "{text}"
    );
    ground.nothing_is_left();
}

#[test]
fn signals_go_through_and_attach_hears_the_end() {
    let Some(ground) = Ground::new() else { return };
    let script = "trap 'echo heard; exit 6' USR1; echo ready; while true; do sleep 0.05; done";
    ground.good(&["-d", "--name", "a1"], &["sh", "-c", script]);
    until(|| ground.lab.good(&["logs", "a1"]) == "ready");
    let mut attach = ground.lab.command();
    attach
        .args(["attach", "a1"])
        .stdout(std::process::Stdio::piped())
        .stdin(std::process::Stdio::null());
    let child = attach.spawn().unwrap();
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    // Before it holds its signals back, one would end it.
    std::thread::sleep(std::time::Duration::from_millis(500));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGUSR1).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "heard\n");
    ground.lab.good(&["rm", "a1"]);
    ground.nothing_is_left();
}
