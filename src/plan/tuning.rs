//! Sysctls, host and domain name, personality (config.md, config-linux.md "Sysctl", "Personality").

use super::birth::{Birth, Kind};
use super::cstrings;
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{LinuxPersonalityDomain, Spec};
use std::ffi::CString;

/// A kernel parameter of one of the container's own namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysctl {
    /// Path below /proc, such as `sys/net/ipv4/ip_forward`.
    pub path: CString,
    /// The bytes to write.
    pub value: Vec<u8>,
    /// Whose parameter it is.
    pub namespace: Kind,
    /// `/linux/sysctl/NAME`.
    pub pointer: Pointer,
}

/// Names of the UTS namespace, and the execution domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// `/hostname`.
    pub host: Option<CString>,
    /// `/domainname`.
    pub domain: Option<CString>,
    /// personality(2) value of `/linux/personality`.
    pub personality: Option<u64>,
}

/// The most bytes of a host or domain name; uname(2).
const LONGEST_NAME: usize = 64;

/// Plans `/hostname`, `/domainname` and `/linux/personality`.
///
/// # Errors
/// A name that would be the host's, or one that is too long.
pub fn names(spec: &Spec, birth: &Birth, warnings: &mut Vec<String>) -> Result<Names> {
    Ok(Names {
        host: name(spec.hostname(), "set the host name", "/hostname", birth)?,
        domain: name(
            spec.domainname(),
            "set the domain name",
            "/domainname",
            birth,
        )?,
        personality: personality(spec, warnings),
    })
}

fn name(
    given: &Option<String>,
    doing: &str,
    pointer: &str,
    birth: &Birth,
) -> Result<Option<CString>> {
    let Some(given) = given.as_deref().filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    if !birth.owns(Kind::Uts) {
        return Err(Error::refused(
            doing,
            pointer,
            "without its own uts namespace it would be the host's",
        )
        .hint(add(Kind::Uts)));
    }
    if given.len() > LONGEST_NAME {
        let why = format!(
            "it has {} bytes, and the kernel takes at most {LONGEST_NAME}",
            given.len()
        );
        return Err(Error::refused(doing, pointer, why));
    }
    cstrings::text(given, doing, &Pointer::from(pointer)).map(Some)
}

/// The specification defines no flag; they are warned of.
fn personality(spec: &Spec, warnings: &mut Vec<String>) -> Option<u64> {
    let given = spec.linux().as_ref()?.personality().as_ref()?;
    if given
        .flags()
        .as_ref()
        .is_some_and(|flags| !flags.is_empty())
    {
        warnings
            .push("left /linux/personality/flags out: the specification knows no flag".to_owned());
    }
    Some(match given.domain() {
        LinuxPersonalityDomain::PerLinux => 0,
        LinuxPersonalityDomain::PerLinux32 => 8,
    })
}

/// Plans `/linux/sysctl`, in order of the names.
///
/// # Errors
/// A parameter that is not the container's own, or a name that is none.
pub fn sysctls(spec: &Spec, birth: &Birth) -> Result<Vec<Sysctl>> {
    let Some(given) = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.sysctl().as_ref())
    else {
        return Ok(Vec::new());
    };
    let mut sorted: Vec<(&String, &String)> = given.iter().collect();
    sorted.sort();
    sorted
        .into_iter()
        .map(|(name, value)| sysctl(name, value, birth))
        .collect()
}

const DOING: &str = "write the sysctls";

fn sysctl(name: &str, value: &str, birth: &Birth) -> Result<Sysctl> {
    let pointer = Pointer::from("/linux/sysctl").at(name);
    let path = path(name);
    let empty = |part: &str| matches!(part, "" | "." | "..");
    if path.split('/').any(empty) {
        return Err(Error::refused(
            DOING,
            pointer,
            "this is no name of a parameter, which has parts with a dot between them",
        ));
    }
    let namespace = owner(&path, birth)
        .map_err(|(why, hint)| Error::refused(DOING, &pointer, why).hint(hint))?;
    let path = cstrings::text(&format!("sys/{path}"), DOING, &pointer)?;
    Ok(Sysctl {
        path,
        value: value.as_bytes().to_vec(),
        namespace,
        pointer,
    })
}

/// The path below /proc/sys. sysctl(8) takes both `net.ipv4.ip_forward` and `net/ipv4/ip_forward`; whichever of
/// the two characters comes first is the separator, and the other one stands for it inside a part
/// (`net.ipv4.conf.eth0/100.forwarding`).
fn path(name: &str) -> String {
    match name.find(['.', '/']).and_then(|at| name.get(at..=at)) {
        Some(".") => name
            .chars()
            .map(|one| {
                if one == '.' {
                    '/'
                } else if one == '/' {
                    '.'
                } else {
                    one
                }
            })
            .collect(),
        _ => name.to_owned(),
    }
}

/// Which parameters of the IPC namespace there are; ipc_namespaces(7).
const IPC: [&str; 11] = [
    "kernel/msg_next_id",
    "kernel/msgmax",
    "kernel/msgmnb",
    "kernel/msgmni",
    "kernel/sem",
    "kernel/sem_next_id",
    "kernel/shm_next_id",
    "kernel/shm_rmid_forced",
    "kernel/shmall",
    "kernel/shmmax",
    "kernel/shmmni",
];

/// The namespace whose parameter it is. Refuses a parameter of the host, with the reason and what to do.
fn owner(path: &str, birth: &Birth) -> std::result::Result<Kind, (String, String)> {
    let kind = match path {
        "kernel/hostname" => {
            return Err((
                "/hostname is there for it".to_owned(),
                "set /hostname".to_owned(),
            ));
        }
        "kernel/domainname" => Kind::Uts,
        path if IPC.contains(&path) || path.starts_with("fs/mqueue/") => Kind::Ipc,
        path if path.starts_with("net/") => Kind::Network,
        path if path.starts_with("user/") => Kind::User,
        _ => {
            let why =
                "no namespace has a parameter of this name of its own: it would be the host's";
            return Err((
                why.to_owned(),
                "leave it out, and set it on the host if that is what is meant".to_owned(),
            ));
        }
    };
    match birth.owns(kind) {
        true => Ok(kind),
        false => Err((
            format!(
                "without its own {} namespace it would be the host's",
                kind.name()
            ),
            add(kind),
        )),
    }
}

fn add(kind: Kind) -> String {
    format!("add {{\"type\": \"{}\"}} to /linux/namespaces", kind.name())
}

#[cfg(test)]
mod tests;
