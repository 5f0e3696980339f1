//! Loading of seccomp filters; seccomp(2), seccomp_unotify(2).

use super::{Call, Fault, answer};
use seccompiler::sock_filter;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// linux/seccomp.h, an operation of seccomp(2).
const SET_MODE_FILTER: libc::c_uint = 1;

/// linux/seccomp.h: flags that only ask for speed, without which a filter confines no less.
const SPEC_ALLOW: u32 = 1 << 2;
const NEW_LISTENER: u32 = 1 << 3;

/// Loads a filter for this thread, in force when this returns; with `NEW_LISTENER` among the flags (`SECCOMP_FILTER_FLAG_*`)
/// returns the agent's descriptor. Where an outer filter hides seccomp(2), prctl(2) is asked, if it can say the same.
///
/// # Errors
/// EACCES without no_new_privs and CAP_SYS_ADMIN, EINVAL for a flag that the kernel does not know, EBUSY
/// where a filter with a listener is in force already.
pub fn load(program: &[sock_filter], flags: u32) -> Result<Option<OwnedFd>, Fault> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| Fault {
            call: Call::Seccomp,
            errno: libc::EINVAL,
        })?,
        filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut(),
    };
    // SAFETY: the structure and the instructions live across the call, which copies them; `len` is their number,
    // and both `sock_filter` are the kernel's eight bytes.
    let value = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            SET_MODE_FILTER,
            flags,
            &raw const program,
        )
    };
    match answer(value, Call::Seccomp) {
        Err(fault) if fault.errno == libc::ENOSYS && flags & !SPEC_ALLOW == 0 => {
            load_by_prctl(&program)
        }
        Err(fault) => Err(fault),
        Ok(fd) if flags & NEW_LISTENER != 0 => owned(fd).map(Some),
        Ok(_) => Ok(None),
    }
}

fn load_by_prctl(program: &libc::sock_fprog) -> Result<Option<OwnedFd>, Fault> {
    let mode = libc::c_ulong::from(libc::SECCOMP_MODE_FILTER);
    // SAFETY: as in `load`; PR_SET_SECCOMP takes the mode and the structure.
    let value = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            mode,
            std::ptr::from_ref(program),
            0,
            0,
        )
    };
    answer(value.into(), Call::PrctlSeccomp).map(|_| None)
}

fn owned(fd: libc::c_long) -> Result<OwnedFd, Fault> {
    let fd = i32::try_from(fd).map_err(|_| Fault {
        call: Call::Seccomp,
        errno: libc::EBADF,
    })?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Takes a copy of descriptor `number` of another process; pidfd_getfd(2).
///
/// # Errors
/// EPERM without CAP_SYS_PTRACE over a process that is not dumpable, EBADF, ESRCH.
pub fn take_descriptor(pidfd: impl AsFd, number: i32) -> Result<OwnedFd, Fault> {
    let pidfd = pidfd.as_fd().as_raw_fd();
    // SAFETY: pidfd_getfd takes three numbers; the flags must be 0.
    let value = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd, number, 0) };
    owned(answer(value, Call::PidfdGetfd)?)
}

/// Whether this process, with its filter, may still read from `fd`, accept a connection and execute: asked
/// with arguments that do nothing.
///
/// # Errors
/// What the filter answers.
pub fn may_go_on(fd: impl AsFd) -> Result<(), Fault> {
    let fd = fd.as_fd().as_raw_fd();
    let null = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: nothing is read into no bytes.
    let value = unsafe { libc::syscall(libc::SYS_read, fd, null, 0) };
    answer(value, Call::Read)?;
    // SAFETY: -1 is no descriptor, which is all that the kernel says of it.
    let value = unsafe { libc::syscall(libc::SYS_accept4, -1, null, null, 0) };
    expect(libc::EBADF, answer(value, Call::Accept))?;
    // SAFETY: a program without a name is EFAULT, and nothing is executed.
    let value = unsafe { libc::syscall(libc::SYS_execve, null, null, null) };
    expect(libc::EFAULT, answer(value, Call::Execve))
}

fn expect(errno: i32, result: Result<libc::c_long, Fault>) -> Result<(), Fault> {
    match result {
        Err(fault) if fault.errno != errno => Err(fault),
        _ => Ok(()),
    }
}

/// Whether the kernel knows these flags of a filter: it looks at them before it looks for the program, which
/// is not there.
#[must_use]
pub fn knows_flags(flags: u32) -> bool {
    let nothing = std::ptr::null::<libc::sock_fprog>();
    // SAFETY: a null program is EFAULT, and nothing is loaded.
    let value = unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, nothing) };
    answer(value, Call::Seccomp).is_err_and(|fault| fault.errno == libc::EFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instructions_are_the_kernels() {
        assert_eq!(std::mem::size_of::<sock_filter>(), 8);
        assert_eq!(std::mem::offset_of!(sock_filter, k), 4);
    }

    #[test]
    fn this_kernel_knows_some_flags_and_not_others() {
        assert!(knows_flags(1 << 1), "SECCOMP_FILTER_FLAG_LOG");
        assert!(!knows_flags(1 << 30));
    }
}
