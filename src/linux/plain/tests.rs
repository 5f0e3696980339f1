use super::*;
use crate::linux::step::Step;
use crate::plan::sample::{bundle, request, root, user};
use crate::plan::{facts::Facts, plan};
use serde_json::{Value, json};
use std::path::PathBuf;

fn planned(more: Value, facts: &Facts) -> Plan {
    plan(&bundle(more), facts, &request()).unwrap()
}

/// The steps that a text tells of, by number.
fn told(text: &str) -> Vec<u8> {
    let numbered = text.lines().filter_map(|line| {
        line.split_once("  ")
            .and_then(|(_, rest)| rest.trim_start().split_once("  "))
    });
    numbered
        .filter_map(|(number, _)| number.parse().ok())
        .collect()
}

#[test]
fn a_step_is_told_or_summed_up_and_never_both() {
    let text = text(&planned(
        json!({"hostname": "h", "linux": {"namespaces": [{"type": "mount"}, {"type": "uts"}]}}),
        &root(),
    ));
    let left = text
        .lines()
        .find(|line| line.starts_with("Nothing to do for: "))
        .unwrap();
    for step in Step::ALL {
        let summed = left.contains(&format!(" {} {}", step.number(), step.words()));
        assert_ne!(
            told(&text).contains(&step.number()),
            summed,
            "{}",
            step.name()
        );
    }
    assert!(told(&text).is_sorted());
    assert!(
        left.contains("set the domain name") && !left.contains("set the host name"),
        "{left}"
    );
}

/// What is told, and the place beside it.
const TOLD: &[(&str, &str)] = &[
    (
        "maps user id 0 inside to 1000 outside",
        "/linux/uidMappings/0",
    ),
    (
        "limits RLIMIT_NOFILE to 64, at most 65",
        "/process/rlimits/0",
    ),
    ("killed when memory runs out by 7", "/process/oomScoreAdj"),
    (
        "namespaces: user, pid, mount, network, uts",
        "/linux/namespaces",
    ),
    (
        "on /data, the host's BUNDLE/data with all mounts below it: ro all the way down",
        "/mounts/1",
    ),
    ("25 lines of 80 characters", "/process/terminal"),
    (
        "createRuntime hook /bin/up as /bin/up, for at most 3 s",
        "/hooks/createRuntime/0",
    ),
    (
        "/proc/sys/net/ipv4/ip_forward = 1",
        "/linux/sysctl/net.ipv4.ip_forward",
    ),
    (
        "makes empty, if it is there: /proc/keys",
        "/linux/maskedPaths/0",
    ),
    (
        "makes read-only, if it is there: /proc/sys",
        "/linux/readonlyPaths/0",
    ),
    ("LINUX32", "/linux/personality/domain"),
    (
        "may never get more than: CAP_KILL",
        "/process/capabilities/bounding",
    ),
    ("- /tmp", "/process/cwd"),
    (r"- /bin/echo 'it'\''s'", "/process/args"),
    ("deleted, calls the hook /bin/down", "/hooks/poststop/0"),
];

#[test]
fn each_part_of_config_json_is_told_with_its_place() {
    let map = json!([{"containerID": 0, "hostID": 1000, "size": 1}]);
    let text = text(&planned(
        json!({
            "hostname": "h", "domainname": "d", "root": {"path": "rootfs", "readonly": true},
            "process": {
                "cwd": "/tmp", "args": ["/bin/echo", "it's"], "noNewPrivileges": true, "oomScoreAdj": 7,
                "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 65}],
                "capabilities": {"bounding": ["CAP_KILL"]}, "terminal": true, "consoleSize": {"height": 25, "width": 80},
            },
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/data", "source": "data", "options": ["rbind", "rro"]},
            ],
            "hooks": {"createRuntime": [{"path": "/bin/up", "timeout": 3}], "poststop": [{"path": "/bin/down"}]},
            "linux": {
                "namespaces": [{"type": "mount"}, {"type": "uts"}, {"type": "network"}, {"type": "pid"}, {"type": "user"}],
                "uidMappings": map, "gidMappings": map,
                "sysctl": {"net.ipv4.ip_forward": "1"}, "maskedPaths": ["/proc/keys"], "readonlyPaths": ["/proc/sys"],
                "personality": {"domain": "LINUX32"},
            },
        }),
        &root(),
    ));
    for (words, place) in TOLD {
        let mut lines = text
            .lines()
            .skip_while(|line| !(line.trim_start().starts_with("- ") && line.contains(words)));
        assert!(lines.next().is_some(), "{words}\n{text}");
        let source = lines.next().unwrap_or_default();
        assert!(
            source.ends_with(&format!("config.json#{place}")),
            "{words}: {source}"
        );
    }
}

#[test]
fn the_bundle_s_path_is_in_neither() {
    let more = json!({"mounts": [
        {"destination": "/a", "source": "data", "options": ["bind"]},
        {"destination": "/b", "type": "overlay", "source": "overlay", "options": ["lowerdir=/bundles/web/one:/bundles/web2"]},
    ]});
    let plan = planned(more, &root());
    let (text, json) = (text(&plan), json(&plan));
    assert_eq!(json["root"]["path"], "BUNDLE/rootfs");
    assert_eq!(json["bundle"], "BUNDLE");
    assert_eq!(json["mounts"][0]["source"]["bind"], "BUNDLE/data");
    for told in [text, json.to_string()] {
        assert!(
            !told.contains("/bundles/web/") && told.contains("lowerdir=BUNDLE/one:/bundles/web2"),
            "{told}"
        );
    }
}

#[test]
fn only_whole_paths_are_shortened() {
    for (given, bundle, expected) in [
        ("/b/x", "/b", "BUNDLE/x"),
        ("/bc /b", "/b", "/bc BUNDLE"),
        ("a/b", "/b", "a/b"),
        ("x=/b:/b/c,/b-d", "/b", "x=BUNDLE:BUNDLE/c,/b-d"),
        ("/etc", "/", "/etc"),
    ] {
        assert_eq!(bundled(given, &PathBuf::from(bundle)), expected, "{given}");
    }
}

#[test]
fn json_tells_flags_in_words_and_every_member_of_the_plan() {
    let map = json!([{"containerID": 0, "hostID": 1000, "size": 1}]);
    let gid = json!([{"containerID": 0, "hostID": 100, "size": 1}]);
    let plan = planned(
        json!({
            "process": {"rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": u64::MAX}]},
            "mounts": [{"destination": "/tmp", "type": "tmpfs", "options": ["nosuid", "noexec", "size=1m", "rslave"]}],
            "linux": {"namespaces": [{"type": "mount"}, {"type": "user"}], "uidMappings": map, "gidMappings": gid},
        }),
        &user(),
    );
    let json = json(&plan);
    assert_eq!(
        json["mounts"][0]["source"]["attributes"],
        json!(["nosuid", "noexec"])
    );
    assert_eq!(json["mounts"][0]["propagation"], json!(["rslave"]));
    assert_eq!(
        json["limits"][0],
        json!({"name": "RLIMIT_CORE", "number": 4, "soft": "0", "hard": "unlimited", "from": "/process/rlimits/0"})
    );
    assert_eq!(
        json["namespaces"]["user"]["uidMap"],
        json!({"text": "0 1000 1\n", "from": "/linux/uidMappings"})
    );
    assert_eq!(json["namespaces"]["user"]["setgroups"], "Deny");
    assert_eq!(json["user"]["groups"], "keep");
    assert_eq!(json["process"]["keyring"], "_ses.web");
    assert_eq!(json["namespaces"]["cloneFlags"], "0x10020000");
}
