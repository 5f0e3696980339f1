//! The filter of system calls: moby's default profile (seccomp/moby.json, whose licence is in seccomp/NOTICE),
//! or one from a file in moby's form or the OCI's.
//!
//! moby's form has conditions that hold for a whole host: capabilities, architecture, age of the kernel. They
//! are settled here; what is left is the OCI's form.

use crate::error::{Cause, Error, Object, Result};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// moby's default.
const DEFAULT: &str = include_str!("seccomp/moby.json");

/// This machine's architecture, by Go's name and by libseccomp's.
#[cfg(target_arch = "x86_64")]
const NATIVE: (&str, &str) = ("amd64", "SCMP_ARCH_X86_64");
#[cfg(target_arch = "aarch64")]
const NATIVE: (&str, &str) = ("arm64", "SCMP_ARCH_AARCH64");
#[cfg(target_arch = "riscv64")]
const NATIVE: (&str, &str) = ("riscv64", "SCMP_ARCH_RISCV64");
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
)))]
const NATIVE: (&str, &str) = ("unknown", "SCMP_ARCH_NATIVE");

/// The host, as conditions ask for it.
#[derive(Debug)]
struct Host<'a> {
    caps: &'a BTreeSet<String>,
    kernel: (u32, u32),
}

/// `/linux/seccomp` by `which`: empty for the default, `unconfined` for none, or a file.
///
/// # Errors
/// A file that cannot be read or is no JSON.
pub(super) fn filter(which: &str, caps: &BTreeSet<String>) -> Result<Option<Value>> {
    let read;
    let text = match which {
        "unconfined" => return Ok(None),
        "" => DEFAULT,
        path => {
            read = std::fs::read_to_string(path)
                .map_err(|error| Error::io("read the seccomp profile", path, "openat", &error))?;
            &read
        }
    };
    let profile: Value = serde_json::from_str(text).map_err(|error| {
        let (line, column, what) = (error.line(), error.column(), error.to_string());
        let object = Object::File(which.into());
        Error::new(
            "read the seccomp profile",
            object,
            Cause::Json { line, column, what },
        )
    })?;
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let host = Host {
        caps,
        kernel: version(&release),
    };
    Ok(Some(settled(&profile, &host)))
}

/// `6.1.0-9-amd64` as (6, 1).
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text
        .split(|letter: char| !letter.is_ascii_digit())
        .map(|number| number.parse().unwrap_or_default());
    (
        numbers.next().unwrap_or_default(),
        numbers.next().unwrap_or_default(),
    )
}

fn settled(profile: &Value, host: &Host<'_>) -> Value {
    let mut filter = Map::new();
    for member in [
        "defaultAction",
        "defaultErrnoRet",
        "flags",
        "listenerPath",
        "listenerMetadata",
        "architectures",
    ] {
        if let Some(value) = profile.get(member) {
            filter.insert(member.to_owned(), value.clone());
        }
    }
    let here = |entry: &&Value| entry["architecture"] == NATIVE.1;
    if let Some(entry) = profile["archMap"]
        .as_array()
        .and_then(|map| map.iter().find(here))
    {
        let mut all = vec![entry["architecture"].clone()];
        all.extend(
            entry["subArchitectures"]
                .as_array()
                .into_iter()
                .flatten()
                .cloned(),
        );
        filter.insert("architectures".to_owned(), Value::Array(all));
    }
    let rules = profile["syscalls"].as_array().into_iter().flatten();
    let mut kept: Vec<Value> = rules.filter(|rule| applies(rule, host)).map(bare).collect();
    kept.retain(|rule| {
        rule["names"]
            .as_array()
            .is_some_and(|names| !names.is_empty())
    });
    filter.insert("syscalls".to_owned(), Value::Array(kept));
    Value::Object(filter)
}

fn applies(rule: &Value, host: &Host<'_>) -> bool {
    let words = |condition: &Value, name: &str| -> Vec<String> {
        let list = condition[name].as_array().into_iter().flatten();
        list.filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    let (includes, excludes) = (&rule["includes"], &rule["excludes"]);
    let is_here = |words: &[String]| words.iter().any(|word| word == NATIVE.0);
    let has_cap = |word: &String| host.caps.contains(word);
    let old = |condition: &Value| {
        condition["minKernel"]
            .as_str()
            .is_some_and(|least| host.kernel < version(least))
    };
    let arches = words(includes, "arches");
    (arches.is_empty() || is_here(&arches))
        && words(includes, "caps").iter().all(has_cap)
        && !old(includes)
        && !is_here(&words(excludes, "arches"))
        && !words(excludes, "caps").iter().any(has_cap)
        && (excludes["minKernel"].is_null() || old(excludes))
}

/// The rule in the OCI's words.
fn bare(rule: &Value) -> Value {
    let names = match rule["name"].as_str() {
        Some(name) => json!([name]),
        None => rule["names"].clone(),
    };
    let mut bare = json!({ "names": names, "action": rule["action"] });
    for member in ["errnoRet", "args"] {
        if let Some(value) = rule.get(member).filter(|value| !value.is_null()) {
            super::merge(&mut bare, member, value.clone());
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default_for(caps: &[&str], kernel: (u32, u32)) -> Vec<String> {
        let caps = caps.iter().map(|name| (*name).to_owned()).collect();
        let profile: Value = serde_json::from_str(DEFAULT).unwrap();
        let filter = settled(
            &profile,
            &Host {
                caps: &caps,
                kernel,
            },
        );
        let rules = filter["syscalls"].as_array().unwrap().iter();
        rules
            .filter(|rule| rule["action"] == "SCMP_ACT_ALLOW" && rule.get("args").is_none())
            .flat_map(|rule| rule["names"].as_array().unwrap().clone())
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn capabilities_open_their_calls() {
        let has = |list: &[String], name: &str| list.iter().any(|other| other == name);
        let plain = default_for(&[], (6, 1));
        assert!(has(&plain, "openat") && has(&plain, "ptrace"));
        assert!(!has(&plain, "mount") && !has(&plain, "bpf") && !has(&plain, "init_module"));
        assert!(has(&default_for(&["CAP_SYS_ADMIN"], (6, 1)), "mount"));
        assert!(!has(&default_for(&[], (4, 4)), "ptrace"));
    }

    #[test]
    fn versions_of_kernels() {
        assert_eq!(version("6.1.0-9-amd64"), (6, 1));
        assert_eq!(version("4.8"), (4, 8));
        assert_eq!(version(""), (0, 0));
    }
}
