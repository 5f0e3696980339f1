//! The monitor, started; or found again by its socket.

use crate::engine::container::file::make_private;
use crate::engine::container::record::Record;
use crate::engine::container::shelf::Shelf;
use crate::engine::monitor;
use crate::error::{Error, Result};
use crate::sys::socket;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

/// Starts a monitor for the container, with its end of the socket as standard input. It lives on by itself.
///
/// # Errors
/// As execve(2).
pub(super) fn spawn(shelf: &Shelf, record: &Record, socket: OwnedFd) -> Result<()> {
    let here = shelf.run_folder(&record.id);
    make_private(&here)?;
    let complaints = here.join("monitor.log");
    let complaints = std::fs::File::create(&complaints)
        .map_err(|error| Error::io("make a log", complaints, "openat", &error))?;
    let program = std::env::current_exe()
        .map_err(|error| Error::io("find this program", "/proc/self/exe", "readlink", &error))?;
    let mut command = Command::new(&program);
    command
        .arg("--store")
        .arg(&shelf.places.store)
        .arg("--state")
        .arg(&shelf.places.state);
    command.args([monitor::VERB, &record.id]).current_dir("/");
    command
        .stdin(socket)
        .stdout(Stdio::null())
        .stderr(complaints);
    let spawned = command.spawn();
    spawned
        .map(drop)
        .map_err(|error| Error::io("start the container's monitor", program, "execve", &error))
}

/// Connects to the monitor of a container that runs.
///
/// # Errors
/// Nobody watches it any more.
pub(crate) fn connect(shelf: &Shelf, record: &Record) -> Result<OwnedFd> {
    socket::connect(
        &shelf.socket(&record.id),
        rustix::net::SocketType::SEQPACKET,
    )
    .map_err(|fault| {
        Error::container(
            "attach to the container",
            &record.name,
            "its monitor does not answer",
        )
        .also([Error::file("connect", shelf.socket(&record.id), fault)])
    })
}
