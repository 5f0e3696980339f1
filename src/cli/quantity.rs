//! Sizes and times as Go's callers write them.

use std::time::Duration;

/// A size in bytes: a number that may have a fraction, then `k`, `m`, `g`, `t` or `p` (1024 each), which may
/// be written as `kb` or `KiB`; -1 for no limit. `None` for anything else.
pub(crate) fn bytes(text: &str) -> Option<i64> {
    if text == "-1" {
        return Some(-1);
    }
    let end = text.rfind(|letter: char| letter.is_ascii_digit() || letter == '.')? + 1;
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let letter = match unit.as_str() {
        "" | "b" => None,
        unit => Some(
            unit.strip_suffix("ib")
                .or(unit.strip_suffix('b'))
                .unwrap_or(unit),
        ),
    };
    let power = match letter {
        None => 0,
        Some("k") => 1,
        Some("m") => 2,
        Some("g") => 3,
        Some("t") => 4,
        Some("p") => 5,
        Some(_) => return None,
    };
    let factor = 1i64 << (10 * power);
    if let Ok(whole) = number.parse::<u64>() {
        return i64::try_from(whole).ok()?.checked_mul(factor);
    }
    fraction(number, factor)
}

/// `1.5` of something; digits on at least one side of the point.
fn fraction(number: &str, factor: i64) -> Option<i64> {
    let (whole, part) = number.split_once('.')?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse::<i64>().ok()?
    };
    // More digits than nine are less than a byte of a gigabyte.
    let part = part.get(..9).unwrap_or(part);
    let digits = i128::from(part.parse::<i64>().unwrap_or(0));
    let scale = 10i128.pow(u32::try_from(part.len()).ok()?);
    let rest = i64::try_from(digits * i128::from(factor) / scale).ok()?;
    whole.checked_mul(factor)?.checked_add(rest)
}

/// A time such as `500ms`, `5s`, `1m30s` or `1.5h`; it needs its unit. `None` for anything else.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(end);
        let (unit, factor) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        let part = match number.parse::<i64>() {
            Ok(whole) => whole.checked_mul(*factor)?,
            Err(_) => fraction(number, *factor)?,
        };
        nanos = nanos.checked_add(u64::try_from(part).ok()?)?;
        rest = after.strip_prefix(unit)?;
    }
    (!text.is_empty()).then(|| Duration::from_nanos(nanos))
}

/// Longer names before their beginnings.
const UNITS: [(&str, i64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

#[cfg(test)]
mod tests {
    use super::{bytes, duration};

    #[test]
    fn sizes() {
        #[rustfmt::skip]
        let rows = [
            ("0", Some(0)), ("67108864", Some(67_108_864)), ("64m", Some(67_108_864)), ("64M", Some(67_108_864)),
            ("64MB", Some(67_108_864)), ("64MiB", Some(67_108_864)), ("64 m", Some(67_108_864)), ("1k", Some(1024)),
            ("1.5k", Some(1536)), (".5k", Some(512)), ("2g", Some(1 << 31)), ("1t", Some(1 << 40)), ("1p", Some(1 << 50)),
            ("7b", Some(7)), ("-1", Some(-1)),
            ("", None), ("-2", None), ("m", None), ("64x", None), ("64mm", None), ("64bb", None), ("64bib", None),
            ("1..5k", None), ("0x10", None), ("64m64", None), (".", None), ("9223372036854775808", None),
            ("9007199254740992k", None), ("1e3", None), ("+5", Some(5)), (" 5", None),
        ];
        for (text, size) in rows {
            assert_eq!(bytes(text), size, "{text:?}");
        }
    }

    #[test]
    fn times() {
        #[rustfmt::skip]
        let rows = [
            ("5s", Some(5000)), ("500ms", Some(500)), ("1m30s", Some(90_000)), ("1.5s", Some(1500)), ("1h", Some(3_600_000)),
            ("0", Some(0)), ("0s", Some(0)),
            ("5", None), ("", None), ("s", None), ("-5s", None), ("5x", None), ("5s5", None), ("99999999999h", None),
        ];
        for (text, millis) in rows {
            assert_eq!(
                duration(text).map(|time| time.as_millis()),
                millis,
                "{text:?}"
            );
        }
    }
}
