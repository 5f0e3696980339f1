//! Labels, ids, capabilities, no_new_privs; capabilities(7), credentials(7).

use crate::linux::failure::{Miss, Of};
use crate::linux::held::Held;
use crate::linux::labels::Confine;
use crate::plan::Plan;
use crate::plan::process::NoNewPrivs;
use crate::plan::user::Groups;
use crate::sys::{Call, Fault, caps, exec, node, path, process};

/// Items of the step's list.
const APPARMOR: usize = 0;
const SELINUX: usize = 1;

/// The labels that execve changes to: through the host's procfs, as the container's own may have
/// mounts of the image's over it (CVE-2019-16884), and in force only with the program.
pub fn security_label(p: &Plan, h: &Held) -> Result<(), Miss> {
    if let Some(wanted) = &p.labels.apparmor
        && h.confine == Confine::Yes
    {
        match h.proc.write_own(c"attr/apparmor/exec", &wanted.bytes) {
            // Before Linux 5.8 the module had no directory of its own.
            Err(Fault {
                call: Call::Openat2 | Call::Openat,
                errno: libc::ENOENT,
            }) => h.proc.write_own(c"attr/exec", &wanted.bytes).of(APPARMOR)?,
            other => other.of(APPARMOR)?,
        }
    }
    match &p.labels.selinux {
        Some(label) => h.proc.write_own(c"attr/exec", label.as_bytes()).of(SELINUX),
        None => Ok(()),
    }
}

/// prctl(2), PR_SET_NO_NEW_PRIVS.
pub fn no_new_privs(p: &Plan) -> Result<(), Fault> {
    match p.process.no_new_privs {
        NoNewPrivs::Yes => caps::set_no_new_privs(),
        NoNewPrivs::No => Ok(()),
    }
}

/// The bounding set, which only ever shrinks.
pub fn bounding(p: &Plan) -> Result<(), Fault> {
    caps::limit_bounding(p.caps.bounding, p.caps.last)
}

/// Groups, gid, uid, umask.
pub fn ids(p: &Plan, h: &Held) -> Result<(), Fault> {
    caps::keep_across_setuid()?;
    own_streams(p);
    if let Groups::Set(groups) = &p.user.groups {
        set_groups(groups, h)?;
    }
    process::set_gid(p.user.gid)?;
    process::set_uid(p.user.uid)?;
    process::set_umask(p.user.umask);
    // The change of ids made this process dumpable by whoever has them now.
    process::set_dumpable(process::Dumpable::No)
}

/// The supplementary groups. A user namespace that denies setgroups (user_namespaces(7)) has none to give
/// up, so none are a list that need not be set there; any other denial is a failure.
pub fn set_groups(groups: &[u32], h: &Held) -> Result<(), Fault> {
    match process::set_groups(groups) {
        Err(fault) if fault.errno == libc::EPERM && groups.is_empty() => {
            let mut buffer = [0u8; 8];
            match h.proc.read_own(c"setgroups", &mut buffer) {
                Ok(b"deny\n") => Ok(()),
                _ => Err(fault),
            }
        }
        other => other,
    }
}

/// Gives the standard streams to the process's user, so that it can open /dev/stdout again. The null
/// device is everybody's; what cannot be given (a file of another owner, a read-only one) stays.
fn own_streams(p: &Plan) {
    if p.user.uid == 0 {
        return;
    }
    for number in 0..=2 {
        let stream = exec::stream(number);
        if super::dev::is_null(stream).unwrap_or(true) {
            continue;
        }
        if let Ok(stat) = path::look(stream)
            && stat.st_uid != p.user.uid
        {
            // EPERM, EROFS, EINVAL: the stream works all the same, ignored.
            let _ = node::set_owner(stream, p.user.uid, stat.st_gid);
        }
    }
}

/// The five sets; the bounding one is done.
pub fn capabilities(p: &Plan) -> Result<(), Fault> {
    caps::set(p.caps.effective, p.caps.permitted, p.caps.inheritable)?;
    caps::set_ambient(p.caps.ambient, p.caps.last)
}
