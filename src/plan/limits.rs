//! Resource limits (config.md, "POSIX process", `rlimits`; getrlimit(2)).

use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{PosixRlimit, PosixRlimitType, Spec};

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// `RLIMIT_*` number.
    pub resource: u32,
    /// Its name as written.
    pub name: &'static str,
    /// Soft limit; u64::MAX is no limit.
    pub soft: u64,
    /// Hard limit; u64::MAX is no limit.
    pub hard: u64,
    /// `/process/rlimits/N`.
    pub pointer: Pointer,
}

/// Plans `/process/rlimits`, in order.
///
/// # Errors
/// One type twice, or a soft limit above its hard one.
pub fn plan(spec: &Spec) -> Result<Vec<Limit>> {
    let given = spec
        .process()
        .as_ref()
        .and_then(|process| process.rlimits().as_deref())
        .unwrap_or_default();
    let mut limits: Vec<Limit> = Vec::with_capacity(given.len());
    for (index, one) in given.iter().enumerate() {
        let limit = limit(one, Pointer::from("/process/rlimits").at(index));
        if let Some(first) = limits
            .iter()
            .find(|earlier| earlier.resource == limit.resource)
        {
            let why = format!(
                "{} is set already by {}",
                limit.name,
                first.pointer.as_str()
            );
            return Err(Error::refused("limit the resources", &limit.pointer, why)
                .hint("keep one of the two"));
        }
        if limit.soft > limit.hard {
            return Err(Error::refused(
                "limit the resources",
                &limit.pointer,
                "the soft limit is above the hard one",
            ));
        }
        limits.push(limit);
    }
    Ok(limits)
}

fn limit(given: &PosixRlimit, pointer: Pointer) -> Limit {
    let (resource, name) = number(given.typ());
    Limit {
        resource,
        name,
        soft: given.soft(),
        hard: given.hard(),
        pointer,
    }
}

/// The numbers of asm-generic/resource.h.
fn number(kind: PosixRlimitType) -> (u32, &'static str) {
    use PosixRlimitType as Type;
    match kind {
        Type::RlimitCpu => (0, "RLIMIT_CPU"),
        Type::RlimitFsize => (1, "RLIMIT_FSIZE"),
        Type::RlimitData => (2, "RLIMIT_DATA"),
        Type::RlimitStack => (3, "RLIMIT_STACK"),
        Type::RlimitCore => (4, "RLIMIT_CORE"),
        Type::RlimitRss => (5, "RLIMIT_RSS"),
        Type::RlimitNproc => (6, "RLIMIT_NPROC"),
        Type::RlimitNofile => (7, "RLIMIT_NOFILE"),
        Type::RlimitMemlock => (8, "RLIMIT_MEMLOCK"),
        Type::RlimitAs => (9, "RLIMIT_AS"),
        Type::RlimitLocks => (10, "RLIMIT_LOCKS"),
        Type::RlimitSigpending => (11, "RLIMIT_SIGPENDING"),
        Type::RlimitMsgqueue => (12, "RLIMIT_MSGQUEUE"),
        Type::RlimitNice => (13, "RLIMIT_NICE"),
        Type::RlimitRtprio => (14, "RLIMIT_RTPRIO"),
        Type::RlimitRttime => (15, "RLIMIT_RTTIME"),
    }
}

#[cfg(test)]
mod tests;
