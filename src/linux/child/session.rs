//! What must not be inherited: the caller's session, terminal, keyring, signals, umask.

use super::refuse;
use crate::plan::Plan;
use crate::plan::birth::Kind;
use crate::sys::{Call, Fault, process};

/// A session of our own; setsid(2), keyctl(2).
pub fn begin(p: &Plan) -> Result<(), Fault> {
    process::reset_signals();
    process::set_name(c"orbital:init");
    // Modes in the plan are exact; the process's own umask is set with its ids.
    process::set_umask(0);
    // A shared session would let the container push input into the caller's terminal (TIOCSTI).
    process::new_session()?;
    let Some(name) = &p.process.keyring else {
        return Ok(());
    };
    match process::join_session_keyring(name) {
        // A kernel without keyrings has none to protect.
        Err(fault) if fault == refuse(Call::Keyctl, libc::ENOSYS) => Ok(()),
        other => other,
    }
}

/// Brings lo up, in a network namespace that is new.
pub fn loopback(p: &Plan) -> Result<(), Fault> {
    if p.birth.makes(Kind::Network) {
        process::loopback_up()
    } else {
        Ok(())
    }
}
