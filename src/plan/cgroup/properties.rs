//! What systemd is told of a scope: all at once, so that it starts with its limits, and so that a
//! `daemon-reload` writes again what was there before (systemd.resource-control(5)).
//!
//! systemd knows fewer limits than the kernel and rounds some, so the settings are written into the
//! group as well. What it does not know and does not touch is left out here: `cpu.idle` (before 252),
//! `io.max`, `hugetlb.*`, `rdma.max`.

use super::unit::Unit;
use super::{DeviceKind, DeviceRule, Otherwise, Setting, Verdict, variant, variant::Variant};
use crate::error::{Error, Pointer, Result};
use crate::plan::cpulist;
use crate::plan::facts::Instance;
use std::collections::HashMap;

/// Annotations that begin so are properties of the unit.
pub const ANNOTATION: &str = "org.systemd.property.";

/// What orbital says itself, and nobody else may.
const OURS: [&str; 4] = ["Delegate", "PIDs", "Slice", "Description"];

/// One property of a unit; org.freedesktop.systemd1(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Variant,
    /// Where it comes from.
    pub pointer: Pointer,
}

/// All properties but the process, which does not exist yet. Of two of one name the last one counts.
pub(super) fn plan(
    id: &str,
    unit: &Unit,
    instance: Instance,
    settings: &[Setting],
    devices: &[DeviceRule],
    annotations: Option<&HashMap<String, String>>,
) -> Result<Vec<Property>> {
    let at = Pointer::from("/linux/cgroupsPath");
    let ours = |name: &str, value| Property {
        name: name.to_owned(),
        value,
        pointer: at.clone(),
    };
    let yes = Variant::Bool(true);
    let mut properties = vec![
        ours(
            "Description",
            Variant::Text(format!("orbital container {id}")),
        ),
        ours("Slice", Variant::text(&unit.slice)),
        // systemd leaves what is below the group alone, and gives it every controller that it has.
        ours("Delegate", yes.clone()),
        // Without these it would be stopped with the machine's own services, before its caller is.
        ours("DefaultDependencies", Variant::Bool(false)),
        // Nothing of it is left when it has ended, however it has ended.
        ours("CollectMode", Variant::text("inactive-or-failed")),
        ours("MemoryAccounting", yes.clone()),
        ours("CPUAccounting", yes.clone()),
        ours("IOAccounting", yes.clone()),
        ours("TasksAccounting", yes),
    ];
    properties.extend(of_settings(settings));
    if instance == Instance::System {
        let at = Pointer::from("/linux/resources/devices");
        properties.extend(
            of_devices(devices)
                .into_iter()
                .map(|(name, value)| Property {
                    name: name.to_owned(),
                    value,
                    pointer: at.clone(),
                }),
        );
    }
    properties.extend(of_annotations(annotations)?);
    Ok(properties)
}

/// The settings that systemd knows, as it calls them.
#[must_use]
pub fn of_settings(settings: &[Setting]) -> Vec<Property> {
    let of_one = |setting: &Setting| {
        let pointer = setting.pointer.clone();
        let found = of_setting(setting).into_iter();
        found.map(move |(name, value)| Property {
            name: name.to_owned(),
            value,
            pointer: pointer.clone(),
        })
    };
    settings.iter().flat_map(of_one).collect()
}

/// What the file is called there.
fn of_setting(setting: &Setting) -> Vec<(&'static str, Variant)> {
    let value = setting.value.trim();
    let one = |name, value: Option<Variant>| value.map(|value| (name, value)).into_iter().collect();
    match setting.file.as_str() {
        "memory.max" => one("MemoryMax", amount(value)),
        "memory.high" => one("MemoryHigh", amount(value)),
        "memory.low" => one("MemoryLow", amount(value)),
        "memory.min" => one("MemoryMin", amount(value)),
        "memory.swap.max" => one("MemorySwapMax", amount(value)),
        // systemd takes no limit of 0; the kernel's file gets it afterwards.
        "pids.max" => one(
            "TasksMax",
            count(value).map(|most| Variant::Uint64(most.max(1))),
        ),
        "cpu.weight" => one("CPUWeight", amount(value)),
        "cpu.max" => bandwidth(value),
        "cpuset.cpus" => one("AllowedCPUs", mask(value)),
        "cpuset.mems" => one("AllowedMemoryNodes", mask(value)),
        "io.weight" => one("IOWeight", weight(value)),
        "io.bfq.weight" => match &setting.otherwise {
            Otherwise::Write { value, .. } => one("IOWeight", weight(value)),
            Otherwise::Fail | Otherwise::Ignore => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn count(value: &str) -> Option<u64> {
    match value {
        "max" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

fn amount(value: &str) -> Option<Variant> {
    count(value).map(Variant::Uint64)
}

/// The weight for all devices; that for one device is the kernel's alone.
fn weight(value: &str) -> Option<Variant> {
    amount(value.strip_prefix("default ").unwrap_or(value))
}

/// `QUOTA PERIOD` as time per second. systemd counts in percents, so the time is rounded up to ten
/// milliseconds, as runc does: a group above may not be narrower than what is asked for in it.
fn bandwidth(value: &str) -> Vec<(&'static str, Variant)> {
    const PERCENT: u64 = 10_000;
    let (quota, period) = value.split_once(' ').unwrap_or((value, "100000"));
    let (Some(quota), Ok(period @ 1..)) = (count(quota), period.parse::<u64>()) else {
        return Vec::new();
    };
    let each = match quota {
        u64::MAX => quota,
        quota => match quota.checked_mul(1_000_000) {
            Some(whole) => whole.div_ceil(period).div_ceil(PERCENT) * PERCENT,
            None => return Vec::new(),
        },
    };
    vec![
        ("CPUQuotaPerSecUSec", Variant::Uint64(each)),
        ("CPUQuotaPeriodUSec", Variant::Uint64(period)),
    ]
}

/// A list as bits, the lowest first; none for an empty one, which is no limit. One that is no list is left
/// for the kernel to refuse.
fn mask(list: &str) -> Option<Variant> {
    if list.is_empty() {
        return Some(Variant::bytes(Vec::new()));
    }
    let mut bits: Vec<u8> = Vec::new();
    for (first, last) in cpulist::ranges(list, 8191).ok()? {
        for number in first..=last {
            let (byte, bit) = (usize::try_from(number / 8).ok()?, number % 8);
            if bits.len() <= byte {
                bits.resize(byte + 1, 0);
            }
            *bits.get_mut(byte)? |= 1 << bit;
        }
    }
    Some(Variant::bytes(bits))
}

/// systemd's own filter. It and orbital's are both asked, so it must let pass whatever that does: a
/// list of what is allowed has no place for "but not", and then it is the wider one. Without it
/// systemd would load none, and its `systemctl show` say nothing of devices.
fn of_devices(rules: &[DeviceRule]) -> Vec<(&'static str, Variant)> {
    let mut allowed: Vec<(String, u8)> = Vec::new();
    let mut all = rules.is_empty();
    for rule in rules {
        let everything = rule.major.is_none() && rule.minor.is_none();
        let whole = everything && rule.kind == DeviceKind::All && rule.access & 7 == 7;
        match rule.verdict {
            Verdict::Deny if whole => {
                all = false;
                allowed.clear();
            }
            Verdict::Deny => {}
            Verdict::Allow if whole => all = true,
            Verdict::Allow => nodes(rule, &mut allowed),
        }
    }
    if all {
        return vec![("DevicePolicy", Variant::text("auto"))];
    }
    let member = |(node, access): (String, u8)| {
        let letters = [(2, 'r'), (4, 'w'), (1, 'm')];
        let letters = letters.iter().filter(|(bit, _)| access & bit != 0);
        let access: String = letters.map(|(_, letter)| *letter).collect();
        Variant::Tuple(vec![Variant::Text(node), Variant::Text(access)])
    };
    let list = Variant::List {
        of: "(ss)".to_owned(),
        members: allowed.into_iter().map(member).collect(),
    };
    vec![
        ("DevicePolicy", Variant::text("strict")),
        ("DeviceAllow", list),
    ]
}

/// By number, as the node itself need not exist; systemd.resource-control(5), "DeviceAllow=". A minor
/// number alone cannot be said, and stands for all.
fn nodes(rule: &DeviceRule, allowed: &mut Vec<(String, u8)>) {
    let kinds: &[&str] = match rule.kind {
        DeviceKind::All => &["block", "char"],
        DeviceKind::Block => &["block"],
        DeviceKind::Character => &["char"],
    };
    for kind in kinds {
        let node = match (rule.major, rule.minor) {
            (Some(major), Some(minor)) => format!("/dev/{kind}/{major}:{minor}"),
            (Some(major), None) => format!("{kind}-{major}"),
            (None, _) => format!("{kind}-*"),
        };
        match allowed.iter_mut().find(|(known, _)| *known == node) {
            Some((_, access)) => *access |= rule.access,
            None => allowed.push((node, rule.access)),
        }
    }
}

/// In order of their names.
fn of_annotations(annotations: Option<&HashMap<String, String>>) -> Result<Vec<Property>> {
    let mut given: Vec<(&str, &String)> = Vec::new();
    for (key, value) in annotations.into_iter().flatten() {
        given.extend(key.strip_prefix(ANNOTATION).map(|name| (name, value)));
    }
    given.sort();
    given
        .into_iter()
        .map(|(name, value)| annotation(name, value))
        .collect()
}

fn annotation(name: &str, value: &str) -> Result<Property> {
    let pointer = Pointer::from("/annotations").at(format!("{ANNOTATION}{name}"));
    let refuse = |why: String| Error::refused("set the unit's property", &pointer, why);
    let first = name
        .bytes()
        .next()
        .is_some_and(|letter| letter.is_ascii_uppercase());
    if !first || name.len() < 3 || !name.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
        let error = refuse(format!("{name:?} is no name of a property"));
        return Err(error.hint("write it as systemd does, such as TimeoutStopUSec"));
    }
    if OURS.contains(&name) {
        return Err(refuse(format!("{name} is orbital's own to say")));
    }
    let (name, value) = match name.strip_suffix("Sec").filter(|stem| !stem.ends_with('U')) {
        Some(stem) => (format!("{stem}USec"), seconds(value)),
        None => (name.to_owned(), variant::parse(value)),
    };
    let value = value.map_err(|why| {
        refuse(why).hint("write it as busctl and gdbus do: true, 7, uint64 7, 'text', ['a', 'b']")
    })?;
    Ok(Property {
        name,
        value,
        pointer,
    })
}

/// systemd's files say `TimeoutStopSec=`, its properties `TimeoutStopUSec`; callers write both.
fn seconds(text: &str) -> std::result::Result<Variant, String> {
    let number = text.rsplit(' ').next().unwrap_or(text);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let odd = || format!("{text:?} is no number of seconds");
    let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || part.len() > 6 || !digits(whole) || !digits(part) {
        return Err(odd());
    }
    let micros = format!("{whole}{part:0<6}").parse();
    micros.map(Variant::Uint64).map_err(|_| odd())
}

#[cfg(test)]
mod tests;
