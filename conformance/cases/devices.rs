//! Device nodes, the links in /dev, and the filter that refuses all others.

use serde_json::json;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, same};
use crate::lab::Lab;
use crate::spec::Spec;

pub(super) const CASES: &[Case] = &[
    Case::new("default-nodes", default_nodes),
    Case::new("links", links),
    Case::new("default-nodes-work-for-a-user", work_for_user),
    Case::new("extra-nodes", extra),
    Case::new("extra-node-below-a-new-directory", nested),
    Case::new("extra-node-replaces-a-default", replaces),
    Case::new("a-kind-of-its-own-is-refused", bad_kind).deviates(&[("crun", "accepts it")]),
    Case::new("filter-denies-what-is-not-listed", filter_denies)
        .needs(&[Need::Root, Need::CgroupV2]),
    Case::new("filter-allows-what-is-listed", filter_allows).needs(&[Need::Root, Need::CgroupV2]),
    Case::new("filter-by-access", filter_access).needs(&[Need::Root, Need::CgroupV2]),
    Case::new("filter-last-rule-wins", filter_order).needs(&[Need::Root, Need::CgroupV2]),
    Case::new("filter-lets-mknod-pass", filter_mknod).needs(&[Need::Root, Need::CgroupV2]),
    Case::new("no-rules-still-have-the-defaults", no_rules),
    Case::new("dev-from-the-image", dev_of_image),
    Case::new("the-images-own-ptmx-gives-way", image_ptmx),
    Case::new("nothing-else-in-dev", nothing_else),
    Case::new("a-bound-dev-is-left-alone", bound_dev),
];

fn default_nodes(lab: &Lab) -> Outcome {
    let out = lab.look(
        "cd /dev; stat -c '%n %F %t:%T %a %u:%g' null zero full random urandom tty",
        |_| (),
    )?;
    for (name, number) in [
        ("null", "1:3"),
        ("zero", "1:5"),
        ("full", "1:7"),
        ("random", "1:8"),
        ("urandom", "1:9"),
        ("tty", "5:0"),
    ] {
        contains(
            "nodes",
            &out,
            &format!("{name} character special file {number} 666 0:"),
        )?;
    }
    Ok(())
}

fn links(lab: &Lab) -> Outcome {
    let out = lab.look("cd /dev; readlink fd stdin stdout stderr ptmx; for l in fd stdin stdout stderr ptmx; do readlink $l; done | sort -u", |_| ())?;
    for link in [
        "/proc/self/fd",
        "/proc/self/fd/0",
        "/proc/self/fd/1",
        "/proc/self/fd/2",
        "pts/ptmx",
    ] {
        ensure!(
            out.lines()
                .any(|line| line == link || (link == "pts/ptmx" && line == "/dev/pts/ptmx")),
            "no link to {link}: {out:?}"
        );
    }
    Ok(())
}

fn work_for_user(lab: &Lab) -> Outcome {
    let out = lab.look("echo x > /dev/null && head -c 2 /dev/zero | wc -c; head -c 2 /dev/urandom | wc -c; echo x 2>/dev/null > /dev/full || echo full", |spec| {
        spec.set("/process/user", json!({"uid": 1000, "gid": 1000}));
    })?;
    same("output", out.as_str(), "2\n2\nfull\n")
}

fn node(spec: &mut Spec, path: &str, kind: &str, major: i64, minor: i64) {
    spec.push("/linux/devices", json!({"path": path, "type": kind, "major": major, "minor": minor, "fileMode": 0o640, "uid": 3, "gid": 4}));
}

fn extra(lab: &Lab) -> Outcome {
    let out = lab.look(
        "stat -c '%n %F %t:%T %a %u:%g' /dev/a /dev/b /dev/p",
        |spec| {
            node(spec, "/dev/a", "c", 10, 229);
            node(spec, "/dev/b", "b", 7, 3);
            spec.push(
                "/linux/devices",
                json!({"path": "/dev/p", "type": "p", "fileMode": 0o600}),
            );
        },
    )?;
    let want = "/dev/a character special file a:e5 640 3:4\n/dev/b block special file 7:3 640 3:4\n/dev/p fifo 0:0 600 0:0\n";
    same("nodes", out.as_str(), want)
}

fn nested(lab: &Lab) -> Outcome {
    let out = lab.look("stat -c '%F %t:%T' /dev/net/tun /opt/odd", |spec| {
        node(spec, "/dev/net/tun", "c", 10, 200);
        node(spec, "/opt/odd", "c", 1, 3);
    })?;
    same(
        "nodes",
        out.as_str(),
        "character special file a:c8\ncharacter special file 1:3\n",
    )
}

fn replaces(lab: &Lab) -> Outcome {
    let out = lab.look("stat -c '%t:%T %a %g' /dev/null", |spec| {
        let rule = json!({"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rwm"});
        spec.push("/linux/resources/devices", rule);
        spec.push("/linux/devices", json!({"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o622, "uid": 0, "gid": 9}));
    })?;
    same("null", out.trim(), "1:3 622 9")
}

fn bad_kind(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        node(spec, "/dev/x", "z", 1, 3);
    })?;
    ensure!(!said.err.is_empty(), "refused without a word");
    Ok(())
}

/// What a container with CAP_MKNOD gets when it makes and opens c 1:NUMBER.
fn tried(lab: &Lab, how: &str, rules: serde_json::Value) -> Outcome<String> {
    let script = format!(
        "rm -f /tmp/d; mknod /tmp/d c 1 11 && {{ {how}; }} 2>/dev/null && echo opened || echo refused"
    );
    let out = lab.look(&script, |spec| {
        spec.capabilities(&["CAP_MKNOD", "CAP_SYSLOG"])
            .set("/linux/resources/devices", rules);
    })?;
    Ok(out.trim().to_owned())
}

/// c 1:11 is kmsg, which opens without side effects when it is allowed.
fn filter_denies(lab: &Lab) -> Outcome {
    same(
        "kmsg",
        tried(
            lab,
            "true < /tmp/d",
            json!([{"allow": false, "access": "rwm"}]),
        )?
        .as_str(),
        "refused",
    )
}

fn filter_allows(lab: &Lab) -> Outcome {
    let rules = json!([{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm"}]);
    same(
        "kmsg",
        tried(lab, "true < /tmp/d", rules)?.as_str(),
        "opened",
    )?;
    let wide = json!([{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "access": "rwm"}]);
    same(
        "kmsg by its major",
        tried(lab, "true < /tmp/d", wide)?.as_str(),
        "opened",
    )?;
    let all = json!([{"allow": true, "access": "rwm"}]);
    same(
        "kmsg when all is allowed",
        tried(lab, "true < /tmp/d", all)?.as_str(),
        "opened",
    )
}

fn filter_access(lab: &Lab) -> Outcome {
    let rules = || json!([{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rm"}]);
    same(
        "reading",
        tried(lab, "true < /tmp/d", rules())?.as_str(),
        "opened",
    )?;
    same(
        "writing",
        tried(lab, "true >> /tmp/d", rules())?.as_str(),
        "refused",
    )
}

fn filter_order(lab: &Lab) -> Outcome {
    let rules = json!([{"allow": true, "access": "rwm"}, {"allow": false, "type": "c", "major": 1, "minor": 11, "access": "rwm"}]);
    let out = lab.look("mknod /tmp/d c 1 11 2>/dev/null && true 2>/dev/null < /tmp/d && echo opened || echo refused", |spec| {
        spec.capabilities(&["CAP_MKNOD", "CAP_SYSLOG"]).set("/linux/resources/devices", rules);
    })?;
    same("kmsg", out.trim(), "refused")
}

/// All runtimes let a container make nodes; only opening them is filtered.
fn filter_mknod(lab: &Lab) -> Outcome {
    let out = lab.look(
        "mknod /tmp/d b 8 0 && stat -c '%F' /tmp/d; true 2>/dev/null < /tmp/d || echo refused",
        |spec| {
            spec.capabilities(&["CAP_MKNOD"]);
        },
    )?;
    same("output", out.as_str(), "block special file\nrefused\n")
}

fn no_rules(lab: &Lab) -> Outcome {
    let out = lab.look(
        "echo x > /dev/null && head -c 1 /dev/zero | wc -c && true < /dev/pts/ptmx && echo fine",
        |spec| {
            spec.remove("/linux/resources");
        },
    )?;
    same("output", out.as_str(), "1\nfine\n")
}

/// Without a mount at /dev the nodes are made in the image.
fn dev_of_image(lab: &Lab) -> Outcome {
    let out = lab.look(
        "stat -c '%F %t:%T' /dev/null; readlink /dev/stdin; echo x > /dev/null && echo fine",
        |spec| {
            for place in ["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"] {
                spec.no_mount(place);
            }
        },
    )?;
    same(
        "output",
        out.as_str(),
        "character special file 1:3\n/proc/self/fd/0\nfine\n",
    )
}

/// A node of the image would lead to whatever devpts lies beside it; the link leads to the container's own.
fn image_ptmx(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        for place in ["/dev/shm", "/dev/mqueue", "/dev"] {
            spec.no_mount(place);
        }
        spec.sh("readlink /dev/ptmx; true < /dev/ptmx && echo fine");
    })?;
    let dev = bundle.rootfs().join("dev");
    std::fs::create_dir_all(dev.join("pts"))?;
    let ptmx = dev.join("ptmx").to_string_lossy().into_owned();
    lab.host(&["mknod", "-m", "666", &ptmx, "c", "5", "2"])?;
    let said = lab.run_in(&bundle)?;
    same("output", said.out.as_str(), "pts/ptmx\nfine\n")
}

fn nothing_else(lab: &Lab) -> Outcome {
    let out = lab.look("ls /dev", |_| ())?;
    let known = [
        "console", "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm",
        "stderr", "stdin", "stdout", "tty", "urandom", "zero",
    ];
    for name in out.lines() {
        ensure!(known.contains(&name), "an unexpected /dev/{name}");
    }
    Ok(())
}

/// A bind of the host's /dev is the caller's wish: no node may be made or replaced in it.
fn bound_dev(lab: &Lab) -> Outcome {
    let folder = lab.folder("dev")?;
    lab.host(&[
        "mknod",
        "-m",
        "666",
        &folder.join("null").to_string_lossy(),
        "c",
        "1",
        "3",
    ])?;
    let before = crate::probe::fingerprint(&folder)?;
    let out = lab.look("ls /dev", |spec| {
        for place in ["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"] {
            spec.no_mount(place);
        }
        spec.bind(&folder.to_string_lossy(), "/dev", &["rbind", "rprivate"]);
    })?;
    same("ls /dev", out.as_str(), "null\n")?;
    ensure!(
        crate::probe::fingerprint(&folder)? == before,
        "the host's directory was changed"
    );
    Ok(())
}
