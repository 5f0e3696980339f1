//! The worker's walls: nothing of the host's files but the new directory, no network, few privileges. They go
//! up before the first byte of the archive is read, each as far as the kernel and this user's rights let it.

use crate::sys::{self, Fault, process};
use caps::Capability;
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope,
};
use rustix::fs::{Mode, OFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// What making files, owners, devices and attributes needs.
const KEPT: [Capability; 8] = [
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_DAC_READ_SEARCH,
    Capability::CAP_FOWNER,
    Capability::CAP_FSETID,
    Capability::CAP_MKNOD,
    Capability::CAP_SETFCAP,
    // For trusted.overlay.opaque.
    Capability::CAP_SYS_ADMIN,
];

/// Opens the directory to fill, and lets this process see nothing else.
///
/// # Errors
/// The directory cannot be opened, or the kernel refuses what it never refuses.
pub(super) fn raise(target: &Path) -> Result<OwnedFd, String> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let told = |what: &str, errno: rustix::io::Errno| {
        format!(
            "{}, from {what} of the new directory",
            crate::sys::words::of_error(errno.raw_os_error())
        )
    };
    let root =
        rustix::fs::open(target, flags, Mode::empty()).map_err(|errno| told("openat", errno))?;
    // A user without a user namespace cannot; Landlock is there for them.
    let _: Result<(), Fault> = process::unshare_network();
    if rustix::process::fchdir(&root).is_ok() {
        let _: rustix::io::Result<()> = rustix::process::chroot(c".");
    }
    let told = |fault: Fault| {
        let words = crate::sys::words::of_error(fault.errno);
        format!("{words}, from {}", fault.call.name())
    };
    sys::caps::set_no_new_privs().map_err(told)?;
    landlock(&root).map_err(|error| format!("Landlock: {error}"))?;
    let kept = KEPT
        .iter()
        .fold(0, |set, capability| set | capability.bitmask());
    let kept = sys::caps::permitted().map_err(told)? & kept;
    sys::caps::set(kept, kept, 0).map_err(told)?;
    Ok(root)
}

/// As far as this kernel has it: files since 5.13, TCP since 6.7, signals and sockets of others since 6.12.
fn landlock(root: &OwnedFd) -> Result<(), landlock::RulesetError> {
    let all = AccessFs::from_all(ABI::V6);
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .handle_access(AccessNet::from_all(ABI::V6))?
        .scope(Scope::from_all(ABI::V6))?
        .create()?
        .add_rule(PathBeneath::new(root.as_fd(), all))?;
    rules.restrict_self().map(|_| ())
}
