//! The loop without coverage: input by a seed, as many as there is time for, the same on every machine.
//!
//! The work is done in a process of its own, so that whatever ends it (a panic, an abort for want of memory, a
//! stack that is used up, a hang) is reported with the input that did it.

/// What was typed.
mod request;

/// The executions.
mod worker;

use request::Request;
use std::fs;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match Request::of(std::env::args().skip(1)) {
        Err(misuse) => {
            eprintln!("fuzz: {misuse}");
            ExitCode::from(2)
        }
        Ok(request) if !request.files.is_empty() => worker::replay(&request),
        Ok(request) => match &request.progress {
            Some(progress) => worker::work(&request, progress),
            None => supervise(&request),
        },
    }
}

/// Starts the worker, and says which input it stopped at if it did not come to its end.
fn supervise(request: &Request) -> ExitCode {
    match worked(request) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fuzz: {error}");
            ExitCode::from(2)
        }
    }
}

fn worked(request: &Request) -> std::io::Result<bool> {
    let folder = std::env::temp_dir().join(format!("orbital-fuzz-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let progress = folder.join("progress");
    println!("seed {}", request.seed);
    let status = Command::new(std::env::current_exe()?)
        .args(request.words())
        .arg("--progress")
        .arg(&progress)
        .status()?;
    let last = fs::read(&progress).unwrap_or_default();
    fs::remove_dir_all(&folder)?;
    if status.success() {
        return Ok(true);
    }
    let number = last
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let (target, input) = worker::input(request, number, &worker::corpora(request));
    let kept = format!("finding-{}-{}-{number}", target.name, request.seed);
    fs::write(&kept, input)?;
    println!(
        "{status} at execution {number} of seed {}, target {}",
        request.seed, target.name
    );
    println!(
        "its input is in {kept}: fuzz --target {} {kept}",
        target.name
    );
    println!("0 passed, 1 failed, 0 skipped");
    Ok(false)
}
