//! What the host can do: a plain struct, filled by `linux/ask.rs`, a literal in tests.

use std::path::PathBuf;

/// What may be done with the caller's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// Effective user id 0 with CAP_SYS_ADMIN: may mount, set any id, write any map.
    Root,
    /// Anything less: a user namespace of our own is needed for everything.
    User,
}

/// Whose systemd makes units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Instance {
    /// The machine's: the caller is root outside of user namespaces.
    System,
    /// The user's own.
    User,
}

/// The host, as far as planning needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What programs of this machine are made of; never `ScmpArchNative`.
    pub architecture: oci_spec::runtime::Arch,
    /// The caller's effective user id.
    pub uid: u32,
    /// The caller's effective group id.
    pub gid: u32,
    /// What the caller may do.
    pub privilege: Privilege,
    /// Whose systemd would make the group; asked only where systemd is to make it.
    pub systemd: Instance,
    /// The highest capability that this kernel knows; capabilities(7).
    pub last_capability: u8,
    /// Capabilities that the caller itself has and so may grant, as bits; in a new user namespace all may be granted.
    pub grantable: u64,
    /// Absolute path of newuidmap(1), where there is one.
    pub newuidmap: Option<PathBuf>,
    /// Absolute path of newgidmap(1), where there is one.
    pub newgidmap: Option<PathBuf>,
    /// Whether /sys/fs/cgroup shows cgroup v2.
    pub unified: bool,
}
