//! Files of a container and images as tars.

use super::archive::Tar;
use super::ground::Ground;
use super::image::{Layer, image_with};
use super::images::{architecture, base};
use super::lab::Lab;
use super::layout::layout;
use serde_json::json;
use std::fs;
use std::process::Command;

fn tar(lab: &Lab, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("tar");
    command.args(arguments).current_dir(lab.path());
    command.output().unwrap().stdout
}

#[test]
fn a_tar_goes_in_and_out() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    ground.good(&["-d", "--name", "t1", "--overlay"], &["sleep", "1000"]);
    lab.write("tree/a/b", "deep");
    lab.write("tree/.wh.no-whiteout", "a name like any other");
    std::os::unix::fs::symlink("/etc/group", lab.path().join("tree/link")).unwrap();
    let packed = tar(lab, &["-cf", "-", "tree"]);
    assert_eq!(lab.run_with(&["cp", "-", "t1:/tmp"], &packed).status, 0);
    assert_eq!(
        lab.good(&[
            "exec",
            "t1",
            "cat",
            "/tmp/tree/a/b",
            "/tmp/tree/.wh.no-whiteout"
        ]),
        "deepa name like any other"
    );
    what_comes_out(&ground);
    let ran = lab.run_with(&["cp", "-", "t1:/etc/group"], &packed);
    assert!(
        ran.status == 125 && ran.err.contains("into a directory"),
        "{}",
        ran.err
    );
    let ran = lab.run_with(&["cp", "-", "t1:/tmp"], b"this is no tar, whatever it is");
    assert!(
        ran.status == 125 && ran.err.contains("standard input"),
        "{}",
        ran.err
    );
    lab.good(&["rm", "t1"]);
    ground.nothing_is_left();
}

/// What is in a stopped container is read as well.
fn what_comes_out(ground: &Ground) {
    let lab = &ground.lab;
    lab.good(&["stop", "-t", "0", "t1"]);
    for (from, names) in [
        (
            "t1:/tmp/tree",
            "tree/ tree/.wh.no-whiteout tree/a/ tree/a/b tree/link",
        ),
        ("t1:/tmp/tree/.", ".wh.no-whiteout a/ a/b link"),
        ("t1:/tmp/tree/a/b", "b"),
    ] {
        let mut engine = lab.command();
        let out = engine.args(["cp", from, "-"]).output().unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        fs::write(lab.path().join("out.tar"), &out.stdout).unwrap();
        let listed = String::from_utf8(tar(lab, &["-tf", "out.tar"])).unwrap();
        assert_eq!(
            listed.split_whitespace().collect::<Vec<_>>().join(" "),
            names,
            "{from}"
        );
    }
}

#[test]
fn images_are_saved_and_loaded_again() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    let upper = Tar::default()
        .directory("etc/", 0o755)
        .file("etc/.wh.group", "")
        .directory("tmp/", 0o1777)
        .file("tmp/.wh..wh..opq", "")
        .end();
    let layers = vec![base(&ground), Layer::plain(&upper)];
    layout(
        lab,
        "i",
        &image_with(architecture(), json!({"Env": ["KEPT=yes"]}), layers),
        "v1",
    );
    lab.good(&["pull", "-q", "oci:i"]);
    lab.good(&["tag", "localhost/i:v1", "mine:1", "mine:2"]);
    lab.good(&["save", "-o", "all.tar", "mine:1"]);
    lab.good(&["rmi", "-f", &lab.good(&["images", "-q"])]);
    let zipped = Command::new("gzip")
        .args(["-c", "all.tar"])
        .current_dir(lab.path())
        .output()
        .unwrap()
        .stdout;
    for input in [&fs::read(lab.path().join("all.tar")).unwrap(), &zipped] {
        let ran = lab.run_with(&["load", "-q"], input);
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert_eq!(ran.out.lines().count(), 3, "{}", ran.out);
        let seen = lab.good(&[
            "run",
            "--rm",
            "--network",
            "none",
            "--pull",
            "never",
            "mine:2",
            "sh",
            "-c",
            "echo $KEPT; ls -d /etc/group /tmp 2>/dev/null; stat -c %a /tmp",
        ]);
        assert_eq!(seen, "yes\n/tmp\n1777");
        lab.good(&["rmi", "-f", &lab.good(&["images", "-q"])]);
    }
    assert!(
        lab.run(&["load", "-i", "all.tar"])
            .out
            .contains("loaded: docker.io/library/mine:1")
    );
    takes_room(&ground);
}

/// What takes room, and what may go.
fn takes_room(ground: &Ground) {
    let lab = &ground.lab;
    let table = lab.good(&["system", "df"]);
    assert!(
        table
            .lines()
            .any(|line| line.starts_with("Images") && line.contains(" 1 ")),
        "{table}"
    );
    lab.good(&["rmi", "-f", &lab.good(&["images", "-q"])]);
    lab.good(&["image", "prune"]);
    assert_eq!(lab.listed("layers"), [] as [&str; 0]);
    lab.bad(&["load", "-i", "nothing.tar"], "ENOENT");
    let ran = lab.run_with(&["load"], b"no tar at all");
    assert_eq!(ran.status, 125, "{}", ran.out);
    assert_eq!(
        fs::read_dir(lab.store())
            .unwrap()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("load-"))
            .count(),
        0
    );
}
