//! The report: one TAP line per case in the table's order, and the counts at the end.

use std::collections::BTreeMap;

/// How a case ended.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Passed,
    Failed(String),
    Skipped(String),
}

/// One case's result, ready to be printed.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    /// What a case that passed has to say: lines of comment.
    pub(crate) notes: Vec<String>,
    /// What this runtime is known to do instead.
    pub(crate) deviation: Option<&'static str>,
    pub(crate) milliseconds: u128,
}

/// Prints results in order although they arrive in any.
#[derive(Debug, Default)]
pub(crate) struct Report {
    waiting: BTreeMap<usize, Line>,
    printed: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
    known: usize,
    surprises: usize,
}

impl Report {
    /// Prints the head of a report of `count` cases.
    pub(crate) fn begin(count: usize, runtime: &str) -> Self {
        println!("TAP version 13\n1..{count}\n# {runtime}");
        Report::default()
    }

    /// Takes the result of case `index` and prints what is due.
    pub(crate) fn take(&mut self, index: usize, line: Line) {
        self.waiting.insert(index, line);
        while let Some(line) = self.waiting.remove(&self.printed) {
            self.printed += 1;
            self.print(&line);
        }
    }

    fn print(&mut self, line: &Line) {
        let (number, name) = (self.printed, &line.name);
        match (&line.verdict, line.deviation) {
            (Verdict::Passed, None) => {
                self.passed += 1;
                println!("ok {number} - {name} # {} ms", line.milliseconds);
            }
            (Verdict::Passed, Some(words)) => {
                self.passed += 1;
                self.surprises += 1;
                println!("ok {number} - {name} # TODO passes although known to deviate: {words}");
            }
            (Verdict::Skipped(reason), _) => {
                self.skipped += 1;
                println!("ok {number} - {name} # SKIP {reason}");
            }
            (Verdict::Failed(message), None) => {
                self.failed += 1;
                println!("not ok {number} - {name}");
                detail(message);
            }
            (Verdict::Failed(message), Some(words)) => {
                self.known += 1;
                println!("not ok {number} - {name} # TODO known to deviate: {words}");
                detail(message);
            }
        }
        for note in &line.notes {
            println!("{note}");
        }
    }

    /// Prints the counts; the number of failures that were not known before.
    pub(crate) fn end(&self) -> usize {
        println!(
            "# {} known deviations, {} of the passes were not expected",
            self.known, self.surprises
        );
        println!(
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        );
        self.failed
    }
}

/// The YAML block of a failure.
fn detail(message: &str) {
    println!("  ---\n  message: |");
    for line in message.lines() {
        println!("    {line}");
    }
    println!("  ...");
}
