//! `/linux/resources/cpu` (config-linux.md, "CPU").

use super::Wanted;
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::LinuxCpu;

/// The kernel's own period in microseconds; cgroup-v2.rst, "cpu.max".
const PERIOD: u64 = 100_000;

pub(super) fn plan(cpu: &LinuxCpu, at: &Pointer, wanted: &mut Wanted) -> Result<()> {
    no_realtime(cpu, at)?;
    // Weight before idle: an idle group takes no weight (EINVAL).
    if let Some(shares) = cpu.shares().filter(|shares| *shares != 0) {
        wanted.set("cpu.weight", weight(shares), at.at("shares"));
    }
    if let Some(idle) = cpu.idle() {
        if !(0..=1).contains(&idle) {
            return Err(Error::refused(
                "set cpu.idle",
                at.at("idle"),
                "it is 0 or 1",
            ));
        }
        wanted.set("cpu.idle", idle, at.at("idle"));
    }
    bandwidth(cpu, at, wanted)?;
    for (member, value, file) in [
        ("cpus", cpu.cpus(), "cpuset.cpus"),
        ("mems", cpu.mems(), "cpuset.mems"),
    ] {
        if let Some(list) = value.as_ref().filter(|list| !list.is_empty()) {
            wanted.set(file, list, at.at(member));
        }
    }
    Ok(())
}

/// v2 has no realtime limits; a group with a limit that does not hold would be a surprise.
fn no_realtime(cpu: &LinuxCpu, at: &Pointer) -> Result<()> {
    let why = "cgroup v2 has no realtime limits";
    let doing = "limit realtime processes";
    if cpu.realtime_runtime().is_some_and(|runtime| runtime != 0) {
        return Err(Error::refused(doing, at.at("realtimeRuntime"), why));
    }
    if cpu.realtime_period().is_some_and(|period| period != 0) {
        return Err(Error::refused(doing, at.at("realtimePeriod"), why));
    }
    Ok(())
}

/// Quota and period are one file. The burst comes after, since it must not exceed the quota.
fn bandwidth(cpu: &LinuxCpu, at: &Pointer, wanted: &mut Wanted) -> Result<()> {
    let quota = cpu.quota().filter(|quota| *quota != 0);
    let period = cpu.period().filter(|period| *period != 0);
    if quota.is_some() || period.is_some() {
        let allowed = match quota {
            Some(quota @ 1..) => quota.to_string(),
            _ => "max".to_owned(),
        };
        let member = if quota.is_some() { "quota" } else { "period" };
        let value = format!("{allowed} {}", period.unwrap_or(PERIOD));
        wanted.set("cpu.max", value, at.at(member));
    }
    let Some(burst) = cpu.burst() else {
        return Ok(());
    };
    if let Some(quota @ 1..) =
        quota.filter(|quota| u64::try_from(*quota).is_ok_and(|it| it < burst))
    {
        let why = "it is more than the quota";
        return Err(Error::refused("set cpu.max.burst", at.at("burst"), why)
            .hint(format!("make it {quota} or less")));
    }
    wanted.set("cpu.max.burst", burst, at.at("burst"));
    Ok(())
}

/// v1's shares (2 to 262144, default 1024) as v2's weight (1 to 10000, default 100): the quadratic
/// in the logarithms through these three points, rounded up. runc since 1.3.2 and crun since 1.23
/// use it; a straight line would give a default container a third of its due.
pub(super) fn weight(shares: u64) -> u64 {
    match shares {
        0..=2 => 1,
        3..=262_143 => {
            #[allow(clippy::cast_precision_loss, reason = "shares are less than 2^18 here")]
            let log = (shares as f64).log2();
            let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the exponent is between 0 and 4, so the power is between 1 and 10000"
            )]
            let weight = 10f64.powf(exponent).ceil() as u64;
            weight
        }
        262_144.. => 10_000,
    }
}

#[cfg(test)]
mod tests;
