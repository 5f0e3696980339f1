//! The executions.

use crate::request::Request;
use fuzz::meter;
use fuzz::random::Random;
use fuzz::targets::{Corpus, Depth, Target};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Seconds after which an execution hangs.
const LONGEST: u64 = 10;

/// The seeds of each target.
pub(crate) fn corpora(request: &Request) -> Vec<Corpus> {
    let targets = request.targets();
    targets.into_iter().map(Corpus::of).collect()
}

/// Target and input of one execution, by its number alone.
pub(crate) fn input(
    request: &Request,
    number: u64,
    corpora: &[Corpus],
) -> (&'static Target, Vec<u8>) {
    let mut random = Random::of(request.seed, number);
    let all: usize = corpora.iter().map(|corpus| corpus.target.share).sum();
    let mut ticket = random.below(all);
    let corpus = corpora
        .iter()
        .find(|corpus| {
            let mine = ticket < corpus.target.share;
            ticket = ticket.saturating_sub(corpus.target.share);
            mine
        })
        .unwrap_or(&corpora[0]);
    (corpus.target, corpus.input(&mut random))
}

/// Tries the files as they are.
pub(crate) fn replay(request: &Request) -> ExitCode {
    let Some(target) = request.target else {
        eprintln!("fuzz: a file needs a --target");
        return ExitCode::from(2);
    };
    for file in &request.files {
        match std::fs::read(file) {
            Ok(input) => println!("{}: {:?}", file.display(), target.execute(&input)),
            Err(error) => {
                eprintln!("fuzz: cannot read {}: {error}", file.display());
                return ExitCode::from(2);
            }
        }
    }
    println!("{}: {} executions", target.name, request.files.len());
    ExitCode::SUCCESS
}

/// Executes until runs or seconds are over.
pub(crate) fn work(request: &Request, progress: &Path) -> ExitCode {
    let began = Instant::now();
    let corpora = corpora(request);
    let Ok(progress) = File::create(progress) else {
        eprintln!("fuzz: cannot write {}", progress.display());
        return ExitCode::from(2);
    };
    meter::unlimited_in_a_panic();
    watch();
    let mut counts = vec![[0u64; 3]; corpora.len()];
    for number in 0..request.runs {
        // Asked now and then only: the clock costs as much as a small execution.
        if number % 64 == 0 && began.elapsed().as_secs() >= request.seconds {
            break;
        }
        // Read only if this execution does not come back.
        let _ = progress.write_all_at(&number.to_le_bytes(), 0);
        NOW.store(number, Ordering::Relaxed);
        let (target, input) = input(request, number, &corpora);
        let depth = target.execute(&input);
        for (corpus, counts) in corpora.iter().zip(&mut counts) {
            counts[depth as usize] += u64::from(corpus.target.name == target.name);
        }
    }
    for (corpus, counts) in corpora.iter().zip(&counts) {
        let count: u64 = counts.iter().sum();
        println!(
            "{}: {count} executions: {} ‰ cannot be read, {} ‰ are refused, {} ‰ come to the end",
            corpus.target.name,
            per_mille(counts[Depth::Unread as usize], count),
            per_mille(counts[Depth::Refused as usize], count),
            per_mille(counts[Depth::Done as usize], count),
        );
    }
    let all: u64 = counts.iter().flatten().sum();
    println!(
        "{all} executions in {} s, no finding",
        began.elapsed().as_secs()
    );
    println!("{} passed, 0 failed, 0 skipped", corpora.len());
    ExitCode::SUCCESS
}

fn per_mille(part: u64, whole: u64) -> u64 {
    (part * 1000 + whole / 2).checked_div(whole).unwrap_or(0)
}

static NOW: AtomicU64 = AtomicU64::new(0);

/// Ends the process when one execution takes too long.
fn watch() {
    std::thread::spawn(|| {
        let mut last = u64::MAX;
        loop {
            std::thread::sleep(Duration::from_secs(LONGEST));
            let now = NOW.load(Ordering::Relaxed);
            if now == last {
                println!("no end after {LONGEST} s");
                std::process::abort();
            }
            last = now;
        }
    });
}
