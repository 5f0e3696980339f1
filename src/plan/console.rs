//! The terminal (config.md, `process.terminal` and `consoleSize`).

use crate::cli::Create;
use crate::error::{Cause, Error, Object, Result};
use oci_spec::runtime::Spec;

/// Whether the process gets a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// It keeps the caller's standard streams.
    Streams,
    /// A pseudo-terminal of the container's own devpts.
    Terminal {
        /// Rows and columns, where given.
        size: Option<(u16, u16)>,
    },
}

/// Plans `/process/terminal` and `/process/consoleSize`. Whether somebody is there to take the
/// terminal's other end depends on the verb, and is asked there.
///
/// # Errors
/// A socket for a terminal that is not asked for, or a size beyond 65535.
pub fn plan(spec: &Spec, request: &Create) -> Result<Console> {
    let Some(process) = spec
        .process()
        .as_ref()
        .filter(|process| process.terminal() == Some(true))
    else {
        return match &request.console_socket {
            Some(path) => Err(nothing_to_send(&path.display().to_string())),
            // The size counts only with a terminal.
            None => Ok(Console::Streams),
        };
    };
    let Some(size) = process
        .console_size()
        .filter(|size| size.height() != 0 || size.width() != 0)
    else {
        return Ok(Console::Terminal { size: None });
    };
    let side = |length: u64, name: &str| {
        let pointer = format!("/process/consoleSize/{name}");
        u16::try_from(length).map_err(|_| {
            Error::refused(
                "size the terminal",
                pointer,
                "a side has at most 65535 characters",
            )
        })
    };
    Ok(Console::Terminal {
        size: Some((side(size.height(), "height")?, side(size.width(), "width")?)),
    })
}

/// A terminal whose other end nobody would hold: orbital goes away, and no socket takes it.
#[must_use]
pub fn nobody_takes_it() -> Error {
    let why = "cannot allocate tty if orbital will detach without setting console socket";
    Error::refused("give the process a terminal", "/process/terminal", why)
        .hint("name the socket that takes it with --console-socket, or leave --detach out")
}

fn nothing_to_send(socket: &str) -> Error {
    let object = Object::Argument(format!("--console-socket {socket}"));
    let why = "the process has no terminal whose other end could be sent there".to_owned();
    Error::new("use the console socket", object, Cause::Refused(why))
        .hint("set /process/terminal to true, or leave --console-socket out")
}

#[cfg(test)]
mod tests;
