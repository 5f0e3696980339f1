//! Other limits for a container that lives, by its cgroup and by resctrl.

use super::parent::rdt;
use crate::cgroup::Cgroup;
use crate::cgroup::systemd::Living;
use crate::cli::Update;
use crate::error::{Pointer, Result};
use crate::plan::cgroup::update::{self, Changes};
use crate::plan::rdt as planned;
use crate::spec::resources;
use crate::state::Record;
use crate::state::record::without_group;
use oci_spec::runtime::LinuxResources;
use std::path::Path;

/// Reads the limits, which are what /linux/resources of config.json would be.
///
/// # Errors
/// Text that is none.
pub fn read(raw: &[u8], name: &Path) -> Result<LinuxResources> {
    resources::parse(raw, name)
}

/// Shares of caches and of memory bandwidth, as lines for resctrl.
///
/// # Errors
/// A line that is none.
pub fn shares(request: &Update) -> Result<Vec<String>> {
    planned::lines(
        request.l3_cache_schema.as_deref(),
        request.mem_bw_schema.as_deref(),
    )
}

/// Changes the limits, all or none. `place` tells where a limit was written. What was ignored is returned.
///
/// # Errors
/// A container without a cgroup; a limit that cannot be; what the kernel refuses.
pub fn change(
    record: &Record,
    wanted: &LinuxResources,
    shares: &[String],
    place: &dyn Fn(&Pointer) -> Pointer,
) -> Result<Vec<String>> {
    let group = record.group()?;
    let current = group.as_ref().map(Cgroup::current).unwrap_or_default();
    let plan = update::plan(wanted, &current)?;
    let warnings = write(record, group.as_ref(), plan, place)?;
    if !shares.is_empty() {
        rdt::share(&record.resctrl_made, shares)?;
    }
    Ok(warnings)
}

fn write(
    record: &Record,
    group: Option<&Cgroup>,
    plan: Changes,
    place: &dyn Fn(&Pointer) -> Pointer,
) -> Result<Vec<String>> {
    let Changes {
        mut settings,
        mut warnings,
    } = plan;
    if settings.is_empty() {
        return Ok(warnings);
    }
    let Some(group) = group else {
        return Err(without_group("update", &record.id));
    };
    for setting in &mut settings {
        setting.pointer = place(&setting.pointer);
    }
    let unit = record.unit.as_ref().map(|unit| Living {
        unit: &unit.name,
        instance: unit.instance,
    });
    let before = group.oom_kills();
    group.change(&settings, unit.as_ref())?;
    let killed = group.oom_kills().saturating_sub(before);
    if killed > 0 && settings.iter().any(|one| one.file.starts_with("memory.")) {
        warnings.push(format!(
            "the kernel ended {killed} of its processes to come below the new limit of memory"
        ));
    }
    Ok(warnings)
}
