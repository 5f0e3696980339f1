//! Annotations that change what a container is: crun's names, as its callers send them. Whoever takes
//! annotations from strangers has to keep these back, so `features` lists them. All others are only told.

use super::cgroup::properties;

/// A path: the unix socket that receives the process as a descriptor, like `--pidfd-socket`.
pub const PIDFD_RECEIVER: &str = "run.oci.pidfd_receiver";

/// Anything but 0: the caller's supplementary groups stay.
pub const KEEP_GROUPS: &str = "run.oci.keep_original_groups";

/// A path: CRIU's configuration file for this container, empty for none.
pub const CRIU_CONFIG: &str = "org.criu.config";

/// All of them; what ends in a dot is the beginning of many.
pub const OBEYED: [&str; 4] = [
    CRIU_CONFIG,
    KEEP_GROUPS,
    PIDFD_RECEIVER,
    properties::ANNOTATION,
];
