//! All cases through all runtimes: each runtime goes its own lane, case after case, beside the others.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::args::{Args, Runtime};
use crate::case::{CALLERS, Case};
use crate::check::{Hindrance, Outcome};
use crate::image;
use crate::left;
use crate::place::{Place, Processors};
use crate::report::{Cell, Table, Verdict};

/// Tries every case with every runtime and tells of each as it ends.
pub(crate) fn run(args: &Args, cases: &[Case]) -> Result<Table, String> {
    remove(&args.work);
    std::fs::create_dir_all(&args.work)
        .map_err(|e| format!("cannot make {}: {e}", args.work.display()))?;
    own_memory(&args.work)?;
    image::make(&args.work)?;
    let began = Instant::now();
    println!("TAP version 13\n1..{}", cases.len() * args.runtimes.len());
    let table = Mutex::new(Table::new(args, cases));
    let (waiting, processors) = (
        Mutex::new(args.runtimes.iter().enumerate()),
        Processors::all(),
    );
    let work = || {
        loop {
            let next = waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next();
            let Some((column, runtime)) = next else {
                return;
            };
            lane(args, runtime, cases, &processors, &|row, cell| {
                table
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take(row, column, cell);
            });
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.min(args.runtimes.len()) {
            scope.spawn(work);
        }
    });
    remove(&args.work);
    let table = table.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("# {} s", began.elapsed().as_secs());
    Ok(table)
}

/// One runtime's.
fn lane(
    args: &Args,
    runtime: &Runtime,
    cases: &[Case],
    processors: &Processors,
    take: &dyn Fn(usize, Cell),
) {
    for (row, case) in cases.iter().enumerate() {
        let began = Instant::now();
        let verdict = match case.hindrance(runtime) {
            Some(why) => Verdict::Skipped(why),
            None => verdict(one(args, runtime, case, row, processors)),
        };
        take(
            row,
            Cell {
                verdict,
                seconds: began.elapsed().as_secs_f64(),
            },
        );
    }
    if let Ok(place) = Place::make(runtime, &args.work, cases.len(), processors) {
        CALLERS.iter().for_each(|caller| (caller.leave)(&place));
        place.remove();
    }
}

/// One case with one runtime: its failure, or what it left behind, is the error.
fn one(
    args: &Args,
    runtime: &Runtime,
    case: &Case,
    row: usize,
    processors: &Processors,
) -> Outcome {
    let place = Place::make(runtime, &args.work, row, processors)?;
    let outcome = (case.run)(&place);
    let left = match &outcome {
        Ok(()) => left::after(&place),
        Err(_) => Vec::new(),
    };
    if outcome.is_err() || !left.is_empty() {
        CALLERS.iter().for_each(|caller| (caller.sweep)(&place));
    }
    place.remove();
    outcome?;
    match left.is_empty() {
        true => Ok(()),
        false => Err(format!("left behind:\n{}", left.join("\n")).into()),
    }
}

fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Ok(()) => Verdict::Passed,
        Err(error) => match error.downcast_ref::<Hindrance>() {
            Some(why) => Verdict::Skipped(why.to_string()),
            None => Verdict::Failed(error.to_string()),
        },
    }
}

/// Everything is made in memory: callers wait for the disk at every turn. Containers have devices there.
fn own_memory(work: &Path) -> Result<(), String> {
    let none = None::<&str>;
    nix::mount::mount(
        Some("callers"),
        work,
        Some("tmpfs"),
        nix::mount::MsFlags::empty(),
        Some("mode=755"),
    )
    .and_then(|()| nix::mount::mount(none, work, none, nix::mount::MsFlags::MS_PRIVATE, none))
    .map_err(|e| format!("cannot mount a tmpfs on {}: {e}", work.display()))
}

/// Image stores may have mounts over themselves.
fn remove(work: &Path) {
    let text = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let places = text.lines().filter_map(|line| line.split(' ').nth(4));
    let mut inside: Vec<&str> = places
        .filter(|place| Path::new(place).starts_with(work))
        .collect();
    inside.sort_unstable();
    for place in inside.iter().rev() {
        let _ = nix::mount::umount2(*place, nix::mount::MntFlags::MNT_DETACH);
    }
    let _ = std::fs::remove_dir_all(work);
}
