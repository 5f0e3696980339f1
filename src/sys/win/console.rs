//! Consoles and pseudo-consoles.

use super::handle::own;
use super::{At, Call, Fault, yes};
use std::fs::File;
use std::io::{PipeReader, PipeWriter};
use std::os::windows::io::{AsRawHandle, IntoRawHandle, OwnedHandle};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Console as win;

/// A terminal that a process may have: what it prints can be read here, and what is written here it reads.
#[derive(Debug)]
pub struct PseudoConsole {
    raw: win::HPCON,
    input: Option<PipeWriter>,
    output: Option<PipeReader>,
}

impl PseudoConsole {
    /// Makes one of this size; CreatePseudoConsole.
    ///
    /// # Errors
    /// As CreatePipe; the HRESULT of CreatePseudoConsole.
    pub fn make(columns: i16, rows: i16) -> Result<PseudoConsole, Fault> {
        let (theirs_in, input) = std::io::pipe().at(Call::CreatePseudoConsole)?;
        let (output, theirs_out) = std::io::pipe().at(Call::CreatePseudoConsole)?;
        let mut raw = 0;
        let size = win::COORD {
            X: columns,
            Y: rows,
        };
        let (reads, writes) = (theirs_in.as_raw_handle(), theirs_out.as_raw_handle());
        // SAFETY: both pipes are open across the call, which makes copies of its own.
        let answer = unsafe { win::CreatePseudoConsole(size, reads, writes, 0, &raw mut raw) };
        if answer < 0 {
            return Err(Fault {
                call: Call::CreatePseudoConsole,
                // The low half of such an HRESULT is a number of winerror.h.
                errno: answer & 0xffff,
            });
        }
        Ok(PseudoConsole {
            raw,
            input: Some(input),
            output: Some(output),
        })
    }

    /// Our ends: where to write what a user types, and where to read what is shown. Once.
    pub fn ends(&mut self) -> Option<(PipeWriter, PipeReader)> {
        self.input.take().zip(self.output.take())
    }

    /// Changes its size; ResizePseudoConsole. One that is closing has none, ignored.
    pub fn resize(&self, columns: i16, rows: i16) {
        let size = win::COORD {
            X: columns,
            Y: rows,
        };
        // SAFETY: the console is open while `self` is.
        unsafe { win::ResizePseudoConsole(self.raw, size) };
    }

    pub(super) fn raw(&self) -> isize {
        self.raw
    }
}

impl Drop for PseudoConsole {
    fn drop(&mut self) {
        // SAFETY: it was made by `make`, and is closed once.
        unsafe { win::ClosePseudoConsole(self.raw) };
    }
}

/// Whether this process has a console, seen or not; GetConsoleProcessList.
#[must_use]
pub fn is_there() -> bool {
    let mut one = [0u32; 1];
    // SAFETY: the list has the room that is told; a longer one is only counted.
    unsafe { win::GetConsoleProcessList(one.as_mut_ptr(), 1) > 0 }
}

/// Ctrl-C and Ctrl-Break are for the container alone: this process does not end by them; SetConsoleCtrlHandler.
///
/// # Errors
/// As SetConsoleCtrlHandler.
pub fn outlive_interrupts() -> Result<(), Fault> {
    unsafe extern "system" fn let_pass(event: u32) -> windows_sys::core::BOOL {
        i32::from(matches!(event, win::CTRL_C_EVENT | win::CTRL_BREAK_EVENT))
    }
    // SAFETY: the function lives as long as the program, and touches nothing.
    yes(
        unsafe { win::SetConsoleCtrlHandler(Some(let_pass), 1) },
        Call::SetCtrlHandler,
    )
}

/// Sends Ctrl-Break to the group of this process, on whatever console that is. Ours is let go for that, and taken
/// again where our caller has it.
///
/// # Errors
/// ERROR_INVALID_HANDLE where the process has no console; as GenerateConsoleCtrlEvent.
pub fn interrupt(group: u32) -> Result<(), Fault> {
    let kept = keep_streams();
    // SAFETY: nothing of ours is on the console at this moment; without one it does nothing, ignored.
    unsafe { win::FreeConsole() };
    // SAFETY: it takes a number only.
    let sent = yes(unsafe { win::AttachConsole(group) }, Call::AttachConsole).and_then(|()| {
        outlive_interrupts()?;
        // SAFETY: it takes numbers only.
        let sent = yes(
            unsafe { win::GenerateConsoleCtrlEvent(win::CTRL_BREAK_EVENT, group) },
            Call::ConsoleCtrlEvent,
        );
        // SAFETY: nothing of ours is on that console either.
        unsafe { win::FreeConsole() };
        sent
    });
    // SAFETY: it takes a number only; a caller without a console has none to give, ignored.
    unsafe { win::AttachConsole(win::ATTACH_PARENT_PROCESS) };
    for (which, handle) in kept {
        // SAFETY: the handle is open, and is never closed: it is the stream from now on.
        unsafe { win::SetStdHandle(which, handle.into_raw_handle()) };
    }
    sent
}

/// Copies of those streams that are no console: another console would take their place.
fn keep_streams() -> Vec<(win::STD_HANDLE, OwnedHandle)> {
    let all = [
        win::STD_INPUT_HANDLE,
        win::STD_OUTPUT_HANDLE,
        win::STD_ERROR_HANDLE,
    ];
    let copies = super::handle::streams().into_iter().flatten();
    let is_console = |handle: &OwnedHandle| {
        let mut mode = 0;
        // SAFETY: the handle is open across the call.
        unsafe { win::GetConsoleMode(handle.as_raw_handle(), &raw mut mode) != 0 }
    };
    all.into_iter()
        .zip(copies)
        .filter(|(_, copy)| !is_console(copy))
        .collect()
}

/// Our own console while it hands everything through: keys as they are, sequences as they come. Until it is dropped.
#[derive(Debug)]
pub struct Raw {
    modes: Vec<(OwnedHandle, u32)>,
}

impl Raw {
    /// Begins; `None` where input or output is no console.
    #[must_use]
    pub fn begin() -> Option<Raw> {
        let mut raw = Raw { modes: Vec::new() };
        let through = win::ENABLE_VIRTUAL_TERMINAL_INPUT;
        let shown = win::ENABLE_PROCESSED_OUTPUT | win::ENABLE_VIRTUAL_TERMINAL_PROCESSING;
        raw.set("CONIN$", through)?;
        raw.set("CONOUT$", shown)?;
        Some(raw)
    }

    fn set(&mut self, name: &str, mode: u32) -> Option<()> {
        let file = File::options().read(true).write(true).open(name).ok()?;
        let mut before = 0;
        // SAFETY: the file is open across the call.
        let known = unsafe { win::GetConsoleMode(file.as_raw_handle(), &raw mut before) };
        // SAFETY: the file is still open; it takes a number beside.
        let set = known != 0 && unsafe { win::SetConsoleMode(file.as_raw_handle(), mode) } != 0;
        set.then(|| self.modes.push((OwnedHandle::from(file), before)))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        for (handle, mode) in &self.modes {
            // SAFETY: the handle is open while it is ours. A console that is gone has no mode, ignored.
            unsafe { win::SetConsoleMode(handle.as_raw_handle(), *mode) };
        }
    }
}

/// Columns and rows of the console that standard output is; `None` where it is none.
#[must_use]
pub fn size() -> Option<(i16, i16)> {
    let mut info = win::CONSOLE_SCREEN_BUFFER_INFO::default();
    // SAFETY: it reads a value of this process's own; the handle stays the process's.
    let raw: HANDLE = unsafe { win::GetStdHandle(win::STD_OUTPUT_HANDLE) };
    // SAFETY: a handle that is no console is answered by an error; the structure lives across the call.
    let known = unsafe { win::GetConsoleScreenBufferInfo(raw, &raw mut info) };
    let window = info.srWindow;
    (known != 0).then(|| {
        (
            window.Right - window.Left + 1,
            window.Bottom - window.Top + 1,
        )
    })
}

/// Standard input or output as a file of its own, for a thread that copies.
#[must_use]
pub fn stream(which: Standard) -> Option<File> {
    let [input, output, _] = super::handle::streams().ok()?;
    let handle = match which {
        Standard::Input => input,
        Standard::Output => output,
    };
    own(handle.into_raw_handle()).map(File::from)
}

/// Which stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// What we read.
    Input,
    /// What we print.
    Output,
}
