//! Network devices to move (config-linux.md, "Network Devices"): names, and nothing of their configuration.

use super::birth::{Birth, Kind};
use super::cstrings;
use super::facts::{Facts, Privilege};
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{Linux, Spec};
use std::ffi::CString;

/// A device of the host's to be given to the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetDevice {
    /// Its name on the host.
    pub outside: CString,
    /// Its name in the container.
    pub inside: Name,
    /// `/linux/netDevices/NAME`.
    pub pointer: Pointer,
}

/// A name in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// This one.
    Exactly(CString),
    /// This beginning, and the first number that makes a name which is free there: `eth%d`.
    Numbered(String),
}

const DOING: &str = "move the network device";

/// Longest name; linux/if.h, IFNAMSIZ without the end mark.
pub const LONGEST: usize = 15;

/// Plans `/linux/netDevices`, in the order of the names on the host.
///
/// # Errors
/// Devices without a network namespace or for a user without privileges, a name that no device can have, two of the
/// same name.
pub fn plan(spec: &Spec, birth: &Birth, facts: &Facts) -> Result<Vec<NetDevice>> {
    let given = spec.linux().as_ref().map(Linux::net_devices);
    let Some(given) = given.and_then(Option::as_ref).filter(|all| !all.is_empty()) else {
        return Ok(Vec::new());
    };
    let place = Pointer::from("/linux/netDevices");
    if !birth.owns(Kind::Network) {
        let why = "without its own network namespace they would stay the host's";
        return Err(Error::refused(DOING, place, why)
            .hint("add {\"type\": \"network\"} to /linux/namespaces"));
    }
    if facts.privilege == Privilege::User {
        let why = "only root may take a device from the host's network namespace";
        return Err(
            Error::refused(DOING, place, why).hint("leave them out, or run orbital as root")
        );
    }
    let mut names: Vec<_> = given.iter().collect();
    names.sort_by_key(|(name, _)| *name);
    let mut devices: Vec<NetDevice> = Vec::with_capacity(names.len());
    for (name, about) in names {
        let wanted = about.name().as_deref().filter(|name| !name.is_empty());
        let device = device(name, wanted, place.at(name.as_str()))?;
        let same = devices.iter().find(|other| {
            matches!((&other.inside, &device.inside), (Name::Exactly(a), Name::Exactly(b)) if a == b)
        });
        if let Some(other) = same {
            let why = format!("{} would have the same name inside", other.pointer.as_str());
            return Err(Error::refused(DOING, device.pointer, why)
                .hint("give one of them another \"name\""));
        }
        devices.push(device);
    }
    Ok(devices)
}

fn device(outside: &str, inside: Option<&str>, pointer: Pointer) -> Result<NetDevice> {
    let outside_name = checked(outside, &pointer)?;
    if outside == "lo" {
        return Err(
            Error::refused(DOING, pointer, "lo never leaves its namespace")
                .hint("leave it out: the container's own network has a lo"),
        );
    }
    let inside = match inside {
        None => Name::Exactly(outside_name.clone()),
        Some(name) => {
            let place = pointer.at("name");
            match name.strip_suffix("%d") {
                Some(prefix) => {
                    checked(&format!("{prefix}0"), &place)?;
                    Name::Numbered(prefix.to_owned())
                }
                None => Name::Exactly(checked(name, &place)?),
            }
        }
    };
    Ok(NetDevice {
        outside: outside_name,
        inside,
        pointer,
    })
}

/// A name as the kernel takes it (net/core/dev.c, dev_valid_name), without its own templates.
fn checked(name: &str, place: &Pointer) -> Result<CString> {
    let why = if name.is_empty() {
        "a name has at least one character"
    } else if name.len() > LONGEST {
        "a name has at most 15 bytes"
    } else if name == "." || name == ".." {
        "it would be a directory in /sys/class/net"
    } else if name.contains(['/', ':']) || name.chars().any(char::is_whitespace) {
        "a name has no slash, colon or blank"
    } else if name.contains('%') {
        "the kernel takes % for a template; only \"name\" may have one, %d at its end"
    } else {
        return cstrings::text(name, DOING, place);
    };
    Err(Error::refused(DOING, place, why))
}

#[cfg(test)]
mod tests;
