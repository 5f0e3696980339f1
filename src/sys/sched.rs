//! Who gets the CPU, the disk and which memory: sched(7), ioprio_set(2), set_mempolicy(2).

use super::{Call, Fault, answer};

/// struct sched_attr of Linux 5.3 on; sched_setattr(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Attributes {
    /// Bytes of this structure.
    pub size: u32,
    /// `SCHED_*`.
    pub policy: u32,
    /// `SCHED_FLAG_*`.
    pub flags: u64,
    /// -20 to 19.
    pub nice: i32,
    /// 0 to 99.
    pub priority: u32,
    /// Nanoseconds.
    pub runtime: u64,
    /// Nanoseconds.
    pub deadline: u64,
    /// Nanoseconds.
    pub period: u64,
    /// 0 to 1024.
    pub util_min: u32,
    /// 0 to 1024.
    pub util_max: u32,
}

impl Attributes {
    /// The size that a kernel compares with its own.
    pub const SIZE: u32 = 56;
}

/// Sets the policy of this process; sched_setattr(2).
///
/// # Errors
/// EPERM without CAP_SYS_NICE in the first user namespace, EINVAL for values that the policy does not take,
/// EBUSY where SCHED_DEADLINE has no time left to give.
pub fn set_attributes(attributes: &Attributes) -> Result<(), Fault> {
    // SAFETY: the kernel reads `size` bytes, which are those of the structure, which lives across the call.
    let value = unsafe {
        libc::syscall(
            libc::SYS_sched_setattr,
            0,
            std::ptr::from_ref(attributes),
            0,
        )
    };
    answer(value, Call::SchedSetattr).map(|_| ())
}

/// Lets this process run on every CPU that its cpuset has; sched_setaffinity(2).
///
/// # Errors
/// EINVAL where its cpuset has none.
pub fn run_anywhere() -> Result<(), Fault> {
    run_on(&[u64::MAX; 8192 / 64])
}

/// Lets this process run on these CPUs, bit N standing for CPU N; sched_setaffinity(2).
///
/// # Errors
/// EINVAL where its cpuset has none of them.
pub fn run_on(cpus: &[u64]) -> Result<(), Fault> {
    // SAFETY: the length is that of the slice, which the kernel only reads; it cuts off what it has no CPUs for.
    let value = unsafe {
        libc::syscall(
            libc::SYS_sched_setaffinity,
            0,
            std::mem::size_of_val(cpus),
            cpus.as_ptr(),
        )
    };
    answer(value, Call::SchedSetaffinity).map(|_| ())
}

/// The CPUs that this thread may run on, without the one it is on; `sched_getaffinity(2)`, getcpu(2). None where there is
/// no other, or more than a `cpu_set_t` can tell.
pub(super) fn other_cpus() -> Option<libc::cpu_set_t> {
    // SAFETY: a set of bits, for which zeroes are valid.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let mut here: libc::c_uint = 0;
    // SAFETY: the kernel writes no more than the size that it is told.
    let status = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    // SAFETY: the kernel writes one number; the node is not asked for.
    let value = unsafe { libc::syscall(libc::SYS_getcpu, &raw mut here, 0, 0) };
    if status != 0 || value != 0 {
        return None;
    }
    // SAFETY: it touches the set alone, which has a bit for every CPU: the kernel refuses smaller ones.
    unsafe { libc::CPU_CLR(usize::try_from(here).ok()?, &mut set) };
    // SAFETY: it reads the set alone.
    (unsafe { libc::CPU_COUNT(&set) } > 0).then_some(set)
}

/// Sets the I/O priority of this process's group; ioprio_set(2).
///
/// # Errors
/// EPERM for the real-time class without CAP_SYS_NICE or CAP_SYS_ADMIN, EINVAL for a level that the class does not have.
pub fn set_io_priority(priority: u16) -> Result<(), Fault> {
    const OWN_GROUP: (libc::c_long, libc::c_long) = (2, 0);
    // SAFETY: ioprio_set takes three numbers.
    let value = unsafe {
        libc::syscall(
            libc::SYS_ioprio_set,
            OWN_GROUP.0,
            OWN_GROUP.1,
            libc::c_long::from(priority),
        )
    };
    answer(value, Call::IoprioSet).map(|_| ())
}

/// Sets the memory policy of this process; set_mempolicy(2). `nodes` has a bit for each node.
///
/// # Errors
/// EINVAL for nodes that the machine or the cpuset does not have, or a flag that the mode does not take; ENOSYS
/// without NUMA.
pub fn set_memory_policy(mode: u32, nodes: &[u64]) -> Result<(), Fault> {
    let empty = nodes.iter().all(|word| *word == 0);
    // The kernel takes one bit less than it is told of.
    let (mask, bits) = match empty {
        true => (std::ptr::null(), 0),
        false => (nodes.as_ptr(), nodes.len() * 64 + 1),
    };
    // SAFETY: the kernel reads one bit less than `bits`, which is what the slice has; without nodes it reads nothing.
    let value = unsafe {
        libc::syscall(
            libc::SYS_set_mempolicy,
            libc::c_ulong::from(mode),
            mask,
            bits,
        )
    };
    answer(value, Call::SetMempolicy).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structure_is_the_kernels() {
        assert_eq!(std::mem::size_of::<Attributes>(), Attributes::SIZE as usize);
    }
}
