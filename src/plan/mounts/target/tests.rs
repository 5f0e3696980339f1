use super::*;
use crate::plan::mounts::tests::single;
use serde_json::json;

#[test]
fn destinations() {
    for (written, target) in [
        ("/data", c"data"),
        ("data", c"data"),
        ("/a//b/", c"a/b"),
        ("/a/./b", c"a/b"),
        ("/../../x", c"x"),
        ("/a/../../b", c"b"),
        ("/procfs", c"procfs"),
        ("/x/proc", c"x/proc"),
        ("/proc/meminfo", c"proc/meminfo"),
        ("/sys", c"sys"),
        ("/sys/fs/cgroup", c"sys/fs/cgroup"),
    ] {
        let op =
            single(json!({"destination": written, "source": "/srv", "options": ["bind"]})).unwrap();
        assert_eq!(op.target.as_c_str(), target, "{written}");
        assert_eq!(
            op.links == TargetLinks::Refuse,
            written == "/sys",
            "{written}"
        );
    }
}

#[test]
fn places_where_nothing_may_be_mounted() {
    for (destination, why) in [
        ("/", "the container's root file system is there"),
        ("", "the path is empty"),
        ("/a/..", "the container's root file system is there"),
        ("/a\0", "a C string cannot hold the character NUL"),
        (
            "/proc",
            "only a proc file system, new or the host's /proc, may stand there",
        ),
        (
            "//proc/.",
            "only a proc file system, new or the host's /proc, may stand there",
        ),
        (
            "/proc/self/attr",
            "a mount in /proc could deceive whoever reads or writes the kernel's settings there",
        ),
        (
            "/proc/net/dev",
            "a mount in /proc could deceive whoever reads or writes the kernel's settings there",
        ),
        (
            "/x/../proc/sys",
            "a mount in /proc could deceive whoever reads or writes the kernel's settings there",
        ),
    ] {
        for mount in [
            json!({"destination": destination, "type": "tmpfs", "source": "tmpfs"}),
            json!({"destination": destination, "source": "/srv", "options": ["rbind"]}),
            json!({"destination": destination, "type": "sysfs"}),
        ] {
            let line = single(mount).unwrap_err().one_line();
            assert!(
                line.contains(": config.json#/mounts/0/destination: refused: "),
                "{line}"
            );
            assert!(line.contains(why), "{destination}: {line}");
        }
    }
}

#[test]
fn what_may_stand_on_proc() {
    for (mount, fine) in [
        (
            json!({"destination": "/proc", "type": "proc", "source": "proc"}),
            true,
        ),
        (
            json!({"destination": "/proc", "source": "/proc", "options": ["rbind"]}),
            true,
        ),
        (
            json!({"destination": "/proc", "type": "bind", "source": "/proc/"}),
            true,
        ),
        (
            json!({"destination": "/proc", "type": "proc", "source": "/srv", "options": ["bind"]}),
            false,
        ),
        (
            json!({"destination": "/proc", "source": "/proc/..", "options": ["bind"]}),
            false,
        ),
        (
            json!({"destination": "/proc", "source": "proc", "options": ["bind"]}),
            false,
        ),
        (json!({"destination": "/proc/sub", "type": "proc"}), false),
    ] {
        match single(mount.clone()) {
            Ok(op) => assert!(
                fine && op.links == TargetLinks::Refuse && op.may_cover_proc(),
                "{mount}"
            ),
            Err(error) => assert!(!fine, "{error}"),
        }
    }
    assert!(
        !single(json!({"destination": "/procession", "type": "tmpfs"}))
            .unwrap()
            .may_cover_proc()
    );
}

#[test]
fn proc_and_sysfs_follow_no_links_wherever_they_are() {
    for (kind, links) in [
        ("proc", TargetLinks::Refuse),
        ("sysfs", TargetLinks::Refuse),
        ("tmpfs", TargetLinks::Inside),
    ] {
        assert_eq!(
            single(json!({"destination": "/x", "type": kind}))
                .unwrap()
                .links,
            links,
            "{kind}"
        );
    }
}
