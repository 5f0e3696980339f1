//! User namespaces made by root: the maps, and who owns what.

use std::os::unix::fs::MetadataExt;

use serde_json::json;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;
use crate::probe;

const NEEDS: &[Need] = &[Need::Root, Need::UserNs];

pub(super) const CASES: &[Case] = &[
    Case::new("maps-are-written-exactly", maps).needs(NEEDS),
    Case::new("root-inside-is-another-outside", root_inside).needs(NEEDS),
    Case::new("another-user-inside", other_user).needs(NEEDS),
    Case::new("files-belong-to-the-mapped-user", owners).needs(NEEDS),
    Case::new("devices-work", devices).needs(NEEDS),
    Case::new("own-proc-and-sys", own_proc).needs(NEEDS),
    Case::new("capabilities-end-at-the-namespace", capabilities_end).needs(NEEDS),
    Case::new("additional-groups", groups).needs(NEEDS),
    Case::new(
        "mappings-without-a-namespace-are-refused",
        without_namespace,
    )
    .needs(NEEDS)
    .deviates(&[
        ("runc", "1.1 ignores the mappings"),
        ("crun", "ignores the mappings"),
    ]),
    Case::new("a-user-outside-the-map-is-refused", unmapped_user).needs(NEEDS),
    Case::new("overlapping-maps-are-refused", overlapping)
        .needs(NEEDS)
        .deviates(&[
            ("crun", "1.28 leaves the cgroup"),
            ("runc", "1.1 leaves a cgroup now and then"),
        ]),
    Case::new("volumes-and-tmpfs", volumes).needs(NEEDS),
    Case::new("sysctl-of-its-own-network", sysctl).needs(NEEDS),
    Case::new("namespaces-belong-to-the-user-namespace", ownership).needs(NEEDS),
];

/// The first id of the range outside.
const BASE: u32 = 100_000;

/// What a script prints in a container with ids mapped to BASE….
fn look(lab: &Lab, script: &str, edit: impl FnOnce(&mut crate::spec::Spec)) -> Outcome<String> {
    let bundle = lab.bundle(|spec| {
        spec.user_namespace(BASE, 65536).sh(script);
        edit(spec);
    })?;
    bundle.give_to(BASE)?;
    let said = lab.run_in(&bundle)?;
    ensure!(
        said.status.success(),
        "run {script:?}: expected success, found {said}"
    );
    Ok(said.out)
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn maps(lab: &Lab) -> Outcome {
    let out = look(
        lab,
        "cat /proc/self/uid_map; echo; cat /proc/self/gid_map",
        |spec| {
            spec.set("/linux/uidMappings", json!([
            {"containerID": 0, "hostID": 100_000, "size": 1000}, {"containerID": 1000, "hostID": 300_000, "size": 10}]));
            spec.set(
                "/linux/gidMappings",
                json!([{"containerID": 0, "hostID": 100_000, "size": 5000}]),
            );
        },
    )?;
    same(
        "uid_map and gid_map",
        words(&out),
        words("0 100000 1000 1000 300000 10 0 100000 5000"),
    )
}

fn root_inside(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.user_namespace(BASE, 65536);
    })?;
    let status = probe::proc_file(container.pid, "status")?;
    same(
        "uids outside",
        probe::field(&status, "Uid")?.as_str(),
        "100000 100000 100000 100000",
    )?;
    same(
        "gids outside",
        probe::field(&status, "Gid")?.as_str(),
        "100000 100000 100000 100000",
    )?;
    ensure!(
        probe::namespace(container.pid, "user")? != probe::own_namespace("user")?,
        "the user namespace is the host's"
    );
    container.end()?;
    same("uid inside", look(lab, "id -u", |_| ())?.trim(), "0")
}

fn other_user(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.user_namespace(BASE, 65536)
            .set("/process/user", json!({"uid": 1000, "gid": 50}));
    })?;
    let status = probe::proc_file(container.pid, "status")?;
    same(
        "uid outside",
        probe::field(&status, "Uid")?.as_str(),
        "101000 101000 101000 101000",
    )?;
    same(
        "gid outside",
        probe::field(&status, "Gid")?.as_str(),
        "100050 100050 100050 100050",
    )?;
    container.end()
}

fn owners(lab: &Lab) -> Outcome {
    let folder = lab.folder("host")?;
    std::os::unix::fs::chown(&folder, Some(BASE), Some(BASE))?;
    let path = folder.to_string_lossy().into_owned();
    let out = look(
        lab,
        "stat -c %u:%g /mnt /etc/passwd; touch /mnt/new; chown 5:6 /mnt/new",
        |spec| {
            spec.bind(&path, "/mnt", &["bind"])
                .capabilities(&["CAP_CHOWN"]);
        },
    )?;
    same("owners inside", words(&out), vec!["0:0", "0:0"])?;
    let meta = folder.join("new").metadata()?;
    same(
        "owner outside",
        (meta.uid(), meta.gid()),
        (BASE + 5, BASE + 6),
    )
}

fn devices(lab: &Lab) -> Outcome {
    let out = look(
        lab,
        "echo x > /dev/null && head -c 4 /dev/zero | od -An -tx1; head -c 8 /dev/urandom | wc -c; stat -c '%F %t:%T' /dev/null",
        |_| (),
    )?;
    same(
        "output",
        words(&out),
        words("00 00 00 00 8 character special file 1:3"),
    )
}

fn own_proc(lab: &Lab) -> Outcome {
    let out = look(lab, "ls -d /proc/[0-9]*; ls /sys/class/net", |_| ())?;
    same(
        "processes and interfaces",
        words(&out),
        vec!["/proc/1", "lo"],
    )
}

/// All capabilities inside; none of them is of use on what the host owns.
fn capabilities_end(lab: &Lab) -> Outcome {
    let song = lab.canary().join("song");
    let path = song.to_string_lossy().into_owned();
    let out = look(
        lab,
        "echo x > /mnt/song || echo refused; mknod /tmp/sda b 8 0 || echo refused; hostname other && hostname",
        |spec| {
            spec.bind(&path, "/mnt/song", &["bind"]);
            spec.capabilities(&[
                "CAP_DAC_OVERRIDE",
                "CAP_MKNOD",
                "CAP_SYS_ADMIN",
                "CAP_CHOWN",
            ]);
        },
    )?;
    same("output", out.as_str(), "refused\nrefused\nother\n")
}

fn groups(lab: &Lab) -> Outcome {
    let out = look(lab, "id -G", |spec| {
        spec.set(
            "/process/user",
            json!({"uid": 0, "gid": 0, "additionalGids": [7, 1000]}),
        );
    })?;
    let mut found = words(&out);
    found.sort_unstable();
    same("groups", found, vec!["0", "1000", "7"])
}

fn without_namespace(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set(
            "/linux/uidMappings",
            json!([{"containerID": 0, "hostID": 1, "size": 1}]),
        );
        spec.set(
            "/linux/gidMappings",
            json!([{"containerID": 0, "hostID": 1, "size": 1}]),
        );
    })?;
    mentions("the refusal", &said.err, &["user", "mapping"])
}

fn unmapped_user(lab: &Lab) -> Outcome {
    lab.refuse(|spec| {
        spec.user_namespace(BASE, 10)
            .set("/process/user", json!({"uid": 1000, "gid": 1000}));
    })
    .map(drop)
}

fn overlapping(lab: &Lab) -> Outcome {
    lab.refuse(|spec| {
        spec.user_namespace(BASE, 10).push(
            "/linux/uidMappings",
            json!({"containerID": 5, "hostID": 1, "size": 10}),
        );
    })
    .map(drop)
}

fn volumes(lab: &Lab) -> Outcome {
    let out = look(
        lab,
        "touch /tmp/a && stat -c %u /tmp /tmp/a; echo x > /new/dir/a && cat /new/dir/a",
        |spec| {
            spec.mount("/tmp", "tmpfs", "tmpfs", &["mode=1777"]).mount(
                "/new/dir",
                "tmpfs",
                "tmpfs",
                &["mode=0755"],
            );
        },
    )?;
    same("output", words(&out), vec!["0", "0", "x"])
}

fn sysctl(lab: &Lab) -> Outcome {
    let out = look(lab, "cat /proc/sys/net/ipv4/ip_forward", |spec| {
        spec.set("/linux/sysctl", json!({"net.ipv4.ip_forward": "1"}));
    })?;
    same("value", out.trim(), "1")
}

/// A namespace that the host's user namespace owned would refuse what its root may do.
fn ownership(lab: &Lab) -> Outcome {
    let out = look(
        lab,
        "ip link set lo down && ip link set lo up && echo net; mount -t tmpfs x /tmp && echo mnt; hostname y && echo uts",
        |spec| {
            spec.capabilities(&["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]);
        },
    )?;
    contains("output", &out, "net\nmnt\nuts\n")
}
