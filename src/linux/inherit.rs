//! What the caller hands over beside the command line: descriptors and a socket to notify, as systemd gives
//! them to a service (sd_listen_fds(3), sd_notify(3)).
//!
//! It is taken in before the first file is opened: a descriptor of our own must not be mistaken for one of
//! the caller's.

use crate::cli::{Create, Inherited, Notify};
use crate::error::{Cause, Error, Object, Result};
use crate::linux::protect;
use crate::state::Home;
use crate::sys::{exec, process};
use std::ffi::OsString;

/// The most descriptors that are believed: what a process may usually open.
const MOST: u32 = 1 << 20;

/// Reads the environment into the request. `home` is asked only where there is somebody to notify.
///
/// # Errors
/// A descriptor that is promised and not open.
pub fn inherit(request: &mut Create, home: impl FnOnce() -> Result<Home>) -> Result<()> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    request.inherited = Inherited {
        listen_fds: set("LISTEN_FDS").map_or(0, |count| listen_fds(&count, set("LISTEN_PID"))),
        listen_names: None,
        notify: None,
    };
    if request.inherited.listen_fds > 0 {
        request.inherited.listen_names =
            set("LISTEN_FDNAMES").and_then(|names| names.into_string().ok());
    }
    if let Some(host) = set("NOTIFY_SOCKET") {
        let folder = home()?.folder(&request.id).join(crate::state::dir::NOTIFY);
        request.inherited.notify = Some(Notify { host, folder });
    }
    check_open(request.inherited.listen_fds, request.preserve_fds)
}

/// How many there are: none where they were meant for another process, as sd_listen_fds(3) has it.
fn listen_fds(count: &OsString, whose: Option<OsString>) -> u32 {
    let number = |text: &OsString| text.to_str().and_then(|text| text.parse::<u32>().ok());
    let own = process::own_pid().unsigned_abs();
    match whose {
        Some(pid) if number(&pid) != Some(own) => 0,
        _ => number(count).unwrap_or(0),
    }
}

/// Each of them must be open, or a descriptor of ours would take its number: those of a service manager, and
/// after them those of `--preserve-fds`.
///
/// # Errors
/// One that is not open.
pub fn check_open(listen: u32, more: u32) -> Result<()> {
    let refused = |object: String, why: String| {
        Error::new(
            "preserve descriptors",
            Object::Argument(object),
            Cause::Refused(why),
        )
    };
    for number in 0..listen.saturating_add(more) {
        let whose = if number < listen {
            format!("LISTEN_FDS={listen}")
        } else {
            format!("--preserve-fds {more}")
        };
        if number == MOST {
            return Err(refused(whose, "no process has so many".to_owned()));
        }
        if !exec::is_open(3 + number) || protect::holds(3 + number) {
            let why = format!("descriptor {} is not open", 3 + number);
            return Err(refused(whose, why).hint("open it in the caller, or ask for fewer"));
        }
    }
    Ok(())
}
