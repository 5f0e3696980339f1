//! Whoever takes a descriptor of ours at a socket: the terminal's master, the process. They are connected before
//! there is anything to send.

use super::birth::Born;
use crate::error::{Error, Result};
use crate::sys::socket;
use rustix::net::SocketType;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// A socket with somebody at its other end, and its path.
pub(super) type Taker<'a> = (&'a Path, OwnedFd);

/// Who takes the terminal's master, for the child to send it.
///
/// # Errors
/// As connect(2).
pub(super) fn of_terminal(path: &Path) -> Result<OwnedFd> {
    socket::connect(path, SocketType::STREAM)
        .map_err(|fault| Error::file("connect to the console socket", path, fault))
}

/// Who takes the process, where a path is named.
///
/// # Errors
/// As connect(2).
pub(super) fn of_process(path: Option<&Path>) -> Result<Option<Taker<'_>>> {
    let Some(path) = path else { return Ok(None) };
    let connected = socket::connect(path, SocketType::STREAM);
    let told = |fault| Error::file("connect to the pidfd socket", path, fault);
    Ok(Some((path, connected.map_err(told)?)))
}

/// Sends the process's descriptor, where somebody wants it.
///
/// # Errors
/// As sendmsg(2).
pub(super) fn send_process(taker: Option<Taker<'_>>, born: &Born) -> Result<()> {
    let Some((path, socket)) = taker else {
        return Ok(());
    };
    // The word beside it is runc's.
    socket::send_descriptor(socket, b"standard", born.pidfd.as_fd())
        .map(drop)
        .map_err(|fault| Error::file("send the pidfd", path, fault))
}
