//! What was typed.

use fuzz::targets::{TARGETS, Target};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

const USAGE: &str = "usage: fuzz [--seed N] [--runs N] [--seconds N] [--target NAME] [FILE…]

Without a seed: one of the clock, which is printed. With FILEs: those, once, and nothing else.
Targets: config record options mappings seccomp arguments; without one all, each its share.";

/// The request.
#[derive(Debug)]
pub(crate) struct Request {
    /// Where the numbers begin.
    pub(crate) seed: u64,
    /// The most executions.
    pub(crate) runs: u64,
    /// The most seconds.
    pub(crate) seconds: u64,
    /// One target, or all.
    pub(crate) target: Option<&'static Target>,
    /// Input to try as it is.
    pub(crate) files: Vec<PathBuf>,
    /// Where the worker writes the number of the execution it is at; the supervisor has none.
    pub(crate) progress: Option<PathBuf>,
}

impl Request {
    /// Reads the words.
    pub(crate) fn of(mut words: impl Iterator<Item = String>) -> Result<Request, String> {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut request = Request {
            seed: clock.map_or(1, |since| since.as_secs()),
            runs: u64::MAX,
            seconds: u64::MAX,
            target: None,
            files: Vec::new(),
            progress: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value\n{USAGE}"));
            match word.as_str() {
                "--seed" => request.seed = number(&value()?)?,
                "--runs" => request.runs = number(&value()?)?,
                "--seconds" => request.seconds = number(&value()?)?,
                "--target" => {
                    let name = value()?;
                    let target = Target::of(&name);
                    request.target =
                        Some(target.ok_or(format!("no such target: {name}\n{USAGE}"))?);
                }
                "--progress" => request.progress = Some(value()?.into()),
                flag if flag.starts_with('-') => {
                    return Err(format!("no such flag: {flag}\n{USAGE}"));
                }
                file => request.files.push(file.into()),
            }
        }
        Ok(request)
    }

    /// The same request as words, for the worker.
    pub(crate) fn words(&self) -> Vec<String> {
        let numbers = [
            ("--seed", self.seed),
            ("--runs", self.runs),
            ("--seconds", self.seconds),
        ];
        let mut words: Vec<String> = numbers
            .iter()
            .flat_map(|(flag, number)| [(*flag).to_owned(), number.to_string()])
            .collect();
        words.extend(
            self.target
                .iter()
                .flat_map(|target| ["--target".to_owned(), target.name.to_owned()]),
        );
        words
    }

    /// The targets to try.
    pub(crate) fn targets(&self) -> Vec<&'static Target> {
        self.target
            .map_or_else(|| TARGETS.iter().collect(), |one| vec![one])
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("{text} is no number\n{USAGE}"))
}
