//! What is tried, and what must hold: each target takes any bytes, and panics where a promise is broken.

/// config.json → spec → plan → its explanation.
mod config;

/// What `create` wrote about a container.
mod record;

/// The options of a mount, alone.
mod options;

/// Id mappings, alone.
mod mappings;

/// seccomp profiles, alone.
mod seccomp;

/// Command lines.
mod arguments;

use crate::random::Random;
use crate::{meter, mutate, seeds};

/// Something to be tried.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Of a hundred executions, how many are this target's.
    pub share: usize,
    /// Tries it.
    pub run: fn(&[u8]),
    /// What to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Whether its input is JSON.
    pub input: Input,
}

/// What a target reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// JSON, or what should be some.
    Json,
    /// Anything else.
    Bytes,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "config",
        share: 60,
        run: config::run,
        seeds: seeds::configs,
        input: Input::Json,
    },
    Target {
        name: "record",
        share: 10,
        run: record::run,
        seeds: || vec![seeds::RECORD.to_vec()],
        input: Input::Json,
    },
    Target {
        name: "options",
        share: 8,
        run: options::run,
        seeds: || seeds::OPTIONS.map(<[u8]>::to_vec).into(),
        input: Input::Bytes,
    },
    Target {
        name: "mappings",
        share: 8,
        run: mappings::run,
        seeds: || seeds::MAPPINGS.map(<[u8]>::to_vec).into(),
        input: Input::Bytes,
    },
    Target {
        name: "seccomp",
        share: 10,
        run: seccomp::run,
        seeds: seeds::profiles,
        input: Input::Json,
    },
    Target {
        name: "arguments",
        share: 4,
        run: arguments::run,
        seeds: || seeds::ARGUMENTS.map(<[u8]>::to_vec).into(),
        input: Input::Bytes,
    },
];

impl Target {
    /// The target of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Target> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// One execution, within its memory.
    pub fn execute(&self, input: &[u8]) {
        meter::limit(input.len());
        (self.run)(input);
        meter::release();
    }

    /// Input made of one of the seeds.
    #[must_use]
    pub fn input(&self, seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
        let none = Vec::new();
        let seed = random.of_these(seeds).unwrap_or(&none);
        match self.input {
            Input::Json => mutate::config(seed, seeds, random),
            Input::Bytes => {
                let other = random.of_these(seeds).unwrap_or(&none);
                mutate::bytes::change(seed, other, random)
            }
        }
    }
}

/// What every report promises: one line for callers, in our words, and not without end.
fn check_report(error: &orbital::error::Error) {
    let line = error.one_line();
    assert!(line.starts_with("cannot "), "not in our words: {line}");
    assert!(
        !line.contains(char::is_control),
        "it moves the reader's cursor: {line:?}"
    );
    assert!(line.len() < 100_000, "{} bytes of message", line.len());
    let refused = match &error.report().cause {
        orbital::error::Cause::Refused(why) => why.as_str(),
        _ => "",
    };
    for raw in [
        "invalid type",
        "invalid value",
        "invalid length",
        "unknown variant",
        "missing field",
        "expected struct",
        "untagged",
        "did not match",
        " at line ",
    ] {
        assert!(!refused.contains(raw), "the parser's own words: {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_passes_its_target() {
        for target in TARGETS {
            let seeds = (target.seeds)();
            assert!(!seeds.is_empty(), "{} has no seed", target.name);
            seeds.iter().for_each(|seed| (target.run)(seed));
        }
    }

    #[test]
    fn the_shares_are_a_hundred() {
        assert_eq!(
            TARGETS.iter().map(|target| target.share).sum::<usize>(),
            100
        );
    }
}
