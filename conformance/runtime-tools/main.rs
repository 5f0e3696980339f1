//! `runtime-tools`: judges a runtime by the validation programs of the OCI's own `runtime-tools`.
//!
//! It takes a built checkout, runs each program in a private view, reads what it prints strictly, and
//! compares the outcome with the table of what is known (`known.md`). It neither builds nor mends the
//! programs, and has no opinion of its own on the specification: that is the conformance suite's part.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// One program in a view of its own.
mod program;

/// What a program printed, read without leniency.
mod reading;

/// The table of what is known of each program.
mod known;

use known::{Expected, Known, Outlook};
use reading::Verdict;

const USAGE: &str = "usage: runtime-tools --runtime PATH --tools DIR [--filter TEXT]… [--verbose]

Runs DIR/validation/*/*.t, which must have been built, against the runtime and prints TAP, one line a
program. Exit status: 0 each did what known.md says of this runtime, 1 one did worse, 2 it could not judge.
Run it as root through conformance/in-unified.";

/// What was typed.
#[derive(Debug, Default)]
struct Request {
    runtime: PathBuf,
    tools: PathBuf,
    filters: Vec<String>,
    detail: Detail,
}

/// How much of a failing program's output is shown.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// The reason in one line.
    #[default]
    Reason,
    /// Everything that was printed.
    Everything,
}

/// How many programs ended how.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// Worse than the table says.
    worse: usize,
    /// Better than the table says.
    better: usize,
}

fn main() -> ExitCode {
    match parse().and_then(|request| request.map_or(Ok(ExitCode::SUCCESS), |r| judge(&r))) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("runtime-tools: {error}");
            ExitCode::from(2)
        }
    }
}

/// The command line; none where it only asked for help.
fn parse() -> Result<Option<Request>, String> {
    let mut request = Request::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value\n{USAGE}"));
        match word.as_str() {
            "--runtime" => request.runtime = absolute(&value()?)?,
            "--tools" => request.tools = absolute(&value()?)?,
            "--filter" => request.filters.push(value()?),
            "--verbose" => request.detail = Detail::Everything,
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(None);
            }
            _ => return Err(format!("no such flag: {word}\n{USAGE}")),
        }
    }
    for path in [&request.runtime, &request.tools] {
        if path.as_os_str().is_empty() {
            return Err(USAGE.to_owned());
        }
    }
    Ok(Some(request))
}

fn absolute(word: &str) -> Result<PathBuf, String> {
    std::fs::canonicalize(word).map_err(|error| format!("cannot find {word}: {error}"))
}

/// Runs all programs and says how it went.
fn judge(request: &Request) -> Result<ExitCode, String> {
    let runtime = name_of(&request.runtime)?;
    let known = Known::read(include_str!("known.md"), &runtime)?;
    let programs = programs(&request.tools)?;
    let chosen: Vec<_> = programs
        .iter()
        .filter(|name| {
            request.filters.is_empty() || request.filters.iter().any(|f| name.contains(f.as_str()))
        })
        .collect();
    println!("TAP version 13\n1..{}\n# {runtime}", chosen.len());
    let mut tally = Tally::default();
    for (at, name) in chosen.iter().enumerate() {
        let said = program::run(&request.runtime, &request.tools, name)?;
        let verdict = reading::read(&said);
        tally.take(at + 1, name, &verdict, known.of(name));
        if request.detail == Detail::Everything && verdict != Verdict::Passed {
            said.text.lines().for_each(|line| println!("    {line}"));
        }
    }
    println!(
        "# {} worse and {} better than known",
        tally.worse, tally.better
    );
    println!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.skipped
    );
    Ok(if tally.worse == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The names of the programs, sorted.
fn programs(tools: &Path) -> Result<Vec<String>, String> {
    let folder = tools.join("validation");
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| program::path(tools, name).is_file())
        .collect();
    names.sort();
    if names.is_empty() || !tools.join("runtimetest").is_file() {
        return Err(format!(
            "{} is not a built checkout: it needs runtimetest and validation/*/*.t",
            tools.display()
        ));
    }
    Ok(names)
}

/// The first word of the runtime's `--version`.
fn name_of(runtime: &Path) -> Result<String, String> {
    let output = std::process::Command::new(runtime)
        .arg("--version")
        .output()
        .map_err(|error| format!("cannot run {}: {error}", runtime.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let word = text.split_whitespace().next();
    Ok(word.ok_or("--version said nothing")?.to_owned())
}

impl Tally {
    /// Counts and prints one program.
    fn take(&mut self, number: usize, name: &str, verdict: &Verdict, expected: Expected<'_>) {
        let known = expected
            .reason
            .unwrap_or("not in the table of what is known");
        match verdict {
            Verdict::Passed if expected.outlook == Outlook::Fails => {
                (self.passed, self.better) = (self.passed + 1, self.better + 1);
                println!("ok {number} - {name} # TODO passes although known to fail: {known}");
            }
            Verdict::Passed => {
                self.passed += 1;
                println!("ok {number} - {name}");
            }
            Verdict::Skipped(why) => {
                self.skipped += 1;
                println!("ok {number} - {name} # SKIP {why}");
            }
            Verdict::Failed(why) if expected.outlook == Outlook::Passes => {
                (self.failed, self.worse) = (self.failed + 1, self.worse + 1);
                println!("not ok {number} - {name}\n  ---\n  message: {why}\n  ...");
            }
            Verdict::Failed(why) => {
                self.failed += 1;
                println!("not ok {number} - {name} # TODO {known}\n  ---\n  message: {why}\n  ...");
            }
        }
    }
}
