//! A shell's script, and what came of it.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::check::{Outcome, ensure, patience};

/// How long a script may take, times [`patience`].
const LIMIT: Duration = Duration::from_secs(60);

/// What a script said, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    script: String,
    /// The exit status; 128 and the signal for one that was killed.
    pub(crate) status: i32,
    /// Its standard output.
    pub(crate) out: String,
    /// Its standard error.
    pub(crate) err: String,
}

/// Runs `front… sh -c script` with its streams in files of `dir`: a daemon that is left behind cannot hold them
/// open. Nothing is to be read from its standard input.
pub(crate) fn run(front: &[String], script: &str, dir: &Path) -> Outcome<Said> {
    let (out, err) = (dir.join("stdout"), dir.join("stderr"));
    let words = front.iter().map(String::as_str).chain(["sh", "-c", script]);
    let words: Vec<&str> = words.collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir("/").process_group(0);
    command
        .stdin(Stdio::null())
        .stdout(File::create(&out)?)
        .stderr(File::create(&err)?);
    let mut child = command.spawn()?;
    let (end, limit) = (Instant::now() + LIMIT * patience(), LIMIT * patience());
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > end {
            killpg(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGKILL)?;
            child.wait()?;
            let (out, err) = (read(&out), read(&err));
            return Err(format!("not finished within {limit:?}: {script}\n{out}{err}").into());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let status = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(Said {
        script: script.trim().to_owned(),
        status,
        out: read(&out),
        err: read(&err),
    })
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

impl Said {
    /// Demands this exit status.
    pub(crate) fn ended(&self, status: i32) -> Outcome<&Self> {
        ensure!(
            self.status == status,
            "expected exit status {status}, {self}"
        );
        Ok(self)
    }

    /// Demands exactly this on standard output, white space at its ends aside.
    pub(crate) fn printed(&self, text: &str) -> Outcome<&Self> {
        ensure!(self.out.trim() == text.trim(), "expected {text:?}, {self}");
        Ok(self)
    }

    /// Demands that standard output has `part`.
    pub(crate) fn has(&self, part: &str) -> Outcome<&Self> {
        ensure!(
            self.out.contains(part),
            "expected to print {part:?}, {self}"
        );
        Ok(self)
    }

    /// Demands that standard output has not `part`.
    pub(crate) fn has_not(&self, part: &str) -> Outcome<&Self> {
        ensure!(
            !self.out.contains(part),
            "expected not to print {part:?}, {self}"
        );
        Ok(self)
    }

    /// Demands that standard error has one of `parts`, in letters of any case.
    pub(crate) fn complained(&self, parts: &[&str]) -> Outcome<&Self> {
        let lower = self.err.to_lowercase();
        let found = parts
            .iter()
            .any(|part| lower.contains(&part.to_lowercase()));
        ensure!(found, "expected to complain of {parts:?}, {self}");
        Ok(self)
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Said {
            script,
            status,
            out,
            err,
        } = self;
        write!(
            f,
            "found status {status}, output {out:?}, complaint {err:?} of: {script}"
        )
    }
}
