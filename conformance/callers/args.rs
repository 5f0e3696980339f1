//! The command line.

use std::path::PathBuf;

/// A runtime under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runtime {
    /// What the callers know it by, and its column in the table.
    pub(crate) name: String,
    /// Its program.
    pub(crate) path: PathBuf,
}

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Args {
    /// The last is judged, the others are its peers.
    pub(crate) runtimes: Vec<Runtime>,
    /// Only cases with one of these in their name; all, if there are none.
    pub(crate) filters: Vec<String>,
    /// How many runtimes are tried at a time.
    pub(crate) jobs: usize,
    /// How many cases of each runtime go at a time.
    pub(crate) lanes: usize,
    /// Where everything is made; emptied before and after.
    pub(crate) work: PathBuf,
    /// Where the table is written as a document.
    pub(crate) report: Option<PathBuf>,
    /// Names only.
    pub(crate) list: bool,
}

const USAGE: &str = "usage: callers --runtime NAME=PATH… [--filter WORD…] [--jobs N] [--lanes N] [--work DIR] [--report FILE] [--list]";

/// Reads it.
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Args, String> {
    let mut args = Args {
        runtimes: Vec::new(),
        filters: Vec::new(),
        jobs: usize::MAX,
        lanes: 1,
        work: PathBuf::from("/var/tmp/callers"),
        report: None,
        list: false,
    };
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .ok_or_else(|| format!("{word} needs a value; {USAGE}"))
        };
        match word.as_str() {
            "--runtime" => args.runtimes.push(runtime(&value()?)?),
            "--filter" => args.filters.push(value()?),
            "--jobs" => args.jobs = number(value()?)?,
            "--lanes" => args.lanes = number(value()?)?,
            "--work" => args.work = value()?.into(),
            "--report" => args.report = Some(value()?.into()),
            "--list" => args.list = true,
            _ => return Err(format!("{word} is no flag; {USAGE}")),
        }
    }
    if args.runtimes.is_empty() && !args.list {
        return Err(USAGE.to_owned());
    }
    Ok(args)
}

fn runtime(text: &str) -> Result<Runtime, String> {
    let (name, path) = text
        .split_once('=')
        .ok_or_else(|| format!("{text} is not NAME=PATH; {USAGE}"))?;
    let found = PathBuf::from(path)
        .canonicalize()
        .map_err(|e| format!("cannot find {path}: {e}"))?;
    Ok(Runtime {
        name: name.to_owned(),
        path: found,
    })
}

fn number(text: String) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|_| format!("{text} is no number"))?;
    Ok(number.max(1))
}
