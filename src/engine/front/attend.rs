//! What goes to and fro: our input, our terminal's size and our signals to the monitor; the container's output
//! and its end from there.

use super::begin::spawn;
use super::keys::{Keys, Watch};
use super::terminal::{self, Raw};
use crate::engine::Failed;
use crate::engine::container::record::Record;
use crate::engine::container::shelf::Shelf;
use crate::engine::container::wish::{Switch, Wish};
use crate::engine::wire::{Frame, MOST};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::{Fault, exec, socket};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use std::os::fd::{BorrowedFd, OwnedFd};

/// How it ended, for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attended {
    /// The container's exit status.
    Ended(i32),
    /// The program has begun, and that was all we wanted.
    Started,
    /// The keys were typed that leave it.
    Detached,
}

/// What we want of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// To see it begin.
    Beginning,
    /// To see it end.
    End,
    /// All: its output, and what it may have of ours.
    All {
        /// Our input too.
        input: bool,
        /// Its terminal is ours.
        terminal: bool,
        /// Our signals go to it.
        signals: bool,
    },
}

impl Interest {
    /// What a foreground `run` wants.
    pub(crate) fn of(wish: &Wish) -> Interest {
        let (input, terminal) = (wish.has(Switch::Interactive), wish.has(Switch::Terminal));
        Interest::All {
            input,
            terminal,
            signals: true,
        }
    }
}

struct Front {
    monitor: OwnedFd,
    signals: Option<SignalFd>,
    interest: Interest,
    raw: Option<Raw>,
    input: bool,
    leave: Watch,
}

fn told(fault: Fault) -> Error {
    Error::new(
        "speak to the container's monitor",
        Object::Nothing,
        fault.into(),
    )
}

/// Starts the container's monitor and serves until what we want has come. What we want is told before the monitor
/// begins, or a quick program's output would find nobody.
///
/// # Errors
/// What the monitor says; a monitor that was killed.
pub(crate) fn begin(
    shelf: &Shelf,
    record: &Record,
    interest: Interest,
    leave: Option<Keys>,
) -> std::result::Result<Attended, Failed> {
    let (ours, theirs) = socket::pair().map_err(told)?;
    let front = Front::new(ours, interest, leave)?;
    spawn(shelf, record, theirs)?;
    front.serve()
}

/// Serves a container that runs already.
///
/// # Errors
/// As [`begin`].
pub(crate) fn attend_late(
    monitor: OwnedFd,
    interest: Interest,
    leave: Option<Keys>,
) -> std::result::Result<Attended, Failed> {
    let mut front = Front::new(monitor, interest, leave)?;
    front.lend();
    front.serve()
}

#[derive(PartialEq, Eq)]
enum Typed {
    GoOn,
    Leave,
}

fn hold_signals() -> Result<SignalFd> {
    let mut held = SigSet::all();
    for own in [
        Signal::SIGSEGV,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGABRT,
        Signal::SIGTSTP,
        Signal::SIGTTIN,
        Signal::SIGTTOU,
        Signal::SIGCHLD,
        Signal::SIGCONT,
        Signal::SIGPIPE,
    ] {
        held.remove(own);
    }
    let plain = |errno: nix::errno::Errno| {
        let cause = Cause::Os {
            call: "signalfd",
            errno: errno as i32,
            on: None,
        };
        Error::new("hold the signals back", Object::Nothing, cause)
    };
    held.thread_block().map_err(plain)?;
    SignalFd::with_flags(&held, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).map_err(plain)
}

impl Front {
    fn new(monitor: OwnedFd, interest: Interest, leave: Option<Keys>) -> Result<Front> {
        let mut front = Front {
            monitor,
            signals: None,
            interest,
            raw: None,
            input: false,
            leave: Watch::new(leave.unwrap_or_default()),
        };
        if let Interest::All {
            terminal, signals, ..
        } = interest
        {
            if signals {
                front.signals = Some(hold_signals()?);
            }
            front.say(Frame::Attach)?;
            if terminal {
                front.follow_size();
            }
        }
        Ok(front)
    }

    fn serve(mut self) -> std::result::Result<Attended, Failed> {
        loop {
            let (spoken, typed, signalled) = self.wait()?;
            if signalled {
                self.hand_on();
            }
            if typed && self.read_input()? == Typed::Leave {
                return Ok(Attended::Detached);
            }
            if spoken && let Some(end) = self.hear()? {
                return Ok(end);
            }
        }
    }

    fn say(&self, frame: Frame<'_>) -> Result<()> {
        socket::send(&self.monitor, &frame.to_bytes()).map_err(told)
    }

    fn follow_size(&self) {
        if let Some((rows, columns)) = terminal::size() {
            // A monitor that is gone is told at the next turn, ignored.
            let _ = self.say(Frame::Resize(rows, columns));
        }
    }

    /// (the monitor has spoken, somebody typed, a signal came)
    fn wait(&self) -> Result<(bool, bool, bool)> {
        let stdin = exec::stream(0);
        let mut polled = vec![PollFd::new(&self.monitor, PollFlags::IN)];
        if self.input {
            polled.push(PollFd::from_borrowed_fd(stdin, PollFlags::IN));
        }
        if let Some(signals) = &self.signals {
            polled.push(PollFd::new(signals, PollFlags::IN));
        }
        match poll(&mut polled, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => {
                return Err(told(Fault {
                    call: crate::sys::Call::Poll,
                    errno: errno.raw_os_error(),
                }));
            }
        }
        let hit = |index: usize| polled.get(index).is_some_and(|fd| !fd.revents().is_empty());
        let signals = if self.input { 2 } else { 1 };
        Ok((hit(0), self.input && hit(1), hit(signals)))
    }

    /// Signals that are not our terminal's own business.
    fn hand_on(&self) {
        let Some(signals) = &self.signals else {
            return;
        };
        while let Ok(Some(signal)) = signals.read_signal() {
            match i32::try_from(signal.ssi_signo).unwrap_or_default() {
                libc::SIGWINCH => {
                    if let Interest::All { terminal: true, .. } = self.interest {
                        self.follow_size();
                    }
                }
                // A monitor that is gone is told at the next turn, ignored.
                number => drop(self.say(Frame::Signal(number))),
            }
        }
    }

    fn read_input(&mut self) -> Result<Typed> {
        let mut buffer = [0; MOST - 1];
        let length = rustix::io::retry_on_intr(|| rustix::io::read(exec::stream(0), &mut buffer))
            .unwrap_or(0);
        let bytes = buffer.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            self.input = false;
            return self.input_frame(bytes);
        }
        if self.raw.is_none() {
            return self.input_frame(bytes);
        }
        match self.leave.pass(bytes) {
            None => Ok(Typed::Leave),
            Some(passed) if passed.is_empty() => Ok(Typed::GoOn),
            Some(passed) => self.input_frame(&passed),
        }
    }

    fn input_frame(&self, bytes: &[u8]) -> Result<Typed> {
        match self.say(Frame::Input(bytes)) {
            // It has ended; what it said last is still to be read.
            Err(error) if error.errno() == Some(libc::EPIPE) => Ok(Typed::GoOn),
            other => other.map(|()| Typed::GoOn),
        }
    }

    fn hear(&mut self) -> std::result::Result<Option<Attended>, Failed> {
        let mut buffer = [0; MOST * 2];
        let mut received = socket::receive(&self.monitor, &mut buffer);
        if matches!(
            received,
            Err(Fault {
                errno: libc::ECONNRESET,
                ..
            })
        ) {
            // The monitor left without having read all of ours; what it said before is still to come.
            received = socket::receive(&self.monitor, &mut buffer);
        }
        let length = received.map_err(told)?;
        let record = buffer.get(..length).unwrap_or_default();
        match Frame::read(record) {
            Some(Frame::Started) => {
                if self.interest == Interest::Beginning {
                    return Ok(Some(Attended::Started));
                }
                self.lend();
            }
            Some(Frame::Note(bytes)) => {
                put(exec::stream(2), &[b"note: ", bytes, b"\n"].concat());
            }
            Some(Frame::Output(bytes)) => put(exec::stream(1), bytes),
            Some(Frame::Error(bytes)) => put(exec::stream(2), bytes),
            Some(Frame::Ended(status)) => return Ok(Some(Attended::Ended(status))),
            Some(Frame::Failed(bytes)) => return Err(failure(bytes)),
            None if record.is_empty() => return Err(killed()),
            _ => {}
        }
        Ok(None)
    }

    /// Our terminal and our input are the container's from now on.
    fn lend(&mut self) {
        if let Interest::All {
            input, terminal, ..
        } = self.interest
        {
            self.input = input;
            if terminal && input {
                self.raw = Raw::begin();
            }
        }
    }
}

fn put(stream: BorrowedFd<'_>, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::retry_on_intr(|| rustix::io::write(stream, rest)) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            // Whoever read us has read enough.
            Err(_) => return,
        }
    }
}

fn failure(bytes: &[u8]) -> Failed {
    let report: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let word = |name: &str| report[name].as_str().unwrap_or_default().to_owned();
    let object = match word("at") {
        at if at.is_empty() => Object::Nothing,
        at => Object::Argument(at),
    };
    let cause = word("cause");
    let cause = cause.strip_prefix("refused: ").unwrap_or(&cause).to_owned();
    let mut error = Error::new(word("doing"), object, Cause::Refused(cause));
    if let Some(hint) = report["hint"].as_str() {
        error = error.hint(hint);
    }
    let status = report["status"]
        .as_u64()
        .and_then(|status| u8::try_from(status).ok());
    Failed {
        status: status.unwrap_or(crate::engine::ENGINE_FAILED),
        error,
    }
}

fn killed() -> Failed {
    let why = "the container's monitor was killed; the container may run on".to_owned();
    let error = Error::new(
        "wait for the container",
        Object::Nothing,
        Cause::Refused(why),
    );
    error.hint("orbital rm -f removes it").into()
}
