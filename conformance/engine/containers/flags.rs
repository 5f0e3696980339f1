//! Flags that no other file is about, and words that users of docker and podman try first.

use super::ground::Ground;
use super::image::image_with;
use super::images::{architecture, base};
use super::layout::layout;
use super::life::until;
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

#[test]
fn short_flags_are_joined_as_docker_has_it() {
    let Some(ground) = Ground::new() else { return };
    ground.lab.write("shared/file", "from the host");
    let seen = ground.sh(
        &["-eFOO=1", "-e=BAR=2", "-uweb", "-w/tmp", "-v./shared:/s:ro"],
        "echo $FOO $BAR; id -u; pwd; cat /s/file",
    );
    assert_eq!(seen, "1 2\n33\n/tmp\nfrom the host");
    let ran = ground.lab.run_with(
        &[
            "run",
            "--rm",
            "--network=none",
            "-ieA=b",
            "./root",
            "sh",
            "-c",
            "cat; echo $A",
        ],
        b"in ",
    );
    assert_eq!(ran.out, "in b\n", "{}", ran.err);
    let ran = ground.run(&["--rm", "-p8080:80x"], &["true"]);
    assert!(
        ran.status == 125 && ran.err.contains("8080:80x"),
        "{}",
        ran.err
    );
    let ran = ground.run(&["--rm", "-ixt"], &["true"]);
    assert!(ran.status == 125 && ran.err.contains("-ixt"), "{}", ran.err);
}

#[test]
fn files_that_tell_of_the_container() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    let id = ground.good(
        &["-d", "--cidfile", "cid", "--pidfile", "pid"],
        &["sleep", "1000"],
    );
    assert_eq!(fs::read_to_string(lab.path().join("cid")).unwrap(), id);
    let pid = fs::read_to_string(lab.path().join("pid")).unwrap();
    assert_eq!(
        lab.good(&["inspect", "-f", "{{.State.Pid}}", &id]),
        pid.trim()
    );
    let again = ground.run(&["--rm", "--cidfile", "cid"], &["true"]);
    assert!(
        again.status == 125 && again.err.contains("cid"),
        "{}",
        again.err
    );
    lab.good(&["rm", "-f", &id]);
    ground.nothing_is_left();
}

#[test]
fn variables_come_by_name_by_beginning_and_from_files() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    for (name, value) in [
        ("K_ONE", "1"),
        ("K_TWO", "2"),
        ("OTHER", "3"),
        ("http_proxy", "http://proxy:1"),
    ] {
        ground.lab.set(name, value);
    }
    ground
        .lab
        .write("vars", "# a comment\nFROM_FILE=4\nOTHER\n");
    let env = ground.sh(&["-e", "K_*", "--env-file", "vars"], "env");
    for line in ["K_ONE=1", "K_TWO=2", "FROM_FILE=4", "OTHER=3"] {
        assert!(env.lines().any(|other| other == line), "{line}: {env}");
    }
    assert!(!env.contains("proxy"), "{env}");
    assert!(
        ground
            .sh(&["--http-proxy"], "env")
            .contains("http_proxy=http://proxy:1")
    );
}

#[test]
fn volumes_of_another_and_files_of_an_image() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    lab.write("shared/file", "shared");
    ground.good(
        &["--name", "first", "-v", "vol:/data", "-v", "./shared:/s"],
        &["sh", "-c", "echo kept > /data/f"],
    );
    assert_eq!(
        ground.sh(
            &["--volumes-from", "first:ro"],
            "cat /data/f /s/file; touch /data/x 2>/dev/null || echo no"
        ),
        "kept\nsharedno"
    );
    lab.good(&["rm", "first"]);
    lab.good(&["volume", "rm", "vol"]);
    layout(
        lab,
        "i",
        &image_with(architecture(), json!({}), vec![base(&ground)]),
        "v1",
    );
    lab.good(&["pull", "-q", "oci:i"]);
    let mount = "type=image,source=localhost/i:v1,target=/other";
    let flags = ["-d", "--name", "user", "--mount", mount];
    ground.good(&flags, &["sleep", "1000"]);
    assert_eq!(
        lab.good(&["exec", "user", "cat", "/other/etc/group"]),
        fs::read_to_string(ground.root().join("etc/group"))
            .unwrap()
            .trim_end()
    );
    assert_ne!(lab.run(&["exec", "user", "touch", "/other/x"]).status, 0);
    assert_eq!(
        lab.json(&["inspect", "user"])[0]["Mounts"][0]["Type"],
        "image"
    );
    lab.bad(&["rmi", "localhost/i:v1"], "containers use it");
    lab.good(&["rm", "-f", "user"]);
    lab.good(&["rmi", "localhost/i:v1"]);
    let ran = ground.run(&["--rm", "--pull", "never", "--mount", mount], &["true"]);
    assert!(
        ran.status == 125 && ran.err.contains("localhost/i:v1"),
        "{}",
        ran.err
    );
    ground.nothing_is_left();
}

#[test]
fn a_vendors_device_by_its_name() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    let spec = "cdiVersion: 0.6.0\nkind: vendor.com/class\ndevices:\n- name: x\n  containerEdits:\n    deviceNodes:\n    - {path: /dev/vendor0, hostPath: /dev/null}\n    env: [VENDOR=yes]\n    additionalGids: [4]\n";
    lab.write(".config/cdi/vendor.yaml", spec);
    let seen = ground.sh(
        &["--device", "vendor.com/class=x"],
        "echo x > /dev/vendor0 && echo $VENDOR; id -G; test -c /dev/vendor0 && echo there",
    );
    assert_eq!(seen, "yes\n0 4\nthere");
    let ran = ground.run(&["--rm", "--device", "vendor.com/class=y"], &["true"]);
    assert!(
        ran.status == 125 && ran.err.contains("there are: x"),
        "{}",
        ran.err
    );
    let ran = ground.run(&["--rm", "--gpus", "all"], &["true"]);
    assert!(
        ran.err.contains("nvidia.com/gpu=all") && ran.err.contains("/etc/cdi, /var/run/cdi"),
        "{}",
        ran.err
    );
    ground.nothing_is_left();
}

#[test]
fn logs_between_two_moments() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    ground.good(
        &["--name", "l1"],
        &["sh", "-c", "echo early; sleep 2.5; echo late"],
    );
    let early = lab.good(&["logs", "-t", "--tail", "2", "l1"]);
    let moment = early.split(' ').next().unwrap().to_owned();
    assert_eq!(lab.good(&["logs", "--since", "1h", "l1"]), "early\nlate");
    assert_eq!(lab.good(&["logs", "--since", "2099-01-01", "l1"]), "");
    assert_eq!(
        lab.good(&["logs", "--until", &moment, "l1"]),
        "early",
        "{early}"
    );
    let second = early
        .lines()
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(
        lab.good(&["logs", "--since", &second, "l1"]),
        "late",
        "{early}"
    );
    lab.bad(
        &["logs", "--since", "yesterday", "l1"],
        "no such number or time",
    );
    lab.good(&["rm", "l1"]);
}

#[test]
fn keys_leave_a_container_that_goes_on() {
    let Some(ground) = Ground::new() else { return };
    let engine = ground.lab.command();
    let mut line = engine.get_program().to_string_lossy().into_owned();
    for word in engine.get_args() {
        line = format!("{line} {}", word.to_string_lossy());
    }
    let leave = |verb: &str, keys: &[u8]| {
        let mut terminal = Command::new("script")
            .args(["-qec", &format!("{line} {verb}"), "/dev/null"])
            .current_dir(ground.lab.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        until(|| {
            !ground
                .lab
                .good(&["ps", "-q", "--filter", "name=k1"])
                .is_empty()
        });
        std::thread::sleep(std::time::Duration::from_millis(700));
        let mut input = terminal.stdin.take().unwrap();
        input.write_all(keys).unwrap();
        input.flush().unwrap();
        let status = terminal.wait().unwrap();
        drop(input);
        status.code()
    };
    assert_eq!(
        leave(
            "run -it --name k1 --detach-keys ctrl-x,y --network none ./root sh",
            b"\x18y"
        ),
        Some(0)
    );
    assert!(ground.lab.good(&["ps"]).contains("k1"));
    assert_eq!(leave("attach k1", b"\x10\x11"), Some(0));
    assert!(ground.lab.good(&["ps"]).contains("k1"));
    let ran = ground
        .lab
        .run(&["attach", "--detach-keys", "ctrl-xx", "k1"]);
    assert!(
        ran.status == 125 && ran.err.contains("no key ctrl-xx"),
        "{}",
        ran.err
    );
    ground.lab.good(&["rm", "-f", "k1"]);
    ground.nothing_is_left();
}
