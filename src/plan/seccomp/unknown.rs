//! Names that are no syscall's. They are left out, as profiles are written for kernels to come, and mostly without a word.

use super::names::Name;
use super::{DOING, PLACE};
use crate::error::{Error, Pointer, Result, nearest};
use crate::plan::annotations::KNOWN_SYSCALLS;
use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompAction as Action, LinuxSyscall};

/// Where the default lets syscalls through, a rule that was to stop an unknown one stops nothing: whoever misspelt it
/// must hear of that. `found` is what each name of all rules, in order, is known as.
pub(super) fn warn(
    syscalls: &[LinuxSyscall],
    found: &[Option<Name>],
    default: Action,
    warnings: &mut Vec<String>,
) {
    let permits = |action| matches!(action, Action::ScmpActAllow | Action::ScmpActLog);
    if !permits(default) {
        return;
    }
    let mut found = found.iter();
    for (index, rule) in syscalls.iter().enumerate() {
        for (at, (name, found)) in rule.names().iter().zip(&mut found).enumerate() {
            if found.is_some() || permits(rule.action()) {
                continue;
            }
            let meant = meant(name).map_or(String::new(), |meant| format!("; {meant}"));
            warnings.push(format!(
                "left {name:?} out of {PLACE}/syscalls/{index}/names/{at}: there is no such syscall{meant}"
            ));
        }
    }
}

/// Lets no unknown name pass, as an annotation asks.
///
/// # Errors
/// The first of them.
pub(super) fn refuse(profile: &LinuxSeccomp) -> Result<()> {
    for (index, rule) in profile.syscalls().iter().flatten().enumerate() {
        for (at, name) in rule.names().iter().enumerate() {
            if Name::find(name).is_some() {
                continue;
            }
            let place = Pointer::from(PLACE).at("syscalls").at(index);
            let why = format!(
                "there is no such syscall, and the annotation {KNOWN_SYSCALLS} lets none pass that is unknown"
            );
            let hint =
                meant(name).unwrap_or_else(|| "leave out the name, or the annotation".to_owned());
            return Err(Error::refused(DOING, place.at("names").at(at), why).hint(hint));
        }
    }
    Ok(())
}

fn meant(name: &str) -> Option<String> {
    nearest(name, Name::all()).map(|near| format!("did you mean {near:?}?"))
}
