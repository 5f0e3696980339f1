//! The container's standard streams, from the monitor's side: three pipes, or one terminal.

use crate::engine::container::wish::{Switch, Wish};
use crate::error::{Error, Object, Result};
use crate::sys::{Fault, socket, tty};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

/// Our ends.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Standard output, or the terminal.
    pub(super) out: Option<OwnedFd>,
    /// Standard error; none with a terminal.
    pub(super) err: Option<OwnedFd>,
    input: Option<OwnedFd>,
    waiting: Vec<u8>,
    close: bool,
    terminal: bool,
}

/// Where the runtime will send the terminal.
#[derive(Debug)]
pub(super) struct ConsoleSocket(UnixListener);

fn told(fault: Fault) -> Error {
    Error::new(
        "make the container's streams",
        Object::Nothing,
        fault.into(),
    )
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    use crate::sys::{At, Call};
    pipe_with(PipeFlags::CLOEXEC).at(Call::None).map_err(told)
}

fn no_block(fd: &OwnedFd) {
    // One that blocks is only served worse, ignored.
    let _ = fcntl_setfl(fd, OFlags::NONBLOCK);
}

/// Makes pipes and gives their other ends to the runtime's call.
///
/// # Errors
/// EMFILE and the like.
pub(super) fn pipes(wish: &Wish, call: &mut Command) -> Result<Streams> {
    let ((out, their_out), (err, their_err)) = (pipe()?, pipe()?);
    let mut streams = Streams::default();
    call.stdout(their_out).stderr(their_err);
    if wish.has(Switch::Interactive) {
        let (their_in, input) = pipe()?;
        call.stdin(their_in);
        no_block(&input);
        streams.input = Some(input);
    } else {
        call.stdin(Stdio::null());
    }
    no_block(&out);
    no_block(&err);
    (streams.out, streams.err) = (Some(out), Some(err));
    Ok(streams)
}

/// Listens where the runtime will send the terminal.
///
/// # Errors
/// As bind(2).
pub(super) fn console(path: &Path, call: &mut Command) -> Result<ConsoleSocket> {
    // That of an earlier life, ignored where there was none.
    let _ = std::fs::remove_file(path);
    call.stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let listener = UnixListener::bind(path)
        .map_err(|error| Error::io("listen for the terminal", path, "bind", &error))?;
    Ok(ConsoleSocket(listener))
}

impl ConsoleSocket {
    /// The terminal that has come.
    ///
    /// # Errors
    /// None has.
    pub(super) fn receive(self) -> Result<Streams> {
        let missing = Fault {
            call: crate::sys::Call::Recvmsg,
            errno: libc::ENOMSG,
        };
        let received = socket::accept(&self.0)
            .and_then(|peer| socket::receive_descriptor(peer, &mut [0; 256]))
            .and_then(|(_, master)| master.ok_or(missing));
        let master = received.map_err(told)?;
        no_block(&master);
        let again = master.try_clone();
        let input =
            again.map_err(|error| Error::io("use the terminal", "terminal", "fcntl", &error))?;
        Ok(Streams {
            out: Some(master),
            input: Some(input),
            terminal: true,
            ..Streams::default()
        })
    }
}

impl Streams {
    /// Whether the program has not yet taken what it was sent.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Where input goes.
    pub(super) fn input(&self) -> Option<&OwnedFd> {
        self.input.as_ref()
    }

    /// Standard input goes on with these bytes; nothing is its end.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.input.is_none() {
            return;
        }
        if bytes.is_empty() {
            match self.terminal {
                // A terminal has no end of file: what a user would type is its end character.
                true => self.waiting.push(4),
                false => self.close = true,
            }
        }
        self.waiting.extend_from_slice(bytes);
        self.drain();
    }

    /// Writes what the program takes.
    pub(super) fn drain(&mut self) {
        while let Some(input) = self.input.as_ref().filter(|_| !self.waiting.is_empty()) {
            match rustix::io::write(input, &self.waiting) {
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return,
                Err(_) => {
                    // Nobody reads any more.
                    self.waiting.clear();
                    self.input = None;
                }
            }
        }
        if self.close {
            self.input = None;
        }
    }

    /// The terminal's size.
    pub(super) fn resize(&self, rows: u16, columns: u16) {
        if let Some(master) = self.out.as_ref().filter(|_| self.terminal) {
            // A terminal that is closing has no size, ignored.
            let _ = tty::resize(master.as_fd(), rows, columns);
        }
    }
}
