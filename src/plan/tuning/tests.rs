use super::*;
use crate::plan::sample::{birth, spec, told};
use serde_json::{Value, json};

fn owning(kinds: &str) -> Birth {
    let list: Value = kinds
        .split_whitespace()
        .map(|kind| json!({"type": kind}))
        .collect();
    birth(json!({"linux": {"namespaces": list}}))
}

fn planned(name: &str, kinds: &str) -> Result<Vec<Sysctl>> {
    let spec = spec(json!({"linux": {"sysctl": {name: "1"}}}));
    sysctls(&spec, &owning(kinds))
}

#[test]
fn both_ways_of_writing_a_name_lead_to_its_file() {
    for (name, path) in [
        ("net.ipv4.ip_forward", "sys/net/ipv4/ip_forward"),
        ("net/ipv4/ip_forward", "sys/net/ipv4/ip_forward"),
        (
            "net.ipv4.conf.eth0/100.forwarding",
            "sys/net/ipv4/conf/eth0.100/forwarding",
        ),
        (
            "net/ipv4/conf/eth0.100/forwarding",
            "sys/net/ipv4/conf/eth0.100/forwarding",
        ),
        ("kernel.shm_rmid_forced", "sys/kernel/shm_rmid_forced"),
        ("fs.mqueue.msg_max", "sys/fs/mqueue/msg_max"),
        ("kernel.domainname", "sys/kernel/domainname"),
    ] {
        let found = planned(name, "mount network ipc uts").unwrap();
        assert_eq!(found[0].path.to_str().unwrap(), path, "{name}");
        assert_eq!(found[0].value, b"1");
    }
}

#[test]
fn a_parameter_of_the_host_is_refused() {
    for (name, kinds, words) in [
        (
            "net.core.somaxconn",
            "mount ipc uts",
            "without its own network namespace",
        ),
        (
            "kernel.sem",
            "mount network uts",
            "without its own ipc namespace",
        ),
        (
            "fs.mqueue.msg_max",
            "mount",
            "without its own ipc namespace",
        ),
        (
            "kernel.domainname",
            "mount",
            "without its own uts namespace",
        ),
        (
            "user.max_user_namespaces",
            "mount",
            "without its own user namespace",
        ),
        ("kernel.hostname", "mount uts", "/hostname is there for it"),
        ("kernel.panic", "mount network ipc uts", "no namespace has"),
        ("kernel.semaphores", "mount ipc", "no namespace has"),
        ("vm.swappiness", "mount network ipc uts", "no namespace has"),
        ("network.x", "mount network", "no namespace has"),
        ("net", "mount network", "no namespace has"),
        ("net..x", "mount network", "no name of a parameter"),
        ("net.ipv4.", "mount network", "no name of a parameter"),
        (
            "net/../kernel/panic",
            "mount network",
            "no name of a parameter",
        ),
        (
            "net.//.kernel.panic",
            "mount network",
            "no name of a parameter",
        ),
        ("net/./x", "mount network", "no name of a parameter"),
        ("", "mount network", "no name of a parameter"),
        ("net.x\u{0}", "mount network", "NUL"),
    ] {
        let (place, line) = told(&planned(name, kinds).unwrap_err());
        assert_eq!(
            place,
            Pointer::from("/linux/sysctl").at(name).as_str(),
            "{line}"
        );
        assert!(line.contains(words), "{name}: {line}");
    }
}

#[test]
fn sysctls_are_in_the_order_of_their_names() {
    let spec = spec(json!({"linux": {"sysctl": {"net.b": "2", "net.a": "1", "kernel.sem": "3"}}}));
    let found = sysctls(&spec, &owning("mount network ipc")).unwrap();
    let paths: Vec<&str> = found.iter().map(|one| one.path.to_str().unwrap()).collect();
    assert_eq!(paths, ["sys/kernel/sem", "sys/net/a", "sys/net/b"]);
}

fn named(more: Value, kinds: &str) -> (Result<Names>, Vec<String>) {
    let mut warnings = Vec::new();
    let names = names(&spec(more), &owning(kinds), &mut warnings);
    (names, warnings)
}

#[test]
fn names_need_a_namespace_of_their_own_and_64_bytes() {
    let (names, _) = named(
        json!({"hostname": "h".repeat(64), "domainname": "d"}),
        "mount uts",
    );
    let names = names.unwrap();
    assert_eq!(names.host.unwrap().as_bytes(), "h".repeat(64).as_bytes());
    assert_eq!(names.domain.as_deref(), Some(c"d"));
    assert_eq!(
        named(json!({"hostname": ""}), "mount").0.unwrap(),
        Names::default()
    );
    for (more, kinds, place, words) in [
        (
            json!({"hostname": "h"}),
            "mount",
            "/hostname",
            "without its own uts namespace",
        ),
        (
            json!({"domainname": "d"}),
            "mount",
            "/domainname",
            "without its own uts namespace",
        ),
        (
            json!({"hostname": "h".repeat(65)}),
            "mount uts",
            "/hostname",
            "it has 65 bytes",
        ),
        (
            json!({"domainname": "ä".repeat(33)}),
            "mount uts",
            "/domainname",
            "it has 66 bytes",
        ),
        (
            json!({"hostname": "a\u{0}"}),
            "mount uts",
            "/hostname",
            "NUL",
        ),
    ] {
        let (pointer, line) = told(&named(more, kinds).0.unwrap_err());
        assert_eq!(pointer, place, "{line}");
        assert!(line.contains(words), "{line}");
    }
}

#[test]
fn personality_is_a_number_and_its_flags_a_warning() {
    for (personality, number, warned) in [
        (json!({"domain": "LINUX"}), 0, 0),
        (json!({"domain": "LINUX32"}), 8, 0),
        (json!({"domain": "LINUX32", "flags": []}), 8, 0),
        (
            json!({"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}),
            0,
            1,
        ),
    ] {
        let (names, warnings) = named(json!({"linux": {"personality": personality}}), "mount");
        assert_eq!(
            (names.unwrap().personality, warnings.len()),
            (Some(number), warned)
        );
    }
}
