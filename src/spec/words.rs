//! serde's words for a wrong value, in ours.

use super::forgive::SCHEDULER_FLAGS;
use super::{advice, pointer};
use crate::error::{Error, Pointer};
use serde_json::Value;

const DOING: &str = "read config.json";

/// JSON, but not what the specification says; `text` is what serde read of `document`.
pub(super) fn wrong_value(text: &[u8], document: &Value, error: &serde_json::Error) -> Error {
    let place = pointer::around(text, pointer::offset(text, error.line(), error.column()));
    let message = without_place(&error.to_string());
    if let Some(name) = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        return missing(document, &place, name);
    }
    if let Some((found, known)) = message
        .strip_prefix("unknown variant `")
        .and_then(|rest| rest.split_once("`, expected "))
    {
        return unknown_word(place, found, known);
    }
    if message.starts_with("Invalid execCPUAffinity format") {
        let why = "it must be a list of CPUs, such as 0-3,7";
        return Error::refused(DOING, place, why);
    }
    let wanted = match message.rsplit_once(", expected ") {
        Some((_, wanted)) => kind(wanted),
        // serde_json's words when it wants one of a few strings and finds something else.
        None if message == "expected value" => "a string",
        None => return Error::refused(DOING, place, message),
    };
    let value = document.pointer(place.as_str());
    let hint = value.and_then(|value| advice::of_value(&place, wanted, value));
    let report = Error::refused(DOING, place, format!("it must be {wanted}"));
    match hint {
        Some(hint) => report.hint(hint),
        None => report,
    }
}

/// A required member that is not there, perhaps because it is misspelt.
pub(super) fn missing(document: &Value, parent: &Pointer, name: &str) -> Error {
    let place = parent.at(name);
    let report = Error::refused(DOING, &place, "it is required, and missing");
    let beside = document.pointer(parent.as_str()).and_then(Value::as_object);
    let others = beside
        .iter()
        .flat_map(|members| members.keys().map(String::as_str));
    match crate::error::nearest(name, others).or_else(|| advice::other_name(beside?, name)) {
        Some(near) => report.hint(format!("write {name:?} for {near:?}")),
        None => match advice::of_missing(&place) {
            Some(hint) => report.hint(hint),
            None => report,
        },
    }
}

fn unknown_word(place: Pointer, found: &str, known: &str) -> Error {
    // "a" is all devices: right in a rule of /linux/resources/devices, but no node.
    let all_devices = |word: &&str| *word != "a" || !place.as_str().starts_with("/linux/devices/");
    let known = known.split('`').skip(1).step_by(2);
    let known: Vec<&str> = known.filter(all_devices).map(spelt).collect();
    let why = match known.as_slice() {
        [] => "there is no such word here".to_owned(),
        [one] => format!("it must be {one}"),
        [most @ .., last] => format!("it must be {} or {last}", most.join(", ")),
    };
    let report = Error::refused(DOING, place, why);
    match advice::near_word(found, &known) {
        Some(near) => report.hint(format!("did you mean {near}?")),
        None => report,
    }
}

/// As the specification spells it, where the types do not.
fn spelt(word: &str) -> &str {
    let respelt = SCHEDULER_FLAGS.iter().find(|(_, theirs)| *theirs == word);
    respelt.map_or(word, |(ours, _)| ours)
}

/// What Rust calls it → what it is.
fn kind(wanted: &str) -> &str {
    match wanted {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number from 0 to 18446744073709551615",
        "i32" | "i64" => "a whole number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        "path string" => "a string",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

/// serde_json ends its messages with the place, which is told in another way here.
fn without_place(message: &str) -> String {
    message
        .split(" at line ")
        .next()
        .unwrap_or(message)
        .to_owned()
}
