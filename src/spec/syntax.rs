//! serde_json's words for text that is not JSON, in ours, and what was probably meant.

use super::pointer;
use crate::error::{Cause, Error, Object};
use std::path::Path;
use std::str::Utf8Error;

const DOING: &str = "read config.json";

/// What serde_json says → what it means, and what to do. The first whose words are in the message counts.
const WORDS: &[(&str, &str, &str)] = &[
    (
        "recursion limit",
        "lists and objects are nested deeper than 128 levels",
        "",
    ),
    (
        "EOF while parsing a string",
        "the file ends within a string",
        "close it with \"",
    ),
    (
        "EOF while parsing",
        "the file ends before the configuration does",
        "write the rest: a } or ] is missing",
    ),
    (
        "trailing comma",
        "a comma, and nothing after it",
        "take the last comma out",
    ),
    (
        "trailing characters",
        "the configuration has ended, and something follows",
        "take it out, or the } before it",
    ),
    (
        "control character",
        "a line break or another control character within a string",
        "write \\n for a line break, or close the string with \"",
    ),
    (
        "key must be a string",
        "the name of a member must stand here, in \"quotation marks\"",
        "",
    ),
    (
        "invalid number",
        "this is no number of JSON",
        "write it in decimal digits, without a 0 or + before them",
    ),
    (
        "number out of range",
        "this number is too large for anything",
        "",
    ),
    (
        "expected `,` or `}`",
        "after this member there must be a comma and the next one, or }",
        "",
    ),
    (
        "expected `,` or `]`",
        "after this element there must be a comma and the next one, or ]",
        "",
    ),
    (
        "expected `:`",
        "after the name of a member there must be : and its value",
        "",
    ),
    (
        "invalid escape",
        "there is no such escape",
        "write \\\\ for a backslash",
    ),
    (
        "surrogate",
        "half a character: \\ud800 to \\udfff stand in pairs",
        "",
    ),
    (
        "lone leading surrogate",
        "half a character: \\ud800 to \\udfff stand in pairs",
        "",
    ),
    (
        "expected value",
        "a value must stand here: a string, a number, a list, an object, true, false or null",
        "",
    ),
    (
        "expected ident",
        "a value must stand here, and true, false and null are written in full",
        "",
    ),
];

/// The byte at which it stopped → what was probably meant.
const MEANT: &[(&[u8], &str)] = &[
    (b"/#", "take the comment out: JSON has none"),
    (b"'", "use \": JSON has no other quotation marks"),
    (b"TFN", "write true, false and null in small letters"),
    (b",", "take one of the commas out"),
    (b"}]", "take the comma before it out"),
    (b"xX", "write it in decimal digits: JSON has no others"),
];

/// What is not JSON at all.
pub(super) fn not_json(raw: &[u8], file: &Path, error: &serde_json::Error) -> Error {
    let object = Object::File(file.to_owned());
    if raw.trim_ascii().is_empty() {
        let why = Cause::Refused("it is empty".to_owned());
        return Error::new(DOING, object, why).hint("write a first one with orbital spec");
    }
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let known = WORDS.iter().find(|(words, ..)| message.contains(words));
    let (what, to_do) = known.map_or((message, ""), |(_, what, to_do)| (*what, *to_do));
    let at = pointer::offset(raw, error.line(), error.column());
    let stopped = raw.get(at).copied().unwrap_or_default();
    if error.line() == 1
        && raw
            .trim_ascii_start()
            .first()
            .is_none_or(|first| !b"{[".contains(first))
    {
        let why = "it is not JSON, which begins with {".to_owned();
        return Error::new(DOING, object, Cause::Refused(why));
    }
    let meant = MEANT.iter().find(|(bytes, _)| bytes.contains(&stopped));
    let cause = Cause::Json {
        line: error.line(),
        column: error.column(),
        what: what.to_owned(),
    };
    let report = Error::new(DOING, object, cause);
    match (to_do, meant) {
        ("", Some((_, meant))) => report.hint(*meant),
        ("", None) => report,
        (to_do, _) => report.hint(to_do),
    }
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
