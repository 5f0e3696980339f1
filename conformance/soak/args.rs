//! The command line.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) runtime: PathBuf,
    pub(crate) cycles: u64,
    pub(crate) jobs: u64,
    pub(crate) seed: u64,
    pub(crate) machine: Machine,
}

/// Whether anybody else is at work on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// What belongs to the whole machine is shown and not judged.
    Shared,
    /// `--alone`: it is judged, too.
    Alone,
}

const USAGE: &str = "usage: soak --runtime PATH [--cycles 2000] [--jobs 4] [--seed N] [--alone]";

/// Reads it; without `--seed` the clock gives one.
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Args, String> {
    let (mut runtime, mut cycles, mut jobs) = (None, 2000, 4);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut machine = Machine::Shared;
    let mut seed = now.map_or(1, |now| now.as_secs());
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .ok_or_else(|| format!("{word} needs a value; {USAGE}"))
        };
        let number = |text: String| {
            text.parse::<u64>()
                .map_err(|_| format!("{text} is no number"))
        };
        match word.as_str() {
            "--runtime" => runtime = Some(PathBuf::from(value()?)),
            "--cycles" => cycles = number(value()?)?,
            "--jobs" => jobs = number(value()?)?.max(1),
            "--seed" => seed = number(value()?)?,
            "--alone" => machine = Machine::Alone,
            _ => return Err(format!("{word} is no flag; {USAGE}")),
        }
    }
    let runtime = runtime.ok_or_else(|| USAGE.to_owned())?;
    let runtime = runtime
        .canonicalize()
        .map_err(|error| format!("cannot find {}: {error}", runtime.display()))?;
    Ok(Args {
        runtime,
        cycles,
        jobs,
        seed,
        machine,
    })
}
