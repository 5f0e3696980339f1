//! `/mounts` (config.md, "Mounts") as ordered operations.

/// The place in the container, and what may stand there.
mod target;

/// A new file system: its type, its options, and what else will do in a user namespace.
mod fresh;

use super::birth::Birth;
use super::facts::Facts;
use super::options::{self, Options};
use super::root::{self, Opener, Propagation};
use crate::error::hints::nearest;
use crate::error::{Error, Pointer, Result};
use libc::{MOUNT_ATTR_RDONLY, MS_PRIVATE, MS_REC, MS_SLAVE};
use oci_spec::runtime::{Mount, Spec};
use std::ffi::{CStr, CString};
use std::path::Path;

/// One option for a file system's own parser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FsOption {
    /// Its name.
    pub key: CString,
    /// Its value; `None` for a flag.
    pub value: Option<CString>,
    /// Its index in the mount's `options`, or `NO_INDEX`.
    pub index: u16,
}

/// An option that stands nowhere in config.json.
pub const NO_INDEX: u16 = u16::MAX;

/// Bits of mount_setattr(2) to set and to clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttrChange {
    /// `MOUNT_ATTR_*` to set.
    pub set: u64,
    /// `MOUNT_ATTR_*` to clear.
    pub clear: u64,
}

impl AttrChange {
    /// Whether there is nothing to change.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.set == 0 && self.clear == 0
    }
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A new file system: fsopen, its options, fsmount with the attributes.
    New {
        /// The kernel's name of the type.
        kind: CString,
        /// Its options in order, `source` first.
        options: Vec<FsOption>,
        /// `MOUNT_ATTR_*` of the mount.
        attributes: u64,
    },
    /// A part of the host's tree: open_tree with a copy, then the attributes.
    Bind {
        /// Absolute path on the host.
        path: CString,
        /// The mounts below it too (`rbind`).
        recursive: Recursive,
        /// Attributes of the top mount (of all, where the host's ones are copied recursively, only the top).
        attributes: AttrChange,
        /// Attributes of the whole tree (`rro` and its family).
        tree_attributes: AttrChange,
        /// Who opens the source.
        opener: Opener,
    },
}

/// Whether the mounts below a bind's source come along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recursive {
    /// `bind`.
    No,
    /// `rbind`.
    Yes,
}

/// What stands at the target when it is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A directory is made.
    Directory,
    /// A directory or an empty file, whichever the bind's source is.
    LikeSource,
}

/// Whether the target's path may hold symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetLinks {
    /// Followed inside the root.
    Inside,
    /// Refused: /proc and /sys must be real directories (CVE-2019-19921, CVE-2023-27561).
    Refuse,
}

/// When a read-only mount becomes read-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// From the first moment, or it is not read-only.
    AtOnce,
    /// A new tmpfs, or whatever is new on /dev, is attached without `MOUNT_ATTR_RDONLY` and gets it when
    /// all mount points and devices in it have been made.
    AtTheEnd,
}

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountOp {
    /// Where, below the root, without a leading slash; `.` never.
    pub target: CString,
    /// What.
    pub source: Source,
    /// A second source, tried when the first is refused with EPERM or EBUSY (cgroup and sysfs in user namespaces).
    pub otherwise: Option<Source>,
    /// What to make when the target is missing.
    pub missing: Missing,
    /// Links in the target's path.
    pub links: TargetLinks,
    /// When `MOUNT_ATTR_RDONLY` among the attributes is set.
    pub seal: Seal,
    /// Propagation changes, in order: `MS_SHARED` … with `MS_REC`. Of a bind that the runtime opens in
    /// the host's namespace the first one cuts it off from the host's mounts.
    pub propagation: Vec<u64>,
    /// `/mounts/N`.
    pub pointer: Pointer,
    /// For messages that begin with "mount": the type as written, of a bind its source.
    pub kind_word: String,
}

impl MountOp {
    /// Whether the target may turn out to be in a procfs. For any other operation it must be refused when,
    /// through links of the root file system, it does (CVE-2019-16884).
    #[must_use]
    pub fn may_cover_proc(&self) -> bool {
        let target = self.target.as_bytes();
        target == b"proc" || target.starts_with(b"proc/")
    }
}

/// What all mounts of one container share.
struct Around<'a> {
    birth: &'a Birth,
    bundle: &'a Path,
    opener: Opener,
    propagation: Propagation,
}

/// One entry of `/mounts` while it is read.
struct Entry<'a> {
    mount: &'a Mount,
    options: Options,
    pointer: Pointer,
    doing: String,
}

/// Decides the mounts, in the order of `/mounts`.
///
/// # Errors
/// A place where nothing may be mounted, a bind without a source or with a file system's options, an
/// entry that is neither a bind nor has a type, and what [`options::parse`] refuses.
pub fn plan(spec: &Spec, birth: &Birth, facts: &Facts, bundle: &Path) -> Result<Vec<MountOp>> {
    let propagation = root::propagation(spec)?;
    let around = Around {
        birth,
        bundle,
        opener: root::opener(birth, facts),
        propagation,
    };
    let mounts = spec.mounts().as_deref().unwrap_or_default();
    let entries = mounts.iter().enumerate();
    entries
        .map(|(number, mount)| one(mount, Pointer::from("/mounts").at(number), &around))
        .collect()
}

/// Whether the entry is a bind mount: by either option, or by `bind` as its type, which the
/// specification does not know but callers write.
#[must_use]
pub fn is_bind(mount: &Mount) -> bool {
    let options = mount.options().as_deref().unwrap_or_default();
    mount.typ().as_deref() == Some("bind")
        || options.iter().any(|word| word == "bind" || word == "rbind")
}

fn one(mount: &Mount, pointer: Pointer, around: &Around<'_>) -> Result<MountOp> {
    let kind_word = kind_word(mount);
    let options = options::parse(mount.options().as_deref().unwrap_or_default(), &pointer)?;
    let entry = Entry {
        mount,
        options,
        pointer,
        doing: format!("mount {kind_word}"),
    };
    entry.refuse_mappings()?;
    let (target, links) = target::plan(&entry)?;
    let bind = is_bind(mount);
    let (source, otherwise) = if bind {
        (entry.bind(around)?, None)
    } else {
        fresh::plan(&entry, around)?
    };
    let seal = seal(&source, &target);
    Ok(MountOp {
        source,
        otherwise,
        missing: if bind {
            Missing::LikeSource
        } else {
            Missing::Directory
        },
        links,
        seal,
        propagation: entry.propagation(bind, around),
        target,
        pointer: entry.pointer,
        kind_word,
    })
}

fn seal(source: &Source, target: &CStr) -> Seal {
    match source {
        Source::New {
            kind, attributes, ..
        } if attributes & MOUNT_ATTR_RDONLY != 0
            && (kind.as_c_str() == c"tmpfs" || target == c"dev") =>
        {
            Seal::AtTheEnd
        }
        _ => Seal::AtOnce,
    }
}

fn kind_word(mount: &Mount) -> String {
    let source = mount
        .source()
        .as_ref()
        .filter(|_| is_bind(mount))
        .map(|path| format!("{} on {}", path.display(), mount.destination().display()));
    source
        .or_else(|| mount.typ().clone())
        .unwrap_or_else(|| mount.destination().display().to_string())
}

impl Entry<'_> {
    fn refused(&self, part: &str, why: &str) -> Error {
        Error::refused(self.doing.as_str(), self.pointer.at(part), why)
    }

    fn refuse_mappings(&self) -> Result<()> {
        let lists = [
            ("uidMappings", self.mount.uid_mappings()),
            ("gidMappings", self.mount.gid_mappings()),
        ];
        match lists
            .into_iter()
            .find(|(_, list)| list.as_ref().is_some_and(|list| !list.is_empty()))
        {
            None => Ok(()),
            Some((name, _)) => {
                let hint = "remove the mappings, and change the owner of the files instead";
                Err(self
                    .refused(
                        name,
                        "this version of orbital cannot map the ids of a mount yet",
                    )
                    .hint(hint))
            }
        }
    }

    /// Attributes that the options do not name stay as they are at the source.
    fn bind(&self, around: &Around<'_>) -> Result<Source> {
        let Some(path) = self
            .mount
            .source()
            .as_ref()
            .filter(|path| !path.as_os_str().is_empty())
        else {
            let hint = "add \"source\": the path on the host, or relative to the bundle, that is to be seen there";
            return Err(Error::refused(
                self.doing.as_str(),
                &self.pointer,
                "a bind mount needs a source",
            )
            .hint(hint));
        };
        if let Some(data) = self.options.data.first() {
            return Err(self.refuse_data(data));
        }
        Ok(Source::Bind {
            path: root::on_host(&self.doing, path, around.bundle, &self.pointer.at("source"))?,
            recursive: self.options.bind.unwrap_or(Recursive::No),
            attributes: self.options.attributes,
            tree_attributes: self.options.tree_attributes,
            opener: around.opener,
        })
    }

    /// The kernel would ignore it without a word.
    fn refuse_data(&self, data: &FsOption) -> Error {
        let word = data.key.to_string_lossy();
        let hint = match nearest(&word, options::known()) {
            Some(known) => format!("did you mean {known}?"),
            None => format!(
                "remove {word}: it can only be given where the file system itself is mounted"
            ),
        };
        let at = self.pointer.at("options").at(data.index);
        let why =
            "a bind mount shows a file system that is mounted already, and takes no options for it";
        Error::refused(self.doing.as_str(), at, why).hint(hint)
    }

    fn propagation(&self, bind: bool, around: &Around<'_>) -> Vec<u64> {
        let cut = match around.propagation.host {
            MS_PRIVATE => MS_PRIVATE | MS_REC,
            _ => MS_SLAVE | MS_REC,
        };
        let from_host = bind && around.opener == Opener::Parent;
        from_host
            .then_some(cut)
            .into_iter()
            .chain(self.options.propagation.iter().copied())
            .collect()
    }
}

#[cfg(test)]
mod tests;
