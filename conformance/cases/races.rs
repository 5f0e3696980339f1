//! A hostile process exchanges a file or a directory for a link that leads out, as fast as it can, while
//! the runtime works with that name. Any single life may fail; the canary, the host's mounts and what the
//! program sees must be as if nobody had.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use super::hostile::no_dev;
use super::stress::{creates, creates_while, crowd, exchanging};
use crate::bundle::Bundle;
use crate::case::Case;
use crate::check::{Outcome, ensure, scaled};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

const OUTSIDE: &[(&str, &str)] = &[(
    "runc",
    "1.1 makes files and directories outside (CVE-2024-45310, CVE-2025-52565)",
)];

pub(super) const CASES: &[Case] = &[
    Case::new("for-sys", for_sys),
    Case::new("for-dev-pts", |lab| for_part_of_dev(lab, "dev/pts")).deviates(OUTSIDE),
    Case::new("for-dev-shm", |lab| for_part_of_dev(lab, "dev/shm")).deviates(OUTSIDE),
    Case::new("for-the-parent-of-a-device", for_device).deviates(OUTSIDE),
    Case::new("for-the-images-null-device", for_null).deviates(&[
        ("runc", "1.1 masks with the image's file (CVE-2025-31133)"),
        ("crun", "sends the streams to the image's file"),
    ]),
    Case::new("for-the-console", for_console).deviates(OUTSIDE),
    Case::new("in-a-volume-that-two-share", in_volume).deviates(OUTSIDE),
    Case::new("for-what-a-tmpfs-copies", for_copied),
    Case::new("for-the-passwd-file", for_passwd),
    Case::new("for-the-cwd-of-a-second-process", for_cwd_of_exec),
    Case::new("for-the-null-device-of-a-second-process", for_null_of_exec),
];

fn for_sys(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["true"]);
    })?;
    creates(lab, &bundle, "sys", 40)
}

/// CVE-2025-52565, CVE-2026-41579: no tmpfs lies over the image's own /dev.
fn for_part_of_dev(lab: &Lab, part: &str) -> Outcome {
    let bundle = lab.bundle(|spec| {
        no_dev(spec);
        spec.args(&["true"]);
    })?;
    creates(lab, &bundle, part, 40)
}

fn for_device(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.push("/linux/devices", json!({"path": "/opt/way/device", "type": "c", "major": 1, "minor": 3, "fileMode": 438, "uid": 0, "gid": 0}))
            .args(&["true"]);
    })?;
    creates(lab, &bundle, "opt/way", 40)
}

/// As [`creates`], where a file is exchanged: the canary's song must keep mode, owner and text. Gives all
/// that the programs printed.
fn creates_with_file(lab: &Lab, bundle: &Bundle, file: &Path, count: u32) -> Outcome<String> {
    let song = lab.canary().join("song");
    let link = bundle.rootfs().join("the-link");
    symlink(&song, &link)?;
    let before = probe::fingerprint(&lab.canary())?;
    let printed = std::sync::Mutex::new(String::new());
    exchanging(file, &link, || {
        crowd(scaled(count), 2, |_| {
            let id = lab.id("race");
            let said = lab.call(&["run", "--bundle", bundle.arg(), &id]).say()?;
            ensure!(!said.err.contains("panicked"), "panicked: {said}");
            if let Ok(mut printed) = printed.lock() {
                printed.push_str(&said.out);
            }
            lab.call(&["delete", "--force", &id]).ok().map(drop)
        })
    })?;
    ensure!(
        probe::fingerprint(&lab.canary())? == before,
        "the host's canary tree has changed"
    );
    Ok(printed.into_inner().unwrap_or_default())
}

/// CVE-2025-31133: what masks is never what the image has in the null device's place.
fn for_null(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        no_dev(spec);
        spec.push("/linux/maskedPaths", json!("/etc/secret"))
            .sh("cat /etc/secret; wc -c < /proc/keys | grep -v '^0$'; true");
    })?;
    bundle.file("etc/secret", "secret\n")?;
    let null = bundle.file("dev/null", "the image's own\n")?;
    let out = creates_with_file(lab, &bundle, &null, 40)?;
    ensure!(out.is_empty(), "what the masks show: {out:?}");
    Ok(())
}

/// CVE-2025-52565: the terminal goes onto /dev/console, and nowhere else.
fn for_console(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        no_dev(spec);
        spec.set("/process/terminal", json!(true)).args(&["true"]);
    })?;
    let console = bundle.file("dev/console", "")?;
    creates_with_file(lab, &bundle, &console, 40).map(drop)
}

/// CVE-2021-30465, the exploit's own shape: one container's volume holds the mount point of another's.
fn in_volume(lab: &Lab) -> Outcome {
    let (volume, host) = (lab.folder("volume")?, lab.folder("host")?);
    let bundle = lab.bundle(|spec| {
        spec.bind(&volume.to_string_lossy(), "/mnt", &["rbind"])
            .mount("/mnt/way", "tmpfs", "tmpfs", &[])
            .bind(&host.to_string_lossy(), "/mnt/way/deep", &["rbind"])
            .args(&["true"]);
    })?;
    let (way, link) = (volume.join("way"), volume.join("the-link"));
    fs::create_dir(&way)?;
    symlink(lab.canary(), &link)?;
    creates_while(lab, &bundle, (&way, &link), 40)
}

/// What a tmpfs begins with is read by the runtime: never from outside of the image.
fn for_copied(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.mount("/copy", "tmpfs", "tmpfs", &["tmpcopyup"])
            .sh("cat /copy/inner/song 2>/dev/null; true");
    })?;
    let inner = bundle.rootfs().join("copy/inner");
    bundle.file("copy/inner/other", "the image's own\n")?;
    let link = bundle.rootfs().join("copy/the-link");
    symlink(lab.canary(), &link)?;
    exchanging(&inner, &link, || {
        crowd(scaled(40), 2, |_| {
            let id = lab.id("race");
            let said = lab.call(&["run", "--bundle", bundle.arg(), &id]).say()?;
            ensure!(
                !said.err.contains("panicked") && !said.out.contains("the host's own"),
                "it was led out: {said}"
            );
            lab.call(&["delete", "--force", &id]).ok().map(drop)
        })
    })
}

/// HOME comes from the image's own file, or from none.
fn for_passwd(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("echo home=$HOME");
    })?;
    let outside = lab.file("passwd", "root:x:0:0:root:/of-the-host:/bin/sh\n")?;
    let (passwd, link) = (
        bundle.rootfs().join("etc/passwd"),
        bundle.rootfs().join("etc/the-link"),
    );
    symlink(outside, &link)?;
    exchanging(&passwd, &link, || {
        crowd(scaled(40), 2, |_| {
            let said = lab.run_in(&bundle)?;
            ensure!(!said.out.contains("of-the-host"), "it was led out: {said}");
            Ok(())
        })
    })
}

/// A container that waits, and this many second processes with these flags while two of its names change places.
fn execs_while(
    lab: &Lab,
    container: &Container<'_>,
    names: (&Path, &Path),
    flags: &[&str],
) -> Outcome {
    let script = "cat song ../song ../canary/song ../../canary/song 2>/dev/null; true";
    let before = probe::fingerprint(&lab.canary())?;
    exchanging(names.0, names.1, || {
        crowd(scaled(40), 2, |_| {
            let said = container.exec(flags, &["sh", "-c", script]).say()?;
            ensure!(
                !said.err.contains("panicked") && !said.out.contains("the host's own"),
                "it was led out: {said}"
            );
            Ok(())
        })
    })?;
    ensure!(
        probe::fingerprint(&lab.canary())? == before,
        "the host's canary tree has changed"
    );
    container.end()
}

fn for_cwd_of_exec(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let root = container.bundle.rootfs();
    let (work, link) = (root.join("work"), root.join("the-link"));
    fs::create_dir(&work)?;
    symlink(lab.canary(), &link)?;
    execs_while(lab, &container, (&work, &link), &["--cwd", "/work"])
}

/// CVE-2026-88265: a standard stream that is the host's null device is given to the process's user, or
/// opened anew; neither must reach what the container has put in its place.
fn for_null_of_exec(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        no_dev(spec);
    })?;
    let root = container.bundle.rootfs();
    let (null, link) = (root.join("dev/null"), root.join("the-link"));
    symlink(lab.canary().join("song"), &link)?;
    execs_while(lab, &container, (&null, &link), &["--user", "1000:1000"])
}
