//! Columns, and times as people say them; the formats of lists.

use crate::engine::Outcome;
use crate::engine::cli::say;
use crate::error::{Cause, Error, Object, Result};
use serde_json::Value;
use std::fmt::Write as _;

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Columns.
    Table,
    /// One JSON array.
    Json,
    /// Ids or names alone.
    Quiet,
}

/// `--format` and `--quiet`.
///
/// # Errors
/// A format that there is not.
pub(super) fn format(found: &clap::ArgMatches) -> Result<Format> {
    if found
        .try_get_one::<bool>("quiet")
        .ok()
        .flatten()
        .copied()
        .unwrap_or(false)
    {
        return Ok(Format::Quiet);
    }
    match crate::engine::cli::text(found, "format").as_deref() {
        None | Some("table") => Ok(Format::Table),
        Some("json" | "{{json .}}") => Ok(Format::Json),
        Some(other) => {
            let why = Cause::Refused("no such format".to_owned());
            Err(Error::new(
                "read the command line",
                Object::Argument(format!("--format={other}")),
                why,
            )
            .hint("use table or json"))
        }
    }
}

/// Prints rows under their headings, as wide as the widest.
///
/// # Errors
/// Standard output that takes no more.
pub(super) fn print(headings: &[&str], rows: &[Vec<String>]) -> Outcome {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells
            .chain(headings.get(column).map(|heading| heading.len()))
            .max()
            .unwrap_or(0)
    };
    let mut text = String::new();
    let first: Vec<String> = headings
        .iter()
        .map(|heading| (*heading).to_owned())
        .collect();
    for row in std::iter::once(&first).chain(rows) {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            let _ = write!(line, "{cell:width$}   ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    say(&text)
}

/// Prints one JSON array.
///
/// # Errors
/// Standard output that takes no more.
pub(super) fn json(list: Vec<Value>) -> Outcome {
    say(&format!("{:#}", Value::Array(list)))
}

/// Prints one word a line; nothing where there is none.
///
/// # Errors
/// Standard output that takes no more.
pub(super) fn lines(words: &[String]) -> Outcome {
    match words.is_empty() {
        true => Ok(0),
        false => say(&words.join("\n")),
    }
}

/// Seconds since 1970 of a time as records have it; nothing for what is none.
pub(super) fn seconds(time: &str) -> Option<i64> {
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Days since 1970-01-01; a year is taken to begin in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 719_469;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// The same with a fraction, and in another time zone than UTC: seconds and nanoseconds.
pub(super) fn instant(time: &str) -> Option<(i64, u32)> {
    let rest = time.get(19..)?;
    let digits: String = match rest.strip_prefix('.') {
        Some(fraction) => fraction.chars().take_while(char::is_ascii_digit).collect(),
        None => String::new(),
    };
    let zone = rest
        .trim_start_matches('.')
        .trim_start_matches(|letter: char| letter.is_ascii_digit());
    let nanos = format!("{digits:0<9}").get(..9)?.parse().ok()?;
    let number = |from: usize, to: usize| zone.get(from..to)?.parse::<i64>().ok();
    let ahead = match zone.as_bytes() {
        b"" | b"Z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let minutes = number(1, 3)? * 60 + number(4, 6)?;
            minutes * if *sign == b'-' { -60 } else { 60 }
        }
        _ => return None,
    };
    Some((seconds(time)? - ahead, nanos))
}

/// Seconds since 1970, now.
pub(super) fn now() -> i64 {
    seconds(&crate::sys::clock::now_rfc3339()).unwrap_or_default()
}

/// How long ago, in docker's words: `2 minutes`.
pub(super) fn ago(time: &str) -> String {
    let passed = now() - seconds(time).unwrap_or_default();
    let say = |number: i64, unit: &str| match number {
        1 if unit == "hour" => "About an hour".to_owned(),
        1 => format!("1 {unit}"),
        number => format!("{number} {unit}s"),
    };
    match passed {
        ..1 => "Less than a second".to_owned(),
        1..60 => say(passed, "second"),
        60..3600 => say(passed / 60, "minute"),
        3600..172_800 => say(passed / 3600, "hour"),
        172_800..1_209_600 => say(passed / 86_400, "day"),
        1_209_600..5_184_000 => say(passed / 604_800, "week"),
        5_184_000..63_072_000 => say(passed / 2_592_000, "month"),
        _ => say(passed / 31_536_000, "year"),
    }
}

/// A size in bytes with a unit of 1024.
pub(super) fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    if unit == 0 {
        format!("{bytes}{name}")
    } else {
        format!("{value:.2}{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back() {
        for moment in [0, 951_782_399, 951_868_800, 1_709_164_800, 4_107_542_400] {
            assert_eq!(seconds(&crate::sys::clock::format(moment, 7)), Some(moment));
        }
        assert_eq!(seconds("yesterday"), None);
        assert_eq!(
            instant("1970-01-01T01:00:00.25+01:00"),
            Some((0, 250_000_000))
        );
        assert_eq!(instant("1970-01-01T00:00:01-00:01"), Some((61, 0)));
        assert_eq!(instant("1970-01-01T00:00:01"), Some((1, 0)));
        for wrong in ["yesterday", "1970-01-01T00:00:01x", "1970-01-01T00:00:01+1"] {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size(12), "12B");
        assert_eq!(size(1536), "1.50KiB");
        assert_eq!(size(64 << 20), "64.00MiB");
    }
}
