//! Numbers of the kernel, in words.

use crate::plan::birth::Kind;
use crate::plan::cgroup::{DeviceKind, DeviceRule, Verdict};
use crate::plan::mounts::AttrChange;
use std::ffi::CStr;

/// A C string for reading.
pub(super) fn words(text: &CStr) -> String {
    text.to_string_lossy().into_owned()
}

/// A path below the root as the container will see it.
pub(super) fn inside(path: &CStr) -> String {
    format!("/{}", path.to_string_lossy())
}

/// All kinds, in the order in which they are told.
pub(super) const KINDS: [Kind; 8] = [
    Kind::User,
    Kind::Pid,
    Kind::Mount,
    Kind::Network,
    Kind::Ipc,
    Kind::Uts,
    Kind::Cgroup,
    Kind::Time,
];

/// What a namespace of its own means, for somebody who hears of it for the first time.
pub(super) fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::Pid => "its first process is number 1, and it sees no others of the host",
        Kind::Network => "its own network devices, addresses and ports",
        Kind::Mount => "its own tree of files",
        Kind::Ipc => "its own shared memory and message queues",
        Kind::Uts => "its own host name",
        Kind::User => "its own user ids: root inside is not root outside",
        Kind::Cgroup => "its own group is the top of what it sees in /sys/fs/cgroup",
        Kind::Time => "its own clocks",
    }
}

const ATTRIBUTES: [(u64, &str, &str); 8] = [
    (1, "ro", "rw"),
    (2, "nosuid", "suid"),
    (4, "nodev", "dev"),
    (8, "noexec", "exec"),
    (0x10, "noatime", ""),
    (0x20, "strictatime", ""),
    (0x80, "nodiratime", "diratime"),
    (0x20_0000, "nosymfollow", "symfollow"),
];

/// `MOUNT_ATTR_*` as the options that mean them; mount_setattr(2).
pub(super) fn attributes(bits: u64) -> Vec<String> {
    let known = ATTRIBUTES
        .iter()
        .filter(|(bit, _, _)| bits & bit != 0)
        .map(|(_, set, _)| (*set).to_owned());
    let rest = ATTRIBUTES
        .iter()
        .fold(bits, |rest, (bit, _, _)| rest & !bit);
    known
        .chain((rest != 0).then(|| format!("{rest:#x}")))
        .collect()
}

/// A change of them. The times are one field: it is cleared as a whole, and 0 in it is relatime.
pub(super) fn change(change: &AttrChange) -> Vec<String> {
    const ATIME: u64 = 0x70;
    let mut found = attributes(change.set);
    if change.clear & ATIME != 0 && change.set & ATIME == 0 {
        found.push("relatime".to_owned());
    }
    let cleared = ATTRIBUTES.iter().filter(|(bit, _, word)| {
        change.clear & bit != 0 && change.set & bit == 0 && !word.is_empty()
    });
    found.extend(cleared.map(|(_, _, word)| (*word).to_owned()));
    found
}

/// `MS_SHARED` and its kin, with `MS_REC`, as the option that means it; mount(2).
pub(super) fn propagation(bits: u64) -> String {
    const RECURSIVE: u64 = 1 << 14;
    let word = match bits & !RECURSIVE {
        0x2_0000 => "unbindable",
        0x4_0000 => "private",
        0x8_0000 => "slave",
        0x10_0000 => "shared",
        0 => return "unchanged".to_owned(),
        other => return format!("{other:#x}"),
    };
    if bits & RECURSIVE == 0 {
        word.to_owned()
    } else {
        format!("r{word}")
    }
}

/// A device rule as cgroups v1 wrote it: `allow c 1:3 rwm`.
pub(super) fn device_rule(rule: &DeviceRule) -> String {
    let verdict = match rule.verdict {
        Verdict::Allow => "allow",
        Verdict::Deny => "deny",
    };
    let kind = match rule.kind {
        DeviceKind::All => 'a',
        DeviceKind::Block => 'b',
        DeviceKind::Character => 'c',
    };
    let number =
        |number: Option<u32>| number.map_or_else(|| "*".to_owned(), |number| number.to_string());
    format!(
        "{verdict} {kind} {}:{} {}",
        number(rule.major),
        number(rule.minor),
        access(rule)
    )
}

/// What a rule is about, of r, w and m.
pub(super) fn access(rule: &DeviceRule) -> String {
    [(2, 'r'), (4, 'w'), (1, 'm')]
        .iter()
        .filter(|(bit, _)| rule.access & bit != 0)
        .map(|(_, letter)| letter)
        .collect()
}

/// Devices whose numbers are the same everywhere; devices.txt of the kernel.
const DEVICES: [(u32, Option<u32>, &str); 11] = [
    (1, Some(3), "/dev/null"),
    (1, Some(5), "/dev/zero"),
    (1, Some(7), "/dev/full"),
    (1, Some(8), "/dev/random"),
    (1, Some(9), "/dev/urandom"),
    (5, Some(0), "/dev/tty"),
    (5, Some(1), "/dev/console"),
    (5, Some(2), "/dev/ptmx"),
    (10, Some(200), "/dev/net/tun"),
    (10, Some(229), "/dev/fuse"),
    (136, None, "/dev/pts/*"),
];

/// The devices of a rule by their usual name, or by their numbers.
pub(super) fn device_name(rule: &DeviceRule) -> String {
    let kind = match rule.kind {
        DeviceKind::All => return "any".to_owned(),
        DeviceKind::Block => "block",
        DeviceKind::Character => "character",
    };
    let usual = DEVICES.iter().find(|(major, minor, _)| {
        rule.kind == DeviceKind::Character && rule.major == Some(*major) && rule.minor == *minor
    });
    match (usual, rule.major, rule.minor) {
        (Some((_, _, name)), ..) => (*name).to_owned(),
        (None, None, _) => format!("any {kind} device"),
        (None, Some(major), Some(minor)) => format!("{kind} device {major}:{minor}"),
        (None, Some(major), None) => format!("{kind} device {major}:*"),
    }
}

/// The letter of a device's kind, from its mode.
pub(super) fn device_kind(mode: u32) -> &'static str {
    match mode & 0o17_0000 {
        0o2_0000 => "c",
        0o6_0000 => "b",
        0o1_0000 => "p",
        _ => "?",
    }
}

/// A resource limit; the largest number is none.
pub(super) fn limit(value: u64) -> String {
    if value == u64::MAX {
        "unlimited".to_owned()
    } else {
        value.to_string()
    }
}
