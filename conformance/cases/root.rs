//! The root file system: where it is, whether it can be written, how its mounts propagate.

use serde_json::json;

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("its-files-are-the-bundles", files),
    Case::new("writes-stay-in-the-bundle", writes),
    Case::new("read-only", read_only),
    Case::new("read-only-leaves-volumes-writable", read_only_volumes),
    Case::new("absolute-path", absolute),
    Case::new("missing-is-refused", missing),
    Case::new("a-file-is-refused", plain_file),
    Case::new("no-root-is-refused", no_root),
    Case::new("propagation-private", |lab| {
        propagation(lab, "private", Seen::Nothing)
    }),
    Case::new("propagation-rprivate", |lab| {
        propagation(lab, "rprivate", Seen::Nothing)
    }),
    Case::new("propagation-slave", |lab| {
        propagation(lab, "slave", Seen::Master)
    }),
    Case::new("propagation-rslave", |lab| {
        propagation(lab, "rslave", Seen::Master)
    }),
    Case::new("propagation-shared", |lab| {
        propagation(lab, "shared", Seen::Shared)
    })
    .deviates(&[(
        "runc",
        "1.1 sets the word before it binds the root, which then is private",
    )]),
    Case::new("propagation-unbindable", |lab| {
        propagation(lab, "unbindable", Seen::Unbindable)
    })
    .deviates(&[(
        "runc",
        "1.1 sets the word before it binds the root, which then is private",
    )]),
    Case::new("propagation-unknown-is-refused", propagation_unknown)
        .deviates(&[("crun", "takes any word")]),
    Case::new("mounts-inside-do-not-reach-the-host", mounts_stay_inside),
    Case::new("no-pivot", no_pivot),
    Case::new("dot-dot-of-the-root-is-the-root", dot_dot),
    Case::new("bundle-on-a-read-only-mount", read_only_bundle),
];

/// What mountinfo shows for `/`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    Master,
    Shared,
    Unbindable,
}

fn files(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("cat /etc/issue; ls /");
    })?;
    bundle.file("etc/issue", "of the bundle\n")?;
    let said = lab.run_in(&bundle)?;
    ensure!(said.out.starts_with("of the bundle\n"), "output: {said}");
    let listing: Vec<_> = said.out.lines().skip(1).collect();
    same(
        "ls /",
        listing,
        vec![
            "bin", "dev", "etc", "proc", "root", "sys", "tmp", "usr", "var",
        ],
    )
}

fn writes(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("echo kept > /root/note");
    })?;
    lab.run_in(&bundle)?;
    same(
        "note",
        std::fs::read_to_string(bundle.rootfs().join("root/note"))?.as_str(),
        "kept\n",
    )
}

fn read_only(lab: &Lab) -> Outcome {
    let out = lab.look("touch /x || echo refused; mkdir /etc/x || echo refused; echo > /etc/passwd || echo refused", |spec| {
        spec.set("/root/readonly", json!(true));
    })?;
    same("output", out.as_str(), "refused\nrefused\nrefused\n")
}

fn read_only_volumes(lab: &Lab) -> Outcome {
    let folder = lab.folder("host")?;
    let out = lab.look(
        "touch /tmp/x && touch /mnt/x && touch /dev/shm/x && echo fine",
        |spec| {
            spec.set("/root/readonly", json!(true))
                .mount("/tmp", "tmpfs", "tmpfs", &[])
                .bind(&folder.to_string_lossy(), "/mnt", &["bind"]);
        },
    )?;
    same("output", out.as_str(), "fine\n")
}

fn absolute(lab: &Lab) -> Outcome {
    let other = lab.bundle(|_| ())?;
    other.file("etc/issue", "elsewhere\n")?;
    let out = lab.look("cat /etc/issue", |spec| {
        spec.set("/root/path", json!(other.rootfs().to_string_lossy()));
    })?;
    same("output", out.as_str(), "elsewhere\n")
}

fn missing(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/root/path", json!("no-such-root"));
    })?;
    contains("the refusal", &said.err, "no-such-root")
}

fn plain_file(lab: &Lab) -> Outcome {
    lab.refuse(|spec| {
        spec.set("/root/path", json!("config.json"));
    })
    .map(drop)
}

fn no_root(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.remove("/root");
    })?;
    mentions("the refusal", &said.err, &["root"])
}

fn propagation(lab: &Lab, word: &str, want: Seen) -> Outcome {
    let text = lab.look("cat /proc/self/mountinfo", |spec| {
        spec.set("/linux/rootfsPropagation", json!(word));
    })?;
    let root = probe::mounted(&text, "/")?;
    let has = |start: &str| root.propagation.iter().any(|part| part.starts_with(start));
    // The host's mounts are shared here, so a slave root has a master.
    let found = match (has("shared:"), has("master:"), has("unbindable")) {
        (true, _, _) => Seen::Shared,
        (_, true, _) => Seen::Master,
        (_, _, true) => Seen::Unbindable,
        _ => Seen::Nothing,
    };
    // A slave without a master is the same as a private mount.
    let same = found == want || (want == Seen::Master && found == Seen::Nothing);
    ensure!(same, "{word}: found {root:?}");
    Ok(())
}

fn propagation_unknown(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.set("/linux/rootfsPropagation", json!("sideways"));
    })?;
    contains("the refusal", &said.err, "sideways")
}

/// The host's mounts are shared: what the container mounts must not come out, whatever the word.
fn mounts_stay_inside(lab: &Lab) -> Outcome {
    let before = std::fs::read_to_string("/proc/self/mountinfo")?;
    let container = lab.started(|spec| {
        spec.capabilities(&["CAP_SYS_ADMIN"])
            .mount("/mnt", "tmpfs", "tmpfs", &["rshared"])
            .sh("mkdir /mnt/a && mount -t tmpfs inside /mnt/a && mount -t tmpfs inside /tmp && echo ready; exec sleep 99");
    })?;
    container.wrote("ready")?;
    let now = std::fs::read_to_string("/proc/self/mountinfo")?;
    container.end()?;
    same(
        "mounts of the host",
        now.lines().count(),
        before.lines().count(),
    )
}

fn no_pivot(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("ls /; cat /etc/issue; cd ..; ls -d etc; exec sleep 99");
    })?;
    bundle.file("etc/issue", "of the bundle\n")?;
    let container = Container::create_with(lab, &bundle, &lab.id("nopivot"), &["--no-pivot"])?;
    container.start()?;
    container.wrote("of the bundle\netc\n")?;
    container.end()
}

fn dot_dot(lab: &Lab) -> Outcome {
    let out = lab.look(
        "cd /; cd ../../../..; pwd; ls -di / /.. | awk '{print $1}' | uniq | wc -l",
        |_| (),
    )?;
    same(
        "output",
        out.split_whitespace().collect::<Vec<_>>(),
        vec!["/", "1"],
    )
}

/// An image that is mounted read-only, with nothing to make in it.
fn read_only_bundle(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/root/readonly", json!(true)).sh("echo fine");
    })?;
    lab.run_in(&bundle)?;
    let rootfs = bundle.rootfs();
    let path = rootfs.to_string_lossy();
    lab.host(&["mount", "--bind", &path, &path])?;
    lab.host(&["mount", "-o", "remount,bind,ro", &path])?;
    let said = lab.run_in(&bundle);
    lab.host(&["umount", &path])?;
    same("output", said?.out.as_str(), "fine\n")
}
