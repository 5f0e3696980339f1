//! Sysctls and names.

use crate::linux::failure::{Miss, Of};
use crate::linux::held::Held;
use crate::plan::Plan;
use crate::sys::{Fault, process};

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
