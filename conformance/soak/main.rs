//! `soak`: thousands of lives, several at a time, whose runtime is killed at random moments, and then: is the
//! machine as it was? How to read the report: conformance/README.md, "Soak".

use std::process::ExitCode;

/// The command line.
mod args;

/// Random numbers.
mod dice;

/// The bundle that all use.
mod bundle;

/// One life: the verbs in order, any of them cut short.
mod life;

/// What there is on the machine: processes, mounts, groups, descriptors, memory.
mod host;

use args::Args;
use life::{Field, Tally};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)).and_then(|args| soak(&args)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("soak: {message}");
            ExitCode::from(2)
        }
    }
}

/// The whole run; how many things were not as they should be.
fn soak(args: &Args) -> Result<usize, String> {
    println!(
        "# {} lives, {} at a time, of {}: seed {} (--seed {} repeats it)",
        args.cycles,
        args.jobs,
        args.runtime.display(),
        args.seed,
        args.seed
    );
    let mut field = Field::prepare(args)?;
    // Undisturbed lives first: what the machine keeps for ever after the first container is not counted, and
    // the second one says how quick they are.
    field.warm_up()?;
    field.warm_up()?;
    let before = host::look(&field.tag, args.machine)?;
    let began = Instant::now();
    let tally = run(args, &field);
    let took = began.elapsed();
    let mut wrong = tally.wrong.clone();
    wrong.extend(field.clear()?);
    let after = host::look_again(&field.tag, &before, args.machine)?;
    wrong.extend(before.left(&after, args.machine, args.cycles));

    println!("# {:.1} s; {tally}", took.as_secs_f64());
    println!("# before: {before}");
    println!("# after:  {after}");
    for line in &wrong {
        println!("not as it was: {line}");
    }
    // In the form that .config/verify counts.
    let failed = u64::try_from(wrong.len())
        .unwrap_or(u64::MAX)
        .min(args.cycles);
    println!(
        "{} passed, {failed} failed, 0 skipped",
        args.cycles - failed
    );
    Ok(wrong.len())
}

/// All lives, on as many threads as asked for.
fn run(args: &Args, field: &Field) -> Tally {
    let next = AtomicU64::new(0);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= args.cycles {
                return tally;
            }
            life::live(field, args.seed, number, &mut tally);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..args.jobs).map(|_| scope.spawn(work)).collect();
        let mut all = Tally::default();
        for worker in workers {
            match worker.join() {
                Ok(tally) => all.add(tally),
                Err(_) => all
                    .wrong
                    .push("a thread of the soak itself died".to_owned()),
            }
        }
        all
    })
}
