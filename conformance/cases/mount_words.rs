//! The mount options that every runtime must know, one by one.

use crate::case::Case;
use crate::check::{Outcome, ensure};
use crate::lab::Lab;
use crate::probe::{self, Mount};
use crate::spec::Spec;

pub(super) const CASES: &[Case] = &[
    Case::new("every-required-one-is-recognised", recognised).deviates(&[
        ("runc", "1.1 gives defaults to the file system"),
        (
            "crun",
            "asks fsconfig for what only mount(2) knows: iversion, silent",
        ),
    ]),
    Case::new("remount-changes-a-mount", remount),
    Case::new("lazytime-and-its-opposite", lazytime),
    Case::new("runbindable-is-for-all-below", runbindable)
        .deviates(&[("crun", "leaves them private")]),
];

/// Those that config.md ("Linux mount options") marks as required.
const REQUIRED: &str = "async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev \
    nodiratime noexec noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate \
    rshared rslave runbindable rw shared silent slave strictatime suid sync unbindable";

fn recognised(lab: &Lab) -> Outcome {
    let source = lab.folder("source")?.to_string_lossy().into_owned();
    let mut bad = Vec::new();
    for option in REQUIRED.split_whitespace() {
        let result = lab.look("cat /proc/self/mountinfo", |spec| match option {
            "bind" | "rbind" => {
                spec.mount("/mnt", "none", &source, &[option]);
            }
            "remount" => {
                spec.mount("/mnt", "tmpfs", "tmpfs", &[]);
                spec.mount("/mnt", "tmpfs", "tmpfs", &["remount"]);
            }
            _ => {
                spec.mount("/mnt", "tmpfs", "tmpfs", &[option]);
            }
        });
        if let Err(error) = result.and_then(|text| probe::mounted(&text, "/mnt")) {
            bad.push(format!("{option}: {error}"));
        }
    }
    ensure!(bad.is_empty(), "not recognised:\n{}", bad.join("\n"));
    Ok(())
}

fn seen(lab: &Lab, edit: impl FnOnce(&mut Spec)) -> Outcome<Mount> {
    probe::mounted(&lab.look("cat /proc/self/mountinfo", edit)?, "/mnt")
}

fn remount(lab: &Lab) -> Outcome {
    let mount = seen(lab, |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["size=64k"]);
        spec.mount("/mnt", "tmpfs", "tmpfs", &["remount", "size=128k", "ro"]);
    })?;
    ensure!(
        mount.has("ro") && mount.superblock.iter().any(|o| o == "size=128k"),
        "it is as it was: {mount:?}"
    );
    Ok(())
}

fn lazytime(lab: &Lab) -> Outcome {
    let lazy = |mount: &Mount| mount.superblock.iter().any(|o| o == "lazytime");
    let mount = seen(lab, |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["lazytime"]);
    })?;
    ensure!(lazy(&mount), "not in force: {mount:?}");
    let mount = seen(lab, |spec| {
        spec.mount("/mnt", "tmpfs", "tmpfs", &["lazytime", "nolazytime"]);
    })?;
    ensure!(!lazy(&mount), "still in force: {mount:?}");
    Ok(())
}

fn runbindable(lab: &Lab) -> Outcome {
    let host = lab.folder("host")?;
    std::fs::create_dir(host.join("below"))?;
    let below = host.join("below").to_string_lossy().into_owned();
    lab.host(&["mount", "-t", "tmpfs", "below", &below])?;
    let text = lab.look("cat /proc/self/mountinfo", |spec| {
        spec.bind(&host.to_string_lossy(), "/mnt", &["rbind", "runbindable"]);
    })?;
    lab.host(&["umount", &below])?;
    for target in ["/mnt", "/mnt/below"] {
        let mount = probe::mounted(&text, target)?;
        ensure!(
            mount.propagation.iter().any(|p| p == "unbindable"),
            "{target} is not: {mount:?}"
        );
    }
    Ok(())
}
