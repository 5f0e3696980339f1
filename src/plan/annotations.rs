//! Annotations that change what a container is: crun's names, as its callers send them. Whoever takes
//! annotations from strangers has to keep these back, so `features` lists them. All others are only told.

#[cfg(target_os = "linux")]
use super::cgroup::properties;

/// A path: the unix socket that receives the process as a descriptor, like `--pidfd-socket`.
pub const PIDFD_RECEIVER: &str = "run.oci.pidfd_receiver";

/// Anything but 0: the caller's supplementary groups stay.
pub const KEEP_GROUPS: &str = "run.oci.keep_original_groups";

/// A path: the file that takes what hooks write to their standard output, at its end.
pub const HOOKS_STDOUT: &str = "run.oci.hooks.stdout";

/// The same for their standard error.
pub const HOOKS_STDERR: &str = "run.oci.hooks.stderr";

/// A path: CRIU's configuration file for this container, empty for none.
pub const CRIU_CONFIG: &str = "org.criu.config";

/// All of them; what ends in a dot is the beginning of many.
#[cfg(target_os = "linux")]
pub const OBEYED: [&str; 6] = [
    CRIU_CONFIG,
    HOOKS_STDERR,
    HOOKS_STDOUT,
    KEEP_GROUPS,
    PIDFD_RECEIVER,
    properties::ANNOTATION,
];
