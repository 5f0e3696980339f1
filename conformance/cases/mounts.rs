//! Mounts: the ordinary set, options one by one, propagation, and what is refused.

use serde_json::json;

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;
use crate::probe::{self, Mount};

pub(super) const CASES: &[Case] = &[
    Case::new("the-ordinary-set-is-there", ordinary_set),
    Case::new("nothing-of-the-hosts-is-seen", nothing_of_hosts),
    Case::new("flag-options", flag_options),
    Case::new("negative-options", negative_options)
        .deviates(&[("crun", "a later opposite changes nothing")]),
    Case::new("rw-after-ro", rw_after_ro).deviates(&[("crun", "ro stays")]),
    Case::new("option-defaults", defaults).deviates(&[(
        "runc",
        "1.1 gives defaults to the file system, which newer kernels refuse",
    )]),
    Case::new("tmpfs-size-and-mode", tmpfs_data),
    Case::new("tmpfs-uid-and-gid", tmpfs_owner),
    Case::new("noexec-is-in-force", noexec),
    Case::new("read-only-tmpfs", read_only_tmpfs),
    Case::new("propagation-options", propagation)
        .deviates(&[("crun", "does not share a mount of its own making")]),
    Case::new("overlay", overlay),
    Case::new("later-covers-earlier", order),
    Case::new("unknown-option-is-an-error", unknown_option),
    Case::new("unknown-type-is-an-error", unknown_type),
    Case::new("mqueue-and-shm-work", mqueue_and_shm),
    Case::new("cgroup-mount-shows-the-own-group", cgroup_mount),
    Case::new("sysfs-is-read-only", sysfs_read_only),
    Case::new(
        "relative-destination-starts-at-the-root",
        relative_destination,
    ),
    Case::new("destination-is-made", destination_made)
        .deviates(&[("crun", "makes directories with mode 1755")]),
    Case::new("devpts-is-its-own", devpts_is_own),
    Case::new("many-mounts", many),
];

/// The mount at `target` inside, with `edit` done to config.json.
fn seen(lab: &Lab, target: &str, edit: impl FnOnce(&mut crate::spec::Spec)) -> Outcome<Mount> {
    probe::mounted(&lab.look("cat /proc/self/mountinfo", edit)?, target)
}

fn ordinary_set(lab: &Lab) -> Outcome {
    let text = lab.look("cat /proc/self/mountinfo", |_| ())?;
    for (target, kind, options) in [
        ("/proc", "proc", &["rw"][..]),
        ("/dev", "tmpfs", &["nosuid", "size=65536k", "mode=755"]),
        (
            "/dev/pts",
            "devpts",
            &["nosuid", "noexec", "gid=5", "mode=620", "ptmxmode=666"],
        ),
        (
            "/dev/shm",
            "tmpfs",
            &["nosuid", "nodev", "noexec", "size=65536k"],
        ),
        ("/dev/mqueue", "mqueue", &["nosuid", "nodev", "noexec"]),
        ("/sys", "sysfs", &["ro", "nosuid", "nodev", "noexec"]),
        (
            "/sys/fs/cgroup",
            "cgroup2",
            &["ro", "nosuid", "nodev", "noexec", "relatime"],
        ),
    ] {
        let mount = probe::mounted(&text, target)?;
        same(&format!("type of {target}"), mount.kind.as_str(), kind)?;
        for option in options {
            ensure!(mount.has(option), "{target} has no {option}: {mount:?}");
        }
    }
    Ok(())
}

/// The host's root must be gone, not only covered.
fn nothing_of_hosts(lab: &Lab) -> Outcome {
    let text = lab.look("cat /proc/self/mountinfo", |_| ())?;
    let roots: Vec<_> = probe::mounts(&text)
        .into_iter()
        .filter(|mount| mount.target == "/")
        .collect();
    same("mounts at /", roots.len(), 1)?;
    let allowed = ["/", "/proc", "/dev", "/sys"];
    for mount in probe::mounts(&text) {
        let known = allowed.iter().any(|top| {
            mount.target == *top || mount.target.starts_with(&format!("{top}/")) && *top != "/"
        });
        ensure!(known, "a mount that config.json does not name: {mount:?}");
    }
    Ok(())
}

fn flag_options(lab: &Lab) -> Outcome {
    for option in [
        "ro",
        "nosuid",
        "nodev",
        "noexec",
        "noatime",
        "nodiratime",
        "relatime",
    ] {
        let mount = seen(lab, "/mnt", |spec| {
            spec.mount("/mnt", "tmpfs", "tmpfs", &[option]);
        })?;
        ensure!(mount.has(option), "{option} is not in force: {mount:?}");
    }
    for option in ["sync", "dirsync"] {
        let mount = seen(lab, "/mnt", |spec| {
            spec.mount("/mnt", "tmpfs", "tmpfs", &[option]);
        })?;
        ensure!(mount.has(option), "{option} is not in force: {mount:?}");
    }
    Ok(())
}

/// The last of contradicting options wins.
fn negative_options(lab: &Lab) -> Outcome {
    let mount = seen(lab, "/mnt", |spec| {
        spec.mount(
            "/mnt",
            "tmpfs",
            "tmpfs",
            &["nosuid", "noexec", "nodev", "suid", "exec", "dev"],
        );
    })?;
    for option in ["nosuid", "noexec", "nodev"] {
        ensure!(
            !mount.options.iter().any(|o| o == option),
            "{option} is still in force: {mount:?}"
        );
    }
    let mount = seen(lab, "/mnt", |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["strictatime"]);
    })?;
    ensure!(
        !mount.has("relatime") && !mount.has("noatime"),
        "strictatime is not in force: {mount:?}"
    );
    Ok(())
}

fn rw_after_ro(lab: &Lab) -> Outcome {
    let mount = seen(lab, "/mnt", |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["ro", "rw"]);
    })?;
    ensure!(!mount.has("ro"), "ro is still in force: {mount:?}");
    Ok(())
}

fn defaults(lab: &Lab) -> Outcome {
    let mount = seen(lab, "/mnt", |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["defaults"]);
    })?;
    same("type", mount.kind.as_str(), "tmpfs")
}

fn tmpfs_data(lab: &Lab) -> Outcome {
    let out = lab.look("stat -c %a /mnt; df -k /mnt | tail -1", |spec| {
        spec.mount(
            "/mnt",
            "tmpfs",
            "tmpfs",
            &["nosuid", "mode=1750", "size=512k", "nr_inodes=100"],
        );
    })?;
    ensure!(out.starts_with("1750\n"), "mode: {out:?}");
    contains("size", &out, " 512 ")
}

fn tmpfs_owner(lab: &Lab) -> Outcome {
    let out = lab.look("stat -c %u:%g /mnt", |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["uid=1000", "gid=50"]);
    })?;
    same("owner", out.trim(), "1000:50")
}

fn noexec(lab: &Lab) -> Outcome {
    let out = lab.look("cp /bin/busybox /mnt/true && /mnt/true; echo $?", |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["noexec"]);
    })?;
    same("exit code", out.trim(), "126")
}

fn read_only_tmpfs(lab: &Lab) -> Outcome {
    let out = lab.look("touch /mnt/x 2>&1 || echo refused", |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["ro"]);
    })?;
    contains("touch", &out, "refused")?;
    mentions("touch", &out, &["read-only"])
}

fn propagation(lab: &Lab) -> Outcome {
    for (option, want) in [
        ("private", ""),
        ("rprivate", ""),
        ("shared", "shared:"),
        ("rshared", "shared:"),
        ("unbindable", "unbindable"),
    ] {
        let mount = seen(lab, "/mnt", |spec| {
            spec.mount("/mnt", "tmpfs", "tmpfs", &[option]);
        })?;
        let found = mount.propagation.join(" ");
        ensure!(
            if want.is_empty() {
                found.is_empty()
            } else {
                found.starts_with(want)
            },
            "{option}: propagation {found:?}"
        );
    }
    // A slave needs a master: a bind of one of the host's shared mounts.
    let folder = lab.folder("host")?;
    for option in ["slave", "rslave"] {
        let mount = seen(lab, "/mnt", |spec| {
            spec.bind(&folder.to_string_lossy(), "/mnt", &["bind", option]);
        })?;
        ensure!(
            mount.propagation.iter().any(|p| p.starts_with("master:")),
            "{option}: {mount:?}"
        );
        ensure!(
            !mount.propagation.iter().any(|p| p.starts_with("shared:")),
            "{option}: {mount:?}"
        );
    }
    Ok(())
}

fn overlay(lab: &Lab) -> Outcome {
    let (lower, upper, work) = (
        lab.folder("lower")?,
        lab.folder("upper")?,
        lab.folder("work")?,
    );
    std::fs::write(lower.join("below"), "of the lower\n")?;
    let data = [
        ("lowerdir", &lower),
        ("upperdir", &upper),
        ("workdir", &work),
    ];
    let data: Vec<_> = data
        .iter()
        .map(|(key, dir)| format!("{key}={}", dir.display()))
        .collect();
    let options: Vec<_> = data.iter().map(String::as_str).collect();
    let out = lab.look("cat /mnt/below; echo new > /mnt/above", |spec| {
        spec.mount("/mnt", "overlay", "overlay", &options);
    })?;
    same("lower file", out.as_str(), "of the lower\n")?;
    same(
        "upper file",
        std::fs::read_to_string(upper.join("above"))?.as_str(),
        "new\n",
    )
}

fn order(lab: &Lab) -> Outcome {
    let out = lab.look("ls /mnt; ls /mnt/inner", |spec| {
        spec.mount("/mnt", "tmpfs", "first", &[])
            .mount("/mnt/inner", "tmpfs", "second", &[])
            .mount("/mnt", "tmpfs", "third", &[])
            .mount("/mnt/inner", "tmpfs", "fourth", &["size=4k"]);
    })?;
    same("listing", out.trim(), "inner")
}

fn unknown_option(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["siz=64m"]);
    })?;
    mentions("the refusal", &said.err, &["mnt", "siz=64m"])
}

fn unknown_type(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        spec.mount("/mnt", "nosuchfs", "none", &[]);
    })?;
    mentions("the refusal", &said.err, &["nosuchfs", "mnt"])
}

fn mqueue_and_shm(lab: &Lab) -> Outcome {
    let out = lab.look("echo x > /dev/shm/a && cat /dev/shm/a; stat -c %a /dev/shm; touch /dev/mqueue/q && ls /dev/mqueue", |_| ())?;
    same("output", out.as_str(), "x\n1777\nq\n")
}

fn cgroup_mount(lab: &Lab) -> Outcome {
    let out = lab.look(
        "cat /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused",
        |_| (),
    )?;
    ensure!(
        out.lines().any(|line| line == "1"),
        "pid 1 is not in the group that is mounted: {out:?}"
    );
    contains("mkdir", &out, "refused")
}

fn sysfs_read_only(lab: &Lab) -> Outcome {
    let out = lab.look(
        "echo x > /sys/power/state 2>&1 || echo refused; ls /sys | grep -c kernel",
        |_| (),
    )?;
    contains("a write", &out, "refused")?;
    contains("ls /sys", &out, "1")
}

fn relative_destination(lab: &Lab) -> Outcome {
    let mount = seen(lab, "/mnt/here", |spec| {
        spec.mount("mnt/here", "tmpfs", "tmpfs", &[]);
    })?;
    same("type", mount.kind.as_str(), "tmpfs")
}

fn destination_made(lab: &Lab) -> Outcome {
    let out = lab.look("stat -c '%F %a' /a /a/b /a/b/c", |spec| {
        spec.mount("/a/b/c", "tmpfs", "tmpfs", &["mode=0700"]);
    })?;
    same(
        "directories",
        out.as_str(),
        "directory 755\ndirectory 755\ndirectory 700\n",
    )
}

/// A devpts of its own: its first terminal is number 0, and the host's are not listed.
fn devpts_is_own(lab: &Lab) -> Outcome {
    let (_screen, _slave) = crate::pty::pair()?;
    same(
        "terminals inside",
        lab.look("ls /dev/pts", |_| ())?.as_str(),
        "ptmx\n",
    )
}

fn many(lab: &Lab) -> Outcome {
    let out = lab.look("grep -c /many/ /proc/self/mountinfo", |spec| {
        for number in 0..100 {
            spec.push("/mounts", json!({"destination": format!("/many/{number}"), "type": "tmpfs", "source": "tmpfs", "options": ["size=4k"]}));
        }
    })?;
    same("mounts", out.trim(), "100")
}
