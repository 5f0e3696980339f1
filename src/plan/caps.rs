//! Capability names as five bit sets (config.md, "Linux Process"; capabilities(7)).

use super::birth::{Birth, UserNamespace};
use super::facts::Facts;
use crate::error::{Error, Result};
use oci_spec::runtime::{Capabilities, Spec};
use std::str::FromStr;

/// Bit N stands for capability N.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sets {
    /// What execve may ever grant.
    pub bounding: u64,
    /// What is in force.
    pub effective: u64,
    /// What may be put in force.
    pub permitted: u64,
    /// What survives an execve of a file with inheritable capabilities.
    pub inheritable: u64,
    /// What survives any execve.
    pub ambient: u64,
    /// The highest capability this kernel knows.
    pub last: u8,
}

/// Plans `/process/capabilities`: none are given where none are named. `warnings` takes what this kernel
/// does not have and what this caller cannot grant, as the specification wants it.
///
/// # Errors
/// Sets that contradict each other, so that capset(2) would refuse them.
pub fn plan(spec: &Spec, birth: &Birth, facts: &Facts, warnings: &mut Vec<String>) -> Result<Sets> {
    let last = facts.last_capability;
    let Some(given) = spec
        .process()
        .as_ref()
        .and_then(|process| process.capabilities().as_ref())
    else {
        return Ok(Sets {
            last,
            ..Sets::default()
        });
    };
    // Whoever enters a user namespace, new or joined, has all capabilities in it.
    let grantable = match birth.user {
        UserNamespace::Inherited => facts.grantable,
        UserNamespace::New(_) | UserNamespace::Joined => u64::MAX,
    };
    let mut bits = |set: &str, names: &Option<Capabilities>| {
        possible(set, known(names), last, grantable, warnings)
    };
    let mut sets = Sets {
        bounding: bits("bounding", given.bounding()),
        effective: bits("effective", given.effective()),
        permitted: bits("permitted", given.permitted()),
        inheritable: bits("inheritable", given.inheritable()),
        ambient: bits("ambient", given.ambient()),
        last,
    };
    within("effective", sets.effective, "permitted", sets.permitted)?;
    within("inheritable", sets.inheritable, "bounding", sets.bounding)?;
    // The other runtimes only warn of this one, and callers rely on it.
    let vain = sets.ambient & !(sets.permitted & sets.inheritable);
    if vain != 0 {
        let names = names(vain).join(", ");
        warnings.push(format!("left {names} out of /process/capabilities/ambient: not in both permitted and inheritable"));
        sets.ambient &= !vain;
    }
    Ok(sets)
}

/// The names of the capabilities in a set, in order of their numbers.
#[must_use]
pub fn names(set: u64) -> Vec<String> {
    let name = |bit: u8| {
        ::caps::all()
            .into_iter()
            .find(|one| one.index() == bit)
            .map_or_else(|| format!("capability {bit}"), |one| one.to_string())
    };
    (0..64)
        .filter(|bit| set & (1 << bit) != 0)
        .map(name)
        .collect()
}

fn known(given: &Option<Capabilities>) -> u64 {
    let bits = given
        .iter()
        .flatten()
        .filter_map(|one| ::caps::Capability::from_str(&format!("CAP_{one}")).ok());
    bits.fold(0, |set, one| set | 1 << one.index())
}

/// Those of the asked ones that kernel and caller have.
fn possible(set: &str, asked: u64, last: u8, grantable: u64, warnings: &mut Vec<String>) -> u64 {
    // Of 64 bits the highest 63 - last are not the kernel's.
    let kernel = u64::MAX >> (63 - last.min(63));
    for (lacking, why) in [
        (asked & !kernel, "this kernel does not have it"),
        (asked & kernel & !grantable, "the caller does not have it"),
    ] {
        if lacking != 0 {
            warnings.push(format!(
                "left {} out of /process/capabilities/{set}: {why}",
                names(lacking).join(", ")
            ));
        }
    }
    asked & kernel & grantable
}

fn within(inner: &str, inner_bits: u64, outer: &str, outer_bits: u64) -> Result<()> {
    let beyond = inner_bits & !outer_bits;
    if beyond == 0 {
        return Ok(());
    }
    let names = names(beyond).join(", ");
    let place = format!("/process/capabilities/{inner}");
    let why = format!("the kernel wants all of them in {outer} too, and there is no {names}");
    Err(Error::refused("set the capabilities", place, why)
        .hint(format!("add {names} to /process/capabilities/{outer}")))
}

#[cfg(test)]
mod tests;
