//! The foreground of `run` and `exec`: a terminal handed through, until the process ends.

use super::birth::Born;
use super::make;
use super::notify::Proxy;
use crate::error::{Error, Object, Result};
use crate::sys::Fault;
use crate::sys::console::{self, PseudoConsole, Raw, Standard};
use std::io::{Read, Write};
use std::thread::JoinHandle;

/// How a process has ended.
#[derive(Clone, Copy, Debug)]
pub struct End(u32);

impl End {
    /// Its status, all 32 bits of it.
    #[must_use]
    pub const fn status(self) -> i32 {
        self.0.cast_signed()
    }
}

/// That this process outlives what is typed to the container.
#[derive(Debug)]
pub struct Foreground(());

impl Foreground {
    /// From now on Ctrl-C and Ctrl-Break are the container's: it has the same console, and hears them itself.
    ///
    /// # Errors
    /// As SetConsoleCtrlHandler.
    pub fn begin() -> Result<Foreground> {
        let told = |fault: Fault| {
            Error::new(
                "leave interrupts to the container",
                Object::Nothing,
                fault.into(),
            )
        };
        console::outlive_interrupts().map_err(told)?;
        Ok(Foreground(()))
    }

    /// Serves until the container's process has ended.
    ///
    /// # Errors
    /// As WaitForSingleObject.
    pub fn attend(self, born: &mut Born, _: Option<Terminal>, _: Option<Proxy>) -> Result<End> {
        let shown = born.terminal.as_mut().and_then(show);
        let told = |fault: Fault| {
            Error::new(
                "wait for the container's process",
                Object::Process(born.pid),
                fault.into(),
            )
        };
        let mut size = console::size();
        let status = loop {
            // Windows tells of a new size only to who reads the console's events, which the container does.
            if let Some(status) = born.process.ended_within(200).map_err(told)? {
                break status;
            }
            let now = console::size();
            if let (Some(terminal), Some((columns, rows))) = (&born.terminal, now)
                && now != size
            {
                terminal.resize(columns, rows);
                size = now;
            }
        };
        // Closing it ends what it shows; then the last of that is read.
        drop(born.terminal.take());
        if let Some((_raw, output)) = shown {
            let _ = output.join();
        }
        Ok(End(status))
    }
}

/// The terminal of the container, which [`Born`] has.
#[derive(Debug)]
pub struct Terminal(());

impl Terminal {
    /// Nothing is sent: it is made by this process.
    ///
    /// # Errors
    /// None.
    pub fn receive(_: Option<make::Terminal>) -> Result<Option<Terminal>> {
        Ok(None)
    }
}

/// Copies both ways: what is typed by a thread that goes with the process, what is shown until its end.
fn show(terminal: &mut PseudoConsole) -> Option<(Option<Raw>, JoinHandle<()>)> {
    let (input, output) = terminal.ends()?;
    if let Some((columns, rows)) = console::size() {
        terminal.resize(columns, rows);
    }
    let raw = Raw::begin();
    if let Some(typed) = console::stream(Standard::Input) {
        std::thread::spawn(move || copy(typed, input));
    }
    let screen = console::stream(Standard::Output)?;
    Some((raw, std::thread::spawn(move || copy(output, screen))))
}

/// Until either end is closed.
fn copy(mut from: impl Read, mut to: impl Write) {
    let mut buffer = [0u8; 8192];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(length) => length,
        };
        let read = buffer.get(..length).unwrap_or_default();
        if to.write_all(read).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}
