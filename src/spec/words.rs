//! serde's words for a wrong value, in ours.

use super::pointer;
use crate::error::{Cause, Error, Object, Pointer};
use std::path::Path;
use std::str::Utf8Error;

const DOING: &str = "read config.json";

/// What is not JSON at all.
pub(super) fn not_json(file: &Path, error: &serde_json::Error) -> Error {
    let what = without_place(&error.to_string());
    let cause = Cause::Json {
        line: error.line(),
        column: error.column(),
        what,
    };
    Error::new(DOING, Object::File(file.to_owned()), cause)
}

/// Bytes in another encoding; RFC 8259, 8.1.
pub(super) fn not_utf8(raw: &[u8], file: &Path, error: &Utf8Error) -> Error {
    let before = raw.get(..error.valid_up_to()).unwrap_or_default();
    let line = before.rsplit(|byte| *byte == b'\n').next();
    let cause = Cause::Json {
        line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
        column: 1 + line.unwrap_or_default().len(),
        what: "it is not UTF-8, as JSON has to be".to_owned(),
    };
    let hint = match raw {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "save the file as UTF-8: it is UTF-16",
        _ => "save the file as UTF-8",
    };
    Error::new(DOING, Object::File(file.to_owned()), cause).hint(hint)
}

/// JSON, but a list or a number.
pub(super) fn not_an_object(file: &Path) -> Error {
    let why = "it must hold an object, that is, begin with {".to_owned();
    Error::new(DOING, Object::File(file.to_owned()), Cause::Refused(why))
}

/// JSON, but not what the specification says; `text` is what serde read.
pub(super) fn wrong_value(text: &[u8], error: &serde_json::Error) -> Error {
    let place = pointer::around(text, pointer::offset(text, error.line(), error.column()));
    let message = without_place(&error.to_string());
    if let Some(name) = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        return Error::refused(DOING, place.at(name), "it is required, and missing");
    }
    if let Some((found, known)) = message
        .strip_prefix("unknown variant `")
        .and_then(|rest| rest.split_once("`, expected "))
    {
        return unknown_word(place, found, known);
    }
    let why = match message.rsplit_once(", expected ") {
        Some((_, wanted)) => format!("it must be {}", kind(wanted)),
        // serde_json's words when it wants one of a few strings and finds something else.
        None if message == "expected value" => "it must be a string".to_owned(),
        None => message,
    };
    Error::refused(DOING, place, why)
}

fn unknown_word(place: Pointer, found: &str, known: &str) -> Error {
    // "a" is all devices: right in a rule of /linux/resources/devices, but no node.
    let all_devices = |word: &&str| *word != "a" || !place.as_str().starts_with("/linux/devices/");
    let known = known.split('`').skip(1).step_by(2);
    let known: Vec<&str> = known.filter(all_devices).collect();
    let why = match known.as_slice() {
        [] => "there is no such word here".to_owned(),
        [one] => format!("it must be {one}"),
        [most @ .., last] => format!("it must be {} or {last}", most.join(", ")),
    };
    let report = Error::refused(DOING, place, why);
    // Short forms (net) are farther away than any misspelling.
    let longer = || {
        known
            .iter()
            .copied()
            .find(|word| !found.is_empty() && word.starts_with(found))
    };
    match crate::error::hints::nearest(found, known.iter().copied()).or_else(longer) {
        Some(near) => report.hint(format!("did you mean {near}?")),
        None => report,
    }
}

/// What Rust calls it → what it is.
fn kind(wanted: &str) -> String {
    let words = match wanted {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number from 0 to 18446744073709551615",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "i64" => "a whole number from -9223372036854775808 to 9223372036854775807",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        "path string" => "a string",
        other if other.starts_with("struct ") => "an object",
        other => other,
    };
    words.to_owned()
}

/// serde_json ends its messages with the place, which is told in another way here.
fn without_place(message: &str) -> String {
    message
        .split(" at line ")
        .next()
        .unwrap_or(message)
        .to_owned()
}
