//! Our own terminal: raw while a container has it, and as it was after.

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{stderr, stdin, stdout};
use std::os::fd::AsFd as _;

/// Our terminal in raw mode; it ends with the value.
#[derive(Debug)]
pub(super) struct Raw {
    before: Termios,
}

impl Raw {
    /// Standard input in raw mode, where it is a terminal.
    pub(super) fn begin() -> Option<Raw> {
        let before = tcgetattr(stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Raw { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // The terminal may be gone, ignored.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}

/// Rows and columns, of the first of our streams that is a terminal.
pub(super) fn size() -> Option<(u16, u16)> {
    let (stdin, stdout, stderr) = (stdin(), stdout(), stderr());
    let streams = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
    let size = streams
        .iter()
        .find_map(|stream| tcgetwinsize(stream).ok())?;
    Some((size.ws_row, size.ws_col))
}
