//! A user without privileges: the one id that everybody has, in a user namespace of its own.

use super::ground::Ground;
use super::lab::program;
use super::stranger;
use std::os::unix::fs::{PermissionsExt as _, chown};

/// Runs the program as the stranger.
fn run(ground: &Ground, words: &[&str]) -> (i32, String) {
    let place = ground.lab.path();
    let mut engine = stranger::engine(place);
    engine.env("XDG_RUNTIME_DIR", place.join("run")).args(words);
    let (status, text) = stranger::said(&mut engine);
    (status, text.trim_end().to_owned())
}

/// The lab belongs to the stranger, and has copies of the programs that they may run.
fn ground() -> Option<Ground> {
    let ground = Ground::new()?;
    let place = ground.lab.path();
    std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755)).unwrap();
    if !stranger::may_make_user_namespaces() {
        return None;
    }
    std::fs::copy(program(), place.join("orbital-engine")).unwrap();
    std::fs::copy(program().with_file_name("orbital"), place.join("orbital")).unwrap();
    for entry in walk(place) {
        std::os::unix::fs::lchown(&entry, Some(stranger::ID), Some(stranger::ID)).unwrap();
    }
    chown(place, Some(stranger::ID), Some(stranger::ID)).unwrap();
    Some(ground)
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&entry.path()));
        }
        found.push(entry.path());
    }
    found
}

#[test]
fn a_user_runs_containers_stops_them_and_leaves_nothing() {
    let Some(ground) = ground() else { return };
    let none = ["run", "--rm", "--network", "none"];
    let with = |more: &[&'static str]| none.iter().chain(more).copied().collect::<Vec<_>>();
    let (status, text) = run(&ground, &with(&["./root", "sh", "-c", "id -u; exit 5"]));
    assert_eq!((status, text.as_str()), (5, "0"));
    let (status, text) = run(
        &ground,
        &with(&[
            "--overlay",
            "./root",
            "sh",
            "-c",
            "rm /etc/group; touch /new; ls /etc",
        ]),
    );
    assert!(status == 0 && !text.contains("group"), "{text}");
    assert!(ground.root().join("etc/group").exists());
    let (status, id) = run(
        &ground,
        &[
            "run",
            "-d",
            "--name",
            "u1",
            "--network",
            "none",
            "--overlay",
            "./root",
            "sleep",
            "1000",
        ],
    );
    assert_eq!(status, 0, "{id}");
    assert_eq!(
        run(&ground, &["exec", "u1", "sh", "-c", "echo inside"]),
        (0, "inside".to_owned())
    );
    let (_, table) = run(&ground, &["ps"]);
    assert!(table.contains(&id[..12]), "{table}");
    assert_eq!(run(&ground, &["stop", "-t", "0", "u1"]).0, 0);
    assert_eq!(run(&ground, &["cp", "u1:/etc/passwd", "./out"]).0, 0);
    assert_eq!(run(&ground, &["rm", "u1"]), (0, "u1".to_owned()));
    let left =
        std::fs::read_dir(ground.lab.path().join(".local/share/orbital/containers")).unwrap();
    assert_eq!(
        left.flatten()
            .filter(|entry| entry.file_name() != "lock")
            .count(),
        0
    );
    let host = ["run", "--rm", "--network", "host", "./root", "true"];
    assert_eq!(run(&ground, &host), (0, String::new()));
}

#[test]
fn a_users_own_id_is_kept_or_nobodys() {
    let Some(ground) = ground() else { return };
    let words = |mode: &'static str, script: &'static str| {
        [
            "run",
            "--rm",
            "--network",
            "none",
            "--overlay",
            "--userns",
            mode,
            "./root",
            "sh",
            "-c",
            script,
        ]
    };
    let seen = run(
        &ground,
        &words(
            "keep-id",
            "id -u; id -g; touch /tmp/mine && stat -c %u /tmp/mine; stat -c %u /etc/passwd",
        ),
    );
    assert_eq!(seen, (0, "54321\n54321\n54321\n54321".to_owned()));
    let seen = run(
        &ground,
        &words(
            "keep-id:uid=0,gid=0",
            "id -u; cat /proc/self/uid_map | tr -s ' '",
        ),
    );
    assert_eq!(seen, (0, "0\n 0 0 1".to_owned()));
    for (mode, why) in [
        ("nomap", "no ids but their own"),
        ("auto", "no 4096 ids are free"),
    ] {
        let (status, told) = run(&ground, &words(mode, "true"));
        assert!(
            status == 125 && told.contains(why) && told.contains("/etc/subuid"),
            "{mode}: {told}"
        );
    }
    ground.nothing_is_left();
}
