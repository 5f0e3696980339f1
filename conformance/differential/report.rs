//! What was found, for people and for the exit status.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::Value;

use crate::args::{Args, Rot};
use crate::check::Outcome;
use crate::compare::Difference;
use crate::draw::Draw;
use crate::explained::Explanation;
use crate::program::Program;
use crate::view::View;

/// Unexplained differences of one comparison that are printed.
const MOST_SHOWN: usize = 40;

/// What one peer's comparisons came to.
#[derive(Debug, Default)]
struct Tally {
    same: usize,
    explained: usize,
    unexplained: usize,
}

/// The run so far.
#[derive(Debug)]
pub(crate) struct Report {
    explanations: Vec<Explanation>,
    tallies: BTreeMap<String, Tally>,
    /// Bundles that orbital ran, and bundles that it refused.
    ran: BTreeMap<String, bool>,
    left_out: usize,
}

impl Report {
    pub(crate) fn open(explanations: Vec<Explanation>) -> Self {
        let (tallies, ran) = Default::default();
        Self {
            explanations,
            tallies,
            ran,
            left_out: 0,
        }
    }

    /// A peer that cannot take part.
    pub(crate) fn left_out(&mut self, peer: &Program, why: &str) {
        self.left_out += 1;
        println!(
            "{} is left out, it cannot run the plainest bundle: {why}",
            peer.name
        );
    }

    /// One bundle compared with one peer.
    pub(crate) fn note(&mut self, draw: &Draw, peer: &Program, ours: &View, found: &[Difference]) {
        self.ran.insert(draw.name.clone(), ours.ran);
        let mut open = Vec::new();
        for difference in found {
            let covers = |one: &&Explanation| one.covers(draw, &peer.name, difference);
            match self.explanations.iter().find(covers) {
                Some(one) => one.used.set(one.used.get() + 1),
                None => open.push(difference),
            }
        }
        let tally = self.tallies.entry(peer.name.clone()).or_default();
        match (found.len(), open.len()) {
            (0, _) => tally.same += 1,
            (_, 0) => tally.explained += 1,
            _ => tally.unexplained += 1,
        }
        if !open.is_empty() {
            println!("not ok {} against {}", draw.name, peer.name);
        }
        for difference in open.iter().take(MOST_SHOWN) {
            println!(
                "  {}\n    ours:   {}\n    theirs: {}",
                difference.what, difference.ours, difference.theirs
            );
            if let Some(said) = &difference.said {
                println!("    said:   {}", said.replace('\n', "\n            "));
            }
        }
        if open.len() > MOST_SHOWN {
            println!("  and {} more", open.len() - MOST_SHOWN);
        }
    }

    /// The figures, the reasons that were needed, and the verdict.
    pub(crate) fn close(self, args: &Args) -> ExitCode {
        let ran = self.ran.values().filter(|ran| **ran).count();
        println!(
            "{} bundles, seed {}: orbital ran {ran} and refused {}",
            self.ran.len(),
            args.seed,
            self.ran.len() - ran
        );
        let mut passed = 0;
        let mut failed = 0;
        for (peer, tally) in &self.tallies {
            println!(
                "{peer:<10} the same {:>4}, differing for known reasons {:>4}, for unknown ones {:>4}",
                tally.same, tally.explained, tally.unexplained
            );
            passed += tally.same + tally.explained;
            failed += tally.unexplained;
        }
        for one in self.explanations.iter().filter(|one| one.used.get() > 0) {
            println!("{:>6} × {}", one.used.get(), one.because);
        }
        for one in self
            .explanations
            .iter()
            .filter(|one| one.used.get() == 0 && args.rot == Rot::Fails)
        {
            println!("not ok: nothing needs the explanation: {}", one.because);
            failed += 1;
        }
        println!(
            "{passed} passed, {failed} failed, {} skipped",
            self.left_out
        );
        if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Prints a config.json.
pub(crate) fn show(config: &Value) -> Outcome {
    println!("{}", serde_json::to_string_pretty(config)?);
    Ok(())
}
