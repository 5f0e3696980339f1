//! Other limits for a container that lives, by its job.

use super::{ask, make};
use crate::cli::Update;
use crate::error::{Error, Object, Pointer, Result};
use crate::plan::job::limits::{self, Limits};
use crate::state::Record;
use crate::state::record::without_group;
use crate::sys::job::Rate;
use serde_json::Value;
use std::path::Path;

/// Limits as they were read.
#[derive(Debug)]
pub struct Wanted {
    given: Limits,
    /// Whether the processors are named, be it without a limit.
    names_cpu: bool,
    names_memory: bool,
    warnings: Vec<String>,
}

/// Limits that only flags of `update` name: those of config-windows.md have no word for them.
const OF_FLAGS: [(&str, &str); 1] = [("pids", "limit")];

/// What a job knows; any other limit that was asked for is none.
const KNOWN: [&str; 7] = [
    "/memory/limit",
    "/cpu/count",
    "/cpu/shares",
    "/cpu/maximum",
    "/cpu/affinity",
    "/storage/iops",
    "/storage/bps",
];

/// Reads the limits, which are what /windows/resources of config.json would be, and `{"pids": {"limit": N}}`.
///
/// # Errors
/// Text that is none; a limit that a job does not know.
pub fn read(raw: &[u8], name: &Path) -> Result<Wanted> {
    let mut document: Value = serde_json::from_slice(raw).map_err(|error| {
        let cause = crate::error::Cause::Json {
            line: error.line(),
            column: error.column(),
            what: error
                .to_string()
                .split(" at line ")
                .next()
                .unwrap_or_default()
                .to_owned(),
        };
        Error::new("read the limits", Object::File(name.to_owned()), cause)
    })?;
    let mut processes = None;
    for (object, member) in OF_FLAGS {
        let place = Pointer::from(format!("/{object}/{member}"));
        if let Some(value) = document.pointer(place.as_str()) {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            let why = "it must be a whole number, 1 or more";
            processes = Some(
                number
                    .filter(|number| *number > 0)
                    .ok_or_else(|| Error::refused("limit the job", place, why))?,
            );
        }
        if let Some(all) = document.as_object_mut() {
            all.remove(object);
        }
    }
    for (object, members) in document.as_object().into_iter().flatten() {
        for member in members
            .as_object()
            .into_iter()
            .flat_map(|members| members.keys())
        {
            let place = Pointer::default().at(object).at(member);
            if !KNOWN.contains(&place.as_str()) {
                let why = "a Job Object has no such limit";
                return Err(Error::refused("limit the job", place, why).hint("leave it out"));
            }
        }
    }
    let mut warnings = Vec::new();
    let given = limits::of(&document, &Pointer::default(), ask::ask(), &mut warnings)?;
    Ok(Wanted {
        given: Limits { processes, ..given },
        names_cpu: document.get("cpu").is_some_and(|cpu| {
            ["count", "shares", "maximum"]
                .iter()
                .any(|name| cpu.get(name).is_some())
        }),
        names_memory: document.pointer("/memory/limit").is_some(),
        warnings,
    })
}

/// Linux's shares of caches.
///
/// # Errors
/// Any.
pub fn shares(request: &Update) -> Result<()> {
    match request.l3_cache_schema.is_some() || request.mem_bw_schema.is_some() {
        true => Err(super::inherit::no_such_thing(
            "--l3-cache-schema, --mem-bw-schema",
            "Windows shares no caches out",
        )),
        false => Ok(()),
    }
}

/// Changes the limits; what is not named stays. `place` tells where a limit was written.
///
/// # Errors
/// A container without a job; what Windows refuses. Memory and processes are taken back then.
pub fn change(
    record: &Record,
    wanted: &Wanted,
    (): &(),
    place: &dyn Fn(&Pointer) -> Pointer,
) -> Result<Vec<String>> {
    let Some(group) = record.group()? else {
        return Err(without_group("update", &record.id));
    };
    let told = |fault| group.fault("ask for the limits", fault);
    let before = group.job.limits().map_err(told)?;
    let limits = Limits {
        memory: if wanted.names_memory {
            wanted.given.memory
        } else {
            before.memory
        },
        processes: wanted.given.processes.or(before.processes),
        ..wanted.given.clone()
    };
    let written = |pointer: Pointer| {
        let short = pointer.as_str().strip_prefix("/windows/resources");
        place(&Pointer::from(short.unwrap_or_default()))
    };
    if wanted.names_cpu && wanted.given.cpu.is_none() {
        group
            .job
            .rate(Rate::Free)
            .map_err(|fault| group.fault("free the processors", fault))?;
    }
    let set = make::set(&group.job, &limits, before.closing, &written);
    set.map_err(|error| {
        let back = group.job.limit(before).err();
        error.also(back.map(|fault| group.fault("take the limits back", fault)))
    })?;
    Ok(wanted.warnings.clone())
}
