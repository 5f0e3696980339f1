//! `/linux/resources` alone, as callers hand it to `update`.
//!
//! Callers write it with Go's encoder, which leaves out what is not set, or sets it to null; Go's decoder
//! takes member names in any case, and some rely on that.

use super::{LARGEST, forgive, syntax, words};
use crate::error::{Cause, Error, Object, Result};
use oci_spec::runtime::LinuxResources;
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// Reads a file, a pipe as well.
///
/// # Errors
/// As open(2) and read(2); more than 16 MiB.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(|error| Error::io(DOING, path, "open", &error))?;
    read_from(file, path)
}

/// Reads to the end; `name` is for errors.
///
/// # Errors
/// As read(2); more than 16 MiB.
pub fn read_from(from: impl Read, name: &Path) -> Result<Vec<u8>> {
    let mut raw = Vec::new();
    from.take(LARGEST + 1)
        .read_to_end(&mut raw)
        .map_err(|error| Error::io(DOING, name, "read", &error))?;
    if raw.len() as u64 > LARGEST {
        let why = Cause::Refused("it is larger than 16 MiB".to_owned());
        return Err(Error::new(DOING, Object::File(name.to_owned()), why));
    }
    Ok(raw)
}

/// Reads the text; `name` is for errors. Pointers in them begin at the text's own root.
///
/// # Errors
/// Text that is not JSON or not an object, a value of the wrong type.
pub fn parse(raw: &[u8], name: &Path) -> Result<LinuxResources> {
    let text = std::str::from_utf8(raw)
        .map_err(|error| syntax::not_utf8(raw, name, &error).doing(DOING))?;
    let mut document: Value = serde_json::from_str(text)
        .map_err(|error| syntax::not_json(raw, name, &error).doing(DOING))?;
    if !document.is_object() {
        return Err(syntax::not_an_object(name).doing(DOING));
    }
    forgive::drop_nulls(&mut document);
    respell(&mut document);
    // Without what is never changed, and what its types may refuse.
    if let Some(members) = document.as_object_mut() {
        members.remove("devices");
    }
    let text = document.to_string().into_bytes();
    serde_json::from_slice(&text)
        .map_err(|error| words::wrong_value(&text, &document, &error).doing(DOING))
}

const DOING: &str = "read the limits";

/// Names with letters of the other case become the specification's. Names of files and devices stay.
fn respell(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let names: Vec<String> = members.keys().cloned().collect();
            for name in names {
                let known = NAMES.iter().find(|known| known.eq_ignore_ascii_case(&name));
                let known = known.map_or(name.as_str(), |known| known);
                if known != name
                    && let Some(member) = members.remove(&name)
                {
                    members.insert(known.to_owned(), member);
                }
                if known != "unified"
                    && let Some(member) = members.get_mut(known)
                {
                    respell(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(respell),
        _ => {}
    }
}

/// Members of config-linux.md, "Control groups".
#[rustfmt::skip]
const NAMES: [&str; 45] = [
    "devices", "memory", "cpu", "pids", "blockIO", "hugepageLimits", "network", "rdma", "unified",
    "limit", "reservation", "swap", "kernel", "kernelTCP", "swappiness", "disableOOMKiller", "useHierarchy", "checkBeforeUpdate",
    "shares", "quota", "burst", "period", "realtimeRuntime", "realtimePeriod", "cpus", "mems", "idle",
    "weight", "leafWeight", "weightDevice", "throttleReadBpsDevice", "throttleWriteBpsDevice",
    "throttleReadIOPSDevice", "throttleWriteIOPSDevice", "major", "minor", "rate",
    "pageSize", "classID", "priorities", "name", "priority", "hcaHandles", "hcaObjects", "type",
];

#[cfg(test)]
mod tests {
    use super::{parse, read_from};
    use std::path::Path;

    fn told(text: &str) -> String {
        parse(text.as_bytes(), Path::new("limits.json"))
            .unwrap_err()
            .one_line()
    }

    #[test]
    fn names_of_any_case_and_nulls() {
        let text = r#"{"CPU": {"Cpus": "1", "quota": null}, "blockio": {"weight": 100}, "devices": [1],
            "unified": {"Memory.High": "7"}, "hugepageLimits": null, "Pids": {"Limit": 5}, "else": 1}"#;
        let found = parse(text.as_bytes(), Path::new("limits.json")).unwrap();
        let cpu = found.cpu().as_ref().unwrap();
        assert_eq!((cpu.cpus().as_deref(), cpu.quota()), (Some("1"), None));
        assert_eq!(found.block_io().as_ref().unwrap().weight(), Some(100));
        assert_eq!(found.pids().unwrap().limit(), 5);
        assert!(
            found
                .unified()
                .as_ref()
                .unwrap()
                .contains_key("Memory.High")
        );
        assert!(found.devices().is_none());
    }

    #[test]
    fn what_is_no_resources() {
        #[rustfmt::skip]
        let rows = [
            ("", "limits.json: refused: it is empty"),
            ("[]", "it must hold an object"),
            ("{\"memory\": {\"limit\": }}", "line 1"),
            ("{\"memory\": {\"limit\": \"64m\"}}", "#/memory/limit"),
            ("{\"memory\": 5}", "#/memory"),
            ("{\"cpu\": {\"shares\": -1}}", "#/cpu/shares"),
        ];
        for (text, words) in rows {
            let told = told(text);
            assert!(
                told.contains(words) && told.starts_with("cannot read the limits"),
                "{text}: {told}"
            );
        }
        assert!(read_from(std::io::repeat(b' '), Path::new("x")).is_err());
    }
}
