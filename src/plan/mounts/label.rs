//! The SELinux label of what is mounted (config-linux.md, "Mount Label").

use super::{Entry, FsOption, NO_INDEX};
use crate::error::{Error, Pointer, Result, nearest};
use crate::plan::annotations::{self, MOUNT_CONTEXT};
use crate::plan::cstrings::text;
use oci_spec::runtime::Spec;
use std::ffi::{CStr, CString};

/// Longest value that fsconfig(2) copies, without the end mark.
const LONGEST: usize = 255;

/// File systems that give their files labels of their own, and take no option for it.
const OWN_LABELS: &[&str] = &["proc", "sysfs", "cgroup2"];

/// Options by which a file system gets a label: of all its files, of itself, of files without one, of its root.
const OPTIONS: &[&CStr] = &[c"context", c"fscontext", c"defcontext", c"rootcontext"];

/// The label of new file systems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The option by which they get it.
    pub option: &'static CStr,
    /// The label itself.
    pub value: CString,
}

/// `/linux/mountLabel`; an empty one is none.
///
/// # Errors
/// A NUL in it, more than the kernel takes, an annotation that names no such option.
pub fn label(spec: &Spec) -> Result<Option<Label>> {
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
    Ok(Some(Label {
        option: option(spec, doing)?,
        value: text(label, doing, &pointer)?,
    }))
}

fn option(spec: &Spec, doing: &str) -> Result<&'static CStr> {
    let Some(word) = annotations::said(spec, MOUNT_CONTEXT) else {
        return Ok(c"context");
    };
    let known = |option: &&&CStr| option.to_bytes() == word.as_bytes();
    OPTIONS.iter().find(known).copied().ok_or_else(|| {
        let place = Pointer::from("/annotations").at(MOUNT_CONTEXT);
        let names = OPTIONS.iter().filter_map(|option| option.to_str().ok());
        let near = nearest(word, names.clone()).unwrap_or("context");
        let all: Vec<&str> = names.collect();
        let why = format!("{word:?} is none of {}", all.join(", "));
        Error::refused(doing, place, why).hint(format!("write {near}"))
    })
}

/// How a new file system gets the label.
pub(super) enum Labelled {
    /// It does not.
    Not,
    /// By an option.
    By(FsOption),
    /// Its root, by an attribute: queues are shared within their namespace, so that no mount may have an
    /// option that another has not.
    OnRoot(CString),
}

pub(super) fn of(entry: &Entry<'_>, kind: &str, label: Option<&Label>) -> Labelled {
    let mut data = entry.options.data.iter();
    match label {
        Some(label) if kind == "mqueue" => Labelled::OnRoot(label.value.clone()),
        // config.json may say itself what the label of a mount is.
        Some(label)
            if !OWN_LABELS.contains(&kind)
                && !data.any(|option| OPTIONS.contains(&option.key.as_c_str())) =>
        {
            Labelled::By(FsOption {
                key: label.option.to_owned(),
                value: Some(label.value.clone()),
                index: NO_INDEX,
            })
        }
        _ => Labelled::Not,
    }
}

#[cfg(test)]
mod tests;
