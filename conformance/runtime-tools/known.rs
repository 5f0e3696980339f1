//! The table of what is known of each program: `known.md`, read as data. A program that is not in the
//! table is expected to pass for every runtime.

/// What is known of one runtime.
#[derive(Debug)]
pub(crate) struct Known {
    /// Program, what it does, reason.
    rows: Vec<(String, Outlook, String)>,
}

/// What a program does with one runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    Passes,
    Fails,
    /// Now this, now that: it depends on the moment or on the host.
    Varies,
}

/// What is known of one program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected<'a> {
    pub(crate) outlook: Outlook,
    /// Why it does not, for the runtimes that fail.
    pub(crate) reason: Option<&'a str>,
}

impl Known {
    /// Reads the column of `runtime`; a runtime without a column is expected to pass everything.
    ///
    /// # Errors
    /// A row whose cell is none of `pass`, `fail`, `varies` and `–` (not tried), or that has no reason.
    pub(crate) fn read(markdown: &str, runtime: &str) -> Result<Self, String> {
        let mut lines = markdown.lines().filter(|line| line.starts_with('|'));
        let head = cells(lines.next().ok_or("known.md has no table")?);
        let column = head.iter().position(|name| *name == runtime);
        let mut rows = Vec::new();
        for line in lines.skip(1) {
            let row = cells(line);
            let (Some(name), Some(reason)) = (row.first(), row.last()) else {
                continue;
            };
            let word = column.and_then(|at| row.get(at)).copied();
            let outlook = match word {
                Some("pass") | None => Outlook::Passes,
                Some("fail") => Outlook::Fails,
                Some("varies" | "–") => Outlook::Varies,
                Some(other) => return Err(format!("known.md: {name}: {other:?} is no verdict")),
            };
            if row.len() != head.len() || reason.is_empty() {
                return Err(format!(
                    "known.md: {name}: {} cells, or no reason",
                    row.len()
                ));
            }
            rows.push((
                name.trim_matches('`').to_owned(),
                outlook,
                (*reason).to_owned(),
            ));
        }
        Ok(Known { rows })
    }

    /// What to expect of the program `name`.
    pub(crate) fn of(&self, name: &str) -> Expected<'_> {
        let row = self.rows.iter().find(|(known, ..)| known == name);
        Expected {
            outlook: row.map_or(Outlook::Passes, |(_, outlook, _)| *outlook),
            reason: row.map(|(.., reason)| reason.as_str()),
        }
    }
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split(" | ").map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::{Known, Outlook};

    #[test]
    fn a_row_speaks_for_its_runtimes() {
        let table = "| program | orbital | runc | reason |\n|---|---|---|---|\n| `x` | pass | fail | v1 |\n";
        let of = |runtime| Known::read(table, runtime).map(|known| known.of("x").outlook);
        assert_eq!(of("orbital"), Ok(Outlook::Passes));
        assert_eq!(of("runc"), Ok(Outlook::Fails));
        assert_eq!(of("another"), Ok(Outlook::Passes));
    }

    #[test]
    fn a_row_without_a_reason_is_refused() {
        let table = "| program | orbital | reason |\n|---|---|---|\n| `x` | fail |  |\n";
        assert!(Known::read(table, "orbital").is_err());
    }

    #[test]
    fn the_table_itself_can_be_read() {
        for runtime in ["orbital", "runc", "crun", "youki"] {
            assert_eq!(Known::read(include_str!("known.md"), runtime).err(), None);
        }
    }
}
