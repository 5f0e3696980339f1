//! Mounts by descriptor (Linux 5.12): a file system is configured, mounted nowhere, given its
//! attributes, and only then moved onto a place that is itself an open descriptor. No path of the
//! container is ever walked by the kernel between a check and its use.

use super::{At, Call, Fault, answer};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags,
};
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// `MOUNT_ATTR_*` bits and propagation, as mount_setattr(2) takes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Attributes {
    /// Bits to set.
    pub set: u64,
    /// Bits to clear; must hold MOUNT_ATTR__ATIME where an access time mode is set.
    pub clear: u64,
    /// `MS_SHARED`, `MS_SLAVE`, `MS_PRIVATE` or `MS_UNBINDABLE`; 0 leaves it.
    pub propagation: u64,
    /// A user namespace whose maps the mount's ids go through; with MOUNT_ATTR_IDMAP.
    pub userns_fd: u64,
}

/// How far an act reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The mount itself.
    One,
    /// The mount and all below it (`AT_RECURSIVE`).
    Tree,
}

/// Opens a file system of this type for configuring; fsopen(2).
///
/// # Errors
/// ENODEV for an unknown type, EPERM without privilege, ENOSYS before Linux 5.2.
pub fn open_filesystem(kind: &CStr) -> Result<OwnedFd, Fault> {
    rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).at(Call::Fsopen)
}

/// Sets one option, with or without a value; fsconfig(2).
///
/// # Errors
/// EINVAL for an option or a value that the file system does not know.
pub fn set_option(
    filesystem: BorrowedFd<'_>,
    key: &CStr,
    value: Option<&CStr>,
) -> Result<(), Fault> {
    match value {
        Some(value) => rustix::mount::fsconfig_set_string(filesystem, key, value),
        None => rustix::mount::fsconfig_set_flag(filesystem, key),
    }
    .at(Call::FsconfigSet)
}

/// Opens the file system that is mounted at `fd`, a mount's root, for a change of its options; fspick(2).
///
/// # Errors
/// EINVAL where `fd` is no mount's root, EPERM without privilege over the file system.
pub fn pick_filesystem(fd: impl AsFd) -> Result<OwnedFd, Fault> {
    let flags = FsPickFlags::FSPICK_CLOEXEC | FsPickFlags::FSPICK_EMPTY_PATH;
    rustix::mount::fspick(fd, c"", flags).at(Call::Fspick)
}

/// Changes the options of a picked file system; fsconfig(2), FSCONFIG_CMD_RECONFIGURE.
///
/// # Errors
/// Whatever the file system answers.
pub fn change_filesystem(filesystem: BorrowedFd<'_>) -> Result<(), Fault> {
    rustix::mount::fsconfig_reconfigure(filesystem).at(Call::FsconfigChange)
}

/// Makes the configured file system; fsconfig(2), FSCONFIG_CMD_CREATE.
///
/// # Errors
/// Whatever the file system answers: EPERM, EBUSY, EINVAL, ENOENT …
pub fn make_filesystem(filesystem: BorrowedFd<'_>) -> Result<(), Fault> {
    rustix::mount::fsconfig_create(filesystem).at(Call::FsconfigCreate)
}

/// A mount of it that is attached nowhere yet, with these `MOUNT_ATTR_*` bits; fsmount(2).
///
/// # Errors
/// EPERM, in a user namespace also for proc and sysfs that are partly covered.
pub fn detached_mount(filesystem: BorrowedFd<'_>, attributes: u64) -> Result<OwnedFd, Fault> {
    // The kernel has no attribute beyond 32 bits yet; one that is asked for is refused.
    let bits = MountAttrFlags::from_bits_retain(u32::try_from(attributes).unwrap_or(u32::MAX));
    rustix::mount::fsmount(filesystem, FsMountFlags::FSMOUNT_CLOEXEC, bits).at(Call::Fsmount)
}

/// A detached copy of what is mounted at `path` below `dir`; open_tree(2), OPEN_TREE_CLONE.
/// An empty path copies `dir` itself.
///
/// # Errors
/// ENOENT for a missing source, EINVAL for a mount of another namespace or an unbindable one.
pub fn copy_tree(dir: impl AsFd, path: &CStr, depth: Depth) -> Result<OwnedFd, Fault> {
    copy(dir, path, depth, OpenTreeFlags::empty())
}

/// The same of a symbolic link itself, where `path` leads to one.
///
/// # Errors
/// As [`copy_tree`].
pub fn copy_unfollowed(dir: impl AsFd, path: &CStr, depth: Depth) -> Result<OwnedFd, Fault> {
    copy(dir, path, depth, OpenTreeFlags::AT_SYMLINK_NOFOLLOW)
}

fn copy(dir: impl AsFd, path: &CStr, depth: Depth, more: OpenTreeFlags) -> Result<OwnedFd, Fault> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | more;
    if path.is_empty() {
        flags |= OpenTreeFlags::AT_EMPTY_PATH;
    }
    if depth == Depth::Tree {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(dir, path, flags).at(Call::OpenTree)
}

/// Changes attributes of the mount `fd`; mount_setattr(2), Linux 5.12.
///
/// # Errors
/// EPERM for a flag that a more privileged namespace has locked, EINVAL for an idmap the file system lacks.
pub fn set_attributes(
    mount: impl AsFd,
    depth: Depth,
    attributes: &Attributes,
) -> Result<(), Fault> {
    let recursive = if depth == Depth::Tree {
        libc::AT_RECURSIVE
    } else {
        0
    };
    let flags = libc::AT_EMPTY_PATH | recursive;
    let fd = mount.as_fd().as_raw_fd();
    // SAFETY: `Attributes` has the layout of `struct mount_attr` version 0 and lives across the call.
    let value = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            fd,
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(attributes),
            size_of::<Attributes>(),
        )
    };
    answer(value, Call::MountSetattr).map(|_| ())
}

/// Attaches the detached `mount` onto the open `target`; move_mount(2).
///
/// # Errors
/// ENOTDIR for a directory onto a file or the reverse, EINVAL for a target of another namespace.
pub fn attach(mount: impl AsFd, target: impl AsFd) -> Result<(), Fault> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", target, c"", flags).at(Call::MoveMount)
}

/// Attaches the detached `mount` onto this process's own root, above what is mounted there; move_mount(2).
///
/// # Errors
/// As [`attach`].
pub fn attach_on_root(mount: impl AsFd) -> Result<(), Fault> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", rustix::fs::CWD, c"/", flags).at(Call::MoveMount)
}

/// Makes the working directory the root and lays the old root over it; pivot_root(2), "." for both.
///
/// # Errors
/// EINVAL where the old root is the initial ramfs or a mount is shared, EBUSY for the present root.
pub fn pivot_to_cwd() -> Result<(), Fault> {
    rustix::process::pivot_root(c".", c".").at(Call::PivotRoot)
}

/// Takes the working directory's mount away, at once for look-ups, in fact when unused; umount2(2), MNT_DETACH.
///
/// # Errors
/// EINVAL where it is no mount point.
pub fn detach_cwd() -> Result<(), Fault> {
    rustix::mount::unmount(c".", UnmountFlags::DETACH).at(Call::Umount)
}

/// Makes the working directory the root of this process; chroot(2).
///
/// # Errors
/// EPERM without CAP_SYS_CHROOT.
pub fn chroot_to_cwd() -> Result<(), Fault> {
    rustix::process::chroot(c".").at(Call::Chroot)
}

/// Changes the propagation of `/`, or of all mounts; mount_setattr(2).
///
/// # Errors
/// EINVAL where `/` is no mount point.
pub fn set_root_propagation(depth: Depth, propagation: u64) -> Result<(), Fault> {
    let root = super::file::open(rustix::fs::CWD, c"/", rustix::fs::OFlags::PATH)?;
    set_attributes(
        root,
        depth,
        &Attributes {
            propagation,
            ..Attributes::default()
        },
    )
}
