//! One table: what failed, with which errno, under which circumstances → what to do.
//!
//! A hint enters together with a bundle in `bundle-examples/broken/` that triggers it.

use super::failure::Failure;
use super::step::Step;
use crate::error::nearest;
use crate::plan::Plan;
use crate::plan::birth::{Birth, Join, Kind};
use crate::plan::mounts::{Begins, MountOp, Source, SourceLink, TargetLinks};
use crate::plan::options;
use crate::sys::{Call, Fault};

/// Advice about a filter that stops the runtime before the program.
pub(super) const SECCOMP: &str = "permit read, write, close, accept4 and execve in /linux/seccomp/syscalls: with the filter in force the runtime itself needs them to go on";

/// `MOUNT_ATTR_NOEXEC`; mount_setattr(2).
const NOEXEC: u64 = 8;

/// Advice about a failed step of the child.
#[must_use]
pub(super) fn of_step(plan: &Plan, failure: &Failure) -> Option<String> {
    let Failure { step, miss } = *failure;
    match (step, miss.fault.errno) {
        (_, libc::ENOSYS) => Some(too_old(miss.fault.call)),
        (Step::Mount, _) => of_mount(plan, plan.mounts.get(usize::from(miss.item))?, miss.part, miss.fault),
        (Step::Root, _) => of_root(plan, miss.fault),
        (Step::Join, _) => of_join(plan.birth.joins.get(usize::from(miss.item))?, miss.fault.errno),
        (Step::Unshare | Step::Network, libc::ENOSPC) => of_clone(&plan.birth, libc::ENOSPC),
        (Step::Clocks, libc::ERANGE) => Some("move the clocks less: none may fall below 0, and these began when the machine did (see /proc/uptime)".to_owned()),
        (Step::Pivot, libc::EINVAL) => Some("where / is the initial ramfs there is nothing to pivot from: use --no-pivot".to_owned()),
        (Step::Console, libc::ENOENT) => Some("a terminal needs the container's own devpts: add {\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\",\"ptmxmode=0666\"]} to /mounts".to_owned()),
        (Step::Cwd, libc::EACCES) => Some(format!("let user {} enter it by its mode, or choose another directory", plan.user.uid)),
        (Step::Cwd, libc::ENOENT | libc::ELOOP | libc::ENOTDIR) => Some("choose a directory inside the container, such as \"/\"".to_owned()),
        (Step::Find, libc::ENOENT | libc::ENOTDIR) => of_missing_program(plan),
        (Step::Find, libc::EACCES) if let Some(hint) = of_noexec(plan) => Some(hint),
        (Step::Find, libc::EACCES) => Some("name a file that the process's user may execute (chmod +x), not a directory".to_owned()),
        (Step::Execute, libc::E2BIG) => of_long(plan),
        (Step::Execute, libc::ENOEXEC) => Some("name a program for this machine; a script needs #! and its interpreter in the first line".to_owned()),
        (Step::Execute, libc::ENOENT) => Some("install its interpreter (see the #! line) or its dynamic loader (see ldd) in the root file system: the program itself is there".to_owned()),
        (Step::SeccompEarly | Step::SeccompLate, _) if !matches!(miss.fault.call, Call::Seccomp | Call::PrctlSeccomp) => Some(SECCOMP.to_owned()),
        (Step::SecurityLabel, libc::ENOENT) => plan.labels.apparmor.as_ref().map(|wanted| format!("load the profile {} with apparmor_parser first, or correct the name", wanted.profile)),
        (Step::Scheduling, libc::EPERM) => Some("leave it out: it needs CAP_SYS_NICE on the host, which neither a user nor a container with its own user namespace has".to_owned()),
        (Step::Scheduling, libc::EINVAL) if miss.fault.call == Call::SetMempolicy => Some("name memory nodes that this machine has: see /sys/devices/system/node/online".to_owned()),
        (Step::Sysctl, libc::ENOENT) => Some("correct the name: this kernel has no such parameter in /proc/sys".to_owned()),
        (Step::Sysctl, libc::EINVAL) => Some("give a value of the kind that /proc/sys shows for it".to_owned()),
        (Step::Devices, libc::ENODEV) => Some("correct the numbers, or the path: in a user namespace a device is the host's of the same path, and that is another one".to_owned()),
        (Step::Devices, libc::EEXIST) => Some("remove the other file of this name from the root file system or from /mounts, or mount a tmpfs on /dev".to_owned()),
        (Step::Ids, libc::EINVAL) => Some("choose ids that the container's user namespace maps: see uid_map and gid_map of a process in it".to_owned()),
        (Step::Hostname | Step::Domainname, libc::EPERM) => Some("leave it out, or have the uts namespace made new: one that was made outside the user namespace is not its to change".to_owned()),
        (Step::ReadOnly | Step::Mask, libc::ELOOP) => Some("leave the path out: in this root file system its symbolic links lead in a circle".to_owned()),
        _ => None,
    }
}

/// Arguments and variables that execve(2) does not take: one has more bytes than any may, or all are too many.
fn of_long(plan: &Plan) -> Option<String> {
    /// MAX_ARG_STRLEN is 32 pages, the end counted; they have 4 KiB nearly everywhere.
    const LONGEST: usize = 32 * 4096;
    let process = &plan.process;
    let long = |list: &[std::ffi::CString]| {
        list.iter()
            .position(|text| text.as_bytes_with_nul().len() > LONGEST)
    };
    Some(match (long(&process.argv), long(&process.envp)) {
        (Some(at), _) => format!("shorten /process/args/{at}, or hand it over in a file: one argument may have {LONGEST} bytes"),
        (None, Some(at)) => {
            let name = process.envp.get(at)?.to_string_lossy();
            let name = name.split('=').next().unwrap_or_default().to_owned();
            format!("shorten the variable {name}, or hand it over in a file: one may have {LONGEST} bytes")
        }
        (None, None) => "shorten the arguments and the environment: together they may have a quarter of RLIMIT_STACK, and never more than 6 MiB".to_owned(),
    })
}

fn too_old(call: Call) -> String {
    format!(
        "orbital needs Linux 5.14 or newer, and where a container is around it, a seccomp filter there that permits {}",
        call.name()
    )
}

/// A file on a mount that was asked for with noexec cannot be executed, whatever its mode.
fn of_noexec(plan: &Plan) -> Option<String> {
    let program = plan.process.argv.first()?.to_bytes().strip_prefix(b"/")?;
    let around = |op: &&MountOp| {
        let rest = program.strip_prefix(op.target.to_bytes());
        matches!(rest, Some([] | [b'/', ..]))
    };
    let op = plan.mounts.iter().rev().find(around)?;
    let attributes = match &op.source {
        Source::New { attributes, .. } => *attributes,
        Source::Bind { attributes, .. } | Source::Again { attributes, .. } => attributes.set,
    };
    let target = op.target.to_string_lossy();
    (attributes & NOEXEC != 0).then(|| {
        format!(
            "take noexec out of {}/options: no file of the mount on /{target} can be executed",
            op.pointer.as_str()
        )
    })
}

fn of_missing_program(plan: &Plan) -> Option<String> {
    let argv = &plan.process.argv;
    let program = argv.first()?.to_string_lossy();
    if argv.len() == 1 && program.contains(' ') {
        let words: Vec<_> = program
            .split_whitespace()
            .map(|word| format!("{word:?}"))
            .collect();
        return Some(format!(
            "write the arguments as a list of words: [{}]",
            words.join(", ")
        ));
    }
    if program.contains('/') {
        let root = plan.root.path.to_string_lossy();
        return Some(format!("install {program} in the root file system, {root}"));
    }
    Some(format!(
        "install {program} in the root file system, or add its directory to PATH in /process/env"
    ))
}

/// Advice about a mount; `part` is the option that it stopped at.
#[must_use]
pub(super) fn of_mount(plan: &Plan, op: &MountOp, part: u16, fault: Fault) -> Option<String> {
    let kind = op.kind_word.as_str();
    match (&op.source, fault.call, fault.errno) {
        (Source::New { options, .. }, Call::FsconfigSet, libc::EINVAL) => {
            let option = options.iter().find(|option| option.index == part)?;
            let value = option.value.as_ref().map(|value| value.to_string_lossy());
            Some(of_option(kind, &option.key.to_string_lossy(), value.as_deref()))
        }
        (Source::New { options, .. }, Call::FsconfigSet | Call::FsconfigCreate, libc::ENOENT) if kind == "overlay" => {
            let option = options.iter().find(|option| option.index == part);
            let name = option.map_or("lowerdir, upperdir and workdir".into(), |option| option.key.to_string_lossy());
            Some(format!("make the directories of {name} on the host first, or correct them"))
        }
        (Source::New { begins: Begins::AsCovered(_), .. }, Call::Write | Call::Mkdirat | Call::Openat, libc::ENOSPC) => {
            Some("give the tmpfs a larger size: what it covers does not fit into it".to_owned())
        }
        (Source::Again { .. }, Call::MountSetattr | Call::Fspick, libc::EINVAL) => {
            Some(format!("put it behind the mount that it is to change: nothing is mounted at /{}", op.target.to_string_lossy()))
        }
        (Source::Bind { path, ids: Some(_), .. }, Call::MountSetattr, libc::EINVAL) => {
            Some(format!("remove it: the file system of {}, or one below it, cannot map ids, or has them mapped already", path.to_string_lossy()))
        }
        (Source::Bind { link: SourceLink::Copy, .. }, Call::Symlinkat, libc::EEXIST) => {
            Some(format!("remove /{} from the root file system, where another file has this name", op.target.to_string_lossy()))
        }
        (_, Call::Openat2, libc::ENOENT) if op.links == TargetLinks::LastItself => {
            Some("make the destination beforehand, or remove dest-nofollow: it covers only what is there".to_owned())
        }
        (Source::New { .. }, Call::Fsopen, libc::ENODEV) => {
            let known = ["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "overlay", "bind", "ext4", "xfs", "btrfs"];
            Some(match nearest(kind, known) {
                Some(near) => format!("this kernel has no file system {kind:?}; did you mean {near:?}?"),
                None => format!("this kernel has no file system {kind:?}: see /proc/filesystems, or use \"bind\""),
            })
        }
        (Source::New { .. }, _, libc::EPERM) if kind == "proc" && plan.birth.owns(Kind::User) && !plan.birth.owns(Kind::Pid) => {
            Some("a new user namespace may mount proc only with a new pid namespace; add {\"type\":\"pid\"} to /linux/namespaces".to_owned())
        }
        (Source::Bind { path, .. }, Call::OpenTree, libc::ENOENT) => {
            Some(format!("make {} on the host first, or correct the source", path.to_string_lossy()))
        }
        (_, Call::Fstatfs, libc::EPERM) => Some("choose another destination: this one leads into /proc, where nothing may be mounted".to_owned()),
        // move_mount(2): one of the two is a directory and the other is not.
        (Source::Bind { path, .. }, Call::MoveMount, libc::EINVAL | libc::ENOTDIR) => {
            let (source, target) = (path.to_string_lossy(), op.target.to_string_lossy());
            Some(format!("choose a destination of the same kind: of {source} and the container's /{target} one is a directory and the other a file"))
        }
        (_, _, libc::ELOOP) => Some("make /proc and /sys real directories of the root file system: a symbolic link is in the way".to_owned()),
        (_, _, libc::EROFS) => Some("make the destination beforehand, or what it lies in writable: it is missing, and cannot be made on a read-only file system".to_owned()),
        (_, Call::OpenTree, libc::EINVAL) => Some("use rbind: the source holds mounts that may not be left behind".to_owned()),
        _ => None,
    }
}

/// Advice about a root file system that cannot be opened or mounted.
#[must_use]
pub(super) fn of_root(plan: &Plan, fault: Fault) -> Option<String> {
    let path = plan.root.path.to_string_lossy();
    match (fault.call, fault.errno) {
        (_, libc::ENOENT) => Some(format!(
            "make a root file system in {path} first, or correct the path"
        )),
        (_, libc::EACCES) => Some(
            "let the container's root user reach it: give the directories above it the mode o+x"
                .to_owned(),
        ),
        (Call::MoveMount, libc::EINVAL | libc::ENOTDIR) | (_, libc::ENOTDIR) => {
            Some("name the directory that holds the root file system, not a file".to_owned())
        }
        _ => None,
    }
}

/// Advice about a namespace that cannot be joined.
#[must_use]
pub(super) fn of_join(join: &Join, errno: i32) -> Option<String> {
    let name = join.kind.name();
    match errno {
        libc::ENOENT => Some(format!("correct the path, or see whether the process that had this {name} namespace has ended")),
        // The kernel will not let a process join the user namespace that it is in.
        libc::EINVAL if join.kind == Kind::User => Some("name the user namespace of another process, such as /proc/PID/ns/user; it must not be the caller's own".to_owned()),
        libc::EINVAL => Some(format!("name a {name} namespace, such as /proc/PID/ns/{}", join.kind.file().to_string_lossy())),
        _ => None,
    }
}

fn of_option(kind: &str, option: &str, value: Option<&str>) -> String {
    let known: &[&str] = match kind {
        "tmpfs" => &[
            "size",
            "mode",
            "uid",
            "gid",
            "nr_inodes",
            "nr_blocks",
            "huge",
            "mpol",
            "inode32",
            "inode64",
            "noswap",
        ],
        "devpts" => &["newinstance", "ptmxmode", "mode", "uid", "gid", "max"],
        "proc" => &["hidepid", "gid", "subset"],
        "overlay" => &[
            "lowerdir",
            "upperdir",
            "workdir",
            "redirect_dir",
            "index",
            "metacopy",
            "xino",
            "userxattr",
            "volatile",
        ],
        _ => &[],
    };
    if options::known().any(|known| known == option) {
        return format!("give {option:?} as a string of its own, not with others and a comma");
    }
    let every = known.iter().copied().chain(options::known());
    match nearest(option, every).filter(|near| *near != option) {
        Some(near) => format!("{kind} has no option {option:?}; did you mean {near:?}?"),
        None => match value.filter(|_| known.contains(&option)) {
            Some(value) if option == "size" => format!(
                "{kind} takes no {value:?} as its size: give a number of bytes, or one with k, m, g or %"
            ),
            Some(value) => {
                format!("{kind} takes no {value:?} as {option}: correct it, or leave it out")
            }
            None => format!("leave it out: {kind} has no option {option:?}"),
        },
    }
}

/// Advice about a clone that the kernel refused.
#[must_use]
pub(super) fn of_clone(birth: &Birth, errno: i32) -> Option<String> {
    match errno {
        libc::EPERM if !birth.owns(Kind::User) => {
            Some("making namespaces needs CAP_SYS_ADMIN, which root of a container often lacks; without it add {\"type\":\"user\"} and mappings (orbital spec --rootless)".to_owned())
        }
        libc::EPERM => Some("this host forbids user namespaces: see sysctl user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns".to_owned()),
        libc::ENOSPC => Some("the limit of namespaces is reached: see sysctl user.max_*_namespaces".to_owned()),
        libc::ENOSYS => Some(too_old(Call::Clone3)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
