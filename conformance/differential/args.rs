//! The command line of the differential test.

use std::path::PathBuf;

use crate::check::Outcome;

/// What was typed.
#[derive(Debug)]
pub(crate) struct Args {
    /// The binary under test.
    pub(crate) orbital: PathBuf,
    /// Further runtimes, by name; a name that is also installed replaces the installed one.
    pub(crate) peers: Vec<(String, PathBuf)>,
    /// How many bundles to draw.
    pub(crate) count: u64,
    /// What they are drawn from.
    pub(crate) seed: u64,
    /// The one bundle to run, shown with its config.json and the view.
    pub(crate) only: Option<String>,
    /// Whether an explanation that explains nothing is a failure.
    pub(crate) rot: Rot,
}

/// What becomes of an explanation without a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rot {
    /// It fails the run: all bundles and all peers were there.
    Fails,
    /// It is left alone: a short run does not meet everything.
    Stays,
}

const USAGE: &str =
    "usage: differential --orbital PATH [--peer NAME=PATH]… [--count N] [--seed N] \
                     [--only BUNDLE] [--complete]

Runs bundle-examples/ and N drawn bundles (300) through orbital and its peers and compares what
a process sees inside. --only shows one bundle, by its name in the report. --complete also fails on
explanations that nothing needs. Exit status: 0 no unexplained difference, 1 there is one, 2 it
could not judge. Run it as root, on a host with unified cgroups or through conformance/in-unified.";

/// Reads the words after the program's name.
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Outcome<Args> {
    let mut orbital = None;
    let mut args = Args {
        orbital: PathBuf::new(),
        peers: Vec::new(),
        count: 300,
        seed: 1,
        only: None,
        rot: Rot::Stays,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--orbital" => orbital = Some(program(&value()?)?),
            "--peer" => args.peers.push(peer(&value()?)?),
            "--count" => args.count = number(&word, &value()?)?,
            "--seed" => args.seed = number(&word, &value()?)?,
            "--only" => args.only = Some(value()?),
            "--complete" => args.rot = Rot::Fails,
            other => return Err(format!("unknown argument {other:?}\n{USAGE}").into()),
        }
    }
    args.orbital = orbital.ok_or(USAGE)?;
    Ok(args)
}

fn number(flag: &str, word: &str) -> Outcome<u64> {
    let wrong = |_| format!("{flag} wants a number, not {word:?}").into();
    word.parse().map_err(wrong)
}

fn peer(word: &str) -> Outcome<(String, PathBuf)> {
    match word.split_once('=') {
        Some((name, path)) if !name.is_empty() && !name.contains('/') => {
            Ok((name.to_owned(), program(path)?))
        }
        _ => Err(format!("--peer wants NAME=PATH, not {word:?}").into()),
    }
}

/// Absolute, so that it holds from every working directory.
fn program(path: &str) -> Outcome<PathBuf> {
    std::fs::canonicalize(path).map_err(|error| format!("cannot find {path}: {error}").into())
}
