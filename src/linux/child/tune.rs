//! Sysctls, names, scheduling.

use crate::linux::failure::{Miss, Of};
use crate::linux::held::Held;
use crate::plan::Plan;
use crate::plan::scheduling::{Affinity, Cpu};
use crate::sys::{Fault, process, sched};

/// Writes the parameters through the host's proved procfs: its files show the namespaces of whoever opens them.
pub fn sysctls(p: &Plan, h: &Held) -> Result<(), Miss> {
    for (index, sysctl) in p.sysctls.iter().enumerate() {
        h.proc.write(&sysctl.path, &sysctl.value).of(index)?;
    }
    Ok(())
}

/// sethostname(2).
pub fn host_name(p: &Plan) -> Result<(), Fault> {
    p.names
        .host
        .as_ref()
        .map_or(Ok(()), |name| process::set_host_name(name))
}

/// setdomainname(2).
pub fn domain_name(p: &Plan) -> Result<(), Fault> {
    p.names
        .domain
        .as_ref()
        .map_or(Ok(()), |name| process::set_domain_name(name))
}

/// personality(2).
pub fn personality(p: &Plan) -> Result<(), Fault> {
    p.names.personality.map_or(Ok(()), process::set_personality)
}

/// Takes the caller's bounds away: which CPUs it runs on says nothing of the container, which has all of its
/// group's. A filter around the runtime may deny it, ignored.
pub fn anywhere() {
    let _ = sched::run_anywhere();
}

/// CPU, disk and memory.
pub fn scheduling(p: &Plan) -> Result<(), Fault> {
    if let Some(cpu) = &p.scheduling.cpu {
        scheduler(cpu)?;
    }
    if let Some(priority) = p.scheduling.io {
        sched::set_io_priority(priority)?;
    }
    match &p.scheduling.memory {
        Some(memory) => sched::set_memory_policy(memory.mode, &memory.nodes),
        None => Ok(()),
    }
}

/// The CPUs of a second process, where they are given: in its group, whose own set is the widest that it gets.
pub fn cpus(cpus: Option<&[u64]>) -> Result<(), Fault> {
    cpus.map_or(Ok(()), sched::run_on)
}

fn scheduler(cpu: &Cpu) -> Result<(), Fault> {
    if cpu.affinity == Affinity::All {
        sched::run_anywhere()?;
    }
    sched::set_attributes(&sched::Attributes {
        size: sched::Attributes::SIZE,
        policy: cpu.policy,
        flags: cpu.flags,
        nice: cpu.nice,
        priority: cpu.priority,
        runtime: cpu.runtime,
        deadline: cpu.deadline,
        period: cpu.period,
        util_min: 0,
        util_max: 0,
    })
}
