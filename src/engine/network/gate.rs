//! The gate before a program that outlives the engine: its process is there, and can be written down, before it becomes
//! that program. A process of our own waits for the command line, a word a record, and an empty end without the last
//! one means that whoever was to send it is gone.

use super::servant::{self, Servant};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::{At as _, Call, Fault, exec, file, pidfd, socket};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// The verb by which the engine calls itself.
pub const VERB: &str = "become";

/// What follows the last word: no word is empty before it, and none is it.
const GO: &[u8] = b"\0go";

/// The longest word, as execve(2) takes them.
const WORD: usize = 128 << 10;

/// A process before its gate, or behind it.
pub(super) struct Waiting {
    /// It, under the number that the program will have.
    pub(super) servant: Servant,
    doing: &'static str,
    words: File,
}

/// Starts a process of the engine's own, by `own`, that waits.
///
/// # Errors
/// A program that cannot be started.
pub(super) fn start(doing: &'static str, own: &[OsString]) -> Result<Waiting> {
    // It goes with its descriptors: what is written to it later, and by whom, is nobody's business.
    let words = file::memory(c"words").map(File::from);
    let words = words.map_err(|fault| Error::new(doing, Object::Nothing, fault.into()))?;
    let copy = words.try_clone();
    let copy = copy.map_err(|error| Error::io(doing, "memfd", "fcntl", &error))?;
    Ok(Waiting {
        servant: servant::start(doing, own, Stdio::from(copy))?,
        doing,
        words,
    })
}

impl Waiting {
    /// Lets it become `program`, now that it is written down. Its standard input is still the socket.
    ///
    /// # Errors
    /// A process that is gone.
    pub(super) fn open(&self, program: &Path, arguments: &[OsString]) -> Result<()> {
        let first = std::iter::once(program.as_os_str());
        let words = first.chain(arguments.iter().map(OsString::as_os_str));
        words
            .map(OsStr::as_bytes)
            .chain([GO])
            .try_for_each(|word| socket::send(&self.servant.ours, word))
            .map_err(|fault| Error::file(self.doing, program, fault))
    }

    /// Waits until something is said at `at`; not, where it ends before.
    ///
    /// # Errors
    /// As poll(2).
    pub(super) fn says(&self, at: impl AsFd) -> Result<bool> {
        let pid = self.servant.process.pid;
        let cannot = |fault: Fault| Error::new(self.doing, Object::Process(pid), fault.into());
        let own = pidfd::open(pid).map_err(cannot)?;
        let mut polled = [
            PollFd::new(&at, PollFlags::IN),
            PollFd::new(&own, PollFlags::IN),
        ];
        let limit = Timespec {
            tv_sec: servant::READY_WITHIN,
            tv_nsec: 0,
        };
        rustix::io::retry_on_intr(|| rustix::event::poll(&mut polled, Some(&limit)))
            .at(Call::Poll)
            .map_err(cannot)?;
        // One that says nothing in all that time is as good as one that has ended.
        let ready = polled
            .first()
            .is_some_and(|at| at.revents().contains(PollFlags::IN));
        Ok(ready && socket::receive(&at, &mut [0; 32]).map_err(cannot)? > 0)
    }

    /// Ends it, and tells why it did not serve: by its last line that counts, and its status; `hint` where the line is
    /// about nothing that is known.
    pub(super) fn failed(mut self, counts: impl Fn(&str) -> bool, hint: Option<String>) -> Error {
        // It may have ended of its own accord, ignored.
        let _ = self.servant.child.kill();
        let status = self.servant.child.wait().ok().and_then(|end| end.code());
        let mut said = String::new();
        // Without its words the status must do, ignored.
        let _ = self
            .words
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.words.read_to_string(&mut said));
        let last = said
            .lines()
            .rfind(|line| !line.trim().is_empty() && counts(line));
        let cause = Cause::Exited {
            status: status.unwrap_or_default(),
            last_line: last.map(str::to_owned),
        };
        let error = Error::new(self.doing, Object::Nothing, cause);
        match hint {
            _ if last.is_some_and(|line| {
                line.contains("/dev/net/tun") || line.contains("tun socket")
            }) =>
            {
                error.hint("let users open the device: chmod 0666 /dev/net/tun, as udev does")
            }
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// What the process does: waits for its command line at standard input, and becomes it.
///
/// # Errors
/// As execve(2). It returns when nobody is there any more who could send one.
pub fn pass() -> Result<()> {
    let doing = "become a program of the container's network";
    let cannot = |fault| Error::new(doing, Object::Nothing, Cause::from(fault));
    servant::settle().map_err(cannot)?;
    let input = exec::stream(0);
    let mut words: Vec<OsString> = Vec::new();
    let mut buffer = vec![0; WORD];
    loop {
        let length = socket::receive(input, &mut buffer).map_err(cannot)?;
        match buffer.get(..length).unwrap_or_default() {
            [] => return Ok(()),
            GO => break,
            word => words.push(OsStr::from_bytes(word).to_owned()),
        }
    }
    let Some((program, arguments)) = words.split_first() else {
        return Ok(());
    };
    // It resets what Rust does to signals: pasta ends where SIGPIPE is ignored already.
    let error = Command::new(program).args(arguments).exec();
    Err(Error::io(doing, program, "execve", &error))
}
