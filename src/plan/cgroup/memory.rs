//! `/linux/resources/memory`, `/pids` and `/hugepageLimits` (config-linux.md, "Memory", "PIDs",
//! "Huge page limits").

use super::{Otherwise, Wanted, limit};
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{LinuxHugepageLimit, LinuxMemory, LinuxPids};

/// The number of tasks. 0 is a limit, not "unset" (since runtime-spec 1.3; [`super::Moment`]).
pub(super) fn pids(pids: &LinuxPids, at: &Pointer, wanted: &mut Wanted) -> Result<()> {
    let pointer = at.at("limit");
    let value = limit(pids.limit(), "pids.max", &pointer)?;
    wanted.set("pids.max", value, pointer);
    Ok(())
}

/// Memory. 0 is "unset", as callers send it. Swap is written before memory.max, so that there is no
/// moment at which the group is full and may swap without bound.
pub(super) fn memory(memory: &LinuxMemory, at: &Pointer, wanted: &mut Wanted) -> Result<()> {
    swap(memory, at, wanted)?;
    let bytes = [("limit", memory.limit(), "memory.max")]
        .into_iter()
        .chain([("reservation", memory.reservation(), "memory.low")]);
    for (member, value, file) in bytes {
        let pointer = at.at(member);
        if let Some(value) = value.filter(|value| *value != 0) {
            wanted.set(file, limit(value, file, &pointer)?, pointer);
        }
    }
    ignored(memory, at, wanted);
    Ok(())
}

/// config.json gives memory and swap together, v2 wants swap alone.
fn swap(memory: &LinuxMemory, at: &Pointer, wanted: &mut Wanted) -> Result<()> {
    const FILE: &str = "memory.swap.max";
    let pointer = at.at("swap");
    let refuse = |why: &str| Err(Error::refused(format!("set {FILE}"), &pointer, why));
    let limit = memory.limit().unwrap_or(0);
    // It is reckoned with before it is written, where it is looked at again.
    if limit < -1 {
        super::limit(limit, "memory.max", &at.at("limit"))?;
    }
    let value = match (memory.swap().unwrap_or(0), limit) {
        // Without any limit of memory, swap has none either, as under v1.
        (0, -1) => "max".to_owned(),
        (0, _) => return Ok(()),
        (-1, _) => "max".to_owned(),
        (..0, _) => return refuse("a limit is a number from 0 on, or -1 for none"),
        (both, -1) => both.to_string(),
        (_, 0) => {
            return refuse("it counts memory and swap together, and there is no memory limit");
        }
        (both, memory) if both < memory => {
            let error =
                refuse("it counts memory and swap together, and is less than the memory limit");
            return error.map_err(|error| {
                error.hint(format!(
                    "make it {memory} or more, or -1 for any amount of swap"
                ))
            });
        }
        (both, memory) => (both - memory).to_string(),
    };
    // A kernel without swap has no such file, and swaps nothing.
    let otherwise = if value == "max" || value == "0" {
        Otherwise::Ignore
    } else {
        Otherwise::Fail
    };
    let pointer = if memory.swap().unwrap_or(0) == 0 {
        at.at("limit")
    } else {
        pointer
    };
    wanted.set_or(FILE, value, otherwise, pointer);
    Ok(())
}

fn ignored(memory: &LinuxMemory, at: &Pointer, wanted: &mut Wanted) {
    #[allow(
        deprecated,
        reason = "the specification still has it, and a reader should hear of it"
    )]
    let kernel = memory.kernel();
    let kernels = [("kernel", kernel), ("kernelTCP", memory.kernel_tcp())];
    for (member, _) in kernels
        .into_iter()
        .filter(|(_, value)| value.is_some_and(|v| v != 0))
    {
        wanted.warn(
            &at.at(member),
            "cgroup v2 counts kernel memory with the rest",
        );
    }
    if memory.swappiness().is_some() {
        wanted.warn(
            &at.at("swappiness"),
            "cgroup v2 has no swappiness of a group",
        );
    }
    if memory.disable_oom_killer() == Some(true) {
        wanted.warn(
            &at.at("disableOOMKiller"),
            "cgroup v2 always has its OOM killer",
        );
    }
    if memory.use_hierarchy() == Some(false) {
        wanted.warn(&at.at("useHierarchy"), "cgroup v2 is always hierarchical");
    }
}

/// Huge pages: what is used, and what is reserved, where the kernel knows that (5.7).
pub(super) fn hugepages(
    limits: &[LinuxHugepageLimit],
    at: &Pointer,
    wanted: &mut Wanted,
) -> Result<()> {
    for (index, one) in limits.iter().enumerate() {
        let at = at.at(index);
        let size = one.page_size();
        if !is_page_size(size) {
            let why = "a page size is a number and KB, MB or GB, such as 2MB";
            return Err(Error::refused("limit huge pages", at.at("pageSize"), why));
        }
        let file = format!("hugetlb.{size}.max");
        let value = limit(one.limit(), &file, &at.at("limit"))?;
        wanted.set(&file, &value, at.at("limit"));
        let file = format!("hugetlb.{size}.rsvd.max");
        wanted.set_or(&file, value, Otherwise::Ignore, at.at("limit"));
    }
    Ok(())
}

/// The size becomes part of a file's name, so nothing but a size may pass (runc's GHSA-5g49).
fn is_page_size(text: &str) -> bool {
    let number = ["KB", "MB", "GB"]
        .iter()
        .find_map(|unit| text.strip_suffix(unit));
    number.is_some_and(|number| {
        !number.is_empty() && !number.starts_with('0') && number.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests;
