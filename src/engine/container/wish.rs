//! What was asked for: flags and an image's own wishes, settled as far as they can be without the root file
//! system. It is kept as JSON, so that `start` finds it again.

use crate::engine::ids::Userns;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What `run` was told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Wish {
    /// Where its files come from.
    pub(crate) root: Root,
    /// Program and arguments.
    pub(crate) argv: Vec<String>,
    /// `NAME=value`, in order; the last of a name counts.
    pub(crate) env: Vec<String>,
    /// `user[:group]`, names or numbers; empty for root.
    pub(crate) user: String,
    /// More groups, names or numbers.
    pub(crate) groups: Vec<String>,
    /// Where it starts; empty for `/`.
    pub(crate) workdir: String,
    /// Its umask.
    pub(crate) umask: u32,
    /// Its host name; empty for the first twelve digits of the id.
    pub(crate) hostname: String,
    /// What is on.
    pub(crate) on: BTreeSet<Switch>,
    /// What is mounted beside the usual.
    pub(crate) mounts: Vec<Mount>,
    /// Devices of the host, `src[:dst[:rwm]]`.
    pub(crate) devices: Vec<String>,
    /// More rules of the device filter, as docker writes them (`c 42:* rmw`).
    pub(crate) device_rules: Vec<String>,
    /// Capabilities beside the usual, and those less.
    pub(crate) cap_add: Vec<String>,
    /// See `cap_add`.
    pub(crate) cap_drop: Vec<String>,
    /// `--security-opt`, as given.
    pub(crate) security: Vec<String>,
    /// `name=soft[:hard]`.
    pub(crate) ulimits: Vec<String>,
    /// `name=value`.
    pub(crate) sysctls: Vec<String>,
    /// Limits, by the words of config.json's `resources`.
    pub(crate) limits: Limits,
    /// Which namespaces are whose: `private`, `host`, `container:ID`, `ns:PATH` by kind.
    pub(crate) namespaces: BTreeMap<String, String>,
    /// The network.
    pub(crate) network: Network,
    /// The signal that asks it to end; empty for SIGTERM.
    pub(crate) stop_signal: String,
    /// How long `stop` waits, in seconds.
    pub(crate) stop_timeout: u64,
    /// For people and programs.
    pub(crate) labels: BTreeMap<String, String>,
    /// Where its output goes: `json-file` or `none`.
    pub(crate) log_driver: String,
    /// Bytes of a log file before another is begun; 0 for no limit.
    pub(crate) log_size: u64,
    /// Log files kept.
    pub(crate) log_files: u32,
    /// Bytes of /dev/shm.
    pub(crate) shm_size: u64,
    /// A file to write the first process's pid into.
    pub(crate) pid_file: Option<PathBuf>,
    /// oom_score_adj.
    pub(crate) oom_score_adj: Option<i64>,
    /// The parent of its cgroup; empty for the top.
    pub(crate) cgroup_parent: String,
    /// Whose ids it has.
    pub(crate) userns: Userns,
    /// Devices by the names that their vendors give them, `vendor/class=name`.
    pub(crate) vendors_devices: Vec<String>,
    /// For hooks and the like: config.json's annotations.
    pub(crate) annotations: BTreeMap<String, String>,
    /// Time zone: `local`, or a name below /usr/share/zoneinfo.
    pub(crate) time_zone: String,
}

/// What a container is told by a flag without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Switch {
    /// `-t`.
    Terminal,
    /// `-i`.
    Interactive,
    /// `--rm`.
    Remove,
    /// `--init`.
    Init,
    /// `--privileged`.
    Privileged,
    /// `--read-only`.
    ReadOnly,
    /// `-P`.
    PublishAll,
}

/// Where the files come from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub(crate) enum Root {
    /// Nowhere: no wish has been made.
    #[default]
    None,
    /// A directory, as it is.
    Directory {
        /// Its absolute path.
        path: PathBuf,
    },
    /// Directories under a writable one of the container's own; the top one first.
    Layers {
        /// Their absolute paths.
        lower: Vec<PathBuf>,
    },
}

/// Something mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Mount {
    /// Bind, volume, tmpfs or an image.
    pub(crate) kind: MountKind,
    /// A host's path, an image's or a volume's name; empty for a tmpfs or a volume without name.
    pub(crate) source: String,
    /// Where in the container; absolute.
    pub(crate) target: String,
    /// In the words of mount(8) and config.json.
    pub(crate) options: Vec<String>,
    /// An image's layers, the top one first.
    pub(crate) layers: Vec<PathBuf>,
}

/// What is mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MountKind {
    /// A part of the host's tree.
    #[default]
    Bind,
    /// A volume.
    Volume,
    /// A new tmpfs.
    Tmpfs,
    /// An image's files, read-only.
    Image,
}

/// Limits; none where nothing was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    /// Bytes.
    pub(crate) memory: Option<i64>,
    /// Bytes of memory and swap together; -1 for no limit.
    pub(crate) memory_swap: Option<i64>,
    /// Bytes.
    pub(crate) memory_reservation: Option<i64>,
    /// Microseconds in each period.
    pub(crate) cpu_quota: Option<i64>,
    /// Microseconds.
    pub(crate) cpu_period: Option<u64>,
    /// Weight; 1024 is one.
    pub(crate) cpu_shares: Option<u64>,
    /// Processors, as in cpuset(7).
    pub(crate) cpuset_cpus: String,
    /// Memory nodes.
    pub(crate) cpuset_mems: String,
    /// Processes and threads; -1 for no limit.
    pub(crate) pids: Option<i64>,
    /// 10 to 1000.
    pub(crate) blkio_weight: Option<u64>,
    /// `path:rate`, by the word of config.json.
    pub(crate) throttles: Vec<(String, String)>,
    /// A cgroup file's name and its content.
    pub(crate) unified: BTreeMap<String, String>,
}

/// The network, as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Network {
    /// `bridge`, `none`, `host`, `container:ID`, `ns:PATH`, or networks' names.
    pub(crate) mode: Vec<String>,
    /// `[[ip:][host]:]container[/proto]`.
    pub(crate) publish: Vec<String>,
    /// Ports that the image and `--expose` name.
    pub(crate) expose: Vec<String>,
    /// `name:address`.
    pub(crate) add_host: Vec<String>,
    /// Name servers, search domains, options.
    pub(crate) dns: Vec<String>,
    /// See `dns`.
    pub(crate) dns_search: Vec<String>,
    /// See `dns`.
    pub(crate) dns_option: Vec<String>,
    /// A wished address.
    pub(crate) ip: String,
    /// A wished address.
    pub(crate) ip6: String,
    /// A wished hardware address.
    pub(crate) mac: String,
}

impl Wish {
    /// Whether it was switched on.
    pub(crate) fn has(&self, switch: Switch) -> bool {
        self.on.contains(&switch)
    }

    /// The first word of the network's mode.
    pub(crate) fn network_mode(&self) -> &str {
        self.network.mode.first().map_or("", String::as_str)
    }
}
