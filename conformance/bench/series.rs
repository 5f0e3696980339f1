//! The programs in turns: round after round, act by act, each program once.
//!
//! Taking turns gives a disturbance to all of them, and the order moves by one each round, so
//! that nobody always follows the same neighbour, whose remains the kernel may still be clearing.

use std::time::Duration;

use crate::Field;
use crate::figures::Times;
use crate::leftover;
use crate::program::{Act, Program};
use crate::proof::pid_in;
use crate::trial::Stand;

/// All times of one series.
#[derive(Debug)]
pub(crate) struct Series {
    /// What kind of series: "paused" or "back to back".
    pub(crate) title: &'static str,
    times: Vec<(String, Act, Times)>,
}

/// Keeps the programs that pass; the program under test and the floor must.
pub(crate) fn admit(
    field: &mut Field,
    mut passes: impl FnMut(&Program) -> Result<(), String>,
) -> Result<(), String> {
    let mut running = Vec::new();
    for program in std::mem::take(&mut field.running) {
        match passes(&program) {
            Ok(()) => running.push(program),
            Err(reason) if program.is_subject() || program.is_floor() => {
                return Err(format!("{}: {reason}", program.name));
            }
            Err(reason) => field.left_out.push((program.name, reason)),
        }
    }
    field.running = running;
    Ok(())
}

impl Series {
    /// Takes all times; a program that fails on the way leaves the field.
    pub(crate) fn measure(
        title: &'static str,
        runs: usize,
        pause: Duration,
        field: &mut Field,
        stand: &Stand,
    ) -> Result<Self, String> {
        let mut series = Series::new(title);
        for round in 0..runs {
            let first = round % field.running.len().max(1);
            field.running.rotate_left(first);
            series.round(round, pause, field, stand)?;
            field.running.sort_by_key(|program| program.place);
        }
        Ok(series)
    }

    /// A series without times yet.
    pub(crate) fn new(title: &'static str) -> Self {
        Self {
            title,
            times: Vec::new(),
        }
    }

    /// Each program's times in an act; empty if it has none.
    pub(crate) fn of(&self, program: &str, act: Act) -> Times {
        self.times
            .iter()
            .find(|(name, what, _)| name == program && *what == act)
            .map(|(_, _, times)| times.clone())
            .unwrap_or_default()
    }

    fn round(
        &mut self,
        round: usize,
        pause: Duration,
        field: &mut Field,
        stand: &Stand,
    ) -> Result<(), String> {
        let id = |act: Act, program: &Program| {
            let what = if act == Act::Run { "run" } else { "life" };
            format!(
                "bench-{}-{}-{what}-{round}",
                std::process::id(),
                program.name
            )
        };
        let mut seen: Vec<(String, i32)> = Vec::new();
        for act in Act::ALL {
            admit(field, |program| {
                let id = id(act, program);
                let done = self.one(program, act, &id, pause, stand, &mut seen);
                if done.is_err() {
                    leftover::clear(program, &id, stand);
                }
                done.map_err(|reason| format!("{}: {reason}", act.word()))
            })?;
        }
        for program in field.running.iter().filter(|p| p.is_floor()) {
            leftover::clear(program, &id(Act::Create, program), stand);
        }
        leftover::collect_ended();
        Ok(())
    }

    fn one(
        &mut self,
        program: &Program,
        act: Act,
        id: &str,
        pause: Duration,
        stand: &Stand,
        seen: &mut Vec<(String, i32)>,
    ) -> Result<(), String> {
        let Some(words) = program.command(act, id) else {
            return Ok(());
        };
        std::thread::sleep(pause);
        let took = stand.must(&words)?;
        self.add(&program.name, act, took);
        match act {
            Act::State if !program.is_floor() => {
                let pid = pid_in(&stand.output()).ok_or("state tells no pid")?;
                seen.push((id.to_owned(), pid));
                Ok(())
            }
            // `/bin/true` ends by itself: `delete` is to find a stopped container.
            Act::Start => match seen.iter().find(|(other, _)| other == id) {
                Some((_, pid)) => leftover::await_end(*pid),
                None => Err("no pid is known".to_owned()),
            },
            _ => Ok(()),
        }
    }

    /// One more time of that program in that act.
    pub(crate) fn add(&mut self, program: &str, act: Act, took: Duration) {
        let known = self
            .times
            .iter_mut()
            .find(|(name, what, _)| name == program && *what == act);
        match known {
            Some((_, _, times)) => times.add(took),
            None => {
                let mut times = Times::default();
                times.add(took);
                self.times.push((program.to_owned(), act, times));
            }
        }
    }
}
