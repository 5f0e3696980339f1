//! A new file system: its type, its options, and what else will do in a user namespace.

use super::label::{self, Labelled};
use super::{Around, AttrChange, Begins, Entry, FsOption, NO_INDEX, Recursive, Source, SourceLink};
use crate::error::{Error, Result};
use crate::plan::birth::{Kind, UserNamespace};
use crate::plan::cstrings::text;
use crate::plan::root::Opener;
use std::ffi::{CStr, CString};

/// Longest key and value that fsconfig(2) copies, without the end mark.
const LONGEST: usize = 255;

/// Attributes that a mount of the host may always be given, even where it is locked.
const RESTRICTIONS: u64 = libc::MOUNT_ATTR_RDONLY
    | libc::MOUNT_ATTR_NOSUID
    | libc::MOUNT_ATTR_NODEV
    | libc::MOUNT_ATTR_NOEXEC
    | libc::MOUNT_ATTR_NOSYMFOLLOW;

/// The file system, and a part of the host's tree where the kernel may not let a user namespace have
/// a new one.
///
/// # Errors
/// No type, an option that is too long for the kernel or only for a bind, a copy that is not for a tmpfs.
pub(super) fn plan(entry: &Entry<'_>, around: &Around<'_>) -> Result<(Source, Option<Source>)> {
    let kind = kind(entry)?;
    entry.refuse_bind_options()?;
    let begins = match entry.options.extras.copy_up {
        None => Begins::Fresh,
        Some(index) if kind == "tmpfs" => Begins::AsCovered(index),
        Some(index) => return Err(no_copy(entry, index)),
    };
    let mut attributes = whole(entry);
    let otherwise = match kind {
        "cgroup2" if shows_the_hosts(entry, around) => {
            return Ok((bind(c"/sys/fs/cgroup", attributes & RESTRICTIONS), None));
        }
        "cgroup2" => {
            // The caller's group is not the container's to change (CVE-2023-25809).
            if in_user_namespace(around) && !around.birth.owns(Kind::Cgroup) {
                attributes |= libc::MOUNT_ATTR_RDONLY;
            }
            Some(of_host(c"/sys/fs/cgroup", attributes))
        }
        // It shows the devices of a network namespace, and wants to be mounted by that one's owner.
        "sysfs" if in_user_namespace(around) => Some(of_host(c"/sys", attributes)),
        _ => None,
    };
    let mut options = options(entry, kind, attributes)?;
    let root_label = match label::of(entry, kind, around.label.as_ref()) {
        Labelled::Not => None,
        Labelled::OnRoot(label) => Some(label),
        Labelled::By(option) => {
            options.push(option);
            None
        }
    };
    let kind = text(kind, &entry.doing, &entry.pointer.at("type"))?;
    Ok((
        Source::New {
            kind,
            options,
            attributes,
            begins,
            root_label,
        },
        otherwise,
    ))
}

/// The kernel's name of the type. `cgroup` is whatever version the host has, which here is 2.
fn kind<'a>(entry: &'a Entry<'_>) -> Result<&'a str> {
    match entry.mount.typ().as_deref() {
        Some("cgroup") => Ok("cgroup2"),
        Some(kind) if !matches!(kind, "" | "none") => Ok(kind),
        _ => {
            let why = "it has neither the type of a file system nor the option bind";
            let hint = "add \"type\", such as tmpfs, or for a directory of the host \"options\": [\"rbind\"]";
            Err(Error::refused(entry.doing.as_str(), &entry.pointer, why).hint(hint))
        }
    }
}

/// Without a cgroup namespace a new mount would show what the host's own shows, and mounting it would set the options of
/// the one hierarchy there is (`nsdelegate`, `memory_recursiveprot`) anew, for the host too. Asked-for options do that.
fn shows_the_hosts(entry: &Entry<'_>, around: &Around<'_>) -> bool {
    around.unified
        && !in_user_namespace(around)
        && !around.birth.owns(Kind::Cgroup)
        && entry.options.data.is_empty()
}

fn in_user_namespace(around: &Around<'_>) -> bool {
    around.birth.user != UserNamespace::Inherited
}

/// A new file system is one mount: what is asked for the tree is asked for it, and there is nothing to clear.
fn whole(entry: &Entry<'_>) -> u64 {
    let (top, tree) = (entry.options.attributes, entry.options.tree_attributes);
    top.set & !tree.clear | tree.set
}

/// Always read-only, as it shows more than the container's own; opened by the child, as the runtime
/// would open it for nothing most of the time.
fn of_host(path: &CStr, attributes: u64) -> Source {
    bind(path, attributes & RESTRICTIONS | libc::MOUNT_ATTR_RDONLY)
}

fn bind(path: &CStr, set: u64) -> Source {
    Source::Bind {
        path: path.to_owned(),
        recursive: Recursive::Yes,
        attributes: AttrChange::default(),
        tree_attributes: AttrChange { set, clear: 0 },
        opener: Opener::Child,
        link: SourceLink::Follow,
        ids: None,
    }
}

/// A copy of what is covered, for what is no new tmpfs.
pub(super) fn no_copy(entry: &Entry<'_>, index: u16) -> Error {
    let why = "only a new tmpfs can begin with a copy of what it covers";
    let hint = "remove it, or set \"type\": \"tmpfs\"";
    entry.refused_option(index, why).hint(hint)
}

/// For fsconfig(2): the source, flags of the superblock, data.
fn options(entry: &Entry<'_>, kind: &str, attributes: u64) -> Result<Vec<FsOption>> {
    let mut ready = source(entry, attributes)?;
    ready.extend(entry.options.superblock.iter().cloned());
    for option in &entry.options.data {
        if kind == "overlay" && option.key.as_bytes() == b"lowerdir" && !fits(option) {
            ready.extend(layers(option));
        } else {
            ready.push(option.clone());
        }
    }
    check_length(entry, &ready)?;
    Ok(ready)
}

/// Refuses what fsconfig(2) would not take.
///
/// # Errors
/// An option that is too long.
pub(super) fn check_length(entry: &Entry<'_>, options: &[FsOption]) -> Result<()> {
    match options.iter().find(|option| !fits(option)) {
        None => Ok(()),
        Some(option) => Err(too_long(entry, option)),
    }
}

/// The source, and `ro` for a device: its file system may only be mountable read-only as a whole.
/// Others share their superblock among containers, and one's wish must not become the other's fate.
fn source(entry: &Entry<'_>, attributes: u64) -> Result<Vec<FsOption>> {
    let source = entry.mount.source().as_ref();
    let Some(source) = source.filter(|source| !source.as_os_str().is_empty()) else {
        return Ok(Vec::new());
    };
    let at = entry.pointer.at("source");
    let value = text(source.as_os_str().as_encoded_bytes(), &entry.doing, &at)?;
    let option = |key: &CStr, value| FsOption {
        key: key.to_owned(),
        value,
        index: NO_INDEX,
    };
    let mut ready = vec![option(c"source", Some(value))];
    if source.is_absolute() && attributes & libc::MOUNT_ATTR_RDONLY != 0 {
        ready.push(option(c"ro", None));
    }
    Ok(ready)
}

fn fits(option: &FsOption) -> bool {
    let length = option
        .value
        .as_ref()
        .map_or(0, |value| value.as_bytes().len());
    option.key.as_bytes().len() <= LONGEST && length <= LONGEST
}

fn too_long(entry: &Entry<'_>, option: &FsOption) -> Error {
    let at = match option.index {
        NO_INDEX => entry.pointer.at("source"),
        index => entry.pointer.at("options").at(index),
    };
    let why = format!("the kernel takes at most {LONGEST} bytes of an option");
    Error::refused(entry.doing.as_str(), at, why)
        .hint("use shorter paths, by a symbolic link for example")
}

/// Overlay's lower directories one by one (Linux 6.7), as together they are too long: those behind a
/// double colon hold data only.
fn layers(option: &FsOption) -> Vec<FsOption> {
    let mut ready = Vec::new();
    let mut key = c"lowerdir+";
    for path in unescaped_parts(option.value.as_ref().map_or(&[], |value| value.as_bytes())) {
        match CString::new(path) {
            Ok(path) if path.is_empty() => key = c"datadir+",
            Ok(path) => ready.push(FsOption {
                key: key.to_owned(),
                value: Some(path),
                index: option.index,
            }),
            // Parts of a C string hold no NUL byte.
            Err(_) => {}
        }
    }
    ready
}

/// At colons that stand behind no backslash; the backslashes are taken away, as overlay does itself
/// only where it splits the list.
fn unescaped_parts(list: &[u8]) -> Vec<Vec<u8>> {
    let (mut parts, mut part, mut escaped) = (Vec::new(), Vec::new(), false);
    for byte in list {
        match byte {
            b'\\' if !escaped => escaped = true,
            b':' if !escaped => parts.push(std::mem::take(&mut part)),
            other => {
                part.push(*other);
                escaped = false;
            }
        }
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests;
