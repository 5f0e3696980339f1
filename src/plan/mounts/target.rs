//! The place in the container, and what may stand there.

use super::{Entry, TargetLinks, is_bind, is_remount};
use crate::error::{Error, Result};
use crate::plan::root::below;
use std::ffi::CString;
use std::path::Path;

/// Files of /proc that a mount may cover: what LXCFS shows in their place. None of them is a way to
/// the kernel's settings of a process, and none lies behind a link of procfs itself (as net/dev does).
const COVERABLE: &[&str] = &[
    "cpuinfo",
    "diskstats",
    "loadavg",
    "meminfo",
    "slabinfo",
    "stat",
    "swaps",
    "uptime",
    "sys/crypto/fips_enabled",
    "sys/kernel/ns_last_pid",
];

/// The entry's destination, below the root, and whether its path may hold links.
///
/// # Errors
/// The root itself; /proc and what is in it, but for a procfs and [`COVERABLE`].
pub(super) fn plan(entry: &Entry<'_>) -> Result<(CString, TargetLinks)> {
    let at = entry.pointer.at("destination");
    let target = below(&entry.doing, entry.mount.destination(), &at)?;
    let kind = entry.mount.typ().as_deref();
    let links = match target.as_bytes() {
        b"" if entry.mount.destination().as_os_str().is_empty() => {
            return Err(entry.refused("destination", "the path is empty"));
        }
        b"" => {
            let why = "the container's root file system is there";
            let hint = "name a directory below /, or make the source the root by /root/path";
            return Err(entry.refused("destination", why).hint(hint));
        }
        // Nothing new comes to stand there.
        _ if is_remount(entry.mount) => TargetLinks::Inside,
        b"proc" => {
            proc_only(entry)?;
            TargetLinks::Refuse
        }
        b"sys" => TargetLinks::Refuse,
        other => {
            if let Some(name) = other.strip_prefix(b"proc/") {
                coverable(entry, name)?;
            }
            match kind {
                Some("proc" | "sysfs") if !is_bind(entry.mount) => TargetLinks::Refuse,
                _ => TargetLinks::Inside,
            }
        }
    };
    match (links, entry.options.extras.no_follow) {
        (TargetLinks::Inside, Some(_)) => Ok((target, TargetLinks::LastItself)),
        _ => Ok((target, links)),
    }
}

/// Anything else on /proc would be read as the kernel's word on labels and limits (CVE-2019-16884).
/// A bind of the host's /proc is how a user gets one without a process id namespace.
fn proc_only(entry: &Entry<'_>) -> Result<()> {
    let mount = entry.mount;
    let allowed = if is_bind(mount) {
        mount
            .source()
            .as_ref()
            .is_some_and(|source| source.components().eq(Path::new("/proc").components()))
    } else {
        mount.typ().as_deref() == Some("proc")
    };
    if allowed {
        return Ok(());
    }
    let why = "only a proc file system, new or the host's /proc, may stand there";
    let hint = "use {\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\"}";
    Err(entry.refused("destination", why).hint(hint))
}

fn coverable(entry: &Entry<'_>, name: &[u8]) -> Result<()> {
    if COVERABLE.iter().any(|known| known.as_bytes() == name) {
        return Ok(());
    }
    let why = "a mount in /proc could deceive whoever reads or writes the kernel's settings there";
    let hint = format!(
        "choose a place outside /proc; in it only {} may be covered",
        COVERABLE.join(", ")
    );
    Err::<(), Error>(entry.refused("destination", why)).map_err(|error| error.hint(hint))
}

#[cfg(test)]
mod tests;
