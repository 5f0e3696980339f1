//! What orbital promises, held against the paused series: that is how callers use a runtime.

use crate::figures::Times;
use crate::program::{Act, FLOOR, Program, SUBJECT};
use crate::series::Series;
use crate::weight::Weight;

/// One promise and how it stands.
#[derive(Debug, PartialEq)]
pub(crate) struct Goal {
    /// What is promised, with its limit.
    pub(crate) claim: String,
    /// What was measured; nothing where the run could not tell.
    pub(crate) figure: Option<f64>,
    /// The same of the quickest tenth, for times: on a busy machine the steadier of the two. It
    /// decides nothing.
    pub(crate) quick: Option<f64>,
    limit: Limit,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    AtMost(f64),
    Below(f64),
}

impl Goal {
    /// A figure that could not be had does not hold.
    pub(crate) fn holds(&self) -> bool {
        match (self.figure, self.limit) {
            (Some(figure), Limit::AtMost(limit)) => figure <= limit,
            (Some(figure), Limit::Below(limit)) => figure < limit,
            (None, _) => false,
        }
    }
}

/// All goals, in the order in which the report shows them.
pub(crate) fn judge(programs: &[Program], paused: &Series, weights: &[Weight]) -> Vec<Goal> {
    let mine = weights.iter().find(|weight| weight.program == SUBJECT);
    let mut goals = Vec::new();
    for act in [Act::Run, Act::Create, Act::Exec] {
        goals.push(Goal {
            claim: format!("{} ≤ 1.5 × the floor", act.word()),
            figure: ratio(paused, act, FLOOR, Times::median),
            quick: ratio(paused, act, FLOOR, p10),
            limit: Limit::AtMost(1.5),
        });
        let crun = fastest_crun(programs, paused, act);
        goals.push(Goal {
            claim: format!("{} < 1 × crun, the fastest here", act.word()),
            figure: crun.and_then(|crun| ratio(paused, act, crun, Times::median)),
            quick: crun.and_then(|crun| ratio(paused, act, crun, p10)),
            limit: Limit::Below(1.0),
        });
    }
    goals.push(Goal {
        claim: "state ≤ 2 × an empty static program".to_owned(),
        figure: ratio(paused, Act::State, FLOOR, Times::median),
        quick: ratio(paused, Act::State, FLOOR, p10),
        limit: Limit::AtMost(2.0),
    });
    goals.push(Goal {
        claim: "binary ≤ 3 MB".to_owned(),
        figure: mine.map(|weight| weight.bytes as f64 / 1e6),
        quick: None,
        limit: Limit::AtMost(3.0),
    });
    goals.push(Goal {
        claim: "peak memory of create ≤ 3 MB".to_owned(),
        figure: mine
            .and_then(|weight| weight.peak_create.as_ref().ok())
            .map(|kib| *kib as f64 * 1024.0 / 1e6),
        quick: None,
        limit: Limit::AtMost(3.0),
    });
    goals.push(Goal {
        claim: "peak memory of exec ≤ 3 MB".to_owned(),
        figure: mine
            .and_then(|weight| weight.peak_exec.as_ref().ok())
            .map(|kib| *kib as f64 * 1024.0 / 1e6),
        quick: None,
        limit: Limit::AtMost(3.0),
    });
    goals
}

/// The subject's figure in units of another program's.
fn ratio(series: &Series, act: Act, other: &str, figure: fn(&Times) -> Option<f64>) -> Option<f64> {
    let mine = figure(&series.of(SUBJECT, act))?;
    Some(mine / figure(&series.of(other, act))?)
}

fn p10(times: &Times) -> Option<f64> {
    times.at(0.1)
}

/// The name of the crun with the least median in that act.
pub(crate) fn fastest_crun<'a>(
    programs: &'a [Program],
    series: &Series,
    act: Act,
) -> Option<&'a str> {
    programs
        .iter()
        .filter(|program| program.is_crun())
        .filter_map(|program| Some((series.of(&program.name, act).median()?, &*program.name)))
        .min_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
