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

use crate::mutate::gently::Lexicon;
use crate::random::Random;
use crate::{meter, mutate, seeds};

/// Something to be tried.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Of a hundred executions, how many are this target's.
    pub share: usize,
    /// Tries it, and says how far it came.
    pub run: fn(&[u8]) -> Depth,
    /// What to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Whether its input is JSON.
    pub input: Input,
}

/// How far an execution came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// It could not be read.
    Unread,
    /// It was read, and refused.
    Refused,
    /// It came to its end: a plan, a filter, a record.
    Done,
}

/// A target and what it begins with.
#[derive(Debug)]
pub struct Corpus {
    /// The target.
    pub target: &'static Target,
    /// Its seeds.
    pub seeds: Vec<Vec<u8>>,
    /// What was learnt from them, where they are JSON.
    lexicon: Lexicon,
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
    pub fn execute(&self, input: &[u8]) -> Depth {
        meter::limit(input.len());
        let depth = (self.run)(input);
        meter::release();
        depth
    }
}

impl Corpus {
    /// The target's seeds, and what they teach.
    #[must_use]
    pub fn of(target: &'static Target) -> Corpus {
        let seeds = (target.seeds)();
        let lexicon = match target.input {
            Input::Json => Lexicon::of(&seeds, |seed| (target.run)(seed) == Depth::Done),
            Input::Bytes => Lexicon::default(),
        };
        Corpus {
            target,
            seeds,
            lexicon,
        }
    }

    /// Input made of one of the seeds.
    #[must_use]
    pub fn input(&self, random: &mut Random) -> Vec<u8> {
        let (none, seeds) = (Vec::new(), &self.seeds);
        if self.target.input == Input::Json
            && !random.one_in(4)
            && let Some(changed) = self.lexicon.change(random)
        {
            return changed;
        }
        let seed = random.of_these(seeds).unwrap_or(&none);
        match self.target.input {
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
            let ends = |seed: &Vec<u8>| (target.run)(seed) == Depth::Done;
            let count = seeds.iter().filter(|seed| ends(seed)).count();
            assert!(count > 0, "{}: no seed ends well", target.name);
        }
    }

    /// What is learnt from whole documents is worth nothing if changes break them all.
    #[test]
    fn most_changes_come_to_a_planner_and_many_to_a_plan() {
        for name in ["config", "seccomp"] {
            let corpus = Target::of(name).map(Corpus::of).unwrap();
            let depths = (0..400).map(|number| {
                let input = corpus.input(&mut Random::of(1, number));
                (corpus.target.run)(&input)
            });
            let depths: Vec<Depth> = depths.collect();
            let count = |depth| depths.iter().filter(|one| **one == depth).count();
            assert!(
                count(Depth::Unread) < 200,
                "{name}: {}",
                count(Depth::Unread)
            );
            assert!(count(Depth::Done) > 80, "{name}: {}", count(Depth::Done));
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
