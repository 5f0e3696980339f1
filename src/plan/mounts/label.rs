//! The SELinux label of what is mounted (config-linux.md, "Mount Label").

use super::{Entry, FsOption, NO_INDEX};
use crate::error::{Error, Pointer, Result};
use crate::plan::cstrings::text;
use oci_spec::runtime::Spec;
use std::ffi::CString;

/// Longest value that fsconfig(2) copies, without the end mark.
const LONGEST: usize = 255;

/// File systems that give their files labels of their own, and take no option for it.
const OWN_LABELS: &[&str] = &["proc", "sysfs", "cgroup2"];

/// Options by which config.json may say itself what the label of a mount is.
const GIVEN: &[&[u8]] = &[b"context", b"fscontext", b"defcontext", b"rootcontext"];

/// `/linux/mountLabel`; an empty one is none.
///
/// # Errors
/// A NUL in it, or more than the kernel takes.
pub fn label(spec: &Spec) -> Result<Option<CString>> {
    let linux = spec.linux().as_ref();
    let given = linux.and_then(|linux| linux.mount_label().as_deref());
    let Some(label) = given.filter(|label| !label.is_empty()) else {
        return Ok(None);
    };
    let (doing, pointer) = ("label the mounts", Pointer::from("/linux/mountLabel"));
    if label.len() > LONGEST {
        let why = format!("the kernel takes at most {LONGEST} bytes of a label");
        return Err(Error::refused(doing, pointer, why));
    }
    text(label, doing, &pointer).map(Some)
}

/// How a new file system gets the label.
pub(super) enum Labelled {
    /// It does not.
    Not,
    /// All of its files, by an option.
    By(FsOption),
    /// Its root, by an attribute: queues are shared within their namespace, so that no mount may have an
    /// option that another has not.
    OnRoot(CString),
}

pub(super) fn of(entry: &Entry<'_>, kind: &str, label: Option<&CString>) -> Labelled {
    let mut data = entry.options.data.iter();
    match label {
        Some(label) if kind == "mqueue" => Labelled::OnRoot(label.clone()),
        Some(label)
            if !OWN_LABELS.contains(&kind)
                && !data.any(|option| GIVEN.contains(&option.key.as_bytes())) =>
        {
            Labelled::By(FsOption {
                key: c"context".to_owned(),
                value: Some(label.clone()),
                index: NO_INDEX,
            })
        }
        _ => Labelled::Not,
    }
}

#[cfg(test)]
mod tests;
