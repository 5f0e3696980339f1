use super::*;
use crate::plan::root::tests::{mapped, plain, spec};
use serde_json::{Value, json};

fn planned(devices: Value) -> Result<Devices> {
    plan(&spec(json!({"linux": {"devices": devices}})), &plain())
}

/// As `path kind mode major:minor uid:gid`.
fn shown(devices: &Devices) -> Vec<String> {
    let show = |node: &Device| {
        let kind = match node.mode & libc::S_IFMT {
            S_IFCHR => 'c',
            S_IFBLK => 'b',
            S_IFIFO => 'p',
            _ => '?',
        };
        let (path, mode) = (node.path.to_str().unwrap(), node.mode & 0o7777);
        format!(
            "{path} {kind} {mode:o} {}:{} {}:{}",
            node.major, node.minor, node.uid, node.gid
        )
    };
    devices.nodes.iter().map(show).collect()
}

const ALWAYS: [&str; 6] = [
    "dev/null c 666 1:3 0:0",
    "dev/zero c 666 1:5 0:0",
    "dev/full c 666 1:7 0:0",
    "dev/random c 666 1:8 0:0",
    "dev/urandom c 666 1:9 0:0",
    "dev/tty c 666 5:0 0:0",
];

#[test]
fn every_container_has_the_default_ones() {
    let devices = plan(&spec(json!({})), &plain()).unwrap();
    assert_eq!(shown(&devices), ALWAYS);
    assert!(
        devices
            .nodes
            .iter()
            .all(|node| node.make == Make::NodeOrBind && node.pointer.is_none())
    );
    let links: Vec<_> = devices
        .links
        .iter()
        .map(|link| (link.path.to_str().unwrap(), link.target.to_str().unwrap()))
        .collect();
    let expected = [
        ("dev/fd", "/proc/self/fd"),
        ("dev/stdin", "/proc/self/fd/0"),
        ("dev/stdout", "/proc/self/fd/1"),
        ("dev/stderr", "/proc/self/fd/2"),
        ("dev/core", "/proc/kcore"),
        ("dev/ptmx", "pts/ptmx"),
    ];
    assert_eq!(links, expected);
}

#[test]
fn given_devices() {
    for (device, expected) in [
        (
            json!({"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}),
            "dev/fuse c 666 10:229 0:0",
        ),
        (
            json!({"path": "/dev/fuse", "type": "u", "major": 10, "minor": 229, "fileMode": 0o600}),
            "dev/fuse c 600 10:229 0:0",
        ),
        (
            json!({"path": "/dev/sda", "type": "b", "major": 8, "minor": 0, "fileMode": 0o60660, "uid": 1, "gid": 6}),
            "dev/sda b 660 8:0 1:6",
        ),
        (
            json!({"path": "/opt//x/../pipe", "type": "p", "fileMode": 0o4622}),
            "opt/pipe p 4622 0:0 0:0",
        ),
        (
            json!({"path": "/p", "type": "p", "major": -1, "minor": -1}),
            "p p 666 0:0 0:0",
        ),
        (
            json!({"path": "/dev/m", "type": "c", "major": 4095, "minor": 1_048_575}),
            "dev/m c 666 4095:1048575 0:0",
        ),
    ] {
        let devices = planned(json!([device])).unwrap();
        assert_eq!(shown(&devices)[..6], ALWAYS);
        assert_eq!(shown(&devices)[6..], [expected]);
        assert_eq!(
            devices.nodes[6].pointer,
            Some(Pointer::from("/linux/devices/0"))
        );
    }
}

fn refused(devices: Value, pointer: &str, why: &str, hint: &str) {
    let line = planned(devices).unwrap_err().one_line();
    let start = format!("cannot make the devices: config.json#/linux/devices/{pointer}: refused: ");
    assert!(line.starts_with(&start), "{line}");
    assert!(line.contains(why) && line.ends_with(hint), "{line}");
}

#[test]
fn paths_and_types_that_are_refused() {
    let twice = json!([
        {"path": "/x", "type": "c", "major": 1, "minor": 3},
        {"path": "//x", "type": "b", "major": 1, "minor": 3},
    ]);
    let any = json!([{"path": "/x", "type": "a", "major": 1, "minor": 1}]);
    refused(any, "0/type", "no file can have this type", "p for a fifo)");
    refused(
        json!([{"path": "fuse", "type": "p"}]),
        "0/path",
        "must be absolute",
        "use /dev/fuse)",
    );
    refused(
        json!([{"path": "", "type": "p"}]),
        "0/path",
        "must be absolute",
        "such as /dev/fuse)",
    );
    refused(
        json!([{"path": "/..", "type": "p"}]),
        "0/path",
        "the container's root",
        "",
    );
    refused(
        json!([{"path": "/a\0b", "type": "p"}]),
        "0/path",
        "cannot hold the character NUL",
        "",
    );
    refused(
        twice,
        "1",
        "at the same path, by /linux/devices/0",
        "or change its path)",
    );
}

#[test]
fn numbers_that_are_refused() {
    let with = |name: &str, value: i64| {
        let mut device = json!({"path": "/x", "type": "b", "major": 1, "minor": 1});
        device[name] = json!(value);
        json!([device])
    };
    for (name, value, why) in [
        ("major", -1, "from 0 to 4095"),
        ("major", 4096, "from 0 to 4095"),
        ("minor", -1, "from 0 to 1048575"),
        ("minor", 1_048_576, "from 0 to 1048575"),
        ("minor", 1 << 32, "from 0 to 1048575"),
        ("uid", 4_294_967_295, "no owner at all"),
        ("gid", 4_294_967_295, "no owner at all"),
    ] {
        refused(with(name, value), &format!("0/{name}"), why, "");
    }
}

#[test]
fn a_given_device_replaces_the_default_one() {
    let devices = planned(json!([{"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o600, "uid": 7}])).unwrap();
    assert_eq!(shown(&devices)[..5], ALWAYS[1..]);
    assert_eq!(shown(&devices)[5..], ["dev/null c 600 1:3 7:0"]);
}

#[test]
fn the_same_device_twice_is_one() {
    let twice = json!([
        {"path": "/dev/kvm", "type": "c", "major": 10, "minor": 232},
        {"path": "/dev//kvm", "type": "u", "major": 10, "minor": 232, "fileMode": 0o600},
    ]);
    assert_eq!(
        shown(&planned(twice).unwrap())[6..],
        ["dev/kvm c 600 10:232 0:0"]
    );
}

#[test]
fn ptmx_is_always_the_containers_own() {
    let devices =
        planned(json!([{"path": "/dev/ptmx", "type": "c", "major": 5, "minor": 2}])).unwrap();
    assert_eq!(shown(&devices), ALWAYS);
    assert!(
        devices
            .links
            .iter()
            .any(|link| link.path.as_c_str() == c"dev/ptmx")
    );
}

#[test]
fn a_device_in_the_place_of_a_link_stands_alone() {
    let devices = planned(json!([{"path": "/dev/core", "type": "p"}])).unwrap();
    assert!(
        devices
            .links
            .iter()
            .all(|link| link.path.as_c_str() != c"dev/core")
    );
}

#[test]
fn a_bind_on_dev_brings_its_own() {
    for (mount, nodes) in [
        (
            json!({"destination": "/dev/", "source": "/dev", "options": ["rbind"]}),
            1,
        ),
        (
            json!({"destination": "/x/../dev", "type": "bind", "source": "/dev"}),
            1,
        ),
        (json!({"destination": "/dev", "type": "tmpfs"}), 8),
        (
            json!({"destination": "/dev/shm", "source": "/dev/shm", "options": ["bind"]}),
            8,
        ),
    ] {
        let devices = json!([{"path": "/dev/x", "type": "p"}, {"path": "/srv/x", "type": "p"}]);
        let spec = spec(json!({"mounts": [mount], "linux": {"devices": devices}}));
        let devices = plan(&spec, &plain()).unwrap();
        assert_eq!(devices.nodes.len(), nodes, "{mount}");
        assert_eq!(devices.links.is_empty(), nodes == 1, "{mount}");
        assert_eq!(devices.nodes.last().unwrap().path.as_c_str(), c"srv/x");
    }
}

#[test]
fn a_user_namespace_binds_the_hosts_nodes() {
    let list = json!([{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}, {"path": "/run/pipe", "type": "p"}]);
    let joined = Birth {
        user: UserNamespace::Joined,
        ..plain()
    };
    for birth in [mapped(), joined] {
        let devices = plan(&spec(json!({"linux": {"devices": list}})), &birth).unwrap();
        let made: Vec<&Make> = devices.nodes.iter().map(|node| &node.make).collect();
        assert_eq!(made[0], &Make::Bind);
        assert_eq!(made[6..], [&Make::Bind, &Make::Node]);
    }
}
