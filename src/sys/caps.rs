//! Capability sets; capabilities(7). A set is a `u64` with bit N for capability N.

use super::{At, Call, Fault, answer};

/// Lets permitted capabilities survive the change of user id that follows; PR_SET_KEEPCAPS.
///
/// # Errors
/// EPERM where SECBIT_KEEP_CAPS is locked.
pub fn keep_across_setuid() -> Result<(), Fault> {
    rustix::thread::set_keep_capabilities(true).at(Call::PrctlKeepCaps)
}

/// Removes from the bounding set whatever is not in `keep`, of the capabilities 0 to `last`; PR_CAPBSET_DROP.
///
/// # Errors
/// EPERM without CAP_SETPCAP.
pub fn limit_bounding(keep: u64, last: u8) -> Result<(), Fault> {
    for capability in 0..=last {
        if keep & (1 << capability) != 0 {
            continue;
        }
        // SAFETY: PR_CAPBSET_DROP takes the number of a capability.
        let value = unsafe {
            libc::prctl(
                libc::PR_CAPBSET_DROP,
                libc::c_ulong::from(capability),
                0,
                0,
                0,
            )
        };
        answer(value.into(), Call::PrctlBounding)?;
    }
    Ok(())
}

/// Sets effective, permitted and inheritable in one call; capset(2).
///
/// # Errors
/// EPERM for a set that is not below the present one.
pub fn set(effective: u64, permitted: u64, inheritable: u64) -> Result<(), Fault> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    #[repr(C)]
    struct Data {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let half = |shift: u32| Data {
        effective: low(effective >> shift),
        permitted: low(permitted >> shift),
        inheritable: low(inheritable >> shift),
    };
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let data = [half(0), half(32)];
    // SAFETY: version 3 reads one header and two data records, which live across the call.
    let value = unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) };
    answer(value, Call::Capset).map(|_| ())
}

/// Makes the ambient set exactly `wanted`; PR_CAP_AMBIENT.
///
/// # Errors
/// EPERM for a capability that is not both permitted and inheritable.
pub fn set_ambient(wanted: u64, last: u8) -> Result<(), Fault> {
    rustix::thread::clear_ambient_capability_set().at(Call::PrctlAmbient)?;
    for capability in (0..=last).filter(|n| wanted & (1 << n) != 0) {
        let (raise, number) = (
            libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong,
            libc::c_ulong::from(capability),
        );
        // SAFETY: PR_CAP_AMBIENT_RAISE takes the number of a capability and two zeroes.
        let value = unsafe { libc::prctl(libc::PR_CAP_AMBIENT, raise, number, 0, 0) };
        answer(value.into(), Call::PrctlAmbient)?;
    }
    Ok(())
}

/// The highest capability that this kernel knows; PR_CAPBSET_READ fails for those beyond. It is that of Linux 5.9,
/// CAP_CHECKPOINT_RESTORE, where nothing may be asked: older kernels are not supported.
#[must_use]
pub fn last() -> u8 {
    const USUAL: u8 = 40;
    // SAFETY: PR_CAPBSET_READ takes the number of a capability.
    let known = |capability: u8| unsafe {
        libc::prctl(
            libc::PR_CAPBSET_READ,
            libc::c_ulong::from(capability),
            0,
            0,
            0,
        ) >= 0
    };
    if !known(0) {
        return USUAL;
    }
    let first_unknown = match known(USUAL) {
        true => (USUAL + 1..64).find(|next| !known(*next)).unwrap_or(64),
        false => (1..USUAL).find(|next| !known(*next)).unwrap_or(USUAL),
    };
    first_unknown - 1
}

/// Execve will never again grant privileges; PR_SET_NO_NEW_PRIVS.
///
/// # Errors
/// As prctl(2).
pub fn set_no_new_privs() -> Result<(), Fault> {
    rustix::thread::set_no_new_privs(true).at(Call::PrctlNnp)
}

const fn low(bits: u64) -> u32 {
    (bits & 0xffff_ffff) as u32
}

/// The permitted set of this process; capget(2).
///
/// # Errors
/// As capget(2).
pub fn permitted() -> Result<u64, Fault> {
    let sets = rustix::thread::capabilities(None).at(Call::Capset)?;
    Ok(sets.permitted.bits())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_last_is_what_the_kernel_says() {
        let told = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap();
        assert_eq!(super::last().to_string(), told.trim());
    }
}
