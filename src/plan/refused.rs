//! What this version cannot do and therefore refuses, rather than leave out in silence.

use crate::error::{Error, Result};
use oci_spec::runtime::{Linux, Process, Spec};

/// Refuses the first property that asks for something this version does not do. Sections of other
/// platforms (`windows`, `solaris`, `vm`, `zos`) are not ours to judge.
///
/// # Errors
/// There is one.
pub fn check(spec: &Spec) -> Result<()> {
    if let Some(process) = spec.process() {
        process_properties(process)?;
    }
    match spec.linux() {
        Some(linux) => linux_properties(linux),
        None => Ok(()),
    }
}

fn process_properties(process: &Process) -> Result<()> {
    let label = |label: &Option<String>| label.as_deref().is_some_and(|label| !label.is_empty());
    // "unconfined" asks for no profile: the process then keeps the caller's, which confines no less.
    let profile = process.apparmor_profile().as_deref() != Some("unconfined");
    refuse(
        profile && label(process.apparmor_profile()),
        "set the AppArmor profile",
        "/process/apparmorProfile",
        NO_APPARMOR,
    )?;
    refuse(
        label(process.selinux_label()),
        "set the SELinux label",
        "/process/selinuxLabel",
        NO_SELINUX,
    )?;
    refuse(
        process.scheduler().is_some(),
        "set the scheduling",
        "/process/scheduler",
        LEAVE_OUT,
    )?;
    refuse(
        process.io_priority().is_some(),
        "set the scheduling",
        "/process/ioPriority",
        LEAVE_OUT,
    )
}

fn linux_properties(linux: &Linux) -> Result<()> {
    let label = linux
        .mount_label()
        .as_deref()
        .is_some_and(|label| !label.is_empty());
    refuse(
        linux.seccomp().is_some(),
        "load the seccomp filter",
        "/linux/seccomp",
        NO_SECCOMP,
    )?;
    refuse(label, "label the mounts", "/linux/mountLabel", NO_SELINUX)?;
    refuse(
        linux.memory_policy().is_some(),
        "set the memory policy",
        "/linux/memoryPolicy",
        LEAVE_OUT,
    )
}

const LEAVE_OUT: &str = "leave it out";
const NO_SECCOMP: &str = "leave it out; with podman and docker: --security-opt seccomp=unconfined";
const NO_APPARMOR: &str =
    "leave it out; with podman and docker: --security-opt apparmor=unconfined";
const NO_SELINUX: &str = "leave it out; with podman and docker: --security-opt label=disable";

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
