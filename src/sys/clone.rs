//! `clone3(2)`.

use super::{Call, Fault, answer};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// `CLONE_INTO_CGROUP` of linux/sched.h; libc's constant has 32 bits and overflows.
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// What the new process is to be born into.
#[derive(Debug, Default)]
pub struct Birth<'a> {
    /// `CLONE_NEW*` flags, and `CLONE_PARENT` for a sibling.
    pub flags: u64,
    /// The cgroup v2 directory to be born in (`CLONE_INTO_CGROUP`, Linux 5.7).
    pub cgroup: Option<BorrowedFd<'a>>,
}

/// Which side of the clone we are on.
#[derive(Debug)]
pub enum Side {
    /// The caller: the child's pid in the caller's pid namespace, and its pidfd.
    Parent(i32, OwnedFd),
    /// The new process.
    Child,
}

/// Forks with `birth`'s namespaces and cgroup; see clone3(2).
///
/// # Errors
/// EPERM without privilege over the namespaces, ENOSYS or EPERM under an outer seccomp filter,
/// EBUSY or EACCES for a cgroup that takes no processes, ENOSPC at a limit of namespaces.
///
/// The child has a copy of this thread alone, and must make only async-signal-safe calls until it
/// executes or exits; [`super::heap::seal`] turns a breach of that into a clean end.
pub fn clone3(birth: &Birth<'_>) -> Result<Side, Fault> {
    let mut pidfd: i32 = -1;
    let mut args = libc::clone_args {
        flags: birth.flags | libc::CLONE_PIDFD as u64,
        pidfd: std::ptr::from_mut(&mut pidfd) as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: if birth.flags & libc::CLONE_PARENT as u64 == 0 {
            libc::SIGCHLD as u64
        } else {
            0
        },
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: 0,
    };
    if let Some(cgroup) = birth.cgroup {
        args.flags |= INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: `args` lives across the call and has the size given; without CLONE_VM and a stack the
    // child continues here on its own copy of this one, as after fork(2), and shares no memory.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw mut args,
            size_of::<libc::clone_args>(),
        )
    };
    let pid = i32::try_from(answer(pid, Call::Clone3)?).unwrap_or_default();
    if pid == 0 {
        return Ok(Side::Child);
    }
    // SAFETY: the kernel put a new descriptor there (CLONE_PIDFD), and nobody else owns it.
    Ok(Side::Parent(pid, unsafe { OwnedFd::from_raw_fd(pidfd) }))
}
