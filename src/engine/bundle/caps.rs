//! Which capabilities: podman's eleven, docker's fourteen, or all, and the flags over them.

use super::security::Security;
use crate::engine::container::wish::{Switch, Wish};
use crate::error::nearest;
use crate::error::{Cause, Error, Object, Result};
use caps::{CapSet, Capability};
use std::collections::BTreeSet;

/// What podman grants.
const USUAL: [&str; 11] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// What docker grants beside it.
const DOCKERS: [&str; 3] = ["CAP_AUDIT_WRITE", "CAP_MKNOD", "CAP_NET_RAW"];

/// The capabilities of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// All that its processes may ever have.
    pub(super) all: BTreeSet<String>,
    /// Those that were asked for by name: a user other than root has them too.
    pub(super) added: BTreeSet<String>,
}

/// Decides.
///
/// # Errors
/// A word that is no capability.
pub(super) fn choose(wish: &Wish, security: &Security) -> Result<Chosen> {
    let known = known();
    let add = wish
        .cap_add
        .iter()
        .map(|word| name(word, &known))
        .collect::<Result<BTreeSet<_>>>()?;
    let drop = wish
        .cap_drop
        .iter()
        .map(|word| name(word, &known))
        .collect::<Result<BTreeSet<_>>>()?;
    let mut all: BTreeSet<String> = if wish.has(Switch::Privileged) || add.contains("ALL") {
        known
    } else if drop.contains("ALL") {
        BTreeSet::new()
    } else {
        let more: &[&str] = if security.dockers_caps { &DOCKERS } else { &[] };
        USUAL
            .iter()
            .chain(more)
            .map(|name| (*name).to_owned())
            .collect()
    };
    let is_name = |word: &&String| *word != "ALL";
    let added: BTreeSet<String> = add.iter().filter(is_name).cloned().collect();
    all.retain(|name| !drop.contains(name));
    all.extend(added.iter().cloned());
    Ok(Chosen { all, added })
}

/// What this process can hand on.
fn known() -> BTreeSet<String> {
    let bounding = caps::read(None, CapSet::Bounding).unwrap_or_default();
    bounding.iter().map(Capability::to_string).collect()
}

fn name(word: &str, known: &BTreeSet<String>) -> Result<String> {
    let upper = word.to_ascii_uppercase();
    if upper == "ALL" {
        return Ok(upper);
    }
    let full = match upper.strip_prefix("CAP_") {
        Some(_) => upper,
        None => format!("CAP_{upper}"),
    };
    if full.parse::<Capability>().is_ok() {
        return Ok(full);
    }
    let why = Cause::Refused("there is no such capability".to_owned());
    let error = Error::new(
        "choose the capabilities",
        Object::Argument(word.to_owned()),
        why,
    );
    Err(match nearest(&full, known.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(add: &[&str], drop: &[&str]) -> Chosen {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let wish = Wish {
            cap_add: words(add),
            cap_drop: words(drop),
            ..Wish::default()
        };
        choose(&wish, &Security::default()).unwrap()
    }

    #[test]
    fn with_or_without_the_prefix_in_any_case() {
        assert_eq!(chosen(&[], &[]).all.len(), 11);
        assert!(chosen(&["net_raw"], &[]).all.contains("CAP_NET_RAW"));
        assert!(!chosen(&[], &["CAP_CHOWN"]).all.contains("CAP_CHOWN"));
        assert_eq!(chosen(&["Chown"], &["all"]).all.len(), 1);
        assert!(chosen(&["ALL"], &["chown"]).all.len() > 20);
    }

    #[test]
    fn a_wrong_word_is_told_with_the_right_one() {
        let wish = Wish {
            cap_add: vec!["net_rwa".into()],
            ..Wish::default()
        };
        let told = choose(&wish, &Security::default()).unwrap_err().to_string();
        assert!(told.contains("CAP_NET_RAW"), "{told}");
    }
}
