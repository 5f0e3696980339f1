//! The foreground of `run`: signals and a terminal handed through, until the process ends.

use super::notify::Proxy;
use crate::error::{Error, Object, Result};
use crate::linux::birth::Born;
use crate::sys::pidfd::{self, End};
use crate::sys::{Call, Fault, exec, process, socket, tty};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use std::os::fd::{AsFd, OwnedFd};

/// Our end of the terminal's way to us, and the end that the child sends the terminal through.
///
/// # Errors
/// As socketpair(2).
pub fn ends() -> Result<(OwnedFd, OwnedFd)> {
    let told = |fault: Fault| {
        Error::new(
            "make a socket for the terminal",
            Object::Nothing,
            fault.into(),
        )
    };
    socket::pair().map_err(told)
}

/// Signals that wait to be handed on.
#[derive(Debug)]
pub struct Foreground {
    signals: SignalFd,
}

impl Foreground {
    /// Holds all signals back from now on.
    ///
    /// # Errors
    /// As signalfd(2).
    pub fn begin() -> Result<Foreground> {
        let plain = |errno: nix::errno::Errno| {
            let fault = Fault {
                call: Call::Signal,
                errno: errno as i32,
            };
            Error::new("hold the signals back", Object::Nothing, fault.into())
        };
        let mut all = SigSet::all();
        // Faults of our own are not to be handed on.
        for own in [
            Signal::SIGSEGV,
            Signal::SIGBUS,
            Signal::SIGFPE,
            Signal::SIGILL,
            Signal::SIGABRT,
        ] {
            all.remove(own);
        }
        all.thread_block().map_err(plain)?;
        let signals = SignalFd::with_flags(&all, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map_err(plain)?;
        Ok(Foreground { signals })
    }

    /// Serves until the container's process has ended, and reaps it.
    ///
    /// # Errors
    /// As poll(2) and waitid(2).
    pub fn attend(
        self,
        born: &mut Born,
        mut terminal: Option<Terminal>,
        mut proxy: Option<Proxy>,
    ) -> Result<End> {
        let plain = |fault: Fault| {
            Error::new(
                "wait for the container's process",
                Object::Process(born.pid),
                fault.into(),
            )
        };
        loop {
            let ready = self
                .wait(born, terminal.as_ref(), proxy.as_ref())
                .map_err(plain)?;
            // Whom the signals were for is gone.
            if ready.signals && !ready.ended {
                self.hand_on(born, terminal.as_ref());
            }
            if let Some(terminal) = &mut terminal {
                terminal.serve(&ready);
            }
            if let Some(told) = proxy.take_if(|proxy| ready.notified && is_ready(proxy)) {
                // Ours is the process that the service manager has started and goes on to watch.
                told.hand_on(process::own_pid()).map_err(plain)?;
            }
            if ready.ended {
                if let Some(terminal) = terminal {
                    terminal.drain();
                }
                return pidfd::wait(born.pidfd.as_fd()).map_err(plain);
            }
        }
    }

    fn wait(
        &self,
        born: &Born,
        terminal: Option<&Terminal>,
        proxy: Option<&Proxy>,
    ) -> std::result::Result<Ready, Fault> {
        use crate::sys::At;
        let mut fds = vec![
            PollFd::new(&born.pidfd, PollFlags::IN),
            PollFd::new(&self.signals, PollFlags::IN),
        ];
        let stdin = exec::stream(0);
        if let Some(terminal) = terminal {
            fds.push(PollFd::new(&terminal.master, PollFlags::IN));
            if terminal.input == Input::Open {
                fds.push(PollFd::from_borrowed_fd(stdin, PollFlags::IN));
            }
        }
        let others = fds.len();
        if let Some(proxy) = proxy {
            fds.push(PollFd::from_borrowed_fd(proxy.container(), PollFlags::IN));
        }
        rustix::io::retry_on_intr(|| poll(&mut fds, None)).at(Call::Poll)?;
        let hit = |index: usize| fds.get(index).is_some_and(|fd| !fd.revents().is_empty());
        Ok(Ready {
            ended: hit(0),
            signals: hit(1),
            output: others > 2 && hit(2),
            input: others > 3 && hit(3),
            notified: hit(others),
        })
    }

    fn hand_on(&self, born: &Born, terminal: Option<&Terminal>) {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            let Ok(number) = i32::try_from(signal.ssi_signo) else {
                continue;
            };
            match number {
                libc::SIGCHLD | libc::SIGTTIN | libc::SIGTTOU | libc::SIGTSTP | libc::SIGPIPE => {}
                libc::SIGWINCH if terminal.is_some() => {
                    if let Some(terminal) = terminal {
                        terminal.follow_size();
                    }
                }
                // The process may end at this moment, ignored.
                _ => drop(pidfd::signal(&born.pidfd, number)),
            }
        }
    }
}

/// What poll found.
struct Ready {
    ended: bool,
    signals: bool,
    output: bool,
    input: bool,
    notified: bool,
}

/// Whether the container says so now; what cannot be read says nothing.
fn is_ready(proxy: &Proxy) -> bool {
    proxy.hears_ready().unwrap_or(false)
}

/// Whether our standard input still gives anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Open,
    Ended,
}

/// The container's terminal, served by us.
#[derive(Debug)]
pub struct Terminal {
    master: OwnedFd,
    input: Input,
    before: Option<rustix::termios::Termios>,
}

impl Terminal {
    /// Takes the master that the child has sent, if there is a terminal, and puts our own, if there is one, into raw mode.
    ///
    /// # Errors
    /// A child that sent none.
    pub fn receive(socket: Option<OwnedFd>) -> Result<Option<Terminal>> {
        let Some(socket) = socket else {
            return Ok(None);
        };
        let received = socket::receive_descriptor(socket, &mut [0u8; 64]);
        let missing = Fault {
            call: Call::Recvmsg,
            errno: libc::ENOMSG,
        };
        let master = received.and_then(|(_, master)| master.ok_or(missing));
        let master = master.map_err(|fault| {
            Error::new(
                "receive the terminal",
                Object::config("/process/terminal"),
                fault.into(),
            )
        })?;
        Ok(Some(Terminal::of(master)))
    }

    /// Serves the terminal of this master, and puts our own one, if there is one, into raw mode.
    #[must_use]
    pub fn of(master: OwnedFd) -> Terminal {
        let terminal = Terminal {
            master,
            input: Input::Open,
            before: make_raw(),
        };
        terminal.follow_size();
        terminal
    }

    fn serve(&mut self, ready: &Ready) {
        if ready.output {
            copy(self.master.as_fd(), exec::stream(1));
        }
        if ready.input && copy(exec::stream(0), self.master.as_fd()) == 0 {
            self.input = Input::Ended;
            // A terminal has no end of file: what a user would type is its end character, ignored if refused.
            let _ = rustix::io::write(&self.master, &[4]);
        }
    }

    /// What the process wrote just before it ended.
    fn drain(self) {
        use rustix::fs::{OFlags, fcntl_setfl};
        // Without this the last read would wait for a writer that is gone, ignored if refused.
        let _ = fcntl_setfl(&self.master, OFlags::NONBLOCK);
        while copy(self.master.as_fd(), exec::stream(1)) > 0 {}
    }

    /// Our own terminal's size becomes the container's.
    fn follow_size(&self) {
        if let Ok(size) = rustix::termios::tcgetwinsize(exec::stream(0)) {
            // A terminal that is closing has no size, ignored.
            let _ = tty::resize(&self.master, size.ws_row, size.ws_col);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // Our own terminal may be gone, ignored.
            let _ = rustix::termios::tcsetattr(
                exec::stream(0),
                rustix::termios::OptionalActions::Now,
                before,
            );
        }
    }
}

fn make_raw() -> Option<rustix::termios::Termios> {
    let before = rustix::termios::tcgetattr(exec::stream(0)).ok()?;
    let mut raw = before.clone();
    raw.make_raw();
    rustix::termios::tcsetattr(exec::stream(0), rustix::termios::OptionalActions::Now, &raw)
        .ok()?;
    Some(before)
}

/// Copies what is there, once; 0 at the end or on an error.
fn copy(from: std::os::fd::BorrowedFd<'_>, to: std::os::fd::BorrowedFd<'_>) -> usize {
    let mut buffer = [0u8; 8192];
    let Ok(length) = rustix::io::retry_on_intr(|| rustix::io::read(from, &mut buffer)) else {
        return 0;
    };
    let mut rest = buffer.get(..length).unwrap_or_default();
    while !rest.is_empty() {
        match rustix::io::retry_on_intr(|| rustix::io::write(to, rest)) {
            Ok(written) if written > 0 => rest = rest.get(written..).unwrap_or_default(),
            _ => return 0,
        }
    }
    length
}
