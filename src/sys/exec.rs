//! Becoming another program, and what must be true of the descriptors before.

use super::{Call, Fault, answer};
use std::ffi::{CStr, CString, c_char};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// A list of C strings as execve(2) wants it: pointers, and a null at the end. Made before the clone.
#[derive(Debug)]
pub struct Strings {
    pointers: Vec<*const c_char>,
    // The pointers above point into these; they are never changed after.
    _owner: Vec<CString>,
    // One more string, of which only the content is known later.
    blank: Box<[u8]>,
}

/// Room for a string that is known only in the child.
const BLANK: usize = 4096;

impl Strings {
    /// Takes the strings and lays out their pointers.
    #[must_use]
    pub fn new(strings: Vec<CString>) -> Strings {
        let mut pointers: Vec<*const c_char> = strings.iter().map(|s| s.as_ptr()).collect();
        pointers.push(std::ptr::null());
        Strings {
            pointers,
            _owner: strings,
            blank: Box::default(),
        }
    }

    /// The same with one more string at the end, which [`Strings::fill`] may replace without a heap.
    #[must_use]
    pub fn with_blank(strings: Vec<CString>, initial: &CStr) -> Strings {
        let mut laid = Strings::new(strings);
        laid.blank = vec![0; BLANK].into_boxed_slice();
        laid.fill(&[initial.to_bytes()]);
        laid.pointers.pop();
        laid.pointers
            .extend([laid.blank.as_ptr().cast::<c_char>(), std::ptr::null()]);
        laid
    }

    /// Writes the parts, one after the other, as the blank string; too long ones leave it as it is.
    pub fn fill(&mut self, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length >= self.blank.len() {
            return;
        }
        let end = std::iter::once(&0);
        let bytes = parts.iter().flat_map(|part| part.iter()).chain(end);
        for (to, from) in self.blank.iter_mut().zip(bytes) {
            *to = *from;
        }
    }
}

/// Replaces this process by `program`; execve(2). Returns only if that was not to be.
#[must_use]
pub fn replace(program: &CStr, arguments: &Strings, environment: &Strings) -> Fault {
    // SAFETY: both arrays end with a null pointer and point into C strings that they own.
    unsafe {
        libc::execve(
            program.as_ptr(),
            arguments.pointers.as_ptr(),
            environment.pointers.as_ptr(),
        )
    };
    Fault {
        call: Call::Execve,
        errno: nix::errno::Errno::last_raw(),
    }
}

/// Replaces this process by the open file `program`; execveat(2), AT_EMPTY_PATH.
#[must_use]
pub fn replace_by_descriptor(
    program: BorrowedFd<'_>,
    arguments: &Strings,
    environment: &Strings,
) -> Fault {
    let (fd, flags) = (program.as_raw_fd(), libc::AT_EMPTY_PATH);
    let (argv, envp) = (arguments.pointers.as_ptr(), environment.pointers.as_ptr());
    // SAFETY: as in `replace`; the empty path with AT_EMPTY_PATH means the descriptor itself.
    unsafe { libc::syscall(libc::SYS_execveat, fd, c"".as_ptr(), argv, envp, flags) };
    Fault {
        call: Call::Execve,
        errno: nix::errno::Errno::last_raw(),
    }
}

/// Marks every descriptor from `first` on to be closed by execve; close_range(2), Linux 5.11.
///
/// # Errors
/// ENOSYS or EPERM under an outer filter.
pub fn close_on_exec_from(first: u32) -> Result<(), Fault> {
    // SAFETY: close_range takes three numbers and, with CLOEXEC, closes nothing now.
    let value = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    answer(value, Call::CloseRange).map(|_| ())
}

/// Closes, in a cloned child, every descriptor from `first` on but those in `keep`; close_range(2).
/// Their owners live on in the parent's memory; the child must not use its copies of them.
///
/// # Errors
/// ENOSYS or EPERM under an outer filter.
pub fn close_all_but(first: u32, keep: &mut [i32]) -> Result<(), Fault> {
    keep.sort_unstable();
    let mut from = first;
    let kept = keep.iter().filter_map(|fd| u32::try_from(*fd).ok());
    for fd in kept.filter(|fd| *fd >= first) {
        if fd > from {
            close_from_to(from, fd - 1)?;
        }
        from = fd + 1;
    }
    close_from_to(from, u32::MAX)
}

fn close_from_to(first: u32, last: u32) -> Result<(), Fault> {
    // SAFETY: the child executes or exits without dropping the owners of these numbers.
    let value = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    answer(value, Call::CloseRange).map(|_| ())
}

/// Lays `from` over the descriptor number `number` (0, 1 or 2), open across execve; dup2(2).
///
/// # Errors
/// As dup2(2).
pub fn lay_over(from: impl AsFd, number: i32) -> Result<(), Fault> {
    let fd = from.as_fd().as_raw_fd();
    if fd == number {
        // dup2 onto itself would leave close-on-exec as it is.
        // SAFETY: F_SETFD takes a number.
        let value = unsafe { libc::fcntl(fd, libc::F_SETFD, 0) };
        return answer(value.into(), Call::Fcntl).map(|_| ());
    }
    // SAFETY: dup2 takes two numbers; the one it closes is a standard stream, which no OwnedFd holds.
    let value = unsafe { libc::dup2(fd, number) };
    answer(value.into(), Call::Dup2).map(|_| ())
}

/// A standard stream of this process, 0, 1 or 2.
#[must_use]
pub fn stream(number: i32) -> BorrowedFd<'static> {
    // SAFETY: the runtime opens /dev/null for a stream that its caller closed, so 0, 1 and 2 are open
    // for as long as the process lives.
    unsafe { BorrowedFd::borrow_raw(number.clamp(0, 2)) }
}

/// A descriptor that the caller has handed over, by its number; `None` where none is open. fcntl(2), F_GETFD.
#[must_use]
pub fn inherited(number: i32) -> Option<BorrowedFd<'static>> {
    if !u32::try_from(number).is_ok_and(is_open) {
        return None;
    }
    // SAFETY: it is open, and being the caller's it has no owner in this process that would close it.
    Some(unsafe { BorrowedFd::borrow_raw(number) })
}

/// Whether this process may execute the regular file `path`: `Ok` or the errno that a shell would
/// report (EACCES also for a directory, as Go's os/exec says it); faccessat(2) with effective ids.
///
/// # Errors
/// ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG.
pub fn may_execute(path: &CStr) -> Result<(), Fault> {
    use super::At;
    use rustix::fs::{Access, AtFlags, CWD, FileType};
    let stat = rustix::fs::statat(CWD, path, AtFlags::empty()).at(Call::Faccessat)?;
    if super::path::kind(&stat) != FileType::RegularFile {
        return Err(Fault {
            call: Call::Faccessat,
            errno: libc::EACCES,
        });
    }
    let asked = rustix::fs::accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS);
    match asked {
        // Not the file's answer: a filter does not know faccessat2. Real ids are the effective ones here.
        Err(rustix::io::Errno::PERM) => {
            rustix::fs::accessat(CWD, path, Access::EXEC_OK, AtFlags::empty())
        }
        other => other,
    }
    .at(Call::Faccessat)
}

/// Whether this process has an open descriptor of this number.
#[must_use]
pub fn is_open(number: u32) -> bool {
    let Ok(fd) = i32::try_from(number) else {
        return false;
    };
    // SAFETY: F_GETFD takes a number and changes nothing; EBADF is its answer for a closed one.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

/// Closes a descriptor whose owner is used no more and never dropped: in a cloned child that of a copy
/// of its parent's memory, in the runtime a static one; close(2).
///
/// # Errors
/// As close(2).
pub fn close_copy(fd: impl AsFd) -> Result<(), Fault> {
    let number = fd.as_fd().as_raw_fd();
    // SAFETY: our caller never drops the owner of this number: a child executes or exits by _exit, and
    // statics are not dropped.
    let value = unsafe { libc::close(number) };
    answer(value.into(), Call::Close).map(|_| ())
}
