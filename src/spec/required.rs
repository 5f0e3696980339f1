//! Required members that the types make up where they are missing: a `size` of 0, a `path` of nothing.
//!
//! To look for each would take a second parse. So names are counted in the bytes: only where there are fewer
//! than there should be is the document read again, to find where one is missing. Another member of the same
//! name may hide that; then the made-up value counts, as it does for other runtimes.

use super::{clauses, words};
use crate::error::{Pointer, Result};
use oci_spec::runtime::Spec;
use serde_json::Value;

/// config-linux.md, "User namespace mappings".
const MAPPING: &[&str] = &["\"containerID\"", "\"hostID\"", "\"size\""];

/// config.md, "POSIX process".
const RLIMIT: &[&str] = &["\"soft\"", "\"hard\""];

/// config.md, "Linux Process".
const IO_PRIORITY: &[&str] = &["class", "priority"];

/// config-linux.md, "Allowed Device list".
const RULE: &[&str] = &["\"allow\""];

/// config-linux.md, "Devices".
const DEVICE: &[&str] = &["\"path\""];

/// Checks them.
pub(super) fn check(spec: &Spec, raw: &[u8]) -> Result<()> {
    if let Some(linux) = spec.linux() {
        let users = linux.uid_mappings().as_deref().unwrap_or_default();
        let groups = linux.gid_mappings().as_deref().unwrap_or_default();
        let lists = ["/linux/uidMappings", "/linux/gidMappings"];
        each_has(raw, &lists, users.len() + groups.len(), MAPPING)?;
        let resources = linux.resources().as_ref();
        let rules = resources.and_then(|resources| resources.devices().as_deref());
        let rules = rules.unwrap_or_default();
        if rules.iter().any(|rule| !rule.allow()) {
            each_has(raw, &["/linux/resources/devices"], rules.len(), RULE)?;
        }
        let devices = linux.devices().as_deref().unwrap_or_default();
        if devices
            .iter()
            .any(|device| device.path().as_os_str().is_empty())
        {
            each_has(raw, &["/linux/devices"], devices.len(), DEVICE)?;
        }
    }
    let process = spec.process().as_ref();
    if let Some(priority) = process.and_then(|process| process.io_priority().as_ref())
        && (priority.priority() == 0 || !occurs(raw, "\"class\"", 1))
    {
        has(raw, "/process/ioPriority", IO_PRIORITY)?;
    }
    let limits = process.and_then(|process| process.rlimits().as_deref());
    let limits = limits.unwrap_or_default();
    if limits
        .iter()
        .any(|limit| limit.soft() == 0 || limit.hard() == 0)
    {
        each_has(raw, &["/process/rlimits"], limits.len(), RLIMIT)?;
    }
    Ok(())
}

/// Whether the object there has all `names`.
fn has(raw: &[u8], place: &str, names: &[&str]) -> Result<()> {
    let document = clauses::read(raw);
    let object = document.pointer(place);
    let lacks = |name: &&&str| object.is_some_and(|object| object.get(**name).is_none());
    match names.iter().find(lacks) {
        Some(name) => Err(words::missing(&document, &Pointer::from(place), name)),
        None => Ok(()),
    }
}

/// Whether each of the objects in these lists, `count` together, has all `names`, which are in their quotation marks.
fn each_has(raw: &[u8], lists: &[&str], count: usize, names: &[&str]) -> Result<()> {
    if names.iter().all(|name| occurs(raw, name, count)) {
        return Ok(());
    }
    let document = clauses::read(raw);
    for list in lists {
        let objects = document.pointer(list).and_then(Value::as_array);
        for (index, object) in objects.into_iter().flatten().enumerate() {
            let lacks = |name: &&&str| object.get(name.trim_matches('"')).is_none();
            if let Some(name) = names.iter().find(lacks) {
                let parent = Pointer::from(*list).at(index);
                return Err(words::missing(&document, &parent, name.trim_matches('"')));
            }
        }
    }
    Ok(())
}

/// Whether the text has this at least `times` times.
fn occurs(text: &[u8], wanted: &str, times: usize) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default();
    times == 0 || text.matches(wanted).nth(times - 1).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::from_bytes;
    use std::path::PathBuf;

    fn told(members: &str) -> String {
        let text = format!(r#"{{"ociVersion": "1.2.0", {members}}}"#);
        let read = from_bytes(text.into_bytes(), PathBuf::from("/b"));
        read.map_or_else(|error| error.one_line(), |_| "nothing".to_owned())
    }

    #[test]
    fn what_is_required_is_missed_at_its_place() {
        let mapping = r#""linux": {"uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}, {"containerId": 1, "hostID": 2, "size": 1}]}"#;
        assert_eq!(
            told(mapping),
            "cannot read config.json: config.json#/linux/uidMappings/1/containerID: refused: it is required, and \
             missing (hint: write \"containerID\" for \"containerId\")"
        );
        let rule = r#""linux": {"resources": {"devices": [{"access": "rwm"}]}}"#;
        assert!(told(rule).contains("/linux/resources/devices/0/allow: refused"));
        let limit = r#""process": {"user": {}, "cwd": "/", "rlimits": [{"type": "RLIMIT_CORE", "soft": 0}]}"#;
        assert!(told(limit).contains("/process/rlimits/0/hard: refused"));
        for (members, lacks) in [
            (r#""priority": 4"#, "class"),
            (r#""class": "IOPRIO_CLASS_BE""#, "priority"),
        ] {
            let process =
                format!(r#""process": {{"user": {{}}, "cwd": "/", "ioPriority": {{{members}}}}}"#);
            let place = format!("/process/ioPriority/{lacks}: refused");
            assert!(told(&process).contains(&place), "{}", told(&process));
        }
    }

    #[test]
    fn a_member_that_is_there_is_not_missed() {
        let escaped =
            r#""linux": {"uidMappings": [{"container\u0049D": 0, "hostID": 1, "size": 1}]}"#;
        assert_eq!(told(escaped), "nothing");
        assert_eq!(told(r#""linux": {"uidMappings": []}"#), "nothing");
    }
}
