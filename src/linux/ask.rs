//! Questions to the host, asked once, into [`Facts`].

use crate::cgroup;
use crate::cli::Manager;
use crate::error::{Cause, Error, Object, Result};
use crate::plan::facts::{Facts, Instance, Privilege};
use crate::plan::seccomp;
use crate::spec::default::{self, SpecFor};
use crate::sys::proc::Proc;
use std::path::{Path, PathBuf};

/// The /proc that everything is asked of.
///
/// # Errors
/// One that cannot be trusted.
pub fn trust_proc() -> Result<Proc> {
    Proc::open().map_err(|fault| {
        Error::file("trust /proc", "/proc", fault)
            .hint("mount procfs there: mount -t proc proc /proc")
    })
}

/// Asks everything that planning needs; of systemd, only where that is to make the group.
///
/// # Errors
/// A /proc that cannot be read.
pub fn ask(proc: &Proc, manager: Manager) -> Result<Facts> {
    let uid = rustix::process::geteuid().as_raw();
    let permitted = permitted()?;
    let may_administrate = permitted & (1 << caps::Capability::CAP_SYS_ADMIN.index()) != 0;
    let privilege = if uid == 0 && may_administrate {
        Privilege::Root
    } else {
        Privilege::User
    };
    let helper = |name: &str| {
        (privilege == Privilege::User)
            .then(|| trusted(name))
            .flatten()
    };
    Ok(Facts {
        architecture: seccomp::NATIVE,
        uid,
        gid: rustix::process::getegid().as_raw(),
        privilege,
        systemd: match manager {
            Manager::Systemd if uid != 0 || !cgroup::in_first_user_namespace(proc) => {
                Instance::User
            }
            Manager::Systemd | Manager::Cgroupfs | Manager::Disabled => Instance::System,
        },
        last_capability: crate::sys::caps::last(),
        grantable: permitted,
        newuidmap: helper("newuidmap"),
        newgidmap: helper("newgidmap"),
        unified: crate::sys::dir::is_unified(),
    })
}

/// Where containers are remembered: /run/orbital for root, $XDG_RUNTIME_DIR/orbital else. A user may seem to be
/// root, in a user namespace of an engine's: to runc USER tells them apart, and so it does here.
///
/// # Errors
/// A user without XDG_RUNTIME_DIR.
pub fn home() -> Result<PathBuf> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty());
    if rustix::process::geteuid().is_root() && (own.is_none() || is_really_root()) {
        return Ok("/run/orbital".into());
    }
    match own {
        Some(dir) => Ok(PathBuf::from(dir).join("orbital")),
        None => {
            let error = Error::new(
                "find a place for containers",
                Object::Nothing,
                Cause::Refused("XDG_RUNTIME_DIR is not set".to_owned()),
            );
            Err(error.hint("name a directory of yours with --root"))
        }
    }
}

fn is_really_root() -> bool {
    std::env::var_os("USER").is_some_and(|name| name == "root")
        || Proc::open().is_ok_and(|proc| cgroup::in_first_user_namespace(&proc))
}

/// A first config.json for this user, into this bundle.
///
/// # Errors
/// As [`default::write`].
pub fn write_first_config(bundle: &Path, whom: SpecFor) -> Result<()> {
    let (uid, gid) = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    default::write(bundle, &default::text(whom, uid, gid))
}

/// This process's permitted capabilities; capget(2).
fn permitted() -> Result<u64> {
    crate::sys::caps::permitted()
        .map_err(|fault| Error::file("ask for the capabilities", "/proc/self/status", fault))
}

/// A helper program by its absolute path: never by the caller's PATH (SECURITY: no look-up for setuid helpers).
fn trusted(name: &str) -> Option<PathBuf> {
    let candidates =
        ["/usr/bin", "/bin", "/usr/local/bin"].map(|directory| PathBuf::from(directory).join(name));
    candidates.into_iter().find(|path| path.is_file())
}

/// Whether AppArmor is enabled; apparmor(7), "enabled" of the module's parameters.
#[must_use]
pub fn has_apparmor() -> bool {
    std::fs::read("/sys/module/apparmor/parameters/enabled")
        .is_ok_and(|told| told.starts_with(b"Y"))
}

/// Whether SELinux is enabled: its file system is mounted; selinux(8).
#[must_use]
pub fn has_selinux() -> bool {
    const SELINUX_MAGIC: i64 = 0xf97c_ff8c;
    rustix::fs::statfs(c"/sys/fs/selinux").is_ok_and(|told| told.f_type == SELINUX_MAGIC)
}
