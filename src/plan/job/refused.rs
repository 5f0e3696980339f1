//! What a Job Object cannot be: asked for, it is an error and never let pass.

use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{Process, Spec};
use serde_json::Value;

/// Members of `/windows` that the Host Compute Service would see to, or Hyper-V.
const OF_HCS: [&str; 8] = [
    "layerFolders",
    "devices",
    "credentialSpec",
    "servicing",
    "ignoreFlushesDuringBoot",
    "hyperv",
    "network",
    "networkNamespace",
];

/// A feature that a job has not.
pub(super) fn needs_hcs(place: impl Into<Pointer>) -> Error {
    let why = "it needs HCS, the Host Compute Service; not supported by the job-object backend";
    Error::refused("make the container", place, why)
        .hint("take it out: a job shares the machine's files, devices and network with everybody")
}

/// Checks all but the process.
pub(super) fn check(spec: &Spec, raw: &[u8]) -> Result<()> {
    if spec.linux().is_some() {
        let why = "it is for Linux, and this is a container for Windows";
        return Err(Error::refused("make the container", "/linux", why)
            .hint("take it out, or ask for it with --platform linux"));
    }
    for (place, asked) in [
        ("/root", spec.root().is_some()),
        (
            "/mounts",
            spec.mounts()
                .as_ref()
                .is_some_and(|mounts| !mounts.is_empty()),
        ),
        ("/hostname", spec.hostname().is_some()),
        ("/domainname", spec.domainname().is_some()),
        ("/vm", spec.vm().is_some()),
    ] {
        if asked {
            return Err(needs_hcs(place));
        }
    }
    if spec.windows().is_none() {
        return Ok(());
    }
    let document: Value = serde_json::from_slice(raw).unwrap_or_default();
    for name in OF_HCS {
        let place = Pointer::from("/windows").at(name);
        let nothing = |value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if document
            .pointer(place.as_str())
            .is_some_and(|value| !nothing(value))
        {
            return Err(needs_hcs(place));
        }
    }
    Ok(())
}

/// Checks a process for what only POSIX has: a wall that is not there must not be believed in.
pub(super) fn of_posix(given: &Process) -> Result<()> {
    let user = given.user();
    for (name, asked) in [
        ("capabilities", given.capabilities().is_some()),
        (
            "rlimits",
            given
                .rlimits()
                .as_ref()
                .is_some_and(|limits| !limits.is_empty()),
        ),
        ("noNewPrivileges", given.no_new_privileges() == Some(true)),
        (
            "apparmorProfile",
            given
                .apparmor_profile()
                .as_ref()
                .is_some_and(|name| !name.is_empty()),
        ),
        (
            "selinuxLabel",
            given
                .selinux_label()
                .as_ref()
                .is_some_and(|label| !label.is_empty()),
        ),
        ("oomScoreAdj", given.oom_score_adj().is_some()),
        ("scheduler", given.scheduler().is_some()),
        ("ioPriority", given.io_priority().is_some()),
        ("execCPUAffinity", given.exec_cpu_affinity().is_some()),
        ("user/uid", user.uid() != 0),
        ("user/gid", user.gid() != 0),
        ("user/umask", user.umask().is_some()),
        (
            "user/additionalGids",
            user.additional_gids()
                .as_ref()
                .is_some_and(|ids| !ids.is_empty()),
        ),
    ] {
        if asked {
            let why = "Windows has nothing of the kind";
            let place = format!("/process/{name}");
            return Err(Error::refused("make the process", place, why).hint("take it out"));
        }
    }
    Ok(())
}
