//! One command: started, waited for, timed.
//!
//! The clock runs around posix_spawn(3), which is what std uses for a command without further
//! wishes: the caller's memory is not copied, so the caller's size is not measured. Files and
//! arguments are ready before the clock starts.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::floor::first_line;
use crate::place::Scratch;

/// How long a command may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where commands are tried: their output files, and a watch over the one that is running.
#[derive(Debug)]
pub(crate) struct Stand {
    out: PathBuf,
    err: PathBuf,
    watched: Arc<Mutex<Option<(u32, Instant)>>>,
}

/// What one command did.
#[derive(Debug)]
pub(crate) struct Lap {
    pub(crate) took: Duration,
    pub(crate) status: ExitStatus,
}

impl Stand {
    pub(crate) fn new(scratch: &Scratch) -> Self {
        let watched: Arc<Mutex<Option<(u32, Instant)>>> = Arc::default();
        let watch = Arc::clone(&watched);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                let held = watch.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((pid, since)) = *held
                    && Instant::elapsed(&since) > PATIENCE
                {
                    let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
                }
            }
        });
        Self {
            out: scratch.path().join("out"),
            err: scratch.path().join("err"),
            watched,
        }
    }

    /// A file of its own beside the output files.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.out.with_file_name(name)
    }

    /// Runs the command to its end; any exit status is an answer.
    pub(crate) fn lap(&self, words: &[OsString]) -> Result<Lap, String> {
        let (program, rest) = words.split_first().ok_or("an empty command")?;
        let open = |path: &PathBuf| {
            File::create(path).map_err(|e| format!("cannot write {}: {e}", path.display()))
        };
        // Files, not pipes: a container keeps them open after its runtime has ended.
        let mut command = Command::new(program);
        command
            .args(rest)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(open(&self.out)?)
            .stderr(open(&self.err)?);
        let begin = Instant::now();
        let mut child = command
            .spawn()
            .map_err(|e| format!("cannot start {}: {e}", program.display()))?;
        self.watch(Some((child.id(), begin)));
        let status = child.wait();
        let took = begin.elapsed();
        self.watch(None);
        let status = status.map_err(|e| format!("cannot wait for {}: {e}", program.display()))?;
        Ok(Lap { took, status })
    }

    /// As `lap`, but only success is an answer; anything else tells stderr's first line.
    pub(crate) fn must(&self, words: &[OsString]) -> Result<Duration, String> {
        let lap = self.lap(words)?;
        match lap.status.success() {
            true => Ok(lap.took),
            false if lap.status.signal() == Some(9) && lap.took > PATIENCE => {
                Err(format!("no end within {} s, killed", PATIENCE.as_secs()))
            }
            false => Err(first_line(&self.said(&self.err), &lap.status.to_string())),
        }
    }

    /// The last command's standard output.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&self.said(&self.out)).into_owned()
    }

    fn said(&self, file: &PathBuf) -> Vec<u8> {
        std::fs::read(file).unwrap_or_default()
    }

    fn watch(&self, what: Option<(u32, Instant)>) {
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}
