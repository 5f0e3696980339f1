//! `conformance`: judges any runc-compatible container runtime from outside.
//!
//! It links to nothing of what it judges. Each case (`cases/`, one file per topic) drives the
//! binary as a caller would and looks at the result from inside the container and through the
//! kernel's own files. It does not measure speed (`bench/`) and keeps no list of failures that
//! are allowed, other than the deviations of runc and crun that stand beside the cases.

use std::path::PathBuf;
use std::process::ExitCode;

/// What a case says, and the comparisons that word a failure.
mod check;

/// A config.json under the case's hands.
mod spec;

/// Bundles made on the spot.
mod bundle;

/// The binary under judgement: how it is called, what it said.
mod runtime;

/// The place where one case works.
mod lab;

/// One container in a case's hands.
mod container;

/// One that counts, frozen and brought back.
mod counter;

/// Looks at a container from the host.
mod probe;

/// Terminals and the socket that hands them over.
mod pty;

/// Collects orphans as a shim would.
mod reap;

/// Is the host as it was?
mod leak;

/// Seccomp filters without a kernel.
mod bpf;

/// libseccomp, asked.
mod oracle;

/// What a case is.
mod case;

/// The process of one case.
mod alone;

/// Runs the chosen cases.
mod suite;

/// The report.
mod tap;

/// The words of each refusal.
#[path = "../messages.rs"]
mod messages;

/// The commands of each README.md.
#[path = "../readmes.rs"]
mod readmes;

/// The cases.
#[path = "../cases/mod.rs"]
mod cases;

use check::Outcome;
use runtime::Runtime;

const USAGE: &str = "usage: conformance --runtime PATH [--filter TEXT]… [--list] [--jobs N] [--busybox PATH]

Judges a container runtime by its command line; prints TAP and closes with
`N passed, N failed, N skipped`. Exit status: 0 nothing failed, 1 something did, 2 it could not judge.

  --runtime PATH   the binary: orbital, runc, crun, …
  --filter TEXT    only cases whose topic/name contains TEXT; may be given more than once
  --list           print the names of the cases and do nothing
  --jobs N         that many cases at a time (default: the number of processors)
  --busybox PATH   a busybox without shared libraries (default: the one of busybox-static)

Run it as root on a host with unified cgroups, or through conformance/in-unified.";

/// What was typed.
#[derive(Debug, Default)]
struct Request {
    runtime: Option<PathBuf>,
    filters: Vec<String>,
    list: Option<()>,
    jobs: Option<usize>,
    busybox: Option<PathBuf>,
    /// One case in this process; how the suite calls itself.
    case: Option<String>,
    lab: Option<PathBuf>,
}

fn main() -> ExitCode {
    let result = parse().and_then(|request| match request {
        None => Ok(ExitCode::SUCCESS),
        Some(request) => match &request.case {
            Some(name) => one(&request, name),
            None => all(request),
        },
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(2)
        }
    }
}

/// The command line; none where it only asked for help, which has been given.
fn parse() -> Outcome<Option<Request>> {
    let mut request = Request::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .ok_or_else(|| format!("{word} needs a value\n{USAGE}"))
        };
        match word.as_str() {
            "--runtime" => request.runtime = Some(value()?.into()),
            "--filter" => request.filters.push(value()?),
            "--jobs" => request.jobs = Some(value()?.parse()?),
            "--busybox" => request.busybox = Some(value()?.into()),
            "--case" => request.case = Some(value()?),
            "--lab" => request.lab = Some(value()?.into()),
            "--list" => request.list = Some(()),
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(None);
            }
            _ => return Err(format!("no such flag: {word}\n{USAGE}").into()),
        }
    }
    Ok(Some(request))
}

/// The suite.
fn all(request: Request) -> Outcome<ExitCode> {
    let chosen = |name: &String| {
        request.filters.is_empty() || request.filters.iter().any(|f| name.contains(f.as_str()))
    };
    let cases: Vec<_> = cases::all()
        .into_iter()
        .filter(|(name, _)| chosen(name))
        .collect();
    if request.list.is_some() {
        for (name, _) in &cases {
            println!("{name}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let path = request
        .runtime
        .ok_or_else(|| format!("name a runtime\n{USAGE}"))?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let suite = suite::Suite {
        runtime: Runtime::meet(&path)?,
        busybox: request.busybox.map_or_else(bundle::find_busybox, Ok)?,
        cases,
        jobs: request.jobs.unwrap_or(processors).max(1),
    };
    Ok(if suite.run()? == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One case, in this process.
fn one(request: &Request, name: &str) -> Outcome<ExitCode> {
    let (_, case) = cases::all()
        .into_iter()
        .find(|(known, _)| known == name)
        .ok_or_else(|| format!("no such case: {name}"))?;
    let (Some(path), Some(lab), Some(busybox)) = (&request.runtime, &request.lab, &request.busybox)
    else {
        return Err("--case goes with --runtime, --lab and --busybox".into());
    };
    match alone::run(&case, Runtime::meet(path)?, lab, busybox) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            println!("{error}");
            let skipped = error.is::<check::Hindrance>();
            Ok(if skipped {
                ExitCode::from(suite::SKIPPED)
            } else {
                ExitCode::FAILURE
            })
        }
    }
}
