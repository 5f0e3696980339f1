//! The command line of the benchmark.

use std::path::PathBuf;
use std::time::Duration;

/// What was typed.
#[derive(Debug)]
pub(crate) struct Args {
    /// The binary under test.
    pub(crate) orbital: PathBuf,
    /// Further runtimes, by name; a name that is also installed replaces the installed one.
    pub(crate) peers: Vec<(String, PathBuf)>,
    /// Rounds of each series, 1 or more.
    pub(crate) runs: usize,
    /// Rest before each command of the first series.
    pub(crate) pause: Duration,
    /// Where to write all figures as JSON.
    pub(crate) json: Option<PathBuf>,
    /// Whether a goal that does not hold is a failure.
    pub(crate) check: bool,
}

const USAGE: &str = "usage: bench --orbital PATH [--peer NAME=PATH]… [--runs N] [--pause MS] \
                     [--json FILE] [--check]";

/// Reads the words after the program's name.
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Args, String> {
    let mut orbital = None;
    let mut args = Args {
        orbital: PathBuf::new(),
        peers: Vec::new(),
        runs: 20,
        pause: Duration::from_millis(50),
        json: None,
        check: false,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--orbital" => orbital = Some(program(&value()?)?),
            "--peer" => args.peers.push(peer(&value()?)?),
            "--runs" => args.runs = number(&word, &value()?)?.max(1),
            "--pause" => args.pause = Duration::from_millis(number(&word, &value()?)? as u64),
            "--json" => args.json = Some(value()?.into()),
            "--check" => args.check = true,
            other => return Err(format!("unknown argument {other:?}\n{USAGE}")),
        }
    }
    args.orbital = orbital.ok_or(USAGE)?;
    Ok(args)
}

fn number(flag: &str, word: &str) -> Result<usize, String> {
    word.parse()
        .map_err(|_| format!("{flag} wants a number, not {word:?}"))
}

fn peer(word: &str) -> Result<(String, PathBuf), String> {
    match word.split_once('=') {
        Some((name, path)) if is_plain(name) => Ok((name.to_owned(), program(path)?)),
        _ => Err(format!("--peer wants NAME=PATH, not {word:?}")),
    }
}

/// The name becomes part of container ids.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && !["orbital", "floor"].contains(&name)
}

/// Absolute, so that it holds from every working directory, and without symbolic links, so that
/// its size is the file's.
fn program(path: &str) -> Result<PathBuf, String> {
    std::fs::canonicalize(path).map_err(|e| format!("cannot find {path}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str]) -> Result<Args, String> {
        parse(words.iter().map(|w| (*w).to_owned()))
    }

    #[test]
    fn all_flags_are_read() {
        let args = typed(&[
            "--orbital",
            "/",
            "--peer",
            "old-crun=/",
            "--runs",
            "3",
            "--pause",
            "7",
            "--json",
            "/x",
            "--check",
        ])
        .unwrap();
        assert_eq!(args.peers, [("old-crun".to_owned(), PathBuf::from("/"))]);
        assert_eq!((args.runs, args.pause), (3, Duration::from_millis(7)));
        assert_eq!(args.json, Some(PathBuf::from("/x")));
        assert!(args.check);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for words in [
            &["--runs", "3"][..],
            &["--orbital"],
            &["--orbital", "/does/not/exist"],
            &["--orbital", "/", "--peer", "crun"],
            &["--orbital", "/", "--peer", "floor=/"],
            &["--orbital", "/", "--runs", "many"],
            &["--orbital", "/", "--loud"],
        ] {
            assert!(typed(words).is_err(), "{words:?}");
        }
    }
}
