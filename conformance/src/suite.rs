//! Runs the chosen cases, each in a process of its own, some at a time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Instant;

use crate::case::Case;
use crate::check::Outcome;
use crate::runtime::Runtime;
use crate::tap::{Line, Report, Verdict};

/// The exit status of a case that cannot be judged here after all; it has printed why.
pub(crate) const SKIPPED: u8 = 77;

/// What to run, and how.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) runtime: Runtime,
    pub(crate) busybox: PathBuf,
    /// `topic/name` and the case.
    pub(crate) cases: Vec<(String, Case)>,
    pub(crate) jobs: usize,
}

impl Suite {
    /// Runs everything and prints the report; the number of failures.
    pub(crate) fn run(&self) -> Outcome<usize> {
        let ground = tempfile::Builder::new().prefix("conformance.").tempdir()?;
        std::fs::set_permissions(
            ground.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )?;
        let head = format!("{} ({})", self.runtime.version, self.runtime.path.display());
        let report = Mutex::new(Report::begin(self.cases.len(), &head));
        let next = AtomicUsize::new(0);
        let (failed, failure) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some((name, case)) = self.cases.get(index) else {
                            return;
                        };
                        match self.judge(name, case, &ground.path().join(index.to_string())) {
                            Ok(line) => report
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .take(index, line),
                            Err(error) => drop(failed.send(error.to_string())),
                        }
                    }
                });
            }
        });
        drop(failed);
        if let Ok(message) = failure.recv() {
            return Err(message.into());
        }
        Ok(report
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .end())
    }

    fn judge(&self, name: &str, case: &Case, dir: &Path) -> Outcome<Line> {
        let start = Instant::now();
        let verdict = match case.hindrance(&self.runtime) {
            Some(reason) => (Verdict::Skipped(reason), Vec::new()),
            None => self.alone(name, dir)?,
        };
        let (verdict, notes) = verdict;
        Ok(Line {
            name: name.to_owned(),
            verdict,
            notes,
            deviation: case.deviation(&self.runtime),
            milliseconds: start.elapsed().as_millis(),
        })
    }

    /// Runs the case in a process of its own, which exits with 0 or prints why not. Lines that begin with
    /// `# ` are what it found out on the way.
    fn alone(&self, name: &str, dir: &Path) -> Outcome<(Verdict, Vec<String>)> {
        std::fs::create_dir(dir)?;
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let output = Command::new(std::env::current_exe()?)
            .arg("--runtime")
            .arg(&self.runtime.path)
            .arg("--busybox")
            .arg(&self.busybox)
            .args(["--case", name, "--lab"])
            .arg(dir)
            .stdin(std::process::Stdio::null())
            .output()?;
        let mut message = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            let notes = message.lines().filter(|line| line.starts_with("# "));
            return Ok((Verdict::Passed, notes.map(str::to_owned).collect()));
        }
        if output.status.code() == Some(SKIPPED.into()) {
            let reason = message.lines().last().unwrap_or_default().to_owned();
            return Ok((Verdict::Skipped(reason), Vec::new()));
        }
        message.push_str(&String::from_utf8_lossy(&output.stderr));
        if message.trim().is_empty() {
            message = format!("the case's process ended with {}", output.status);
        }
        Ok((Verdict::Failed(message), Vec::new()))
    }
}
