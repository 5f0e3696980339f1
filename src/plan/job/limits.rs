//! `/windows/resources` (config-windows.md, "Resources") as limits of a job.

use super::Facts;
use crate::error::{Error, Pointer, Result, nearest};
use oci_spec::runtime::Spec;
use serde_json::Value;

/// What all processes of a job may use together. What is `None` is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Committed memory in bytes; `JOB_OBJECT_LIMIT_JOB_MEMORY`.
    pub memory: Option<u64>,
    /// Processes at a time; `JOB_OBJECT_LIMIT_ACTIVE_PROCESS`.
    pub processes: Option<u32>,
    /// Time on the processors; `JobObjectCpuRateControlInformation`.
    pub cpu: Option<Cpu>,
    /// On which processors, one mask for each group; `JobObjectGroupInformationEx`. Empty for all.
    pub affinity: Vec<Affinity>,
    /// Disk operations; `SetIoRateControlInformationJobObject`.
    pub io: Option<Io>,
}

/// How time on the processors is limited: a job knows one way at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cpu {
    /// At most so many of 10,000 cycles of all processors.
    AtMost(u32),
    /// By weight against other jobs, 1 to 9; 5 is usual.
    Weight(u32),
}

/// Processors of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affinity {
    /// The group's number.
    pub group: u16,
    /// A bit for each of its processors.
    pub mask: u64,
}

/// Disk operations, 0 for any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Io {
    /// Operations a second.
    pub iops: i64,
    /// Bytes a second.
    pub bps: i64,
}

/// The annotation with the most processes at a time, which config-windows.md has no member for.
pub const PROCESSES: &str = "orbital.job.processes";

/// Members of `/windows/resources` and of its objects.
const KNOWN: [(&str, &[&str]); 4] = [
    ("", &["memory", "cpu", "storage"]),
    ("memory", &["limit"]),
    ("cpu", &["count", "shares", "maximum", "affinity"]),
    ("storage", &["iops", "bps", "sandboxSize"]),
];

const DOING: &str = "limit the job";

/// Plans them. The types know no affinity, so the document itself is read.
///
/// # Errors
/// A value that no job can have.
pub(super) fn plan(
    spec: &Spec,
    raw: &[u8],
    facts: Facts,
    warnings: &mut Vec<String>,
) -> Result<Limits> {
    let processes = spec
        .annotations()
        .as_ref()
        .and_then(|all| all.get(PROCESSES));
    let processes = processes.map(|text| processes_of(text)).transpose()?;
    let has_resources = spec
        .windows()
        .as_ref()
        .is_some_and(|windows| windows.resources().is_some());
    if !has_resources {
        return Ok(Limits {
            processes,
            ..Limits::default()
        });
    }
    let document: Value = serde_json::from_slice(raw).unwrap_or_default();
    let place = "/windows/resources";
    let resources = document.pointer(place).cloned().unwrap_or_default();
    Ok(Limits {
        processes,
        ..of(&resources, &Pointer::from(place), facts, warnings)?
    })
}

/// The limits in `resources`, which stands at `place`.
///
/// # Errors
/// As [`plan`].
pub fn of(
    resources: &Value,
    place: &Pointer,
    facts: Facts,
    warnings: &mut Vec<String>,
) -> Result<Limits> {
    for (object, known) in KNOWN {
        let (found, place) = match object {
            "" => (Some(resources), place.clone()),
            _ => (resources.get(object), place.at(object)),
        };
        for name in found
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|all| all.keys())
        {
            if !known.contains(&name.as_str()) {
                let near = nearest(name, known.iter().copied());
                let near = near
                    .map(|near| format!(": did you mean {near}?"))
                    .unwrap_or_default();
                let at = place.at(name);
                warnings.push(format!(
                    "config.json#{} is no member that orbital knows, and is ignored{near}",
                    at.as_str()
                ));
            }
        }
    }
    let reader = Reader { resources, place };
    reader.sandbox()?;
    Ok(Limits {
        memory: reader.number("memory", "limit", 1, i64::MAX.unsigned_abs())?,
        processes: None,
        cpu: reader.cpu(facts)?,
        affinity: reader.affinity()?,
        io: reader.io()?,
    })
}

fn processes_of(text: &str) -> Result<u32> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| {
            let place = Pointer::from("/annotations").at(PROCESSES);
            Error::refused(
                DOING,
                place,
                "it is a number of processes, 1 or more, as text",
            )
        })
}

struct Reader<'a> {
    resources: &'a Value,
    place: &'a Pointer,
}

impl Reader<'_> {
    /// A number within limits; 0 means none, as callers of other runtimes send it.
    fn number(&self, object: &str, name: &str, least: u64, most: u64) -> Result<Option<u64>> {
        let value = self
            .resources
            .get(object)
            .and_then(|object| object.get(name));
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        match value.as_u64() {
            Some(0) => Ok(None),
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(Error::refused(
                DOING,
                self.place.at(object).at(name),
                format!("it must be a whole number from {least} to {most}"),
            )),
        }
    }

    fn cpu(&self, facts: Facts) -> Result<Option<Cpu>> {
        let count = self.number("cpu", "count", 1, u64::from(u32::MAX))?;
        let maximum = self.number("cpu", "maximum", 1, 10_000)?;
        let shares = self.number("cpu", "shares", 1, 10_000)?;
        let given = [("count", count), ("maximum", maximum), ("shares", shares)];
        let given: Vec<&str> = given
            .iter()
            .filter(|(_, one)| one.is_some())
            .map(|(name, _)| *name)
            .collect();
        if let [first, second, ..] = given[..] {
            let why = "a job limits the processors in one way: by count, by maximum or by shares";
            return Err(Error::refused(DOING, self.place.at("cpu"), why)
                .hint(format!("take {first} or {second} out")));
        }
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let of_all = |count: u64| small(count * 10_000 / u64::from(facts.processors.max(1)));
        Ok(match (count, maximum, shares) {
            // All processors, or more than there are, are no limit.
            (Some(count), ..) if count >= u64::from(facts.processors) => None,
            (Some(count), ..) => Some(Cpu::AtMost(of_all(count).max(1))),
            (None, Some(maximum), _) => Some(Cpu::AtMost(small(maximum))),
            (None, None, Some(shares)) => Some(Cpu::Weight(small(1 + (shares - 1) * 9 / 10_000))),
            (None, None, None) => None,
        })
    }

    fn affinity(&self) -> Result<Vec<Affinity>> {
        let given = self
            .resources
            .get("cpu")
            .and_then(|cpu| cpu.get("affinity"));
        let Some(given) = given.filter(|given| !given.is_null()) else {
            return Ok(Vec::new());
        };
        let place = self.place.at("cpu").at("affinity");
        let Some(list) = given.as_array() else {
            return Err(Error::refused(
                DOING,
                place,
                "it must be a list, that is, begin with [",
            ));
        };
        let mut masks: Vec<Affinity> = Vec::new();
        for (index, one) in list.iter().enumerate() {
            let wrong = |why: &str| Error::refused(DOING, place.at(index), why);
            let number = |name: &str| one.get(name).map_or(Some(0), Value::as_u64);
            let group = number("group").and_then(|group| u16::try_from(group).ok());
            let (Some(mask @ 1..), Some(group)) = (number("mask"), group) else {
                return Err(wrong(
                    "it needs a mask of at least one processor, and a group from 0 to 65535",
                ));
            };
            if masks.iter().any(|earlier| earlier.group == group) {
                return Err(
                    wrong("this group has a mask already").hint("join the two: add their bits")
                );
            }
            masks.push(Affinity { group, mask });
        }
        Ok(masks)
    }

    fn io(&self) -> Result<Option<Io>> {
        let most = i64::MAX.unsigned_abs();
        let iops = self.number("storage", "iops", 1, most)?;
        let bps = self.number("storage", "bps", 1, most)?;
        let signed = |number: Option<u64>| i64::try_from(number.unwrap_or(0)).unwrap_or(i64::MAX);
        let io = Io {
            iops: signed(iops),
            bps: signed(bps),
        };
        Ok((io.iops != 0 || io.bps != 0).then_some(io))
    }

    fn sandbox(&self) -> Result<()> {
        match self.number("storage", "sandboxSize", 1, u64::MAX)? {
            Some(_) => Err(super::refused::needs_hcs(
                self.place.at("storage").at("sandboxSize"),
            )),
            None => Ok(()),
        }
    }
}
