//! What the caller hands over beside the command line: here that is standard streams alone.

use crate::cli::Create;
use crate::error::{Cause, Error, Object, Result};
use crate::state::Home;

/// Refuses what only POSIX has; the environment's words for service managers mean nothing here.
///
/// # Errors
/// Flags for descriptors and sockets.
pub fn inherit(request: &mut Create, _: impl FnOnce() -> Result<Home>) -> Result<()> {
    check_open(0, request.preserve_fds)?;
    for (flag, given) in [
        ("--console-socket", &request.console_socket),
        ("--pidfd-socket", &request.pidfd_socket),
    ] {
        if given.is_some() {
            return Err(no_such_thing(
                flag,
                "Windows cannot send a terminal or a process through a socket",
            ));
        }
    }
    Ok(())
}

/// There are no descriptors to hand on.
///
/// # Errors
/// Any number but 0.
pub fn check_open(_: u32, more: u32) -> Result<()> {
    match more {
        0 => Ok(()),
        _ => Err(no_such_thing(
            "--preserve-fds",
            "Windows has no descriptors to hand on",
        )),
    }
}

/// The refusal of a flag.
pub(super) fn no_such_thing(flag: &str, why: &str) -> Error {
    let object = Object::Argument(flag.to_owned());
    Error::new("do what was typed", object, Cause::Refused(why.to_owned())).hint("leave it out")
}
