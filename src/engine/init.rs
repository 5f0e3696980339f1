//! `--init`: this program as the container's pid 1. It starts the real one, hands signals on, and collects
//! orphans. It is the same file, seen by the container read-only at /dev/init.

use super::{CANNOT_RUN, NOT_FOUND};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::Command;

/// The verb under which config.json calls it.
pub(crate) const VERB: &str = "init";

/// Runs the program to its end; its exit status, 128 and the signal's number where one ended it.
pub(crate) fn init(words: &[OsString]) -> u8 {
    let words = words.strip_prefix(&[OsString::from("--")]).unwrap_or(words);
    let Some((program, arguments)) = words.split_first() else {
        return complain("init", "no program was named", NOT_FOUND);
    };
    let all = SigSet::all();
    let signals = match all.thread_block().and_then(|()| SignalFd::new(&all)) {
        Ok(signals) => signals,
        Err(errno) => return complain("init", errno.desc(), CANNOT_RUN),
    };
    let child = match Command::new(program).args(arguments).spawn() {
        Ok(child) => child,
        Err(error) => {
            let status = match error.kind() {
                std::io::ErrorKind::NotFound => NOT_FOUND,
                _ => CANNOT_RUN,
            };
            return complain(&program.to_string_lossy(), &error.to_string(), status);
        }
    };
    let child = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default());
    loop {
        let Ok(Some(signal)) = signals.read_signal() else {
            continue;
        };
        let number = i32::try_from(signal.ssi_signo).unwrap_or_default();
        if number == libc::SIGCHLD {
            if let Some(status) = collect(child) {
                return status;
            }
            continue;
        }
        // What the terminal sends, it has sent to the program too.
        if signal.ssi_code != libc::SI_KERNEL
            && let Ok(signal) = Signal::try_from(number)
        {
            // It may end at this moment, ignored.
            let _ = kill(child, signal);
        }
    }
}

/// Collects all that have ended; the status of the program, if it is one of them.
fn collect(child: Pid) -> Option<u8> {
    let mut found = None;
    loop {
        let (pid, status) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) => (pid, status),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, 128 + signal as i32),
            Ok(WaitStatus::StillAlive) | Err(_) => return found,
            Ok(_) => continue,
        };
        if pid == child {
            found = Some(u8::try_from(status).unwrap_or(u8::MAX));
        }
    }
}

fn complain(what: &str, why: &str, status: u8) -> u8 {
    // Nobody may be listening, ignored.
    let _ = writeln!(std::io::stderr(), "error: cannot run {what}: {why}");
    status
}
