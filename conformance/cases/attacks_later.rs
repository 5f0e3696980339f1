//! A container that runs, and waits for whoever comes in or looks at it: a second process, `ps`, `kill`,
//! `delete`.

use std::fs;

use serde_json::json;

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("null-is-a-file-of-roots-for-exec", null_is_a_file),
    Case::new("null-is-of-another-kind-for-exec", null_is_odd)
        .deviates(&[("runc", "1.1 fails"), ("crun", "fails")]),
    Case::new("passwd-is-a-fifo-for-exec", passwd_fifo)
        .deviates(&[("runc", "1.1 waits for ever"), ("crun", "waits for ever")]),
    Case::new("passwd-is-huge-for-exec", passwd_huge),
    Case::new("passwd-is-a-link-out-for-exec", passwd_link),
    Case::new("groups-deeper-than-a-path-is-long", deep_groups)
        .needs(&[Need::Root, Need::CgroupV2])
        .deviates(&[
            ("runc", "1.1 cannot list or remove them"),
            ("crun", "has no events"),
        ]),
    Case::new("a-program-that-forks-away", forks_away).needs(&[Need::Root, Need::CgroupV2]),
];

/// A running container whose own root has done this to itself.
fn after<'l>(lab: &'l Lab, script: &str) -> Outcome<Container<'l>> {
    let container = lab.started(|spec| {
        spec.sh(&format!("{script}; echo done; exec sleep 99"))
            .capabilities(&["CAP_MKNOD", "CAP_KILL"]);
    })?;
    container.wrote("done")?;
    Ok(container)
}

/// CVE-2026-88265: the streams of a second process become its user's, and one may be the null device.
fn null_is_a_file(lab: &Lab) -> Outcome {
    let container = after(
        lab,
        "echo secret > /target; chmod 600 /target; rm /dev/null; ln -s /target /dev/null",
    )?;
    let script = "cat <&0; cat /target; readlink /proc/self/fd/0; true";
    let said = container
        .exec(&["--user", "1000:1000"], &["sh", "-c", script])
        .say()?;
    ensure!(!said.out.contains("secret"), "it was read: {said}");
    let meta = fs::metadata(container.bundle.rootfs().join("target"))?;
    use std::os::unix::fs::MetadataExt;
    same(
        "owner and mode",
        (meta.uid(), meta.mode() & 0o777),
        (0, 0o600),
    )?;
    container.end()
}

/// A second process needs no null device of the container's.
fn null_is_odd(lab: &Lab) -> Outcome {
    for odd in [
        "mkfifo /dev/null",
        "mkdir /dev/null",
        "mknod /dev/null c 1 5",
        "nc -lU /dev/null & sleep 0.2",
        "ln -s null /dev/null",
        "true",
    ] {
        let container = after(lab, &format!("rm /dev/null; {odd}"))?;
        let said = container
            .exec(&[], &["echo", "ran"])
            .through(&["timeout", "-s", "KILL", "10"])
            .say()?;
        same(odd, (said.code(), said.out.as_str()), (0, "ran\n"))?;
        container.end()?;
    }
    Ok(())
}

/// What HOME a second process gets, once `script` has been at work in the container.
fn home_of_exec(lab: &Lab, script: &str) -> Outcome<String> {
    let container = after(lab, script)?;
    let said = container
        .exec(&["--user", "1000:1000"], &["sh", "-c", "echo $HOME"])
        .through(&["timeout", "-s", "KILL", "10"])
        .say()?;
    ensure!(said.code() != 137, "it hangs: {said}");
    container.end()?;
    Ok(said.out)
}

fn passwd_fifo(lab: &Lab) -> Outcome {
    home_of_exec(lab, "rm /etc/passwd; mkfifo /etc/passwd").map(drop)
}

fn passwd_huge(lab: &Lab) -> Outcome {
    home_of_exec(
        lab,
        "dd if=/dev/zero of=/etc/passwd bs=1 count=1 seek=1000000000000",
    )
    .map(drop)
}

fn passwd_link(lab: &Lab) -> Outcome {
    let outside = lab.file("passwd", "ana:x:1000:1000::/of-the-host:/bin/sh\n")?;
    let script = format!("ln -sf '{}' /etc/passwd", outside.display());
    let home = home_of_exec(lab, &script)?;
    ensure!(
        !home.contains("of-the-host"),
        "the host's file was read: {home}"
    );
    Ok(())
}

/// Groups of the container's own making, below each other until no path could name the last.
fn deep_groups(lab: &Lab) -> Outcome {
    let script = format!(
        "cd /sys/fs/cgroup; i=0; while [ $i -lt 60 ] && mkdir {name} && cd -P {name} 2>/dev/null; do i=$((i+1)); sleep 99 & echo $! > cgroup.procs; done; echo made; wait",
        name = "n".repeat(200)
    );
    let container = lab.started(|spec| {
        spec.sh(&script).no_mount("/sys/fs/cgroup").mount(
            "/sys/fs/cgroup",
            "cgroup",
            "cgroup",
            &["nosuid", "noexec", "nodev", "rw"],
        );
    })?;
    container.wrote("made")?;
    // The shell's own path ends below 4096 bytes; from there on the host goes deeper.
    let deepest = deepen(&probe::cgroup_dir(container.pid)?)?;
    let said = container
        .call(&["ps", "--format", "json", &container.id])
        .ok()?;
    let pids: Vec<i32> = serde_json::from_str(&said.out)?;
    ensure!(pids.len() > 15, "processes: {pids:?}");
    container.call(&["events", "--stats", &container.id]).ok()?;
    container.call(&["pause", &container.id]).ok()?;
    container.call(&["resume", &container.id]).ok()?;
    container
        .call(&["kill", "--all", &container.id, "KILL"])
        .ok()?;
    container.until("stopped")?;
    container.delete()?;
    drop(deepest);
    Ok(())
}

/// Makes groups below the deepest one, by its descriptor, until the whole path has more than 8000 bytes.
fn deepen(top: &std::path::Path) -> Outcome<std::os::fd::OwnedFd> {
    use nix::fcntl::{OFlag, openat};
    use nix::sys::stat::{Mode, mkdirat};
    let name = "n".repeat(200);
    let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut here = nix::fcntl::open(top, flags, Mode::empty())?;
    for _ in 0..40 {
        match mkdirat(&here, name.as_str(), Mode::from_bits_truncate(0o755)) {
            Ok(()) | Err(nix::errno::Errno::EEXIST) => {}
            Err(error) => return Err(error.into()),
        }
        here = openat(&here, name.as_str(), flags, Mode::empty())?;
    }
    Ok(here)
}

/// Whoever kills it one by one never catches it.
fn forks_away(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.no_namespace("pid").set(
            "/process/args",
            json!([
                "sh",
                "-c",
                "f() { f & }; f; echo begun; wait; exec sleep 99"
            ]),
        );
    })?;
    container.wrote("begun")?;
    container
        .call(&["kill", "--all", &container.id, "KILL"])
        .ok()?;
    container.until("stopped")?;
    container.delete()
}
