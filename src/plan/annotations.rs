//! Annotations that change what a container is: crun's names, as its callers send them. Whoever takes
//! annotations from strangers has to keep these back, so `features` lists them. All others are only told.

#[cfg(target_os = "linux")]
use super::cgroup::properties;
#[cfg(target_os = "linux")]
use oci_spec::runtime::Spec;

/// A path: the unix socket that receives the process as a descriptor, like `--pidfd-socket`.
pub const PIDFD_RECEIVER: &str = "run.oci.pidfd_receiver";

/// Anything but 0: the caller's supplementary groups stay.
pub const KEEP_GROUPS: &str = "run.oci.keep_original_groups";

/// A path: the file that takes what hooks write to their standard output, at its end.
pub const HOOKS_STDOUT: &str = "run.oci.hooks.stdout";

/// The same for their standard error.
pub const HOOKS_STDERR: &str = "run.oci.hooks.stderr";

/// The option of a file system by which it gets `/linux/mountLabel`: `context`, `fscontext`, `defcontext` or `rootcontext`.
pub const MOUNT_CONTEXT: &str = "run.oci.mount_context_type";

/// Anything but 0: a syscall that nobody knows is an error in a seccomp profile, whatever is to become of it.
pub const KNOWN_SYSCALLS: &str = "run.oci.seccomp_fail_unknown_syscall";

/// A path: CRIU's configuration file for this container, empty for none.
pub const CRIU_CONFIG: &str = "org.criu.config";

/// All of them; what ends in a dot is the beginning of many.
#[cfg(target_os = "linux")]
pub const OBEYED: [&str; 8] = [
    CRIU_CONFIG,
    HOOKS_STDERR,
    HOOKS_STDOUT,
    KEEP_GROUPS,
    KNOWN_SYSCALLS,
    MOUNT_CONTEXT,
    PIDFD_RECEIVER,
    properties::ANNOTATION,
];

/// What an annotation says.
#[cfg(target_os = "linux")]
pub(super) fn said<'s>(spec: &'s Spec, name: &str) -> Option<&'s str> {
    let all = spec.annotations().as_ref();
    all.and_then(|all| all.get(name)).map(String::as_str)
}

/// Whether an annotation asks for what it names: anything but 0 does.
#[cfg(target_os = "linux")]
pub(super) fn asks(spec: &Spec, name: &str) -> bool {
    said(spec, name).is_some_and(|word| word != "0")
}
