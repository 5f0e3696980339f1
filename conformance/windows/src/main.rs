//! Judges orbital.exe from outside: `windows-suite --runtime orbital.exe --dweller dweller.exe [--filter WORD]`.
//!
//! It runs on Windows and under Wine. What Wine accepts and does not do is no test of orbital's: such a case is
//! reported as not provable there, never as passed. The last line is that of the Linux suite.

/// The cases, by topic.
mod cases;

/// A runtime, a root, bundles, and what was said.
mod lab;

use cases::{Case, Outcome};
use lab::Lab;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

struct Arguments {
    runtime: PathBuf,
    dweller: PathBuf,
    filter: String,
    goldens: PathBuf,
}

fn arguments() -> Option<Arguments> {
    let mut words = std::env::args().skip(1);
    let mut given = Arguments {
        runtime: PathBuf::new(),
        dweller: PathBuf::new(),
        filter: String::new(),
        goldens: PathBuf::new(),
    };
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--runtime" => given.runtime = PathBuf::from(value),
            "--dweller" => given.dweller = PathBuf::from(value),
            "--filter" => given.filter = value,
            "--goldens" => given.goldens = PathBuf::from(value),
            _ => return None,
        }
    }
    let whole = |path: &mut PathBuf| {
        *path = std::path::absolute(&path).ok()?;
        path.exists().then_some(())
    };
    whole(&mut given.runtime)?;
    whole(&mut given.dweller)?;
    whole(&mut given.goldens)?;
    Some(given)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!(
            "usage: windows-suite --runtime orbital.exe --dweller dweller.exe --goldens FOLDER [--filter WORD]"
        );
        return ExitCode::from(2);
    };
    let all = cases::all();
    let chosen: Vec<&Case> = all
        .iter()
        .filter(|case| case.name.contains(&arguments.filter))
        .collect();
    println!("1..{}", chosen.len());
    let (mut passed, mut failed, mut unprovable) = (0, 0, 0);
    for (number, case) in chosen.iter().enumerate() {
        let began = Instant::now();
        let outcome = try_it(case, &arguments);
        let took = began.elapsed().as_millis();
        let (number, name) = (number + 1, case.name);
        match outcome {
            Ok(Outcome::Shown) => {
                passed += 1;
                println!("ok {number} - {name} # {took} ms");
            }
            Ok(Outcome::NotUnderWine(why)) => {
                unprovable += 1;
                println!("ok {number} - {name} # SKIP not provable under Wine: {why}");
            }
            Err(why) => {
                failed += 1;
                println!("not ok {number} - {name} # {took} ms");
                why.lines().for_each(|line| println!("  # {line}"));
            }
        }
    }
    println!("# {unprovable} not provable under Wine");
    println!("{passed} passed, {failed} failed, {unprovable} skipped");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn try_it(case: &Case, arguments: &Arguments) -> Result<Outcome, String> {
    let lab = Lab::new(
        case.name,
        &arguments.runtime,
        &arguments.dweller,
        &arguments.goldens,
    )?;
    let outcome = (case.body)(&lab);
    // Also after a failure: nothing of one case may be there in the next.
    let left = lab.close();
    let outcome = outcome?;
    left.map(|()| outcome)
}
