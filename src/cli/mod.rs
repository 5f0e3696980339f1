//! What was typed: argv → [`Request`], and where what went wrong is written.
//!
//! A command line passes three files: `normal` puts what callers really send into one form, `args`
//! (clap) parses that form, `request` gives it our types. What is plain `quick` reads instead of the
//! first two. What this folder does *not* do: ask the host or read the environment; defaults that depend
//! on them are filled in above it.

/// The runtime's words or the engine's.
pub mod front;

/// Flags as tables.
pub mod flags;

/// The verbs and their flags: one definition for parser and help.
pub mod args;

/// All of them at once, for man pages and completions.
pub mod help;

/// What callers really send → what clap understands.
pub mod normal;

/// What was found, by name.
mod found;

/// What was found → [`Request`].
mod request;

/// The plain ones, without clap.
mod quick;

/// The whole line: what is plain without clap, the rest by it.
mod read;

/// The limits that `update` takes as flags.
pub mod limits;

/// Sizes and times as Go's callers write them.
pub(crate) mod quantity;

/// Signal names and numbers.
pub mod signal;

/// What is wrong with a command line.
pub mod misuse;

/// `--log`, `--log-format`.
pub mod log;

/// `--debug`.
pub mod trace;

/// What `exec` is asked for.
mod exec;

/// What `checkpoint` and `restore` are asked for.
pub mod checkpoint;

pub use checkpoint::{Checkpoint, Restore};
pub use exec::{Changes, Exec, Paused, Switch};
pub use misuse::Misuse;
pub use read::parse;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What every verb knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Global {
    /// `--root`; `None` for the default of the caller's user.
    pub root: Option<PathBuf>,
    /// `--log`.
    pub log: Option<PathBuf>,
    /// `--log-format`.
    pub log_format: LogFormat,
    /// `--debug`.
    pub verbosity: Verbosity,
}

/// `--log-format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// key=value.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `--debug` or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Errors only.
    #[default]
    Errors,
    /// Everything.
    Debug,
}

/// Whether a new session keyring is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keyring {
    /// A new one.
    #[default]
    New,
    /// The caller's (`--no-new-keyring`).
    Inherit,
}

/// How the root is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// pivot_root(2): the host's mounts are gone after.
    Pivot,
    /// Moved onto / and chroot(2), for hosts whose root is the initial ramfs (`--no-pivot`).
    MoveAndChroot,
    /// chroot(2) alone, of a mount that the runtime has laid over the root's own directory: the container
    /// lives in its caller's mount namespace, whose root and whose other mounts are not its own.
    Chroot,
}

/// Who makes the cgroup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manager {
    /// orbital, in the file system.
    #[default]
    Cgroupfs,
    /// systemd (`--systemd-cgroup`).
    Systemd,
    /// Nobody (`--cgroup-manager disabled`).
    Disabled,
}

/// What `create` and `run` are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The container's id, as typed.
    pub id: String,
    /// `--bundle`, as typed; `.` when not given.
    pub bundle: PathBuf,
    /// `--console-socket`.
    pub console_socket: Option<PathBuf>,
    /// `--pid-file`.
    pub pid_file: Option<PathBuf>,
    /// `--no-pivot`.
    pub entry: Entry,
    /// `--no-new-keyring`.
    pub keyring: Keyring,
    /// `--preserve-fds`.
    pub preserve_fds: u32,
    /// `--pidfd-socket`.
    pub pidfd_socket: Option<PathBuf>,
    /// What the caller hands over in its environment; filled in `linux/inherit.rs`.
    pub inherited: Inherited,
    /// `--systemd-cgroup`, `--cgroup-manager`.
    pub manager: Manager,
    /// What to run without a bundle, on Windows; else empty.
    pub command: Vec<String>,
}

/// What a service manager hands over to whoever it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// How many descriptors from 3 on (`LISTEN_FDS`).
    pub listen_fds: u32,
    /// Their names, with colons between (`LISTEN_FDNAMES`).
    pub listen_names: Option<String>,
    /// Whom to tell that the container is ready (`NOTIFY_SOCKET`).
    pub notify: Option<Notify>,
}

/// Somebody who waits for the container's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// The caller's socket: a path, or a name after `@`.
    pub host: std::ffi::OsString,
    /// The folder on the host that holds the container's end.
    pub folder: PathBuf,
}

impl Create {
    /// A request without any flag.
    #[must_use]
    pub fn of(id: String, bundle: PathBuf) -> Create {
        Create {
            id,
            bundle,
            console_socket: None,
            pid_file: None,
            entry: Entry::Pivot,
            keyring: Keyring::New,
            preserve_fds: 0,
            pidfd_socket: None,
            inherited: Inherited::default(),
            manager: Manager::Cgroupfs,
            command: Vec::new(),
        }
    }
}

/// Whether `run` waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attendance {
    /// In the foreground; its status is the process's.
    Foreground,
    /// `--detach`.
    Detached,
}

/// What becomes of a container that `run` has seen end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It is deleted.
    Delete,
    /// `--keep`.
    Keep,
}

/// `kill --all` or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The container's first process.
    Init,
    /// All of its processes.
    All,
}

/// `delete --force` or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// Only a stopped container.
    No,
    /// Whatever is there, or nothing.
    Yes,
}

/// `list --format`, `--quiet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// Columns.
    Table,
    /// An array of states.
    Json,
    /// Ids only.
    Quiet,
}

/// `plan` for people or for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanFormat {
    /// An explanation.
    Text,
    /// JSON.
    Json,
}

/// What `plan` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Namespaces and cgroups.
    Linux,
    /// A Job Object.
    Windows,
}

impl Platform {
    /// The one that this program was built for.
    pub const HERE: Platform = match cfg!(windows) {
        true => Platform::Windows,
        false => Platform::Linux,
    };
}

/// Where `update` reads the limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limits {
    /// From the flags.
    Typed(limits::Typed),
    /// `--resources`: from a file.
    File(PathBuf),
    /// `--resources -`: from standard input.
    Stdin,
}

/// What `update` is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The container.
    pub id: String,
    /// The limits.
    pub limits: Limits,
    /// Flags with limits that are ignored beside `--resources`.
    pub ignored: Vec<String>,
    /// `--l3-cache-schema`.
    pub l3_cache_schema: Option<String>,
    /// `--mem-bw-schema`.
    pub mem_bw_schema: Option<String>,
}

/// `events` once or for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// `--stats`.
    Once,
    /// `--interval`: until the container ends.
    Every(Duration),
}

/// One variant per verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Make a container, up to the moment before its program.
    Create(Create),
    /// Let its program begin.
    Start(String),
    /// Print its state.
    State(String),
    /// Send it a signal.
    Kill {
        /// The container.
        id: String,
        /// The signal's number, 1 to 64.
        signal: i32,
        /// To whom.
        reach: Reach,
    },
    /// Run a second process in it.
    Exec(Exec),
    /// Remove it.
    Delete {
        /// The container.
        id: String,
        /// At any price?
        force: Force,
    },
    /// Create, start, wait, delete.
    Run {
        /// As for create.
        create: Create,
        /// Wait?
        attendance: Attendance,
        /// And then?
        afterwards: Afterwards,
    },
    /// Show its processes.
    Ps {
        /// The container.
        id: String,
        /// Columns or pids.
        format: ListFormat,
        /// For the host's ps.
        options: Vec<OsString>,
    },
    /// Print what it uses.
    Events {
        /// The container.
        id: String,
        /// Once?
        watch: Watch,
    },
    /// Stop its processes where they stand.
    Pause(String),
    /// Let them go on.
    Resume(String),
    /// Change its limits.
    Update(Update),
    /// Write it to disk.
    Checkpoint(Checkpoint),
    /// Let it go on from there.
    Restore(Restore),
    /// All containers below the root.
    List(ListFormat),
    /// Write a config.json into this directory.
    Spec {
        /// `--bundle`; `.` when not given.
        bundle: PathBuf,
        /// For whom.
        whom: crate::spec::default::SpecFor,
    },
    /// What this build can do.
    Features,
    /// Explain what `create` would do.
    Plan {
        /// The bundle.
        bundle: PathBuf,
        /// For whom.
        format: PlanFormat,
        /// Who would make the cgroup.
        manager: Manager,
        /// `--platform`.
        platform: Platform,
    },
    /// Help or version text for stdout; nothing to do.
    Print(String),
}
