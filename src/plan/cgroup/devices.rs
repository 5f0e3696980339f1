//! `/linux/resources/devices` (config-linux.md, "Allowed Device list").
//!
//! The rules of config.json come first, in their order, and orbital's own after them, so that no
//! list can take /dev/null from a container: runc and crun do the same. Nodes of `/linux/devices`
//! get no rule of their own, as with runc and crun: a caller that gives a device read-only says so
//! by its rule, and a rule made from the node would give it back for writing.

use super::{DeviceKind, DeviceRule, Verdict};
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType, LinuxResources};

const MKNOD: u8 = 1;
const READ: u8 = 2;
const WRITE: u8 = 4;
const ALL: u8 = MKNOD | READ | WRITE;

/// What every container may use, as (major, minor), all character devices. /dev/console (5:1) is not
/// among them: the container's console is a pseudo-terminal, and 5:1 would be the host's. tun is,
/// since callers have no other way to give it (runc 1.2.0 took it away and 1.2.4 gave it back).
const ALWAYS: [(u32, Option<u32>); 9] = [
    (1, Some(3)),    // null
    (1, Some(8)),    // random
    (1, Some(7)),    // full
    (5, Some(0)),    // tty
    (1, Some(5)),    // zero
    (1, Some(9)),    // urandom
    (136, None),     // pts
    (5, Some(2)),    // ptmx
    (10, Some(200)), // net/tun
];

/// The rules in order. Without any in config.json only orbital's own are left: deny what they do
/// not name.
pub(super) fn plan(resources: Option<&LinuxResources>) -> Result<Vec<DeviceRule>> {
    let at = Pointer::from("/linux/resources/devices");
    let given = resources.and_then(|resources| resources.devices().as_ref());
    let given = given.into_iter().flatten().enumerate();
    let mut rules = given
        .map(|(index, rule)| one(rule, &at.at(index)))
        .collect::<Result<Vec<DeviceRule>>>()?;
    rules.extend(defaults());
    Ok(rules)
}

/// To make a node is harmless by itself, since to open it is not allowed by that.
fn defaults() -> impl Iterator<Item = DeviceRule> {
    let nodes = DeviceRule {
        verdict: Verdict::Allow,
        kind: DeviceKind::All,
        major: None,
        minor: None,
        access: MKNOD,
    };
    let always = ALWAYS.into_iter().map(move |(major, minor)| DeviceRule {
        kind: DeviceKind::Character,
        major: Some(major),
        minor,
        access: ALL,
        ..nodes
    });
    std::iter::once(nodes).chain(always)
}

fn one(rule: &LinuxDeviceCgroup, at: &Pointer) -> Result<DeviceRule> {
    let doing = "limit access to devices";
    let kind = match rule.typ() {
        None | Some(LinuxDeviceType::A) => DeviceKind::All,
        Some(LinuxDeviceType::B) => DeviceKind::Block,
        Some(LinuxDeviceType::C | LinuxDeviceType::U) => DeviceKind::Character,
        Some(LinuxDeviceType::P) => {
            let why = "a fifo is no device: the type is a, b or c";
            return Err(Error::refused(doing, at.at("type"), why));
        }
    };
    let number = |value: Option<i64>, member: &str| match value {
        None | Some(-1) => Ok(None),
        Some(value) => u32::try_from(value).map(Some).map_err(|_| {
            let why = "a device number is from 0 to 4294967295";
            Error::refused(doing, at.at(member), why)
        }),
    };
    let verdict = if rule.allow() {
        Verdict::Allow
    } else {
        Verdict::Deny
    };
    let (major, minor) = (
        number(rule.major(), "major")?,
        number(rule.minor(), "minor")?,
    );
    Ok(DeviceRule {
        verdict,
        kind,
        major,
        minor,
        access: access(rule, at)?,
    })
}

fn access(rule: &LinuxDeviceCgroup, at: &Pointer) -> Result<u8> {
    let doing = "limit access to devices";
    let letters = rule.access().as_deref().unwrap_or_default();
    if letters.is_empty() {
        let why = "it names no access: give some of r, w and m";
        return Err(Error::refused(doing, at, why));
    }
    letters.chars().try_fold(0, |bits, letter| match letter {
        'r' => Ok(bits | READ),
        'w' => Ok(bits | WRITE),
        'm' => Ok(bits | MKNOD),
        _ => {
            let why = format!("access is made of r, w and m, and {letter:?} is none of them");
            Err(Error::refused(doing, at.at("access"), why))
        }
    })
}

#[cfg(test)]
mod tests;
