//! Security modules of the host: a label is refused where there is nobody to enforce it.

use super::ask;
use crate::error::{Error, Result};
use crate::plan::labels::{Absent, AppArmor, Labels};

/// Whether the child writes the AppArmor profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confine {
    /// It does.
    Yes,
    /// None is asked for, or there is no module that could confine.
    No,
}

/// Asks for the modules that the labels need, and for no other.
///
/// # Errors
/// A module that is not there.
pub fn check(labels: &Labels) -> Result<Confine> {
    if labels.selinux.is_some() && !ask::has_selinux() {
        return Err(Error::refused(
            "set the SELinux label",
            "/process/selinuxLabel",
            "SELinux is not enabled on this host",
        )
        .hint("leave it out; with podman and docker: --security-opt label=disable"));
    }
    labels.apparmor.as_ref().map_or(Ok(Confine::No), apparmor)
}

fn apparmor(wanted: &AppArmor) -> Result<Confine> {
    if ask::has_apparmor() {
        return Ok(Confine::Yes);
    }
    match wanted.absent {
        Absent::Leave => Ok(Confine::No),
        Absent::Refuse => Err(Error::refused(
            "set the AppArmor profile",
            "/process/apparmorProfile",
            "AppArmor is not enabled on this host",
        )
        .hint("leave it out; with podman and docker: --security-opt apparmor=unconfined")),
    }
}
