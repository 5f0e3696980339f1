//! One table: what failed, with which errno, under which circumstances → what to do.
//!
//! A hint enters together with a bundle in `bundle-examples/broken/` that triggers it.

use crate::linux::explain::has_user_namespace;
use crate::linux::failure::Failure;
use crate::linux::step::Step;
use crate::plan::Plan;
use crate::plan::birth::{Birth, Kind};
use crate::plan::mounts::{MountOp, Source};
use crate::sys::Call;

/// Advice about a failed step of the child.
#[must_use]
pub fn of_step(plan: &Plan, failure: &Failure) -> Option<String> {
    let Failure { step, miss } = *failure;
    let (call, errno) = (miss.fault.call, miss.fault.errno);
    match (step, errno) {
        (Step::Mount, _) => of_mount(plan, plan.mounts.get(usize::from(miss.item))?, miss.part, call, errno),
        (Step::Root, libc::ENOENT) => Some(format!("no such directory: {}; make the root file system there first", plan.root.path.to_string_lossy())),
        (Step::Root, libc::EACCES) => Some("the container's root user must be able to reach it: give its parents mode o+x".to_owned()),
        (Step::Join, libc::EINVAL) => {
            let join = plan.birth.joins.get(usize::from(miss.item))?;
            Some(format!("the path must show a {} namespace, such as /proc/PID/ns/…", join.kind.name()))
        }
        (Step::Pivot, libc::EINVAL) => Some("where / is the initial ramfs there is nothing to pivot from: use --no-pivot".to_owned()),
        (Step::Console, libc::ENOENT) => Some("a terminal needs the container's own devpts: add {\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\",\"ptmxmode=0666\"]} to /mounts".to_owned()),
        (Step::Cwd, libc::EACCES) => Some(format!("user {} may not enter it: change its mode, or process.cwd", plan.user.uid)),
        (Step::Cwd, libc::ENOENT | libc::ELOOP) => Some("choose a directory inside the container, such as \"/\"".to_owned()),
        (Step::Cwd, libc::ENOTDIR) => Some("process.cwd must be a directory".to_owned()),
        (Step::Find, libc::ENOENT | libc::ENOTDIR) => Some(of_missing_program(plan)),
        (Step::Find, libc::EACCES) => Some("it must be a regular file that the process's user may execute: chmod +x".to_owned()),
        (Step::Execute, libc::ENOEXEC) => Some("the file is no program for this machine, or a script without a #! line".to_owned()),
        (Step::Execute, libc::ENOENT) => Some("the program is there, but not its interpreter or dynamic loader: see its #! line, or ldd".to_owned()),
        (Step::Sysctl, libc::ENOENT) => Some("this kernel has no such parameter".to_owned()),
        (Step::Sysctl, libc::EINVAL) => Some("the kernel refuses this value: see what it shows in /proc/sys".to_owned()),
        (Step::Devices, libc::EEXIST) => Some("the root file system holds another file of this name: remove it, or mount a tmpfs on /dev".to_owned()),
        (Step::Ids, libc::EINVAL) => Some("every id of the process must be in the container's mappings".to_owned()),
        (Step::Capabilities, libc::EPERM) => Some("the caller cannot give what it does not have: see CapPrm in /proc/self/status".to_owned()),
        _ => None,
    }
}

fn of_missing_program(plan: &Plan) -> String {
    match plan
        .process
        .argv
        .first()
        .map(|arg| arg.to_string_lossy().into_owned())
    {
        Some(program) if !program.contains('/') => format!(
            "install {program} in the root file system, or add its directory to PATH in process.env"
        ),
        Some(program) => format!(
            "the root file system has no {program}: see {}",
            plan.root.path.to_string_lossy()
        ),
        None => "name a program in process.args".to_owned(),
    }
}

fn of_mount(plan: &Plan, op: &MountOp, part: u16, call: Call, errno: i32) -> Option<String> {
    let kind = op.kind_word.as_str();
    match (&op.source, call, errno) {
        (Source::New { options, .. }, Call::FsconfigSet, libc::EINVAL) => {
            let option = options.iter().find(|option| option.index == part)?;
            Some(of_option(kind, &option.key.to_string_lossy(), option.value.is_some()))
        }
        (Source::New { .. }, Call::Fsopen, libc::ENODEV) => {
            let known = ["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "overlay", "bind", "ext4", "xfs", "btrfs"];
            Some(match nearest(kind, known) {
                Some(near) => format!("this kernel has no file system {kind:?}; did you mean {near:?}?"),
                None => format!("this kernel has no file system {kind:?}: see /proc/filesystems, or use \"bind\""),
            })
        }
        (Source::New { .. }, _, libc::EPERM) if kind == "proc" && has_user_namespace(&plan.birth) && !plan.birth.owns(Kind::Pid) => {
            Some("a new user namespace may mount proc only with a new pid namespace; add {\"type\":\"pid\"} to /linux/namespaces".to_owned())
        }
        (Source::New { .. }, _, libc::EPERM) if kind == "sysfs" && !plan.birth.owns(Kind::Network) => {
            Some("a user namespace may mount sysfs only with a network namespace of its own; add {\"type\":\"network\"}, or bind /sys".to_owned())
        }
        (Source::Bind { path, .. }, Call::OpenTree, libc::ENOENT) => {
            Some(format!("no such file or directory on the host: {}", path.to_string_lossy()))
        }
        (_, Call::Fstatfs, libc::EPERM) => Some("nothing may be mounted inside /proc, by whatever path: choose another destination".to_owned()),
        (_, Call::MoveMount, libc::ENOTDIR) => Some("source and destination must both be directories, or both files".to_owned()),
        (_, _, libc::ELOOP) => Some("a symbolic link lies in the destination's way: /proc and /sys must be real directories of the root file system".to_owned()),
        (_, _, libc::EROFS) => Some("the destination does not exist and its file system is read-only: make it in the image, or mount something writable first".to_owned()),
        (_, Call::OpenTree, libc::EINVAL) => Some("the source holds mounts that may not be copied alone: use rbind".to_owned()),
        _ => None,
    }
}

fn of_option(kind: &str, option: &str, has_value: bool) -> String {
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
    match nearest(option, known.iter().copied()).filter(|near| *near != option) {
        Some(near) => format!("{kind} has no option {option:?}; did you mean {near:?}?"),
        None if known.contains(&option) && has_value => {
            format!("{kind} does not accept this value of {option:?}")
        }
        None => format!("{kind} has no option {option:?}"),
    }
}

/// Advice about a clone that the kernel refused.
#[must_use]
pub fn of_clone(birth: &Birth, errno: i32) -> Option<String> {
    match errno {
        libc::EPERM if !has_user_namespace(birth) => {
            Some("making namespaces needs root; as a user add {\"type\":\"user\"} and mappings (orbital spec --rootless)".to_owned())
        }
        libc::EPERM => Some("this host forbids user namespaces: see sysctl user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns".to_owned()),
        libc::ENOSPC => Some("the limit of namespaces is reached: see sysctl user.max_*_namespaces".to_owned()),
        libc::ENOSYS => Some("orbital needs Linux 5.14 or newer, and an outer seccomp filter that permits clone3".to_owned()),
        _ => None,
    }
}

/// The known word that `word` was probably meant to be: at most two letters are wrong, missing or too
/// many, most of it is right, and capitals do not count.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const FARTHEST: usize = 2;
    let lowered = word.to_ascii_lowercase();
    let near = known.into_iter().filter_map(|other| {
        let distance = edits(&lowered, &other.to_ascii_lowercase());
        let longest = word.chars().count().max(other.chars().count());
        (distance <= FARTHEST && distance * 2 < longest).then_some((distance, other))
    });
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// How many letters must be changed, added or taken away to make `to` of `from` (Levenshtein), by one
/// row of the table at a time.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (above, letter) in from.chars().enumerate() {
        let (mut left, mut diagonal) = (above + 1, above);
        for (cell, other) in row.iter_mut().skip(1).zip(to.chars()) {
            let substituted = diagonal + usize::from(letter != other);
            diagonal = *cell;
            left = substituted.min(left + 1).min(*cell + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
