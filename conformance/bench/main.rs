//! `bench`: what orbital costs, beside its peers and beside the least that the kernel asks for.
//!
//! One run measures everybody: the programs take turns, so that what disturbs one disturbs all.
//! It judges nothing but time, memory and size; whether a runtime is right is for the cases.
//! How to read the figures: README.md beside this file.

use std::process::ExitCode;

/// The command line.
mod args;

/// A scratch tmpfs, and the check that the host looks as every runtime wants it.
mod place;

/// The bundle that everybody runs.
mod bundle;

/// The bare floor program: its building.
mod floor;

/// The programs that are measured, and the command line of each verb.
mod program;

/// One command, started, waited for, timed.
mod trial;

/// The cgroups and processes that a runtime left behind.
mod leftover;

/// The proof that a program does the work before its time counts.
mod proof;

/// The programs in turns, round after round.
mod series;

/// Median and percentiles.
mod figures;

/// Memory, size, syscalls, tasks.
mod weight;

/// What orbital promises, held against what was measured.
mod goals;

/// The tables for people and the document for programs.
mod report;

use args::Args;
use program::Program;
use series::Series;

fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)).and_then(|args| measure(&args)) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("bench: {message}");
            ExitCode::from(2)
        }
    }
}

/// The whole run. Exit code 1 only where `--check` was asked for and a goal does not hold.
fn measure(args: &Args) -> Result<ExitCode, String> {
    place::must_be_unified()?;
    let scratch = place::Scratch::new()?;
    leftover::adopt_orphans()?;
    let floor = floor::build()?;
    let bundle = bundle::write(&scratch)?;
    let mut field = program::gather(args, &floor, &bundle, &scratch)?;
    let stand = trial::Stand::new(&scratch);
    report::opening(args, &floor, &bundle);

    series::admit(&mut field, |p| proof::prove(p, &stand, &bundle))?;
    let paused = Series::measure("paused", args.runs, args.pause, &mut field, &stand)?;
    let crowded = Series::measure(
        "back to back",
        args.runs,
        std::time::Duration::ZERO,
        &mut field,
        &stand,
    )?;
    let weights = weight::weigh(&field.running, &floor, &stand);
    let goals = goals::judge(&field.running, &paused, &weights);

    let all = report::All {
        field: &field,
        series: &[paused, crowded],
        weights: &weights,
        goals: &goals,
    };
    report::print(&all);
    if let Some(file) = &args.json {
        report::write_json(file, args, &all)?;
    }
    let missed = goals.iter().any(|goal| !goal.holds());
    Ok(match args.check && missed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

/// The programs still in the run, and those that are not, each with the reason.
#[derive(Debug, Default)]
pub(crate) struct Field {
    pub(crate) running: Vec<Program>,
    pub(crate) left_out: Vec<(String, String)>,
}
