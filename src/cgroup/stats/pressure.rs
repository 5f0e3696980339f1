//! Pressure stall information: the share of time in which processes had to wait (psi.rst).

use serde::Serialize;

/// Of one resource.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Pressure {
    /// At least one process waited.
    some: Waited,
    /// All of them did.
    full: Waited,
}

/// Per cent of the last seconds, and microseconds altogether.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Waited {
    avg10: f64,
    avg60: f64,
    avg300: f64,
    total: u64,
}

/// Reads `some avg10=0.00 …` and `full …`; `None` for a text of neither.
pub(super) fn parse(text: &str) -> Option<Pressure> {
    let line = |kind: &str| {
        let values = text
            .lines()
            .find_map(|line| line.strip_prefix(kind)?.strip_prefix(' '))?;
        let value = |key: &str| {
            let words = values.split(' ').filter_map(|word| word.split_once('='));
            words
                .filter(|(name, _)| *name == key)
                .map(|(_, value)| value)
                .next()
        };
        let average = |key| value(key).and_then(|text| text.parse().ok()).unwrap_or(0.0);
        Some(Waited {
            avg10: average("avg10"),
            avg60: average("avg60"),
            avg300: average("avg300"),
            total: value("total")
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
        })
    };
    let (some, full) = (line("some"), line("full"));
    if some.is_none() && full.is_none() {
        return None;
    }
    Some(Pressure {
        some: some.unwrap_or_default(),
        full: full.unwrap_or_default(),
    })
}
