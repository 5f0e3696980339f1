//! Actions as what a filter returns: linux/seccomp.h, `SECCOMP_RET_*`.

use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::LinuxSeccompAction as Action;

/// What a filter returns for an architecture that the profile does not name: the thread is killed, which
/// is also what libseccomp does unless it is told otherwise.
pub(super) const BAD_ARCHITECTURE: u32 = 0;

/// ENOSYS.
pub(super) const NO_SUCH_SYSCALL: u32 = ERRNO | 38;

const ERRNO: u32 = 0x0005_0000;
const TRACE: u32 = 0x7ff0_0000;

/// EPERM, where the profile gives no number.
const EPERM: u32 = 1;

/// The highest errno that the kernel returns; linux/err.h, `MAX_ERRNO`.
const MOST_ERRNO: u32 = 4095;

/// The highest number that a tracer is given: there are 16 bits for it.
const MOST_TRACE: u32 = 0xffff;

/// An action with its number, as a filter returns it. `place` tells where the number stands.
///
/// # Errors
/// A number for an action that has none, or one that is too large.
pub(super) fn of(action: Action, number: Option<u32>, place: impl Fn() -> Pointer) -> Result<u32> {
    let (base, most) = match action {
        Action::ScmpActErrno => (ERRNO, MOST_ERRNO),
        Action::ScmpActTrace => (TRACE, MOST_TRACE),
        _ => return plain(action, number, place),
    };
    match number {
        Some(number) if number > most => {
            let why = format!("{} takes a number from 0 to {most}", word(action));
            Err(Error::refused(super::DOING, place(), why))
        }
        number => Ok(base | number.unwrap_or(EPERM)),
    }
}

fn plain(action: Action, number: Option<u32>, place: impl Fn() -> Pointer) -> Result<u32> {
    if number.is_some() {
        let why = format!("{} returns no errno", word(action));
        return Err(Error::refused(super::DOING, place(), why)
            .hint("leave it out; SCMP_ACT_ERRNO and SCMP_ACT_TRACE take one"));
    }
    Ok(match action {
        Action::ScmpActKillProcess => 0x8000_0000,
        Action::ScmpActTrap => 0x0003_0000,
        Action::ScmpActNotify => 0x7fc0_0000,
        Action::ScmpActLog => 0x7ffc_0000,
        Action::ScmpActAllow => 0x7fff_0000,
        Action::ScmpActErrno => ERRNO,
        Action::ScmpActTrace => TRACE,
        Action::ScmpActKill | Action::ScmpActKillThread => 0,
    })
}

/// As it is written in config.json.
pub(super) fn word(action: Action) -> &'static str {
    match action {
        Action::ScmpActKill => "SCMP_ACT_KILL",
        Action::ScmpActKillThread => "SCMP_ACT_KILL_THREAD",
        Action::ScmpActKillProcess => "SCMP_ACT_KILL_PROCESS",
        Action::ScmpActTrap => "SCMP_ACT_TRAP",
        Action::ScmpActErrno => "SCMP_ACT_ERRNO",
        Action::ScmpActNotify => "SCMP_ACT_NOTIFY",
        Action::ScmpActTrace => "SCMP_ACT_TRACE",
        Action::ScmpActLog => "SCMP_ACT_LOG",
        Action::ScmpActAllow => "SCMP_ACT_ALLOW",
    }
}
