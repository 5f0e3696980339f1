//! One life: create, start, exec, kill, delete, any of them cut short by SIGKILL for the runtime.
//!
//! What a verb answers after a kill is not judged, as the container may be anything then; but it must end,
//! and `delete --force` must succeed and leave nothing.

use std::fmt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::bundle;
use crate::dice::Dice;

/// How long any verb may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where they all live.
#[derive(Debug)]
pub(crate) struct Field {
    runtime: PathBuf,
    scratch: tempfile::TempDir,
    bundle: PathBuf,
    /// A word in all ids.
    pub(crate) tag: String,
    /// What the slowest call of an undisturbed life took, in microseconds.
    pace: u64,
}

/// What was done, and what was wrong.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    calls: u64,
    killed: u64,
    undisturbed: u64,
    /// One sentence each.
    pub(crate) wrong: Vec<String>,
}

impl Tally {
    /// The sums of both.
    pub(crate) fn add(&mut self, other: Tally) {
        self.calls += other.calls;
        self.killed += other.killed;
        self.undisturbed += other.undisturbed;
        self.wrong.extend(other.wrong);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} calls, {} of them killed, {} lives undisturbed",
            self.calls, self.killed, self.undisturbed
        )
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Success,
    Failure,
    Killed,
    Hung,
}

impl Field {
    /// Makes the bundle and the state directory.
    pub(crate) fn prepare(args: &Args) -> Result<Field, String> {
        let scratch =
            tempfile::tempdir().map_err(|error| format!("cannot make a folder: {error}"))?;
        Ok(Field {
            bundle: bundle::make(scratch.path())?,
            tag: format!("soak{}x{}", std::process::id(), args.seed),
            runtime: args.runtime.clone(),
            scratch,
            pace: 0,
        })
    }

    /// One life that nobody disturbs, which must go well, and says how long a call takes here.
    pub(crate) fn warm_up(&mut self) -> Result<(), String> {
        let id = format!("{}-warm", self.tag);
        self.pace = 0;
        // A file: a container would keep a pipe open.
        let errors = self.scratch.path().join("errors");
        for words in verbs(self, &id) {
            let begin = Instant::now();
            let file = std::fs::File::create(&errors).map_err(|error| error.to_string())?;
            let status = self.command(&words).stderr(file).status();
            if !status.map_err(|error| error.to_string())?.success() {
                let error = std::fs::read_to_string(&errors).unwrap_or_default();
                return Err(format!("{words:?} of an undisturbed life: {error}"));
            }
            let took = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.pace = self.pace.max(took);
        }
        Ok(())
    }

    fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new(&self.runtime);
        command
            .arg("--root")
            .arg(self.scratch.path().join("state"))
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    fn list(&self) -> Result<String, String> {
        let words = ["list".to_owned(), "--quiet".to_owned()];
        let said = self.command(&words).stdout(Stdio::piped()).output();
        let said = said.map_err(|error| format!("list: {error}"))?;
        match said.status.success() {
            true => Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned()),
            false => Err(format!("list: {}", String::from_utf8_lossy(&said.stderr))),
        }
    }

    /// Whatever `list` still has is deleted by force; what is wrong after that.
    pub(crate) fn clear(&self) -> Result<Vec<String>, String> {
        let mut wrong = Vec::new();
        for id in self.list()?.lines() {
            // Each life has deleted its own by force already.
            wrong.push(format!("{id} is still in the list"));
            let words = ["delete", "--force", id].map(str::to_owned);
            let _ = self.command(&words).status();
        }
        let left = self.list()?;
        if !left.is_empty() {
            wrong.push(format!(
                "the list is not empty after delete --force: {left}"
            ));
        }
        let state = self.scratch.path().join("state");
        for entry in std::fs::read_dir(state).into_iter().flatten().flatten() {
            wrong.push(format!("{} is left", entry.path().display()));
        }
        Ok(wrong)
    }
}

fn verbs(field: &Field, id: &str) -> Vec<Vec<String>> {
    let bundle = field.bundle.to_string_lossy().into_owned();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    vec![
        words(&["create", "--bundle", &bundle, id]),
        words(&["start", id]),
        words(&["exec", id, "/bin/true"]),
        words(&["kill", id, "KILL"]),
        words(&["delete", "--force", id]),
    ]
}

/// Life `number`.
pub(crate) fn live(field: &Field, seed: u64, number: u64, tally: &mut Tally) {
    let mut dice = Dice::new(seed, number);
    let id = format!("{}-{number}", field.tag);
    // One life in five goes undisturbed and must go well.
    let is_undisturbed = dice.chance(20);
    for words in verbs(field, &id) {
        let verb = words.first().cloned().unwrap_or_default();
        // Moments are spread over the whole of a call, more of them early, where most happens.
        let is_cut = !is_undisturbed && dice.chance(40);
        let limit = 1 + dice.below(field.pace);
        let delay = is_cut.then(|| Duration::from_micros(1 + dice.below(limit)));
        match call(field, &words, delay, tally) {
            End::Hung => tally
                .wrong
                .push(format!("{verb} of {id} did not end in {PATIENCE:?}")),
            End::Failure if is_undisturbed => {
                tally
                    .wrong
                    .push(format!("{verb} of {id}, which nobody disturbed, failed"));
            }
            _ => {}
        }
    }
    tally.undisturbed += u64::from(is_undisturbed);
    let by_force = ["delete", "--force", &id].map(str::to_owned);
    if call(field, &by_force, None, tally) != End::Success {
        tally.wrong.push(format!("delete --force of {id} failed"));
    }
}

fn call(field: &Field, words: &[String], delay: Option<Duration>, tally: &mut Tally) -> End {
    tally.calls += 1;
    let mut command = field.command(words);
    let begin = Instant::now();
    let Ok(mut child) = command.stderr(Stdio::null()).spawn() else {
        return End::Failure;
    };
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return End::Success,
            Ok(Some(_)) => return End::Failure,
            Err(_) => return End::Failure,
            Ok(None) => {}
        }
        if delay.is_some_and(|delay| begin.elapsed() >= delay) {
            tally.killed += 1;
            end(&mut child);
            return End::Killed;
        }
        if begin.elapsed() > PATIENCE {
            end(&mut child);
            return End::Hung;
        }
        match delay {
            // The moment counts.
            Some(_) => std::thread::sleep(Duration::from_micros(20)),
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself meanwhile.
    let _ = child.kill();
    let _ = child.wait();
}
