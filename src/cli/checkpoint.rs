//! What `checkpoint` and `restore` are asked for, as it was typed.

use super::{Attendance, Create};
use std::path::PathBuf;

/// A switch of CRIU's that is passed on as it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Switch {
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// Its field in CRIU's options (rpc.proto, `criu_opts`).
    pub field: u32,
    /// The verbs that have it.
    pub of: Verbs,
    /// What it does, in a few words.
    pub help: &'static str,
}

/// Verbs that have a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbs {
    /// `checkpoint` and `restore`.
    Both,
    /// `checkpoint`.
    Checkpoint,
    /// `restore`.
    Restore,
}

impl Verbs {
    /// Whether a switch of these verbs is one of `verb`.
    #[must_use]
    pub fn holds(self, verb: Verbs) -> bool {
        self == Verbs::Both || self == verb
    }
}

const fn switch(flag: &'static str, field: u32, of: Verbs, help: &'static str) -> Switch {
    Switch {
        flag,
        field,
        of,
        help,
    }
}

/// `--leave-running`, which says what becomes of the container, too.
pub const LEAVE_RUNNING: &str = "leave-running";

/// `--lazy-pages`, which CRIU must be able to do.
pub const LAZY_PAGES: &str = "lazy-pages";

/// All of them, in the order of the help.
pub const SWITCHES: [Switch; 10] = [
    switch(
        LEAVE_RUNNING,
        3,
        Verbs::Checkpoint,
        "let the container go on afterwards",
    ),
    switch(
        "tcp-established",
        5,
        Verbs::Both,
        "with its TCP connections",
    ),
    switch(
        "tcp-skip-in-flight",
        46,
        Verbs::Checkpoint,
        "leave out TCP connections that are being made",
    ),
    switch(
        "tcp-close",
        52,
        Verbs::Restore,
        "its TCP connections are closed",
    ),
    switch(
        "ext-unix-sk",
        4,
        Verbs::Both,
        "with unix sockets whose other end is outside",
    ),
    switch(
        "shell-job",
        7,
        Verbs::Both,
        "with a terminal that is not its own",
    ),
    switch("file-locks", 8, Verbs::Both, "with its file locks"),
    switch(
        "link-remap",
        18,
        Verbs::Checkpoint,
        "with files that are open and have no name any more",
    ),
    switch(
        LAZY_PAGES,
        48,
        Verbs::Both,
        "memory pages are sent when they are needed",
    ),
    switch(
        "auto-dedup",
        16,
        Verbs::Both,
        "drop pages from older images that newer ones have",
    ),
];

/// `--manage-cgroups-mode`: what CRIU does about the limits in a container's groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CgroupMode {
    /// Those of groups that it makes.
    #[default]
    Soft,
    /// All.
    Full,
    /// All, and groups that are there already are an error.
    Strict,
    /// None, and processes stay where they are.
    Ignore,
}

impl CgroupMode {
    /// The words that are typed.
    pub const WORDS: [&'static str; 4] = ["soft", "full", "strict", "ignore"];

    /// The number in CRIU's options (rpc.proto, `criu_cg_mode`).
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            CgroupMode::Ignore => 0,
            CgroupMode::Soft => 3,
            CgroupMode::Full => 4,
            CgroupMode::Strict => 5,
        }
    }
}

/// Where the images are, and what is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// `--image-path`; `checkpoint` in the working directory when not given.
    pub path: PathBuf,
    /// `--work-path`: CRIU's log and what it needs meanwhile.
    pub work: Option<PathBuf>,
    /// The switches that were given.
    pub switches: Vec<&'static Switch>,
    /// `--manage-cgroups-mode`.
    pub cgroups: CgroupMode,
}

impl Images {
    /// Whether this switch was given.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.switches.iter().any(|switch| switch.flag == flag)
    }
}

/// How much is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The container.
    All,
    /// Its memory, for a later checkpoint to build on (`--pre-dump`).
    Memory,
}

/// What `checkpoint` is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The container.
    pub id: String,
    /// Where to.
    pub images: Images,
    /// How much.
    pub extent: Extent,
    /// `--parent-path`: older images, relative to the new ones.
    pub parent: Option<PathBuf>,
    /// `--page-server`: who takes the pages.
    pub page_server: Option<(String, u16)>,
    /// `--status-fd`: a descriptor that gets a zero byte when pages can be asked for.
    pub status_fd: Option<i32>,
}

/// What `restore` is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// As for create: the id, the bundle, where the pid and the terminal go.
    pub create: Create,
    /// Where from.
    pub images: Images,
    /// `--detach`.
    pub attendance: Attendance,
    /// `--lsm-profile`: another security profile than the one in the images.
    pub lsm_profile: Option<String>,
    /// `--lsm-mount-context`: another SELinux context of mounts.
    pub lsm_mount_context: Option<String>,
}
