//! What must not be inherited: the caller's session, terminal, keyring, signals, umask.

use super::refuse;
use crate::linux::failure::{Kind as Word, Record};
use crate::linux::held::Held;
use crate::plan::Plan;
use crate::plan::birth::Kind;
use crate::sys::{Call, Fault, process, socket};
use std::ffi::CStr;
use std::os::fd::AsFd;

/// A session of our own; setsid(2), keyctl(2). `name` is what ps shows until the program has begun.
pub fn begin(p: &Plan, h: &Held, name: &CStr) -> Result<(), Fault> {
    process::reset_signals();
    process::set_name(name);
    // Modes in the plan are exact; the process's own umask is set with its ids.
    process::set_umask(0);
    // A shared session would let the container push input into the caller's terminal (TIOCSTI).
    process::new_session()?;
    let Some(name) = &p.process.keyring else {
        return Ok(());
    };
    label_keys(p, h, &Keys::LikeTheProcess)?;
    match process::join_session_keyring(name) {
        // A kernel without keyrings has none to protect.
        Err(fault) if fault == refuse(Call::Keyctl, libc::ENOSYS) => {}
        other => other?,
    }
    label_keys(p, h, &Keys::AsUsual)
}

/// How new keys are labelled.
enum Keys {
    LikeTheProcess,
    AsUsual,
}

/// With SELinux a keyring that has not the process's label would be out of its reach.
fn label_keys(p: &Plan, h: &Held, keys: &Keys) -> Result<(), Fault> {
    let Some(label) = &p.labels.selinux else {
        return Ok(());
    };
    let bytes = match keys {
        Keys::LikeTheProcess => label.as_bytes(),
        // An empty write takes the label back.
        Keys::AsUsual => &[],
    };
    h.proc.write_own(c"attr/keycreate", bytes)
}

/// Enters the network namespace that the runtime has made ahead. Of one that is made by the clone, or here as
/// there is none, it hands over a socket.
pub fn network(p: &Plan, h: &Held) -> Result<(), Fault> {
    if !p.birth.makes(Kind::Network) {
        return Ok(());
    }
    if let Some(ahead) = &h.network {
        if let Some(namespace) = ahead.receive()? {
            return process::join(namespace.as_fd(), Kind::Network.flag());
        }
        process::unshare_network()?;
    }
    let word = Record::gate(Word::Network).to_bytes();
    socket::send_descriptor(&h.gate, &word, process::network_socket()?.as_fd()).map(drop)
}
