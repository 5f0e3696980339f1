//! The document of an earlier run: rows of cases that this one leaves out stand in the new document as they stood there.

use super::{Cell, Table, Verdict};
use crate::case::Case;

impl Table {
    /// This table with the rows of all other `cases` as `document` has them, if its runtimes are the same.
    pub(crate) fn with_rows_of(mut self, cases: &[Case], document: &str) -> Table {
        let header = format!("| case | {} |", self.runtimes.join(" | "));
        if !document.lines().any(|line| line == header) {
            return self;
        }
        let mut rows = Vec::new();
        for case in cases {
            let name = case.to_string();
            let own = self.cases.iter().position(|one| one.to_string() == name);
            let cells = match own {
                Some(row) => Some(self.cells[row].clone()),
                None => self.row(&name, document),
            };
            rows.extend(cells.map(|cells| (*case, cells)));
        }
        (self.cases, self.cells) = rows.into_iter().unzip();
        self
    }

    fn row(&self, name: &str, document: &str) -> Option<Vec<Option<Cell>>> {
        let begin = format!("| `{name}` | ");
        let row = document
            .lines()
            .find_map(|line| line.strip_prefix(&begin))?;
        let words = row.strip_suffix(" |")?.split(" | ");
        let cells = self.runtimes.iter().zip(words);
        Some(
            cells
                .map(|(runtime, word)| {
                    let begin = format!("- `{name}`, {runtime}: ");
                    let why = document.lines().find_map(|line| line.strip_prefix(&begin));
                    cell(word, why.unwrap_or_default())
                })
                .collect(),
        )
    }
}

/// What stands in the table, with its reason.
fn cell(word: &str, why: &str) -> Option<Cell> {
    let timed = word
        .strip_prefix("passed, ")
        .and_then(|rest| rest.strip_suffix(" s"));
    let verdict = match word {
        "failed" => Verdict::Failed(why.to_owned()),
        "skipped" => Verdict::Skipped(why.strip_prefix("skipped: ").unwrap_or(why).to_owned()),
        _ => Verdict::Passed,
    };
    let seconds = match (&verdict, timed) {
        (Verdict::Passed, seconds) => seconds?.parse().ok()?,
        _ => 0.0,
    };
    Some(Cell { verdict, seconds })
}
