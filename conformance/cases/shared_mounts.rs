//! A container without a mount namespace of its own: it is in the runtime's, with a root of its own, and
//! everything that was mounted for it goes with it.

use serde_json::json;

use crate::case::Case;
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;
use crate::probe;
use crate::spec::Spec;

const LEAVE: &[(&str, &str)] = &[
    ("runc", "1.1 leaves the mounts on the host"),
    ("crun", "1.28 leaves the mounts on the host"),
];

pub(super) const CASES: &[Case] = &[
    Case::new("the-mount-namespace-is-the-runtimes", inherited).deviates(LEAVE),
    Case::new("the-root-is-its-own", own_root).deviates(LEAVE),
    Case::new("mounts-lie-below-the-root", below).deviates(LEAVE),
    Case::new("other-namespaces-see-no-mounts-in-it", others).deviates(LEAVE),
    Case::new("a-volume-spreads-nothing", volume).deviates(LEAVE),
    Case::new("a-slave-volume-hears-the-host", slave).deviates(LEAVE),
    Case::new("masks-spare-the-host", masks).deviates(&[
        ("runc", "refuses masks without a mount namespace"),
        ("crun", "1.28 leaves the mounts on the host"),
    ]),
    Case::new("read-only-root", read_only).deviates(LEAVE),
    Case::new("exec-has-the-same-root", second).deviates(&[
        ("runc", "1.1 leaves the mounts on the host"),
        ("crun", "1.28 gives exec the root of the host"),
    ]),
    Case::new("a-failed-create-leaves-no-mount", failed).deviates(LEAVE),
    Case::new("a-covered-root-is-not-forgotten", covered).deviates(LEAVE),
    Case::new("a-user-namespace-is-refused", user).deviates(&[
        ("runc", "1.1 says nothing of the mount namespace"),
        ("crun", "1.28 says nothing of the mount namespace"),
    ]),
    Case::new("the-hosts-root-is-refused", hosts_root).deviates(&[
        ("runc", "1.1 mounts over the host's /sys before it fails"),
        ("crun", "1.28 mounts over the host's own"),
    ]),
    Case::new("the-runtimes-namespace-by-path-is-refused", by_path).deviates(&[
        ("runc", "1.1 takes the host's root away from everybody"),
        ("crun", "1.28 takes the host's root away from everybody"),
    ]),
];

/// An ordinary container among the mounts of its caller.
pub(super) fn among(spec: &mut Spec) -> &mut Spec {
    spec.no_namespace("mount")
        .remove("/linux/maskedPaths")
        .remove("/linux/readonlyPaths")
}

/// Lines of a process's mountinfo from the mount point on.
fn mounts(pid: &str) -> Outcome<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/mountinfo"))?;
    let from_place = |line: &str| line.split(' ').skip(4).collect::<Vec<_>>().join(" ");
    Ok(text.lines().map(from_place).collect())
}

fn more(now: Vec<String>, before: &[String]) -> Vec<String> {
    now.into_iter()
        .filter(|line| !before.contains(line))
        .collect()
}

fn inherited(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        among(spec).sh("readlink /proc/self/ns/mnt; exec sleep 99");
    })?;
    let own = probe::own_namespace("mnt")?;
    same(
        "mount namespace",
        probe::namespace(container.pid, "mnt")?,
        own.clone(),
    )?;
    container.wrote("]\n")?;
    contains("seen from inside", &container.output()?, &own)?;
    container.end()
}

fn own_root(lab: &Lab) -> Outcome {
    let out = lab.look(
        "ls /; cat /canary/song ../canary/song; echo pwd $PWD; ls -d /proc/self /dev/null /dev/shm /sys/kernel",
        |spec| {
            among(spec).set("/process/cwd", json!("/tmp"));
        },
    );
    let out = out?;
    ensure!(!out.contains("the host's own"), "the host's files: {out}");
    mentions("the own root", &out, &["bin\n"])?;
    contains(
        "the rest",
        &out,
        "pwd /tmp\n/dev/null\n/dev/shm\n/proc/self\n/sys/kernel\n",
    )
}

fn below(lab: &Lab) -> Outcome {
    let before = mounts("self")?;
    let bundle = lab.bundle(|spec| {
        among(spec);
    })?;
    let container = crate::container::Container::create(lab, &bundle, &lab.id("box"))?;
    let now = mounts("self")?;
    let root = format!("{}/rootfs", bundle.arg());
    let lost = before.iter().filter(|line| !now.contains(line)).count();
    same("mounts of the host that are others now", lost, 0)?;
    let new = more(now, &before);
    ensure!(new.len() >= 5, "expected mounts below {root}: {new:?}");
    for line in &new {
        ensure!(line.starts_with(&root), "outside of {root}: {line}");
        ensure!(!line.contains("shared:"), "it spreads: {line}");
    }
    container.end()
}

/// A namespace that hears of what is mounted on the host, as most services' do.
fn others(lab: &Lab) -> Outcome {
    let mut keeper = lab.spawn(std::process::Command::new("unshare").args([
        "-m",
        "--propagation",
        "slave",
        "sleep",
        "99",
    ]))?;
    let pid = keeper.pid().to_string();
    // By then the propagation is set, too.
    crate::check::eventually(
        "a mount namespace",
        std::time::Duration::from_secs(5),
        || Ok(probe::proc_file(keeper.pid().as_raw(), "comm")?.trim() == "sleep"),
    )?;
    let before = mounts(&pid)?;
    let container = lab.create(|spec| {
        among(spec);
    })?;
    let during = more(mounts(&pid)?, &before);
    container.end()?;
    let after = more(mounts(&pid)?, &before);
    keeper.signal(nix::sys::signal::Signal::SIGKILL);
    keeper.wait()?;
    ensure!(during.len() <= 1, "more than the root: {during:?}");
    same("mounts left there", after.len(), 0)
}

/// A container mounts a tmpfs in a directory of the host's that is bound into it.
fn volume(lab: &Lab) -> Outcome {
    let folder = lab.folder("volume")?;
    std::fs::create_dir(folder.join("inner"))?;
    let source = folder.to_string_lossy().into_owned();
    let container = lab.create(|spec| {
        among(spec).bind(&source, "/volume", &["rbind"]).mount(
            "/volume/inner",
            "tmpfs",
            "tmpfs",
            &[],
        );
    })?;
    let spread = mounts("self")?
        .into_iter()
        .find(|line| line.starts_with(&source));
    same("a mount in the host's own folder", spread, None)?;
    container.end()
}

fn slave(lab: &Lab) -> Outcome {
    let folder = lab.folder("volume")?;
    let later = folder.join("later").to_string_lossy().into_owned();
    std::fs::create_dir(&later)?;
    let source = folder.to_string_lossy().into_owned();
    let container = lab.started(|spec| {
        among(spec)
            .bind(&source, "/volume", &["rbind", "rslave"])
            .sh("while ! test -e /volume/later/here; do sleep 0.05; done; echo heard; exec sleep 99");
    })?;
    lab.host(&["mount", "-t", "tmpfs", "later", &later])?;
    std::fs::write(format!("{later}/here"), "")?;
    let heard = container.wrote("heard\n");
    lab.host(&["umount", &later])?;
    heard?;
    container.end()
}

fn masks(lab: &Lab) -> Outcome {
    let uptime = || std::fs::read_to_string("/proc/uptime");
    ensure!(!uptime()?.is_empty(), "the host has no uptime");
    let container = lab.started(|spec| {
        spec.no_namespace("mount")
            .set("/linux/maskedPaths", json!(["/proc/uptime", "/sys/kernel"]))
            .set("/linux/readonlyPaths", json!(["/proc/sys"]))
            .sh("cat /proc/uptime; ls /sys/kernel; (echo x > /proc/sys/kernel/hostname) 2>/dev/null || echo ro; exec sleep 99");
    })?;
    container.wrote("ro\n")?;
    same("inside", container.output()?.as_str(), "ro\n")?;
    ensure!(!uptime()?.is_empty(), "the host has lost its uptime");
    ensure!(
        std::fs::read_dir("/sys/kernel")?.next().is_some(),
        "the host has lost /sys/kernel"
    );
    container.end()
}

fn read_only(lab: &Lab) -> Outcome {
    let out = lab.look(
        "touch /file 2>&1 && echo written; touch /dev/shm/file && echo shm",
        |spec| {
            among(spec).set("/root/readonly", json!(true));
        },
    )?;
    contains("a write to the root", &out, "Read-only file system")?;
    contains("a write beside it", &out, "shm\n")
}

fn second(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        among(spec);
    })?;
    let out = container.inside(
        &[],
        "test -e /canary || echo no canary; readlink /proc/self/root; stat -c %i /bin",
    )?;
    let inode = std::fs::metadata(format!("/proc/{}/root/bin", container.pid))?;
    let inode = std::os::unix::fs::MetadataExt::ino(&inode);
    same(
        "root of exec",
        out.as_str(),
        format!("no canary\n/\n{inode}\n").as_str(),
    )?;
    container.end()
}

fn failed(lab: &Lab) -> Outcome {
    lab.refuse(|spec| {
        among(spec).bind("/no/such/file", "/x", &["bind"]);
    })?;
    lab.refuse(|spec| {
        among(spec).hook("createContainer", "exit 3");
    })?;
    lab.refuse(|spec| {
        among(spec).args(&["/no/such/program"]);
    })
    .map(drop)
}

/// What somebody mounts over the root keeps `delete` from its mount: that is told, and nothing is forgotten.
fn covered(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        among(spec);
    })?;
    let container = crate::container::Container::create(lab, &bundle, &lab.id("box"))?;
    let root = format!("{}/rootfs", bundle.arg());
    lab.host(&["mount", "-t", "tmpfs", "over", &root])?;
    let said = lab.call(&["delete", "--force", &container.id]).refused();
    lab.host(&["umount", &root])?;
    contains("the refusal", &said?.err, "mounted over it")?;
    lab.call(&["delete", "--force", &container.id])
        .ok()
        .map(drop)
}

fn user(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        among(spec).user_namespace(100_000, 65536);
    })?;
    mentions("the refusal", &said.err, &["mount namespace"])
}

fn hosts_root(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        among(spec).set("/root/path", json!("/"));
    })?;
    mentions("the refusal", &said.err, &["mount namespace"])
}

fn by_path(lab: &Lab) -> Outcome {
    let before = mounts("self")?;
    let said = lab.refuse(|spec| {
        spec.join("mount", "/proc/self/ns/mnt");
    })?;
    mentions("the refusal", &said.err, &["mount namespace"])?;
    same("the host's mounts", mounts("self")?, before)
}
