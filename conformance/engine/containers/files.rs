//! Files that outlive it, and files that do not.

use super::ground::Ground;

#[test]
fn volumes_binds_and_tmpfs() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    lab.write("shared/file", "from the host");
    assert_eq!(
        ground.sh(
            &["-v", "./shared:/s:ro"],
            "cat /s/file; touch /s/new 2>/dev/null || echo no"
        ),
        "from the hostno"
    );
    ground.sh(&["-v", "./shared:/s"], "echo x > /s/new");
    assert!(lab.path().join("shared/new").exists());
    ground.sh(&["-v", "named:/data"], "echo kept > /data/f");
    assert_eq!(
        ground.sh(
            &["--mount", "type=volume,src=named,dst=/d,ro"],
            "cat /d/f; touch /d/x 2>/dev/null || echo no"
        ),
        "kept\nno"
    );
    assert_eq!(lab.good(&["volume", "ls", "-q"]), "named");
    let about = lab.json(&["volume", "inspect", "named"]);
    assert!(
        about[0]["Mountpoint"]
            .as_str()
            .unwrap()
            .ends_with("volumes/named/_data")
    );
    assert_eq!(
        ground.sh(
            &["--tmpfs", "/t:size=64k"],
            "df -k /t | grep -c 64; echo x > /t/f"
        ),
        "1"
    );
    let ran = ground.run(&["--rm", "-v", "/nowhere-at-all:/x"], &["true"]);
    assert!(
        ran.status == 125 && ran.err.contains("/nowhere-at-all"),
        "{}",
        ran.err
    );
    lab.good(&["volume", "rm", "named"]);
    lab.bad(&["volume", "rm", "named"], "no such volume");
    ground.nothing_is_left();
}

#[test]
fn nameless_volumes_go_with_their_container_and_used_ones_stay() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    ground.good(
        &["--name", "v1", "-v", "/data", "-v", "used:/used"],
        &["true"],
    );
    assert_eq!(lab.good(&["volume", "ls", "-q"]).lines().count(), 2);
    lab.bad(&["volume", "rm", "used"], "uses it");
    lab.good(&["rm", "v1"]);
    assert_eq!(lab.good(&["volume", "ls", "-q"]), "used");
    assert_eq!(lab.good(&["volume", "prune", "-a"]), "used");
}

#[test]
fn a_new_volume_gets_what_the_image_has_there() {
    let Some(ground) = Ground::new() else { return };
    let first = ground.sh(&["-v", "etc:/etc"], "cat /etc/passwd");
    assert!(first.contains("web:x:33"), "{first}");
    ground.sh(&["-v", "etc:/etc"], "echo mine > /etc/passwd");
    assert_eq!(ground.sh(&["-v", "etc:/etc"], "cat /etc/passwd"), "mine");
    ground.lab.good(&["volume", "rm", "etc"]);
}

#[test]
fn a_read_only_root_can_be_written_only_where_it_is_said() {
    let Some(ground) = Ground::new() else { return };
    let seen = ground.sh(
        &["--read-only", "--tmpfs", "/tmp"],
        "touch /x 2>/dev/null || echo no; touch /tmp/x && echo yes",
    );
    assert_eq!(seen, "no\nyes");
}

#[test]
fn files_go_in_and_out_and_a_link_leads_nowhere_else() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    ground.good(&["-d", "--name", "c1", "--overlay"], &["sleep", "1000"]);
    lab.write("tree/a/b", "deep");
    lab.good(&["cp", "./tree", "c1:/tmp"]);
    assert_eq!(lab.good(&["exec", "c1", "cat", "/tmp/tree/a/b"]), "deep");
    lab.good(&["cp", "tree/.", "c1:/new"]);
    assert_eq!(lab.good(&["exec", "c1", "cat", "/new/a/b"]), "deep");
    lab.good(&["cp", "c1:/etc/passwd", "."]);
    assert!(
        std::fs::read_to_string(lab.path().join("passwd"))
            .unwrap()
            .contains("web")
    );
    lab.good(&[
        "exec",
        "c1",
        "sh",
        "-c",
        "busybox ln -s /etc/shadow /tmp/link",
    ]);
    lab.bad(&["cp", "c1:/tmp/link", "./stolen"], "no such file");
    assert!(!lab.path().join("stolen").exists());
    lab.bad(&["cp", "./a", "./b"], "CONTAINER:PATH");
    lab.good(&["rm", "-f", "c1"]);
    ground.nothing_is_left();
}

#[test]
fn an_image_runs_under_an_overlay_and_cannot_go_while_it_is_used() {
    let Some(ground) = Ground::new() else { return };
    let lab = &ground.lab;
    let tar = lab.path().join("root.tar");
    let made = std::process::Command::new("tar")
        .arg("-C")
        .arg(ground.root())
        .arg("-cf")
        .arg(&tar)
        .arg(".")
        .status();
    assert!(made.unwrap().success());
    lab.good(&["import", "root.tar", "mine:1"]);
    let run = |more: &[&str]| {
        let mut all = vec!["run", "--network", "none"];
        all.extend(more);
        lab.good(&all)
    };
    assert_eq!(
        run(&[
            "--rm",
            "mine:1",
            "sh",
            "-c",
            "rm /etc/group; ls /etc | grep -c group; echo"
        ])
        .trim(),
        "0"
    );
    assert_eq!(
        run(&["--rm", "mine:1", "sh", "-c", "ls /etc/group"]),
        "/etc/group"
    );
    assert_eq!(
        run(&["--name", "user", "--entrypoint", "echo", "mine:1", "hello"]),
        "hello"
    );
    let refused = lab.run(&["rmi", "mine:1"]);
    assert_ne!(refused.status, 0, "{refused:?}");
    lab.good(&["rm", "user"]);
    lab.good(&["rmi", "mine:1"]);
    assert_eq!(lab.listed("layers"), [] as [&str; 0]);
    ground.nothing_is_left();
}
