//! Other limits for a container that lives: what to write, and in which order.
//!
//! Members that are absent stay as they are, and so do the devices, whatever is said about them: other
//! programs (for graphics processors, for one) add rules of their own, which must survive.

use super::{Setting, Wanted};
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{LinuxCpu, LinuxMemory, LinuxResources};

/// What the group's files say now. Without a controller there is no limit and no use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Current {
    /// `memory.max` in bytes; `None` for no limit.
    pub memory: Option<u64>,
    /// `memory.current` in bytes.
    pub memory_used: u64,
    /// `memory.swap.max` in bytes; `None` for no limit.
    pub swap: Option<u64>,
    /// `memory.swap.current` in bytes.
    pub swap_used: u64,
    /// The quota in `cpu.max` in microseconds; `None` for no limit.
    pub quota: Option<u64>,
    /// The period there.
    pub period: Option<u64>,
}

/// What is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The files, in order; pointers are below `/linux/resources`.
    pub settings: Vec<Setting>,
    /// What cgroup v2 has no counterpart for, as sentences for the log.
    pub warnings: Vec<String>,
}

/// Plans the change from `current` to `resources`.
///
/// # Errors
/// As for a new group; with `checkBeforeUpdate` also a limit below what is used.
pub fn plan(resources: &LinuxResources, current: &Current) -> Result<Changes> {
    let at = Pointer::default();
    let memory = resources.memory().unwrap_or_default();
    check_use(&memory, current, &at.at("memory"))?;
    let asked = completed(resources, current);
    let mut wanted = Wanted::default();
    wanted.read(&asked, &at)?;
    let mut settings = wanted.settings;
    if memory.limit().unwrap_or(0) == 0 {
        settings.retain(|one| one.pointer.as_str() != "/memory/limit");
    }
    let cpu = resources.cpu().clone().unwrap_or_default();
    if cpu.quota().unwrap_or(0) == 0 {
        for one in settings
            .iter_mut()
            .filter(|one| one.pointer.as_str() == "/cpu/quota")
        {
            one.pointer = at.at("cpu").at("period");
        }
    }
    order(&mut settings, &cpu, current);
    Ok(Changes {
        settings,
        warnings: wanted.warnings,
    })
}

/// What is two members in config.json and one file of the kernel's needs both: the absent one is what it is now.
fn completed(resources: &LinuxResources, current: &Current) -> LinuxResources {
    let mut all = resources.clone();
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    if let Some(memory) = all.memory_mut().as_mut()
        && memory.swap().unwrap_or(0) > 0
        && memory.limit().unwrap_or(0) == 0
    {
        memory.set_limit(current.memory.map(signed));
    }
    if let Some(cpu) = all.cpu_mut().as_mut() {
        let has_quota = cpu.quota().unwrap_or(0) != 0;
        let has_period = cpu.period().unwrap_or(0) != 0;
        if has_period && !has_quota {
            cpu.set_quota(Some(current.quota.map_or(-1, signed)));
        }
        if has_quota && !has_period {
            cpu.set_period(current.period);
        }
    }
    all
}

/// `checkBeforeUpdate`: better no change than processes that the kernel kills to make room.
fn check_use(memory: &LinuxMemory, current: &Current, at: &Pointer) -> Result<()> {
    if memory.check_before_update() != Some(true) {
        return Ok(());
    }
    let (used, both) = (current.memory_used, current.memory_used + current.swap_used);
    let rows = [
        ("swap", memory.swap(), both, "memory+swap"),
        ("limit", memory.limit(), used, "memory"),
    ];
    for (member, limit, used, what) in rows {
        let limit = limit.and_then(|limit| u64::try_from(limit).ok());
        if let Some(limit) = limit.filter(|limit| *limit > 0 && *limit <= used) {
            let why = format!("rejecting {what} limit {limit}: {used} bytes are used");
            return Err(Error::refused("update the limits", at.at(member), why)
                .hint("free some first, or leave out \"checkBeforeUpdate\""));
        }
    }
    Ok(())
}

fn order(settings: &mut [Setting], cpu: &LinuxCpu, current: &Current) {
    // Room is made before it is taken away: a group that must shrink first swaps what it may.
    let new = value_of(settings, "memory.swap.max");
    let grows = match (new, current.swap) {
        (Some(None), Some(_)) => true,
        (Some(Some(new)), Some(old)) => new > old,
        _ => false,
    };
    if !grows {
        put_first(settings, "memory.max", "memory.swap.max");
    }
    // The kernel refuses a burst above the quota, whichever of them is written.
    let fits = match (cpu.burst(), current.quota) {
        (Some(burst), Some(quota)) => burst <= quota,
        _ => true,
    };
    if fits {
        put_first(settings, "cpu.max.burst", "cpu.max");
    }
    // An idle group takes no weight.
    if cpu.idle() == Some(0) {
        put_first(settings, "cpu.idle", "cpu.weight");
    }
}

/// The number that will be written to `file`; `Some(None)` for `max`.
fn value_of(settings: &[Setting], file: &str) -> Option<Option<u64>> {
    let found = settings.iter().rfind(|one| one.file == file)?;
    Some(found.value.parse().ok())
}

/// Exchanges the two, where both are there and the other way round. `unified` settings come last and stay there.
fn put_first(settings: &mut [Setting], first: &str, second: &str) {
    let place = |file: &str| settings.iter().position(|one| one.file == file);
    if let (Some(first), Some(second)) = (place(first), place(second))
        && first > second
    {
        settings
            .get_mut(second..=first)
            .unwrap_or_default()
            .rotate_right(1);
    }
}

#[cfg(test)]
mod tests;
