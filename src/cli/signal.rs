//! Signals as they are typed: `9`, `KILL`, `SIGKILL`, `kill`, `RTMIN+3`.

use crate::sys::signal;

/// The first real-time signal that programs may use. The kernel's is 32; the C libraries keep two.
const RTMIN: i32 = 34;
/// The last signal there is; signal(7).
const RTMAX: i32 = 64;

/// The number, 1 to 64, of a signal as it was typed; nothing for a word that is none.
#[must_use]
pub fn number(text: &str) -> Option<i32> {
    let number = match text.parse::<i32>() {
        Ok(number) => number,
        Err(_) => named(&text.to_ascii_uppercase())?,
    };
    (1..=RTMAX).contains(&number).then_some(number)
}

fn named(upper: &str) -> Option<i32> {
    let name = upper.strip_prefix("SIG").unwrap_or(upper);
    if let Some(above) = name.strip_prefix("RTMIN") {
        return real_time(RTMIN, above);
    }
    if let Some(below) = name.strip_prefix("RTMAX") {
        return real_time(RTMAX, below);
    }
    // Second names, by signal(7).
    let name = match name {
        "CLD" => "CHLD",
        "POLL" => "IO",
        "IOT" => "ABRT",
        name => name,
    };
    signal::number(name)
}

/// `+3` above RTMIN, `-3` below RTMAX, nothing for itself.
fn real_time(from: i32, offset: &str) -> Option<i32> {
    let number = match (offset, offset.as_bytes()) {
        ("", _) => from,
        (_, [b'+' | b'-', digit, ..]) if digit.is_ascii_digit() => {
            from + offset.parse::<i8>().map(i32::from).ok()?
        }
        _ => return None,
    };
    (RTMIN..=RTMAX).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn every_spelling_that_callers_use() {
        let known = [
            ("9", 9),
            ("KILL", 9),
            ("SIGKILL", 9),
            ("kill", 9),
            ("SigTerm", 15),
            ("term", 15),
            ("1", 1),
            ("64", 64),
            ("SIGCHLD", 17),
            ("CLD", 17),
            ("IOT", 6),
            ("POLL", 29),
            ("WINCH", 28),
            ("STKFLT", 16),
            ("RTMIN", 34),
            ("SIGRTMIN+3", 37),
            ("rtmin+30", 64),
            ("RTMAX", 64),
            ("RTMAX-1", 63),
        ];
        for (text, expected) in known {
            assert_eq!(number(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_signal() {
        for text in [
            "",
            "0",
            "-9",
            "65",
            "SIG",
            "SIGSIGKILL",
            "KILLED",
            "RTMIN3",
            "RTMIN+31",
            "RTMIN-1",
            "RTMAX+1",
            "RTMIN+-1",
            "9 ",
            "RTMIN+",
        ] {
            assert_eq!(number(text), None, "{text:?}");
        }
    }
}
