//! Whose ids a container has.

use super::ground::Ground;
use super::image::image_with;
use super::images::base;
use super::layout::layout;
use serde_json::json;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

const MAP: [&str; 2] = ["--uidmap", "0:100000:65536"];

/// What this kernel and this file system do not do is told by the engine in words.
fn can_map(ground: &Ground) -> bool {
    let ran = ground.run(&["--rm", MAP[0], MAP[1]], &["true"]);
    if ran.status != 0 {
        println!("skipped: {}", ran.err);
        assert!(ran.err.contains("owners"), "{}", ran.err);
    }
    ran.status == 0
}

#[test]
fn a_map_shows_all_files_under_the_containers_owners() {
    let Some(ground) = Ground::new() else { return };
    if !can_map(&ground) {
        return;
    }
    let lab = &ground.lab;
    layout(
        lab,
        "i",
        &image_with(
            super::images::architecture(),
            json!({}),
            vec![base(&ground)],
        ),
        "v1",
    );
    let script = "read a b c < /proc/self/uid_map; echo $a $b $c; id -u; stat -c %u:%g /etc/passwd / /tmp; busybox rm -f /etc/new; touch /etc/new && stat -c %u /etc/new; chown 7 /etc/new && echo chowned";
    let expected = "0 100000 65536\n0\n0:0\n0:0\n0:0\n0\nchowned";
    for flags in [&["--rm"][..], &["--rm", "--overlay"]] {
        assert_eq!(
            ground.good(&[flags, &MAP].concat(), &["sh", "-c", script]),
            expected,
            "{flags:?}"
        );
    }
    assert_eq!(
        ground.root().join("etc/new").metadata().unwrap().uid(),
        7,
        "on the host it is the shown id"
    );
    let run = |more: &[&str], script: &str| {
        let first = ["run", "-q", "--network", "none"];
        lab.good(&[&first[..], &MAP, more, &["oci:i", "sh", "-c", script]].concat())
    };
    assert_eq!(run(&["--rm"], script), expected);
    both_maps_a_volume_and_an_earlier_life(&ground, &run);
}

fn both_maps_a_volume_and_an_earlier_life(ground: &Ground, run: &dyn Fn(&[&str], &str) -> String) {
    let lab = &ground.lab;
    assert_eq!(
        run(
            &["--rm", "--gidmap", "0:200000:10"],
            "tail -n1 /proc/self/gid_map 2>/dev/null || cat /proc/self/gid_map"
        )
        .split_whitespace()
        .collect::<Vec<_>>(),
        ["0", "200000", "10"]
    );
    assert_eq!(
        run(&["--rm", "-v", "vol:/d"], "touch /d/x; stat -c %u /d /d/x"),
        "0\n0"
    );
    assert_eq!(
        run(
            &["--name", "again"],
            "cat /kept 2>/dev/null; echo kept > /kept"
        ),
        ""
    );
    assert_eq!(lab.good(&["start", "-a", "again"]), "kept");
    lab.good(&["rm", "again"]);
    lab.good(&["volume", "rm", "vol"]);
    ground.nothing_is_left();
}

#[test]
fn files_that_are_copied_in_belong_to_the_container() {
    let Some(ground) = Ground::new() else { return };
    if !can_map(&ground) {
        return;
    }
    let lab = &ground.lab;
    ground.good(
        &["-d", "--name", "m1", "--overlay", MAP[0], MAP[1]],
        &["sleep", "1000"],
    );
    lab.write("tree/file", "x");
    lab.good(&["cp", "./tree", "m1:/tmp/"]);
    assert_eq!(
        lab.good(&[
            "exec",
            "m1",
            "stat",
            "-c",
            "%u:%g",
            "/tmp/tree",
            "/tmp/tree/file"
        ]),
        "0:0\n0:0"
    );
    let tar = Command::new("tar")
        .args(["-cf", "-", "tree"])
        .current_dir(lab.path())
        .output()
        .unwrap();
    assert_eq!(lab.run_with(&["cp", "-", "m1:/etc"], &tar.stdout).status, 0);
    assert_eq!(
        lab.good(&["exec", "m1", "stat", "-c", "%u:%g", "/etc/tree/file"]),
        "0:0"
    );
    assert_eq!(lab.good(&["exec", "m1", "id", "-u"]), "0");
    lab.good(&["rm", "-f", "m1"]);
    ground.nothing_is_left();
}

/// A script on a host of its own: with these lines in /etc/subuid and /etc/subgid, and no network but a loopback device.
#[track_caller]
fn script(ground: &Ground, ranges: &str, text: &str) -> (bool, String) {
    let engine = ground.lab.command();
    let mut line = engine.get_program().to_string_lossy().into_owned();
    for word in engine.get_args() {
        line = format!("{line} {}", word.to_string_lossy());
    }
    let file = ground.lab.write("ranges", ranges);
    let text = format!(
        "touch /etc/subuid /etc/subgid; mount --bind {file} /etc/subuid; mount --bind {file} /etc/subgid; ip link set lo up\nE='{line}'\n{text}"
    );
    let output = Command::new("unshare")
        .args(["-nm", "sh", "-ec", &text])
        .current_dir(ground.lab.path())
        .output()
        .unwrap();
    let all = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), all)
}

#[test]
fn each_container_gets_a_range_of_its_own() {
    let Some(ground) = Ground::new() else { return };
    if !can_map(&ground) {
        return;
    }
    let (good, said) = script(
        &ground,
        "other:1:5\ncontainers:300000:150000\n",
        "R='run --network none --userns auto'
         $E $R -d --name one --overlay ./root sleep 100 >/dev/null
         $E $R -d --name two --overlay ./root sleep 100 >/dev/null
         $E $R --name three --overlay ./root true 2>&1 | grep -e cause -e hint || true
         $E exec one cat /proc/self/uid_map; $E exec two cat /proc/self/uid_map
         $E rm -f one >/dev/null
         $E $R --rm --overlay ./root cat /proc/self/uid_map
         $E run --rm --network none --userns auto:size=100 ./root cat /proc/self/gid_map
         $E rm -f two three >/dev/null",
    );
    assert!(good, "{said}");
    assert!(
        said.contains("no 65536 ids are free in 150000 from 300000"),
        "{said}"
    );
    assert!(
        said.contains("add containers:200000:1048576 to /etc/subuid"),
        "{said}"
    );
    let maps: Vec<Vec<&str>> = said
        .lines()
        .map(|line| line.split_whitespace().collect())
        .filter(|words: &Vec<&str>| words.len() == 3 && words[0] == "0")
        .collect();
    let map = |first, count| vec!["0", first, count];
    assert_eq!(
        maps,
        [
            map("300000", "65536"),
            map("365536", "65536"),
            map("300000", "65536"),
            map("300000", "100")
        ],
        "{said}"
    );
    ground.nothing_is_left();
}

#[test]
fn a_network_belongs_to_the_containers_user_namespace() {
    let Some(ground) = Ground::new() else { return };
    if !can_map(&ground) {
        return;
    }
    let (good, said) = script(
        &ground,
        "",
        "$E run -d --name web --uidmap 0:100000:65536 --cap-add NET_ADMIN -p 18082:80 --overlay ./root sh -c 'ip link set lo down && ip link set lo up && echo mine > /tmp/index.html; exec busybox httpd -f -p 80 -h /tmp' >/dev/null
         for i in 1 2 3 4 5 6 7 8 9 10; do busybox wget -qO- http://127.0.0.1:18082/ && break; sleep 0.3; done
         $E exec web ls /sys/class/net
         $E rm -f web >/dev/null",
    );
    assert!(good, "{said}");
    assert!(said.contains("mine") && said.contains("eth0"), "{said}");
    ground.nothing_is_left();
}

#[test]
fn words_that_mean_nothing_are_refused_with_those_that_do() {
    let Some(ground) = Ground::new() else { return };
    for (flags, why) in [
        (&["--userns", "keep-id"][..], "--userns auto"),
        (&["--userns", "nomap"], "this is root"),
        (&["--userns", "other"], "use host, keep-id, auto or nomap"),
        (&["--uidmap", "0:a:1"], "--uidmap 0:100000:65536"),
        (&["--uidmap", "0:5:9", "--userns", "auto"], "not together"),
    ] {
        let all: Vec<&str> = ["--rm"].iter().chain(flags).copied().collect();
        let ran = ground.run(&all, &["true"]);
        assert!(
            ran.status == 125 && ran.err.contains(why),
            "{flags:?}: {}",
            ran.err
        );
    }
    let host = ground.sh(&["--userns", "host"], "cat /proc/self/uid_map");
    assert_eq!(
        host.split_whitespace().collect::<Vec<_>>(),
        ["0", "0", "4294967295"]
    );
    ground.nothing_is_left();
}
