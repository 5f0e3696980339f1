//! Small files: whole reads, whole writes, memory files.

use super::{At, Call, Fault};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{MemfdFlags, Mode, OFlags};
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Opens `path` below `dir` with `O_CLOEXEC | O_NOCTTY` added; openat(2).
///
/// # Errors
/// As openat(2).
pub fn open(dir: impl AsFd, path: &CStr, flags: OFlags) -> Result<OwnedFd, Fault> {
    rustix::fs::openat(
        dir,
        path,
        flags | OFlags::CLOEXEC | OFlags::NOCTTY,
        Mode::from_raw_mode(0o600),
    )
    .at(Call::Openat)
}

/// Opens what a descriptor of this process leads to once more, through /proc/self/fd; proc(5).
///
/// # Errors
/// As openat(2); ENOENT without a /proc.
pub fn reopen(fd: impl AsFd, flags: OFlags) -> Result<OwnedFd, Fault> {
    let mut link = super::text::Text::new(b"/proc/self/fd/")?;
    link.push_number(fd.as_fd().as_raw_fd().unsigned_abs())?;
    open(rustix::fs::CWD, link.as_c(), flags)
}

/// Writes all of `bytes` in one write(2), as procfs and cgroupfs want it.
///
/// # Errors
/// As write(2); EIO where the kernel took only a part.
pub fn write_once(fd: impl AsFd, bytes: &[u8]) -> Result<(), Fault> {
    let written = rustix::io::retry_on_intr(|| rustix::io::write(&fd, bytes)).at(Call::Write)?;
    if written == bytes.len() {
        Ok(())
    } else {
        Err(Fault {
            call: Call::Write,
            errno: libc::EIO,
        })
    }
}

/// Fills `buffer` from the start of the file as far as it reaches; read(2).
///
/// # Errors
/// As read(2).
pub fn read_some(fd: impl AsFd, buffer: &mut [u8]) -> Result<&[u8], Fault> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::io::retry_on_intr(|| rustix::io::read(&fd, &mut *rest)).at(Call::Read)? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(buffer.get(..filled).unwrap_or_default())
}

/// What is there, once; 0 at the end; read(2).
///
/// # Errors
/// As read(2).
pub fn read_once(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize, Fault> {
    rustix::io::retry_on_intr(|| rustix::io::read(&fd, &mut *buffer)).at(Call::Read)
}

/// All bytes of a file that is not meant to be large: 16 MiB at most; read(2). Not for the child: it allocates.
///
/// # Errors
/// As read(2); EFBIG for more.
pub fn read_all(fd: OwnedFd) -> Result<Vec<u8>, Fault> {
    use std::io::Read;
    const LARGEST: u64 = 16 << 20;
    let mut bytes = Vec::with_capacity(4096);
    std::fs::File::from(fd)
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .at(Call::Read)?;
    if bytes.len() as u64 > LARGEST {
        Err(Fault {
            call: Call::Read,
            errno: libc::EFBIG,
        })
    } else {
        Ok(bytes)
    }
}

/// A file in memory that closes on exec; memfd_create(2).
///
/// # Errors
/// As memfd_create(2).
pub fn memory(name: &CStr) -> Result<OwnedFd, Fault> {
    rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
        .at(Call::MemfdCreate)
}

/// Replaces the content of a memory file and forbids every later change; fcntl(2), F_ADD_SEALS.
///
/// # Errors
/// As write(2) and fcntl(2).
pub fn fill_and_seal(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<(), Fault> {
    write_once(fd, bytes)?;
    seal(fd)
}

/// Forbids every later change of a memory file; fcntl(2), F_ADD_SEALS.
///
/// # Errors
/// As fcntl(2).
pub fn seal(fd: BorrowedFd<'_>) -> Result<(), Fault> {
    use rustix::fs::SealFlags;
    let all = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(fd, all).at(Call::Fcntl)
}

/// A memory file that may be executed, also where vm.memfd_noexec would forbid it by default (Linux 6.3).
///
/// # Errors
/// As memfd_create(2); EACCES where the host forbids executable ones altogether.
pub fn memory_program(name: &CStr) -> Result<OwnedFd, Fault> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match rustix::fs::memfd_create(name, flags | MemfdFlags::EXEC) {
        // Before 6.3 the flag is unknown and every memory file may be executed.
        Err(rustix::io::Errno::INVAL) => {
            rustix::fs::memfd_create(name, flags).at(Call::MemfdCreate)
        }
        other => other.at(Call::MemfdCreate),
    }
}

/// Copies the whole of one file into another, in the kernel; sendfile(2).
///
/// # Errors
/// As sendfile(2).
pub fn copy_all(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Fault> {
    const MOST: usize = 1 << 30;
    while rustix::io::retry_on_intr(|| rustix::fs::sendfile(to, from, None, MOST))
        .at(Call::Write)?
        > 0
    {}
    Ok(())
}

/// Whether it is open for writing; fcntl(2), F_GETFL.
#[must_use]
pub fn is_writable(fd: impl AsFd) -> bool {
    let flags = rustix::fs::fcntl_getfl(fd).unwrap_or(OFlags::RDONLY);
    flags.intersects(OFlags::WRONLY | OFlags::RDWR)
}

/// Reads at most `buffer.len()` bytes from the start of the file, wherever its position is; pread(2).
///
/// # Errors
/// As pread(2); ENODEV for a file of a removed cgroup.
pub fn read_again(fd: impl AsFd, buffer: &mut [u8]) -> Result<&[u8], Fault> {
    let length =
        rustix::io::retry_on_intr(|| rustix::io::pread(&fd, &mut *buffer, 0)).at(Call::Read)?;
    Ok(buffer.get(..length).unwrap_or_default())
}

/// Waits until a kernel file says that it has changed since it was last read (POLLPRI, as cgroup.events
/// does), for at most `milliseconds`; poll(2). True when it says so.
///
/// # Errors
/// As poll(2).
pub fn has_changed_within(fd: impl AsFd, milliseconds: u32) -> Result<bool, Fault> {
    poll(&mut [PollFd::new(&fd, PollFlags::PRI)], milliseconds)
}

/// The same for two files: true when either has changed.
///
/// # Errors
/// As poll(2).
pub fn either_has_changed_within(
    first: impl AsFd,
    second: impl AsFd,
    milliseconds: u32,
) -> Result<bool, Fault> {
    let first = PollFd::new(&first, PollFlags::PRI);
    poll(
        &mut [first, PollFd::new(&second, PollFlags::PRI)],
        milliseconds,
    )
}

fn poll(polled: &mut [PollFd<'_>], milliseconds: u32) -> Result<bool, Fault> {
    let seconds = i64::from(milliseconds / 1000);
    let rest = i64::from(milliseconds % 1000) * 1_000_000;
    let limit = Timespec {
        tv_sec: seconds,
        tv_nsec: rest,
    };
    match rustix::event::poll(polled, Some(&limit)) {
        Ok(ready) => Ok(ready > 0),
        // The caller counts the time and asks again.
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(errno) => Err(errno).at(Call::Poll),
    }
}
