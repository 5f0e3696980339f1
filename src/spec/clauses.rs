//! What is wrong on its face, whatever the host.

use super::{pointer, required};
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{LinuxDeviceType, Spec};
use serde_json::Value;

/// Objects, for which serde would also take a list of their values.
const OBJECTS: [&str; 22] = [
    "/hooks",
    "/linux",
    "/linux/intelRdt",
    "/linux/memoryPolicy",
    "/linux/personality",
    "/linux/resources",
    "/linux/resources/blockIO",
    "/linux/resources/cpu",
    "/linux/resources/memory",
    "/linux/resources/network",
    "/linux/resources/pids",
    "/linux/seccomp",
    "/process",
    "/process/capabilities",
    "/process/consoleSize",
    "/process/execCPUAffinity",
    "/process/ioPriority",
    "/process/scheduler",
    "/process/user",
    "/root",
    "/vm",
    "/windows",
];

/// Lists of objects.
const LISTS_OF_OBJECTS: [&str; 14] = [
    "/hooks/createContainer",
    "/hooks/createRuntime",
    "/hooks/poststart",
    "/hooks/poststop",
    "/hooks/prestart",
    "/hooks/startContainer",
    "/linux/devices",
    "/linux/gidMappings",
    "/linux/namespaces",
    "/linux/resources/devices",
    "/linux/resources/hugepageLimits",
    "/linux/uidMappings",
    "/mounts",
    "/process/rlimits",
];

/// Checks them.
pub(super) fn check(spec: &Spec, text: &str) -> Result<()> {
    let raw = text.as_bytes();
    version(spec.version())?;
    annotations(spec)?;
    device_numbers(spec, raw)?;
    required::check(spec, raw)?;
    objects(text)
}

/// config.md, "Specification version": SemVer 2.0.0; within one major all are compatible.
fn version(version: &str) -> Result<()> {
    let refuse = |why: &str| Error::refused("read config.json", "/ociVersion", why);
    if version.is_empty() {
        return Err(refuse("it is required, and missing").hint("add \"ociVersion\": \"1.2.0\""));
    }
    let Some(major) = major(version) else {
        let report = refuse("it is not a version of three numbers, such as 1.2.0");
        let whole = version.trim_start_matches(['v', 'V']).trim();
        let meant = [
            whole.to_owned(),
            format!("{whole}.0"),
            format!("{whole}.0.0"),
        ];
        return Err(
            match meant.iter().find(|meant| self::major(meant).is_some()) {
                Some(meant) => report.hint(format!("write {meant:?}")),
                None => report,
            },
        );
    };
    match major {
        "1" => Ok(()),
        _ => Err(refuse("orbital knows versions 1.x of the specification")),
    }
}

fn major(version: &str) -> Option<&str> {
    let (version, _build) = version.split_once('+').unwrap_or((version, ""));
    let (numbers, _prerelease) = version.split_once('-').unwrap_or((version, ""));
    let mut parts = numbers.split('.');
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
    let major = parts.next().filter(number)?;
    parts.next().filter(number)?;
    parts.next().filter(number)?;
    parts.next().is_none().then_some(major)
}

/// config.md, "Annotations": keys must not be empty.
fn annotations(spec: &Spec) -> Result<()> {
    match spec
        .annotations()
        .as_ref()
        .filter(|all| all.contains_key(""))
    {
        Some(_) => Err(Error::refused(
            "read config.json",
            "/annotations",
            "the name of an annotation must not be empty",
        )),
        None => Ok(()),
    }
}

/// config-linux.md, "Devices": both numbers are required, but of a pipe. The types make 0 of a missing one.
fn device_numbers(spec: &Spec, raw: &[u8]) -> Result<()> {
    let devices = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.devices().as_deref())
        .unwrap_or_default();
    let doubtful = |typ: LinuxDeviceType, number: i64| typ != LinuxDeviceType::P && number == 0;
    // A parse of its own, for the first doubt: there is rarely one.
    let mut document = None;
    for (index, device) in devices.iter().enumerate() {
        for (name, number) in [("major", device.major()), ("minor", device.minor())] {
            if !doubtful(device.typ(), number) {
                continue;
            }
            let place = Pointer::from("/linux/devices").at(index).at(name);
            if !stands(document.get_or_insert_with(|| read(raw)), &place) {
                return Err(Error::refused(
                    "make the devices",
                    place,
                    "it is required, and missing",
                )
                .hint("copy both numbers from ls -l of the device on the host"));
            }
        }
    }
    Ok(())
}

/// The document as a tree; null where a tree cannot hold what the types let pass (1e999 where nobody looks).
pub(super) fn read(raw: &[u8]) -> Value {
    serde_json::from_slice(raw).unwrap_or_default()
}

/// Whether there is a value at this place. Of a document that has no tree it is believed.
fn stands(document: &Value, place: &Pointer) -> bool {
    let found = document.pointer(place.as_str());
    document.is_null() || found.is_some_and(|value| !value.is_null())
}

/// A list where an object should be. Looked for by its bytes: a second parse would cost more than the first.
pub(super) fn objects(text: &str) -> Result<()> {
    let raw = text.as_bytes();
    if !text.match_indices('[').any(|(at, _)| is_suspect(raw, at)) {
        return Ok(());
    }
    // Only now the dear part. Inside a string, too, something may look like a list; here it does not.
    match pointer::lists(raw, DEEPEST).find(is_wrong) {
        Some(place) => Err(Error::refused(
            "read config.json",
            place,
            "it must be an object, that is, begin with {",
        )),
        None => Ok(()),
    }
}

/// The parts of the longest pointer to an element of [`LISTS_OF_OBJECTS`].
const DEEPEST: usize = 4;

/// Whether an object should stand where there is a list.
fn is_wrong(place: &Pointer) -> bool {
    let list = place.as_str().rsplit_once('/').map_or("", |(list, _)| list);
    OBJECTS.contains(&place.as_str()) || LISTS_OF_OBJECTS.contains(&list)
}

/// Whether what stands before this bracket makes it look as if the list was in the place of an object.
fn is_suspect(raw: &[u8], bracket: usize) -> bool {
    let before = raw.get(..bracket).unwrap_or_default().trim_ascii_end();
    match before.split_last() {
        Some((b':', before)) => {
            let name = last_name(before.trim_ascii_end());
            OBJECTS.iter().any(|object| names(object, name))
        }
        Some((b'[' | b',', _)) => true,
        _ => false,
    }
}

/// What stands between the last two quotation marks, where the text ends with one.
fn last_name(text: &[u8]) -> &[u8] {
    let inside = text.strip_suffix(b"\"");
    inside
        .and_then(|text| text.rsplit(|byte| *byte == b'"').next())
        .unwrap_or_default()
}

/// Whether `name` is the last part of the pointer.
fn names(pointer: &str, name: &[u8]) -> bool {
    let parent = pointer.as_bytes().strip_suffix(name);
    parent.is_some_and(|parent| parent.ends_with(b"/"))
}

#[cfg(test)]
mod tests;
