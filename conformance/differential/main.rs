//! `differential`: the same bundle through several runtimes must look the same from inside.
//!
//! Bundles are the examples and any number of drawn ones ([`draw`]), each the same for the same seed.
//! In each a probe prints what its process sees; what orbital shows is held against what each peer
//! shows. A difference is a failure unless `explained.json` says why it must be. What this does *not*
//! do: say who is right. That is for the person who writes the explanation, with a line of the
//! specification. How to read the report: conformance/README.md.

use std::process::ExitCode;

/// The command line.
mod args;

/// Scratch tmpfs, and the check that the host looks as every runtime wants it.
#[path = "../bench/place.rs"]
mod place;

/// Words of a failure.
#[path = "../src/check.rs"]
#[allow(unused, reason = "the suite uses the rest")]
mod check;

/// A config.json under edit.
#[path = "../src/spec.rs"]
#[allow(dead_code, reason = "the suite uses the rest")]
mod spec;

/// Root file systems made on the spot.
#[path = "../src/bundle.rs"]
#[allow(dead_code, reason = "the suite uses the rest")]
mod bundle;

/// A runtime, and the words that it is called with.
mod program;

/// What a bundle asks to be mounted.
mod asked;

/// Random numbers from a seed.
mod dice;

/// Bundles by the dice.
mod draw;

/// Bundles by hand: the examples.
mod examples;

/// Where a bundle is put up, run and taken down.
mod stage;

/// What the probe printed, as lines that can be compared.
mod view;

/// Two views, line by line.
mod compare;

/// Differences that must be, each with its reason.
mod explained;

/// What was found, for people and for the exit status.
mod report;

/// Which runtimes there are.
mod peers;

use args::Args;
use check::Outcome;
use draw::Draw;
use program::Program;
use report::Report;
use stage::Stage;

fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)).and_then(|args| judge(&args)) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("differential: {message}");
            ExitCode::from(2)
        }
    }
}

/// The whole run. Exit code 1 where a difference has no explanation.
fn judge(args: &Args) -> Outcome<ExitCode> {
    place::must_be_unified()?;
    let stage = Stage::new()?;
    let mut report = Report::open(explained::read()?);
    let (ours, peers) = peers::gather(args, &stage, &mut report)?;
    for draw in &bundles(args)? {
        one(draw, &ours, &peers, &stage, args, &mut report)?;
    }
    Ok(report.close(args))
}

/// The examples, and then as many drawn bundles as were asked for.
fn bundles(args: &Args) -> Outcome<Vec<Draw>> {
    let host = draw::Host::ask()?;
    let drawn = (0..args.count).map(|number| draw::draw(args.seed, number, &host));
    let all = examples::all()?.into_iter().chain(drawn);
    let wanted = |draw: &Draw| args.only.as_ref().is_none_or(|only| draw.name == *only);
    Ok(all.filter(wanted).collect())
}

/// One bundle through all runtimes.
fn one(
    draw: &Draw,
    ours: &Program,
    peers: &[Program],
    stage: &Stage,
    args: &Args,
    report: &mut Report,
) -> Outcome {
    if args.only.is_some() {
        report::show(&draw.spec.0)?;
    }
    let mine = stage.play(draw, ours)?;
    if args.only.is_some() {
        println!("{}", mine.text);
    }
    for peer in peers {
        let theirs = stage.play(draw, peer)?;
        let differences = compare::compare(&mine, &theirs);
        report.note(draw, peer, &mine, &differences);
    }
    Ok(())
}
