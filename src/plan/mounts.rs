//! `/mounts` (config.md, "Mounts") as ordered operations.

/// The place in the container, and what may stand there.
mod target;

/// A new file system: its type, its options, and what else will do in a user namespace.
mod fresh;

/// A part of the host's tree.
mod bind;

/// Whose the files of a bind's source seem to be.
mod ids;

/// Changes of a mount that is there already.
mod again;

/// The SELinux label of new file systems.
mod label;

pub use label::{Label, label};

use super::birth::Birth;
use super::facts::{Facts, Privilege};
use super::idmap::Map;
use super::options::{self, Options};
use super::root::{self, Opener, Propagation};
use crate::error::{Error, Pointer, Result};
use libc::MOUNT_ATTR_RDONLY;
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
        /// What is in it at first.
        begins: Begins,
        /// The SELinux label of its root, where no option can give it.
        root_label: Option<CString>,
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
        /// What happens where the source is a symbolic link.
        link: SourceLink,
        /// Whose its files seem to be, where that is to change.
        ids: Option<IdMapping>,
    },
    /// What is mounted at the target already (`remount`): its attributes and its file system's options
    /// change; what is not named stays.
    Again {
        /// Options for the file system's own parser, in order.
        options: Vec<FsOption>,
        /// Attributes of the mount.
        attributes: AttrChange,
        /// Attributes of the mount and all below it.
        tree_attributes: AttrChange,
    },
}

/// What a new file system holds when the container first sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// What the kernel puts there.
    Fresh,
    /// A copy of the directory that it covers; the index of `tmpcopyup` in the mount's `options`.
    AsCovered(u16),
}

/// What becomes of a bind whose source is a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceLink {
    /// It is followed, on the host.
    Follow,
    /// The link itself is mounted (`src-nofollow`).
    Itself,
    /// A link with the same text is made at the target, and nothing is mounted (`copy-symlink`).
    Copy,
}

/// Whose the files of a mount seem to be; mount_setattr(2), MOUNT_ATTR_IDMAP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdMapping {
    /// Whether the mounts below are mapped too (`ridmap`).
    pub recursive: Recursive,
    /// By which maps.
    pub by: Ids,
    /// What asks for it: an option of the mount, or its `uidMappings`.
    pub pointer: Pointer,
}

/// Maps of a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ids {
    /// User ids and group ids, for a user namespace that is made for the purpose: an id of the file system
    /// on the left is seen as the host's id on the right.
    Maps(Map, Map),
    /// Those of the user namespace that the container joins.
    OfJoined,
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
    /// The last component, which must exist, is not followed: a link there is itself covered (`dest-nofollow`).
    LastItself,
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
    privilege: Privilege,
    unified: bool,
    propagation: Propagation,
    label: Option<Label>,
}

/// One entry of `/mounts` while it is read.
struct Entry<'a> {
    mount: &'a Mount,
    options: Options,
    pointer: Pointer,
    doing: String,
}

/// Decides the mounts, in the order of `/mounts`. `warnings` takes what is left out.
///
/// # Errors
/// A place where nothing may be mounted, a bind without a source or with a file system's options, an
/// entry that is neither a bind nor has a type, and what [`options::parse`] refuses.
pub fn plan(
    spec: &Spec,
    birth: &Birth,
    facts: &Facts,
    bundle: &Path,
    warnings: &mut Vec<String>,
) -> Result<Vec<MountOp>> {
    let propagation = root::propagation(spec, birth)?;
    let around = Around {
        birth,
        bundle,
        opener: root::opener(birth, facts),
        privilege: facts.privilege,
        unified: facts.unified,
        propagation,
        label: label(spec)?,
    };
    let mounts = spec.mounts().as_deref().unwrap_or_default();
    let mut ops: Vec<MountOp> = Vec::with_capacity(mounts.len());
    for (number, mount) in mounts.iter().enumerate() {
        let op = one(
            mount,
            Pointer::from("/mounts").at(number),
            &around,
            warnings,
        )?;
        again::unseal(&op, &mut ops);
        ops.push(op);
    }
    Ok(ops)
}

/// Whether the entry is a bind mount: by either option, or by `bind` as its type, which the
/// specification does not know but callers write.
#[must_use]
pub fn is_bind(mount: &Mount) -> bool {
    let options = mount.options().as_deref().unwrap_or_default();
    mount.typ().as_deref() == Some("bind")
        || options.iter().any(|word| word == "bind" || word == "rbind")
}

/// Whether the entry changes a mount that an earlier one has made.
#[must_use]
pub fn is_remount(mount: &Mount) -> bool {
    let options = mount.options().as_deref().unwrap_or_default();
    options.iter().any(|word| word == "remount")
}

fn one(
    mount: &Mount,
    pointer: Pointer,
    around: &Around<'_>,
    warnings: &mut Vec<String>,
) -> Result<MountOp> {
    let kind_word = kind_word(mount);
    let options = options::parse(mount.options().as_deref().unwrap_or_default(), &pointer)?;
    let entry = Entry {
        mount,
        options,
        pointer,
        doing: match is_remount(mount) {
            true => format!("remount {}", mount.destination().display()),
            false => format!("mount {kind_word}"),
        },
    };
    let (target, links) = target::plan(&entry)?;
    let (source, otherwise) = if is_remount(mount) {
        (again::plan(&entry, warnings)?, None)
    } else if is_bind(mount) {
        (bind::plan(&entry, around, warnings)?, None)
    } else {
        fresh::plan(&entry, around)?
    };
    Ok(MountOp {
        missing: match source {
            Source::Bind { .. } => Missing::LikeSource,
            Source::New { .. } | Source::Again { .. } => Missing::Directory,
        },
        links,
        seal: seal(&source, &target),
        propagation: bind::propagation(&entry, &source, around),
        source,
        otherwise,
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
        Source::Again { attributes, .. }
            if attributes.set & MOUNT_ATTR_RDONLY != 0 && target == c"dev" =>
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

    fn refused_option(&self, index: u16, why: &str) -> Error {
        let at = self.pointer.at("options").at(index);
        Error::refused(self.doing.as_str(), at, why)
    }

    /// Options that only a bind can have.
    fn refuse_bind_options(&self) -> Result<()> {
        if let Some((_, index)) = self.options.extras.source_link {
            let hint = "remove it, or make it a bind mount by the option bind";
            let why = "only the source of a bind mount can be a symbolic link";
            return Err(self.refused_option(index, why).hint(hint));
        }
        ids::refuse(self)
    }
}

#[cfg(test)]
mod tests;
