//! The table: cases down, runtimes across; the last column is judged.

/// Rows of an earlier run.
mod earlier;

use std::fmt::Write as _;
use std::process::Command;

use crate::all::CALLERS;
use crate::args::Args;
use crate::case::Case;

/// How a case ended.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Passed,
    Failed(String),
    Skipped(String),
}

/// One case with one runtime.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) verdict: Verdict,
    pub(crate) seconds: f64,
}

/// What the judged runtime's result means beside its peers'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Passed,
    /// It fails what a peer passes, or what no peer was asked.
    Failed,
    Skipped,
    /// It fails as all its peers do: not provable here.
    Nowhere,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Table {
    runtimes: Vec<String>,
    versions: Vec<String>,
    cases: Vec<Case>,
    cells: Vec<Vec<Option<Cell>>>,
    told: usize,
}

impl Table {
    /// Empty.
    pub(crate) fn new(args: &Args, cases: &[Case]) -> Self {
        let runtimes: Vec<String> = args.runtimes.iter().map(|r| r.name.clone()).collect();
        let mut versions: Vec<String> = args
            .runtimes
            .iter()
            .map(|r| first_line(&format!("{} --version", r.path.display())))
            .collect();
        versions.extend(CALLERS.iter().map(|caller| first_line(caller.version)));
        versions.push(first_line("echo Linux $(uname -r | cut -d - -f 1)"));
        versions.push(
            match std::path::Path::new("/run/systemd/private").exists() {
                true => first_line("systemctl --version"),
                false => "no systemd".to_owned(),
            },
        );
        let cells = vec![vec![None; runtimes.len()]; cases.len()];
        Table {
            runtimes,
            versions,
            cases: cases.to_vec(),
            cells,
            told: 0,
        }
    }

    /// Takes a result and tells of it.
    pub(crate) fn take(&mut self, row: usize, column: usize, cell: Cell) {
        self.told += 1;
        let (number, case, runtime) = (self.told, &self.cases[row], &self.runtimes[column]);
        let line = format!("{number} - {case} with {runtime}");
        match (&cell.verdict, case.deviation(runtime)) {
            (Verdict::Passed, _) => println!("ok {line} # {:.1} s", cell.seconds),
            (Verdict::Skipped(why), _) => println!("ok {line} # SKIP {why}"),
            (Verdict::Failed(_), Some(known)) => {
                println!("not ok {line} # TODO known to deviate: {known}")
            }
            (Verdict::Failed(_), None) => println!("not ok {line} # {:.1} s", cell.seconds),
        }
        if let Verdict::Failed(why) = &cell.verdict {
            why.lines().for_each(|line| println!("  {line}"));
        }
        self.cells[row][column] = Some(cell);
    }

    /// What row `row` says of the judged runtime.
    fn meaning(&self, row: usize) -> Meaning {
        let Some((Some(judged), peers)) = self.cells[row].split_last() else {
            return Meaning::Failed;
        };
        let verdict = |cell: &Option<Cell>| cell.as_ref().map(|cell| cell.verdict.clone());
        let peers: Vec<Verdict> = peers.iter().filter_map(verdict).collect();
        let failed = |verdict: &Verdict| matches!(verdict, Verdict::Failed(_));
        match judged.verdict {
            Verdict::Passed => Meaning::Passed,
            Verdict::Skipped(_) => Meaning::Skipped,
            Verdict::Failed(_)
                if peers.iter().any(failed)
                    && !peers.iter().any(|v| matches!(v, Verdict::Passed)) =>
            {
                Meaning::Nowhere
            }
            Verdict::Failed(_) => Meaning::Failed,
        }
    }

    fn count(&self, meaning: Meaning) -> usize {
        (0..self.cases.len())
            .filter(|row| self.meaning(*row) == meaning)
            .count()
    }

    /// Whether the judged runtime does all that a peer does.
    pub(crate) fn is_good(&self) -> bool {
        self.count(Meaning::Failed) == 0 && self.count(Meaning::Passed) > 0
    }

    /// The judged runtime's counts, in the form that .config/verify reads. What is provable nowhere is skipped.
    pub(crate) fn counts(&self) -> String {
        let skipped = self.count(Meaning::Skipped) + self.count(Meaning::Nowhere);
        format!(
            "{} passed, {} failed, {skipped} skipped",
            self.count(Meaning::Passed),
            self.count(Meaning::Failed)
        )
    }

    /// The table alone.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "| case | {} |\n|---|{}\n",
            self.runtimes.join(" | "),
            "---|".repeat(self.runtimes.len())
        );
        for (case, cells) in self.cases.iter().zip(&self.cells) {
            let words = cells.iter().map(|cell| match cell {
                Some(Cell {
                    verdict: Verdict::Passed,
                    seconds,
                }) => format!("passed, {seconds:.0} s"),
                Some(Cell {
                    verdict: Verdict::Failed(_),
                    ..
                }) => "failed".to_owned(),
                Some(Cell {
                    verdict: Verdict::Skipped(_),
                    ..
                }) => "skipped".to_owned(),
                None => "lost".to_owned(),
            });
            let _ = writeln!(
                text,
                "| `{case}` | {} |",
                words.collect::<Vec<_>>().join(" | ")
            );
        }
        text.push_str(&self.sums());
        text
    }

    /// How many passed, failed and were skipped in each column.
    fn sums(&self) -> String {
        let mut text = String::new();
        for kind in ["passed", "failed", "skipped"] {
            let number = |column: usize| {
                let cells = self.cells.iter().filter_map(|row| row[column].as_ref());
                let same = |cell: &&Cell| kind == word(&cell.verdict);
                cells.filter(same).count().to_string()
            };
            let numbers: Vec<String> = (0..self.runtimes.len()).map(number).collect();
            let _ = writeln!(text, "| **{kind}** | {} |", numbers.join(" | "));
        }
        text
    }

    /// The whole report, for a file: versions, table, and the reason of whatever did not pass.
    pub(crate) fn document(&self) -> String {
        let judged = self.runtimes.last().map_or("", String::as_str);
        let mut text = format!(
            "# What callers do with {judged}, and with its peers\n\nMade by `make callers`; how to read it: README.md, beside this file.\n\n"
        );
        for version in &self.versions {
            let _ = writeln!(text, "- {version}");
        }
        let nowhere = self.count(Meaning::Nowhere);
        let _ = writeln!(
            text,
            "\n{judged}: {}, of which {nowhere} pass nowhere.\n\n{}",
            self.counts(),
            self.markdown()
        );
        text.push_str(&self.reasons());
        text
    }

    fn reasons(&self) -> String {
        let mut text = String::from("## What did not pass, and why\n\n");
        for (case, cells) in self.cases.iter().zip(&self.cells) {
            for (runtime, cell) in self.runtimes.iter().zip(cells) {
                let why = match cell.as_ref().map(|cell| &cell.verdict) {
                    None | Some(Verdict::Passed) => continue,
                    Some(Verdict::Skipped(why)) => format!("skipped: {why}"),
                    Some(Verdict::Failed(why)) => match case.deviation(runtime) {
                        Some(known) => format!("known: {known}"),
                        None => why.lines().take(2).collect::<Vec<_>>().join(" "),
                    },
                };
                let _ = writeln!(text, "- `{case}`, {runtime}: {why}");
            }
        }
        text
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "failed",
        Verdict::Skipped(_) => "skipped",
    }
}

fn first_line(script: &str) -> String {
    let output = Command::new("sh").args(["-c", script]).output();
    let text = output
        .map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
        .unwrap_or_default();
    text.lines().next().unwrap_or("not there").to_owned()
}

#[cfg(test)]
mod tests;
