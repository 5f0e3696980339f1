//! All cases through all runtimes: each runtime goes one lane or several, case after case, beside the
//! others.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::all::{CALLERS, program_of};
use crate::args::Args;
use crate::case::Case;
use crate::check::{Hindrance, Outcome};
use crate::image;
use crate::left;
use crate::place::{Ground, Place, Processors};
use crate::report::{Cell, Table, Verdict};

/// Tries every case with every runtime and tells of each as it ends.
pub(crate) fn run(args: &Args, cases: &[Case]) -> Result<Table, String> {
    remove(&args.work);
    std::fs::create_dir_all(&args.work)
        .map_err(|e| format!("cannot make {}: {e}", args.work.display()))?;
    own_memory(&args.work)?;
    image::make(&args.work)?;
    let grounds = grounds(args).map_err(|e| format!("cannot copy a runtime: {e}"))?;
    let began = Instant::now();
    println!("TAP version 13\n1..{}", cases.len() * args.runtimes.len());
    let course = Course {
        cases,
        table: Mutex::new(Table::new(args, cases)),
        next: args.runtimes.iter().map(|_| AtomicUsize::new(0)).collect(),
        processors: Processors::all(),
    };
    let waiting = Mutex::new(grounds.iter());
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.saturating_mul(args.lanes).min(grounds.len()) {
            scope.spawn(|| {
                // The lock is not held while a lane is gone.
                let next = || locked(&waiting).next();
                while let Some((column, ground)) = next() {
                    course.lane(*column, ground);
                }
            });
        }
    });
    remove(&args.work);
    println!("# {} s", began.elapsed().as_secs());
    Ok(course
        .table
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner))
}

/// The lanes of all runtimes, with the column of each. Whose process is whose is told by the program's path, so
/// each lane of several has a copy.
fn grounds(args: &Args) -> std::io::Result<Vec<(usize, Ground)>> {
    let mut grounds = Vec::new();
    for (column, runtime) in args.runtimes.iter().enumerate() {
        for lane in 0..args.lanes {
            let dir = args.work.join(format!("{}{lane}", runtime.name));
            std::fs::create_dir(&dir)?;
            let mut runtime = runtime.clone();
            if args.lanes > 1 {
                let copy = dir.join(runtime.path.file_name().unwrap_or_default());
                std::fs::copy(&runtime.path, &copy)?;
                runtime.path = copy;
            }
            let image = args.work.join("image.tar");
            grounds.push((
                column,
                Ground {
                    runtime,
                    dir,
                    image,
                },
            ));
        }
    }
    Ok(grounds)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all lanes share.
struct Course<'a> {
    cases: &'a [Case],
    table: Mutex<Table>,
    /// For each runtime, the row that comes next.
    next: Vec<AtomicUsize>,
    processors: Processors,
}

impl Course<'_> {
    /// Case after case, as long as there are any for this runtime.
    fn lane(&self, column: usize, ground: &Ground) {
        loop {
            let row = self.next[column].fetch_add(1, Ordering::Relaxed);
            let Some(case) = self.cases.get(row) else {
                break;
            };
            let began = Instant::now();
            let verdict = match case.hindrance(program_of(case)) {
                Some(why) => Verdict::Skipped(why),
                None => verdict(self.one(ground, case, row)),
            };
            let seconds = began.elapsed().as_secs_f64();
            locked(&self.table).take(row, column, Cell { verdict, seconds });
        }
        if let Ok(place) = Place::make(ground, self.cases.len(), &self.processors) {
            CALLERS.iter().for_each(|caller| (caller.leave)(&place));
            place.remove();
        }
    }

    /// One case with one runtime: its failure, or what it left behind, is the error.
    fn one(&self, ground: &Ground, case: &Case, row: usize) -> Outcome {
        let place = Place::make(ground, row, &self.processors)?;
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
