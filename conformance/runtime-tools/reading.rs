//! What a program printed, read without leniency.
//!
//! A plain TAP reader believes too much here: the programs that try hooks plan no tests at all and
//! report a fault only as an `error` in a YAML block under `1..0`, and some end in the middle with
//! nothing but an exit status. So: the exit status must be 0; and unless a program says nothing at all, there
//! must be a plan, as many results as planned, none of them `not ok`, and where there are no results no
//! error either.

use crate::program::Said;

/// What the program says of the runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// It tried nothing, for this reason.
    Skipped(String),
    Failed(String),
}

/// The lines of a TAP stream that matter.
#[derive(Debug, Default)]
struct Seen {
    plans: Vec<usize>,
    results: usize,
    skips: Vec<String>,
    not_ok: Option<String>,
    error: Option<String>,
}

/// Judges what a program did.
pub(crate) fn read(said: &Said) -> Verdict {
    let failed = |why: String| Verdict::Failed(why);
    let seen = scan(&said.output);
    match said.code {
        None => return failed("it did not end in time, or was killed".to_owned()),
        Some(0) => {}
        Some(code) => {
            let last = said.text.lines().rfind(|line| !line.trim().is_empty());
            let why = seen.not_ok.or_else(|| last.map(str::to_owned));
            return failed(format!("exit status {code}: {}", why.unwrap_or_default()));
        }
    }
    if let Some(why) = seen.not_ok {
        return failed(why);
    }
    // Some speak by their exit status alone.
    if said.output.trim().is_empty() {
        return Verdict::Passed;
    }
    if seen.plans.is_empty() {
        return failed("no plan".to_owned());
    }
    let planned: usize = seen.plans.iter().sum();
    if planned != seen.results {
        return failed(format!("{planned} results planned, {} given", seen.results));
    }
    match (seen.results, seen.error) {
        (0, Some(error)) => failed(error),
        (0, None) => Verdict::Passed,
        (results, _) if results == seen.skips.len() => Verdict::Skipped(seen.skips.join("; ")),
        _ => Verdict::Passed,
    }
}

/// Sorts the lines.
fn scan(output: &str) -> Seen {
    let mut seen = Seen::default();
    let mut in_yaml = false;
    for line in output.lines() {
        match line {
            "  ---" => in_yaml = true,
            "  ..." => in_yaml = false,
            _ if in_yaml => {
                if let Some(words) = fault(line) {
                    seen.error.get_or_insert(words);
                }
            }
            _ => seen.line(line),
        }
    }
    seen
}

/// The value of an `error` member. The programs write their YAML as JSON.
fn fault(line: &str) -> Option<String> {
    let line = line.trim();
    let value = line
        .strip_prefix("\"error\":")
        .or_else(|| line.strip_prefix("error:"))?;
    let value = value.trim().trim_end_matches(',').trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

impl Seen {
    /// Takes a line outside of YAML.
    fn line(&mut self, line: &str) {
        if let Some(count) = line.strip_prefix("1..") {
            let digits = count.split_whitespace().next().unwrap_or_default();
            self.plans.extend(digits.parse::<usize>());
            return;
        }
        let is_result = |rest: &str| rest.is_empty() || rest.starts_with(' ');
        let (good, rest) = match (line.strip_prefix("not ok"), line.strip_prefix("ok")) {
            (Some(rest), _) if is_result(rest) => (false, rest),
            (_, Some(rest)) if is_result(rest) => (true, rest),
            _ => return,
        };
        self.results += 1;
        if let Some((_, reason)) = rest.split_once("# SKIP") {
            self.skips.push(reason.trim().to_owned());
        } else if !good && !rest.contains("# TODO") {
            self.not_ok.get_or_insert_with(|| line.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, Verdict, read};

    fn verdict(output: &str, code: Option<i32>) -> Verdict {
        let (text, output) = (output.to_owned(), output.to_owned());
        read(&Said { text, output, code })
    }

    fn fails(output: &str, code: Option<i32>, part: &str) {
        match verdict(output, code) {
            Verdict::Failed(why) => assert!(why.contains(part), "{why:?} has no {part:?}"),
            other => panic!("{other:?} of {output:?}"),
        }
    }

    #[test]
    fn what_is_planned_given_and_ok_passes() {
        let text =
            "TAP version 13\nok 1 - a\n  ---\n  error: exit status 1\n  ...\nok 2 - b\n1..2\n";
        assert_eq!(verdict(text, Some(0)), Verdict::Passed);
        assert_eq!(verdict("TAP version 13\n1..0\n", Some(0)), Verdict::Passed);
        assert_eq!(verdict("", Some(0)), Verdict::Passed);
    }

    #[test]
    fn an_error_below_an_empty_plan_fails() {
        let yaml = "TAP version 13\n  ---\n  error: hooks out of order\n  ...\n1..0\n";
        fails(yaml, Some(0), "hooks out of order");
        let json =
            "TAP version 13\n  ---\n  {\n    \"error\": \"it ran twice\"\n  }\n  ...\n1..0\n";
        fails(json, Some(0), "it ran twice");
        let none = "TAP version 13\n  ---\n  {\n    \"error\": \"\"\n  }\n  ...\n1..0\n";
        assert_eq!(verdict(none, Some(0)), Verdict::Passed);
    }

    #[test]
    fn what_does_not_count_up_fails() {
        fails(
            "TAP version 13\nok 1 - a\n1..2\n",
            Some(0),
            "2 results planned",
        );
        fails("TAP version 13\nok 1 - a\n", Some(0), "no plan");
        fails("ok 1 - a\nnot ok 2 - b\n1..2\n", Some(0), "not ok 2 - b");
        fails("ok 1 - a\n1..1\ncannot go on\n", Some(1), "cannot go on");
        fails("ok 1 - a\n1..1\n", None, "in time");
    }

    #[test]
    fn skips_and_todos_are_told_apart() {
        assert_eq!(
            verdict("1..1\nok 1 # SKIP no such module\n", Some(0)),
            Verdict::Skipped("no such module".to_owned())
        );
        let mixed = "1..2\nok 1 # SKIP no such module\nnot ok 2 # TODO later\n";
        assert_eq!(verdict(mixed, Some(0)), Verdict::Passed);
    }
}
