//! `/mounts`, `/root`, masked and read-only paths.

use serde_json::json;

use super::Draw;
use crate::dice::Dice;
use crate::spec::Spec;

/// Where a mount may go: there, not there, a link, below another mount.
const FOLDERS: [&str; 8] = [
    "/mnt",
    "/srv/folder",
    "/made/deep/down",
    "/link/below",
    "/tmp",
    "/mnt/inner",
    "/dev/extra",
    "/var",
];
const FILES: [&str; 4] = ["/srv/file", "/etc/made", "/made/file", "/mnt/file"];

const FLAGS: [&str; 16] = [
    "ro",
    "rw",
    "nosuid",
    "suid",
    "nodev",
    "dev",
    "noexec",
    "exec",
    "noatime",
    "relatime",
    "strictatime",
    "nodiratime",
    "sync",
    "atime",
    "diratime",
    "norelatime",
];
const PROPAGATION: [&str; 8] = [
    "private",
    "rprivate",
    "slave",
    "rslave",
    "shared",
    "rshared",
    "unbindable",
    "runbindable",
];

const MASKS: [&str; 12] = [
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/timer_list",
    "/sys/firmware",
    "/proc/interrupts",
    "/proc/scsi",
    "/srv/file",
    "/srv/folder",
    "/link",
    "/no/such/file",
    "/proc/sys/kernel/ostype",
];
const READ_ONLY: [&str; 10] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
    "/srv",
    "/srv/file",
    "/tmp",
    "/no/such/folder",
    "/dev",
];

pub(super) fn draw(dice: &mut Dice, draw: &mut Draw) {
    let spec = &mut draw.spec;
    if dice.chance(40) {
        spec.set("/root/readonly", json!(dice.chance(70)));
    }
    if dice.chance(35) {
        let word = *dice.one(&PROPAGATION[..7]);
        spec.set("/linux/rootfsPropagation", json!(word));
    }
    for place in ["/dev/mqueue", "/dev/shm", "/sys/fs/cgroup", "/dev/pts"] {
        if dice.chance(8) {
            spec.no_mount(place);
        }
    }
    if dice.chance(15) {
        let mode = *dice.one(&["ro", "rw"]);
        spec.no_mount("/sys/fs/cgroup");
        spec.mount(
            "/sys/fs/cgroup",
            "cgroup",
            "cgroup",
            &["nosuid", "noexec", "nodev", mode],
        );
    }
    for _ in 0..dice.below(5) {
        extra(dice, spec);
    }
    paths(dice, draw);
}

fn extra(dice: &mut Dice, spec: &mut Spec) {
    let mut options: Vec<&str> = dice.some(&FLAGS, 12).into_iter().copied().collect();
    let folder = *dice.one(&FOLDERS);
    match dice.below(6) {
        0 | 1 => {
            let data = [
                "size=64k",
                "mode=700",
                "mode=1777",
                "uid=1000",
                "gid=5",
                "nr_inodes=100",
            ];
            options.extend(dice.some(&data, 25));
            spec.mount(folder, "tmpfs", "tmpfs", &options);
        }
        2 => {
            options.push(*dice.one(&["bind", "rbind"]));
            propagation(dice, &mut options);
            let file = *dice.one(&FILES);
            spec.mount(file, "bind", "$BUNDLE/source/file", &options);
        }
        3 => {
            options.push(*dice.one(&["bind", "rbind"]));
            propagation(dice, &mut options);
            // A relative source starts at the bundle.
            let source = *dice.one(&["$BUNDLE/source/folder", "source/folder", "$BUNDLE/source"]);
            let kind = *dice.one(&["bind", "none"]);
            spec.mount(folder, kind, source, &options);
        }
        4 => {
            options.push("rbind");
            propagation(dice, &mut options);
            spec.mount(folder, "bind", "/sys/kernel", &options);
        }
        _ => {
            let (kind, source) = *dice.one(&[
                ("proc", "proc"),
                ("mqueue", "mqueue"),
                ("sysfs", "sysfs"),
                ("ramfs", "none"),
            ]);
            spec.mount(folder, kind, source, &options);
        }
    }
}

fn propagation(dice: &mut Dice, options: &mut Vec<&str>) {
    if dice.chance(50) {
        options.push(*dice.one(&PROPAGATION));
    }
}

fn paths(dice: &mut Dice, draw: &mut Draw) {
    if dice.chance(50) {
        let masked = dice.some(&MASKS, 35);
        draw.spec.set("/linux/maskedPaths", json!(masked));
    }
    if dice.chance(50) {
        let read_only = dice.some(&READ_ONLY, 35);
        draw.spec.set("/linux/readonlyPaths", json!(read_only));
    }
    // All are looked at, whether this bundle names them or not. What /proc/keys has depends on the
    // caller's session, and /proc/kcore is nothing to open.
    let looked = MASKS
        .iter()
        .chain(&READ_ONLY)
        .filter(|path| !["/proc/kcore", "/proc/keys"].contains(*path));
    draw.look.extend(looked.map(|path| (*path).to_owned()));
}
