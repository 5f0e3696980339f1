//! Signals by their names; signal(7), x86.

/// SIGTERM.
pub const TERM: i32 = 15;

/// SIGKILL.
pub const KILL: i32 = 9;

/// Names without SIG, from 1 on.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The name of a signal, without SIG; nothing for one that has only a number.
#[must_use]
pub fn name(signal: i32) -> Option<&'static str> {
    let index = usize::try_from(signal).ok()?.checked_sub(1)?;
    NAMES.get(index).copied()
}

/// The number, 1 to 31, of a signal by its name, without SIG.
#[must_use]
pub fn number(name: &str) -> Option<i32> {
    let index = NAMES.iter().position(|known| *known == name)?;
    i32::try_from(index + 1).ok()
}
