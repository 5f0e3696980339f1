//! What this version cannot do and therefore refuses, rather than leave out in silence.

use crate::error::{Error, Result};
use oci_spec::runtime::{Linux, Spec};

/// Refuses the first property that asks for something this version does not do. Sections of other
/// platforms (`windows`, `solaris`, `vm`, `zos`) are not ours to judge.
///
/// # Errors
/// There is one.
pub fn check(spec: &Spec) -> Result<()> {
    match spec.linux() {
        Some(linux) => linux_properties(linux),
        None => Ok(()),
    }
}

fn linux_properties(linux: &Linux) -> Result<()> {
    let devices = linux
        .net_devices()
        .as_ref()
        .is_some_and(|all| !all.is_empty());
    let offsets = linux
        .time_offsets()
        .as_ref()
        .is_some_and(|all| !all.is_empty());
    refuse(
        linux.intel_rdt().is_some(),
        "use Intel RDT",
        "/linux/intelRdt",
        LEAVE_OUT,
    )?;
    refuse(offsets, "set the clocks", "/linux/timeOffsets", LEAVE_OUT)?;
    refuse(
        devices,
        "move network devices",
        "/linux/netDevices",
        LEAVE_OUT,
    )
}

const LEAVE_OUT: &str = "leave it out";

fn refuse(asked: bool, doing: &str, pointer: &str, hint: &str) -> Result<()> {
    match asked {
        true => Err(
            Error::refused(doing, pointer, "this version of orbital cannot do that yet").hint(hint),
        ),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
