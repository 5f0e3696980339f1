//! A hook's end, in words.

use crate::error::{Cause, Error, Object};
use crate::linux::hook::{EXITED, SIGNALLED};
use crate::linux::program;
use crate::plan::hooks::Hook;
use crate::sys::{Fault, file};
use std::os::fd::BorrowedFd;

/// A hook's end, told with its last line where its output is at hand.
#[must_use]
pub fn told(hook: &Hook, kind: &str, fault: Fault, output: Option<BorrowedFd<'_>>) -> Error {
    let cause = match fault.errno {
        errno if errno >= SIGNALLED => Cause::Killed {
            signal: errno - SIGNALLED,
            oom: false,
        },
        errno if errno >= EXITED => Cause::Exited {
            status: errno - EXITED,
            last_line: output.map(|output| last_line(output).unwrap_or_default()),
        },
        libc::ETIMEDOUT => {
            let seconds = hook.timeout.unwrap_or_default();
            Cause::Refused(format!("it ran for longer than {seconds} s and was killed"))
        }
        errno => Cause::Os {
            call: fault.call.name(),
            errno,
            on: None,
        },
    };
    let error = Error::new(
        format!("run the {kind} hook"),
        Object::config(hook.pointer.at(match fault.errno {
            libc::ETIMEDOUT => "timeout",
            _ => "path",
        })),
        cause,
    );
    match fault.errno {
        libc::ENOENT if kind == "startContainer" => error
            .hint("install the hook in the root file system, where startContainer looks for it"),
        libc::ENOENT => {
            error.hint("install the hook on the host, where it is looked for, or correct the path")
        }
        libc::ETIMEDOUT => error.hint("give it more time, or see what it waits for"),
        libc::EACCES => error.hint("name a file that may be executed (chmod +x), not a directory"),
        _ if kind != "startContainer" && was_not_executed(fault) => {
            match program::of_host(&hook.path) {
                Some(hint) => error.hint(hint),
                None => error,
            }
        }
        _ => error,
    }
}

/// Whether the hook ended as one that the kernel would not execute, or as a shell that says so.
const fn was_not_executed(fault: Fault) -> bool {
    matches!(fault.errno - EXITED, 126 | 127)
}

/// The last line with anything in it of the last 4 KiB that the hooks printed.
fn last_line(output: BorrowedFd<'_>) -> Option<String> {
    use rustix::fs::{SeekFrom, fstat, seek};
    let size = u64::try_from(fstat(output).ok()?.st_size).ok()?;
    seek(output, SeekFrom::Start(size.saturating_sub(4096))).ok()?;
    let mut buffer = [0u8; 4096];
    let text = String::from_utf8_lossy(file::read_some(output, &mut buffer).ok()?).into_owned();
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .map(|line| line.trim().to_owned())
}
