//! A mount as it is decided: all that the parent and the child go by.

use crate::error::Pointer;
use crate::plan::idmap::Map;
use crate::plan::root::Opener;
use std::ffi::CString;

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
