//! Device filters of cgroup v2 as `bpf(2)` programs: load one, attach it to a group.

use super::{Call, Fault, answer};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// One instruction; linux/bpf.h, `struct bpf_insn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Insn {
    /// Class, operation and source.
    pub code: u8,
    /// Destination register in the low half, source register in the high half.
    pub registers: u8,
    /// Of a jump, in instructions from the next one; of a load, in bytes.
    pub offset: i16,
    /// The constant.
    pub immediate: i32,
}

/// `BPF_PROG_LOAD` and `BPF_PROG_ATTACH`; linux/bpf.h, `enum bpf_cmd`.
const PROG_LOAD: libc::c_int = 5;
const PROG_ATTACH: libc::c_int = 8;
/// `BPF_PROG_TYPE_CGROUP_DEVICE`.
const TYPE_CGROUP_DEVICE: u32 = 15;
/// `BPF_CGROUP_DEVICE` of `enum bpf_attach_type`.
const ATTACH_CGROUP_DEVICE: u32 = 6;
/// `BPF_F_ALLOW_MULTI`: filters of groups above and below hold beside this one.
const ALLOW_MULTI: u32 = 2;

/// The part of `union bpf_attr` that `BPF_PROG_LOAD` reads, up to `expected_attach_type`.
#[derive(Default)]
#[repr(C)]
struct Load {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
}

/// The part of `union bpf_attr` that `BPF_PROG_ATTACH` reads.
#[repr(C)]
struct Attach {
    target_fd: u32,
    attach_bpf_fd: u32,
    attach_type: u32,
    attach_flags: u32,
}

/// Loads a device filter (Linux 4.15); bpf(2).
///
/// # Errors
/// EPERM without CAP_BPF or CAP_SYS_ADMIN in the first user namespace, EINVAL or EACCES for a program
/// that the verifier refuses, ENOSYS, E2BIG for too long a program.
pub fn load_device_filter(program: &[Insn]) -> Result<OwnedFd, Fault> {
    let count = u32::try_from(program.len());
    let load = Load {
        prog_type: TYPE_CGROUP_DEVICE,
        insn_cnt: count.map_err(|_| Fault {
            call: Call::Bpf,
            errno: libc::E2BIG,
        })?,
        insns: program.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
        prog_name: *b"orbital_device\0\0",
        expected_attach_type: ATTACH_CGROUP_DEVICE,
        ..Load::default()
    };
    // SAFETY: `load` has the layout of the kernel's union as far as its size says, is all zero where
    // unused, and points to `insn_cnt` instructions and to a C string, which live across the call.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, PROG_LOAD, &raw const load, size_of::<Load>()) };
    let fd = i32::try_from(answer(fd, Call::Bpf)?);
    let fd = fd.map_err(|_| Fault {
        call: Call::Bpf,
        errno: libc::EBADF,
    })?;
    // SAFETY: BPF_PROG_LOAD answers with a new descriptor (close on exec), which nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Attaches a device filter to a group; it stays until the group is gone; bpf(2).
///
/// # Errors
/// EPERM where a group above forbids further filters, EINVAL for a descriptor that is no cgroup,
/// ENODEV for a removed one, E2BIG above 64 filters.
pub fn attach_device_filter(group: BorrowedFd<'_>, program: BorrowedFd<'_>) -> Result<(), Fault> {
    let attach = Attach {
        target_fd: group.as_raw_fd().cast_unsigned(),
        attach_bpf_fd: program.as_raw_fd().cast_unsigned(),
        attach_type: ATTACH_CGROUP_DEVICE,
        attach_flags: ALLOW_MULTI,
    };
    // SAFETY: `attach` has the layout of the kernel's union as far as its size says, and holds numbers only.
    let value = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            PROG_ATTACH,
            &raw const attach,
            size_of::<Attach>(),
        )
    };
    answer(value, Call::Bpf).map(|_| ())
}
