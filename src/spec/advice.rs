//! What to write for a value of the wrong type, from what was written: `"022"` was meant as 18.

use crate::error::{Pointer, nearest};
use serde_json::{Map, Value, json};

/// Advice for a value that is not `wanted`; none where nobody can know what was meant.
pub(super) fn of_value(place: &Pointer, wanted: &str, value: &Value) -> Option<String> {
    let place = place.as_str();
    match (wanted, value) {
        ("a string", _) if place == "/ociVersion" => Some("write \"1.2.0\"".to_owned()),
        ("a string", Value::Number(_) | Value::Bool(_)) => {
            Some(format!("write it in quotation marks: \"{value}\""))
        }
        ("true or false", Value::String(_) | Value::Number(_)) => {
            Some("write true or false, without quotation marks".to_owned())
        }
        ("a list", Value::String(text)) => Some(format!("write {}", listed(place, text))),
        ("a list", Value::Object(members)) => Some(format!("write {}", elements(place, members))),
        ("an object", Value::Array(pairs)) => {
            let members: Map<String, Value> = pairs.iter().filter_map(pair).collect();
            (!members.is_empty()).then(|| format!("write {}", Value::Object(members)))
        }
        ("an object", Value::String(text)) => object(place, text),
        _ if wanted.starts_with("a whole number") => number(place, value),
        _ => None,
    }
}

/// Advice for something required that is not there.
pub(super) fn of_missing(place: &Pointer) -> Option<String> {
    let example = match place.as_str() {
        "/ociVersion" => "\"ociVersion\": \"1.2.0\"",
        "/process/cwd" => "\"cwd\": \"/\"",
        "/root/path" => "\"path\": \"rootfs\"",
        other if other.ends_with("/allow") => "\"allow\": true or \"allow\": false",
        "/linux/seccomp/defaultAction" => "\"defaultAction\": \"SCMP_ACT_ERRNO\"",
        _ => return None,
    };
    Some(format!("add {example}"))
}

/// The member by which other tools call what is here called `name`.
pub(super) fn other_name(members: &Map<String, Value>, name: &str) -> Option<&'static str> {
    let others: &[&str] = match name {
        "destination" => &[
            "target",
            "dst",
            "dest",
            "to",
            "mountPoint",
            "containerPath",
            "container_path",
        ],
        "containerID" => &["container", "inside", "ContainerID", "container_id"],
        "hostID" => &["host", "outside", "HostID", "host_id"],
        "size" => &["count", "length", "range"],
        "cwd" => &["workingDir", "WorkingDir", "workdir", "pwd"],
        _ => &[],
    };
    others
        .iter()
        .copied()
        .find(|other| members.contains_key(*other))
}

/// The known word that was meant: nearly the same, or the same but for the beginning that all have
/// (`NOFILE`, `x86_64`), or a short or a long form of it (`net`, `char`).
pub(super) fn near_word<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    let lowered = found.to_ascii_lowercase();
    let mut words = known.iter().copied().filter(|_| !found.is_empty());
    nearest(found, known.iter().copied())
        .or_else(|| {
            let ending = format!("_{lowered}");
            words
                .clone()
                .find(|word| word.to_ascii_lowercase().ends_with(&ending))
        })
        .or_else(|| words.clone().find(|word| word.starts_with(&lowered)))
        .or_else(|| words.find(|word| word.len() == 1 && lowered.starts_with(word)))
}

/// One string where there should be a list of them.
fn listed(place: &str, text: &str) -> Value {
    let parts: Vec<&str> = match place.rsplit('/').next() {
        Some("options") => text.split(',').collect(),
        Some("args") => text.split_whitespace().collect(),
        _ => vec![text],
    };
    json!(parts)
}

/// An object where there should be a list: of its members, or of it.
fn elements(place: &str, members: &Map<String, Value>) -> Value {
    let of_members = |one: fn(&String, &Value) -> Value| {
        let all = members.iter().map(|(name, value)| one(name, value));
        Value::Array(all.collect())
    };
    match place {
        _ if members.is_empty() => json!([]),
        "/linux/namespaces" => of_members(|name, _| json!({"type": name})),
        "/process/rlimits" => {
            of_members(|name, value| json!({"type": name, "soft": value, "hard": value}))
        }
        env if env.ends_with("/env") => of_members(|name, value| {
            json!(format!(
                "{name}={}",
                value.as_str().unwrap_or(&value.to_string())
            ))
        }),
        _ => json!([members]),
    }
}

/// `name=value` as both.
fn pair(text: &Value) -> Option<(String, Value)> {
    let (name, value) = text.as_str()?.split_once('=')?;
    Some((name.to_owned(), json!(value)))
}

/// One string where there should be an object around it.
fn object(place: &str, text: &str) -> Option<String> {
    let (list, _) = place.rsplit_once('/')?;
    let object = match (place, list) {
        ("/root", _) => json!({"path": text}),
        ("/process/user", _) => return Some("write {\"uid\": 0, \"gid\": 0}, with numbers: names are of /etc/passwd, which orbital does not read".to_owned()),
        (_, "/linux/namespaces") => json!({"type": text}),
        (_, hooks) if hooks.starts_with("/hooks/") => json!({"path": text}),
        _ => return None,
    };
    Some(format!("write {object}"))
}

/// What is no whole number, or one of another base or unit.
fn number(place: &str, value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim(),
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0)?;
            return Some(format!("write it without a fraction or exponent: {whole}"));
        }
        Value::Number(number) if number.as_i64() == Some(-1) && place.contains("/rlimits/") => {
            return Some(NO_RLIMIT.to_owned());
        }
        _ => return None,
    };
    let is_mode = ["umask", "fileMode"]
        .iter()
        .any(|name| place.ends_with(name));
    let octal = u32::from_str_radix(text.trim_start_matches("0o"), 8).ok();
    if let Some(mode) = octal.filter(|_| is_mode) {
        return Some(format!(
            "write {mode}, which is octal {text}: JSON has only decimal numbers"
        ));
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(format!("write it without quotation marks: {number}"));
    }
    match (text.to_ascii_lowercase().as_str(), place) {
        ("max" | "unlimited" | "infinity", rlimit) if rlimit.contains("/rlimits/") => {
            Some(NO_RLIMIT.to_owned())
        }
        ("max" | "unlimited" | "infinity", _) => Some("write -1 for no limit".to_owned()),
        _ if place.ends_with("/timeout") => Some("write a number of seconds".to_owned()),
        _ if place.contains("/memory/") || place.contains("/hugepageLimits/") => {
            bytes(text).map(|bytes| format!("write the number of bytes: {bytes}"))
        }
        _ => None,
    }
}

const NO_RLIMIT: &str = "write 18446744073709551615 for no limit";

/// `64M`, `64MiB` or `64MB` as bytes.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}
