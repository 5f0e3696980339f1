//! `--security-opt`: words of docker's and podman's.

use crate::error::{Cause, Error, Object, Result};

/// What the options come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Security {
    /// Whether setuid programs gain nothing.
    pub(super) no_new_privileges: bool,
    /// A profile's file, or `unconfined`; empty for the default.
    pub(super) seccomp: String,
    /// A profile's name; empty for none.
    pub(super) apparmor: String,
    /// A whole SELinux label, or its parts `user role type level`; empty for none.
    pub(super) label: String,
    /// Whether nothing is hidden or read-only in /proc and /sys.
    pub(super) all_paths: bool,
    /// Paths hidden beside the usual.
    pub(super) mask: Vec<String>,
    /// Paths not hidden.
    pub(super) unmask: Vec<String>,
    /// Whether docker's three capabilities come too.
    pub(super) dockers_caps: bool,
}

/// Reads them; `=` and `:` mean the same, as in docker.
///
/// # Errors
/// A word that is none of them.
pub(super) fn read(options: &[String]) -> Result<Security> {
    let mut found = Security::default();
    for option in options {
        let cut = option.find(['=', ':']).unwrap_or(option.len());
        let (name, value) = option.split_at(cut);
        let value = value.get(1..).unwrap_or_default();
        let paths = || value.split(':').map(str::to_owned).collect::<Vec<_>>();
        match (name, value) {
            ("no-new-privileges", "" | "true") => found.no_new_privileges = true,
            ("no-new-privileges", "false") => found.no_new_privileges = false,
            ("seccomp", value) if !value.is_empty() => value.clone_into(&mut found.seccomp),
            ("apparmor", "unconfined") => found.apparmor.clear(),
            ("apparmor", value) if !value.is_empty() => value.clone_into(&mut found.apparmor),
            ("label", "disable") => found.label.clear(),
            ("label", value) if value.matches(':').count() >= 3 => {
                value.clone_into(&mut found.label)
            }
            ("systempaths", "unconfined") => found.all_paths = true,
            ("mask", value) if !value.is_empty() => found.mask.extend(paths()),
            ("unmask", "ALL" | "all") => found.all_paths = true,
            ("unmask", value) if !value.is_empty() => found.unmask.extend(paths()),
            ("caps", "docker") => found.dockers_caps = true,
            ("caps", "podman") => found.dockers_caps = false,
            _ => return Err(unknown(option)),
        }
    }
    Ok(found)
}

fn unknown(option: &str) -> Error {
    Error::new(
        "read --security-opt",
        Object::Argument(option.to_owned()),
        Cause::Refused("there is no such option".to_owned()),
    )
    .hint(
        "use seccomp=FILE, seccomp=unconfined, apparmor=PROFILE, label=USER:ROLE:TYPE:LEVEL, no-new-privileges, \
         systempaths=unconfined, mask=PATH, unmask=PATH or caps=docker",
    )
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn both_separators_and_wrong_words() {
        let words = |words: &[&str]| {
            read(
                &words
                    .iter()
                    .map(|word| (*word).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        let found = words(&["seccomp:unconfined", "no-new-privileges", "mask=/a:/b"]).unwrap();
        assert_eq!(found.seccomp, "unconfined");
        assert!(found.no_new_privileges);
        assert_eq!(found.mask, ["/a", "/b"]);
        for wrong in [
            "seccomp",
            "privileged",
            "label=x",
            "no-new-privileges=maybe",
        ] {
            assert!(words(&[wrong]).is_err(), "{wrong}");
        }
    }
}
