//! The file that this program's memory comes from, exchanged while the program runs.
//!
//! A process leads to its file by /proc/PID/exe, and by each part of its memory that is mapped from
//! it. [`run_from`] maps every such part again from another way to the *same* file and then has the
//! kernel name that way as the program's: what execve(2) does, but without throwing away what is in
//! memory. Between two of these steps the program runs from the one or the other; both are the same
//! bytes, and each step is one act of the kernel's.

use super::start::Beginning;
use super::{At, Call, Fault, answer};
use libc::{Elf64_Ehdr, Elf64_Phdr};
use rustix::fs::{AtFlags, CWD};
use std::os::fd::{AsRawFd, BorrowedFd};

/// `struct prctl_mm_map`; prctl(2), PR_SET_MM_MAP.
#[repr(C)]
struct Layout {
    start_code: u64,
    end_code: u64,
    start_data: u64,
    end_data: u64,
    start_brk: u64,
    brk: u64,
    start_stack: u64,
    arg_start: u64,
    arg_end: u64,
    env_start: u64,
    env_end: u64,
    auxv: *const u64,
    auxv_size: u32,
    exe_fd: u32,
}

/// Makes this process, and those that are cloned from it later, run from `program`: another way to the
/// file that it runs from now, open for reading. Only for static programs of musl, which lie where
/// their file says and have nothing made read-only after the start.
///
/// # Errors
/// ENOEXEC for any other program or file; EPERM without CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE in the
/// user namespace; EINVAL from a kernel without CONFIG_CHECKPOINT_RESTORE; as mmap(2). What has been
/// mapped again by then stays so, and serves as well as what it replaced.
pub fn run_from(program: BorrowedFd<'_>, beginning: &Beginning) -> Result<(), Fault> {
    let headers = headers()?;
    let own = rustix::fs::statat(CWD, c"/proc/self/exe", AtFlags::empty()).at(Call::Statx)?;
    let other = super::path::look(program)?;
    if (own.st_dev, own.st_ino) != (other.st_dev, other.st_ino) {
        return Err(unfit());
    }
    let loaded = |header: &&Elf64_Phdr| header.p_type == libc::PT_LOAD;
    for segment in headers.iter().filter(loaded) {
        if segment.p_flags & libc::PF_W == 0 {
            map_again(segment, program)?;
        } else {
            move_to_memory(segment, beginning)?;
        }
    }
    rename(program, headers, beginning)
}

/// This program's own headers, elf(5), if it is one that [`run_from`] is for.
fn headers() -> Result<&'static [Elf64_Phdr], Fault> {
    let (at, count) = (auxiliary(libc::AT_PHDR), auxiliary(libc::AT_PHNUM));
    if !cfg!(all(target_env = "musl", target_feature = "crt-static")) || at == 0 {
        return Err(unfit());
    }
    let first = std::ptr::with_exposed_provenance::<Elf64_Phdr>(at);
    // SAFETY: the kernel says in the auxiliary vector where it mapped the headers, and how many they
    // are; they are in a read-only part of the program, which is there as long as the process.
    let headers = unsafe { std::slice::from_raw_parts(first, count) };
    // Where the file says: its start is mapped at the address that it names, the headers after it.
    let placed = |header: &Elf64_Phdr| {
        let start = usize::try_from(header.p_vaddr).unwrap_or_default();
        header.p_type == libc::PT_LOAD
            && header.p_offset == 0
            && start + size_of::<Elf64_Ehdr>() == at
    };
    if headers.iter().any(placed) {
        Ok(headers)
    } else {
        Err(unfit())
    }
}

const fn unfit() -> Fault {
    Fault {
        call: Call::Mmap,
        errno: libc::ENOEXEC,
    }
}

fn auxiliary(kind: libc::c_ulong) -> usize {
    // SAFETY: getauxval takes a number and reads what the kernel left for this process; 0 for unknown.
    let value = unsafe { libc::getauxval(kind) };
    usize::try_from(value).unwrap_or_default()
}

/// The whole pages that hold a segment's bytes: where they start, how long they are, and from where in the file.
fn pages(segment: &Elf64_Phdr) -> Option<(usize, usize, libc::off_t)> {
    let page = auxiliary(libc::AT_PAGESZ).max(1);
    let start = usize::try_from(segment.p_vaddr).ok()?;
    let end = start.checked_add(usize::try_from(segment.p_filesz).ok()?)?;
    let before = start % page;
    let offset = usize::try_from(segment.p_offset)
        .ok()?
        .checked_sub(before)?;
    let length = end.checked_next_multiple_of(page)? - (start - before);
    Some((start - before, length, libc::off_t::try_from(offset).ok()?))
}

/// Maps a segment that is never written over itself, from the same file; mmap(2), MAP_FIXED.
fn map_again(segment: &Elf64_Phdr, program: BorrowedFd<'_>) -> Result<(), Fault> {
    let (start, length, offset) = pages(segment).ok_or_else(unfit)?;
    let executable = if segment.p_flags & libc::PF_X == 0 {
        0
    } else {
        libc::PROT_EXEC
    };
    // SAFETY: `run_from` has seen that it is the same file, and nobody writes to this segment: what is
    // there, this very function too, is replaced by the same bytes in one act.
    let placed = unsafe {
        libc::mmap(
            std::ptr::with_exposed_provenance_mut(start),
            length,
            libc::PROT_READ | executable,
            libc::MAP_PRIVATE | libc::MAP_FIXED,
            program.as_raw_fd(),
            offset,
        )
    };
    mapped(placed, Call::Mmap).map(|_| ())
}

/// Puts a copy that belongs to no file in the place of a segment that is written; mremap(2),
/// MREMAP_FIXED. Nobody writes there meanwhile: no other thread has begun.
fn move_to_memory(segment: &Elf64_Phdr, _: &Beginning) -> Result<(), Fault> {
    let (start, length, _) = pages(segment).ok_or_else(unfit)?;
    let place = std::ptr::with_exposed_provenance_mut::<libc::c_void>(start);
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let nowhere = std::ptr::null_mut();
    // SAFETY: fresh memory, at a place that the kernel chooses.
    let fresh = unsafe {
        libc::mmap(
            nowhere,
            length,
            access,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    let fresh = mapped(fresh, Call::Mmap)?;
    // SAFETY: `pages` gives whole pages of this program's own data, `fresh` is as long, and new; this
    // thread is the only one and does not write to its statics here.
    unsafe { std::ptr::copy_nonoverlapping(place.cast::<u8>(), fresh.cast(), length) };
    // SAFETY: the place gets the bytes that it has, in one act; `fresh` is used no more.
    let placed = unsafe {
        libc::mremap(
            fresh,
            length,
            length,
            libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
            place,
        )
    };
    mapped(placed, Call::Mremap).map(|_| ())
}

fn mapped(place: *mut libc::c_void, call: Call) -> Result<*mut libc::c_void, Fault> {
    if place == libc::MAP_FAILED {
        return Err(Fault {
            call,
            errno: nix::errno::Errno::last_raw(),
        });
    }
    Ok(place)
}

/// Has the kernel name `program` as this process's program; prctl(2), PR_SET_MM_MAP. It comes only with
/// the layout of the whole process, which is told as it is; the heap of brk(2), unused, begins where it ends.
fn rename(
    program: BorrowedFd<'_>,
    headers: &[Elf64_Phdr],
    beginning: &Beginning,
) -> Result<(), Fault> {
    let with = |flag| {
        let loaded =
            |header: &&Elf64_Phdr| header.p_type == libc::PT_LOAD && header.p_flags & flag != 0;
        let found = headers.iter().find(loaded);
        found.map_or((0, 0), |header| {
            (header.p_vaddr, header.p_vaddr + header.p_filesz)
        })
    };
    let ((start_code, end_code), (start_data, end_data)) = (with(libc::PF_X), with(libc::PF_W));
    // SAFETY: brk(0) changes nothing and answers where the heap ends.
    let brk = unsafe { libc::syscall(libc::SYS_brk, 0) }.unsigned_abs();
    let words = beginning.words();
    let layout = Layout {
        start_code,
        end_code,
        start_data,
        end_data,
        start_brk: brk,
        brk,
        start_stack: words.start as u64,
        arg_start: words.start as u64,
        arg_end: words.end as u64,
        env_start: words.end as u64,
        // The kernel lays the program's name above the environment.
        env_end: auxiliary(libc::AT_EXECFN).max(words.end) as u64,
        auxv: std::ptr::null(),
        auxv_size: 0,
        exe_fd: program.as_raw_fd().unsigned_abs(),
    };
    let (size, unused) = (size_of::<Layout>(), 0);
    // SAFETY: `Layout` is `struct prctl_mm_map` and lives across the call.
    let value = unsafe {
        libc::prctl(
            libc::PR_SET_MM,
            libc::PR_SET_MM_MAP,
            std::ptr::from_ref(&layout),
            size,
            unused,
        )
    };
    answer(value.into(), Call::PrctlSetMm).map(|_| ())
}
