//! Devices of the host: `--device`, all of them for `--privileged`, and rates of block devices.

use crate::engine::container::wish::{Limits, Switch, Wish};
use crate::error::{Cause, Error, Object, Result};
use rustix::fs::{major, minor};
use serde_json::{Map, Value, json};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Directories below /dev that are not devices of the host, or are the container's own.
const OWN: [&str; 6] = [
    "/dev/pts",
    "/dev/shm",
    "/dev/mqueue",
    "/dev/hugepages",
    "/dev/console",
    "/dev/ptmx",
];

/// A device of the host, as `--device` names it.
struct Device {
    source: PathBuf,
    target: String,
    access: String,
}

fn refused(what: &str, why: &str) -> Error {
    Error::new(
        "give a device",
        Object::Argument(what.to_owned()),
        Cause::Refused(why.to_owned()),
    )
}

/// `src[:dst[:access]]`, where the second part may also be the access.
fn parse(text: &str) -> Result<Device> {
    let mut parts = text.split(':');
    let source = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let is_access =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| b"rwm".contains(&byte));
    let (target, access) = match rest.as_slice() {
        [] => (source, "rwm"),
        [access] if is_access(access) => (source, *access),
        [target] => (*target, "rwm"),
        [target, access] if is_access(access) => (*target, *access),
        _ => return Err(refused(text, "not of the form SOURCE[:TARGET[:rwm]]")),
    };
    if !source.starts_with('/') || !target.starts_with('/') {
        return Err(refused(text, "a device's path begins with a slash"));
    }
    Ok(Device {
        source: source.into(),
        target: target.to_owned(),
        access: access.to_owned(),
    })
}

/// A directory stands for the devices in it.
fn expand(device: Device) -> Result<Vec<(Device, std::fs::Metadata)>> {
    let look = std::fs::metadata(&device.source)
        .map_err(|error| Error::io("find a device", &device.source, "stat", &error))?;
    if !look.is_dir() {
        let kind = look.file_type();
        if !kind.is_char_device() && !kind.is_block_device() {
            return Err(refused(
                &device.source.to_string_lossy(),
                "this is no device",
            ));
        }
        return Ok(vec![(device, look)]);
    }
    Ok(below(
        &device.source,
        Path::new(&device.target),
        &device.access,
    ))
}

fn below(source: &Path, target: &Path, access: &str) -> Vec<(Device, std::fs::Metadata)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(source).into_iter().flatten().flatten() {
        let (path, target) = (entry.path(), target.join(entry.file_name()));
        if OWN.iter().any(|own| path == Path::new(own)) {
            continue;
        }
        let Ok(look) = path.symlink_metadata() else {
            continue;
        };
        let kind = look.file_type();
        if kind.is_dir() {
            found.extend(below(&path, &target, access));
        } else if kind.is_char_device() || kind.is_block_device() {
            let target = target.to_string_lossy().into_owned();
            found.push((
                Device {
                    source: path,
                    target,
                    access: access.to_owned(),
                },
                look,
            ));
        }
    }
    found
}

fn wanted(wish: &Wish) -> Result<Vec<(Device, std::fs::Metadata)>> {
    let mut all = Vec::new();
    if wish.has(Switch::Privileged) {
        all.extend(below(Path::new("/dev"), Path::new("/dev"), "rwm"));
    }
    for text in &wish.devices {
        all.extend(expand(parse(text)?)?);
    }
    Ok(all)
}

fn letter(look: &std::fs::Metadata) -> &'static str {
    if look.file_type().is_block_device() {
        "b"
    } else {
        "c"
    }
}

/// Devices that the runtime makes by itself.
const MADE: [&str; 6] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
];

/// `/linux/devices`.
///
/// # Errors
/// What is no device, or not there.
pub(super) fn nodes(wish: &Wish) -> Result<Vec<Value>> {
    let all = wanted(wish)?;
    let others = all
        .iter()
        .filter(|(device, _)| !MADE.contains(&device.target.as_str()));
    Ok(others
        .map(|(device, look)| {
            json!({
                "path": device.target,
                "type": letter(look),
                "major": major(look.rdev()),
                "minor": minor(look.rdev()),
                "fileMode": look.mode() & 0o777,
                "uid": look.uid(),
                "gid": look.gid(),
            })
        })
        .collect())
}

/// `/linux/resources/devices`: none but those asked for; the runtime lets the usual ones through.
///
/// # Errors
/// As [`nodes`]; a rule that is none.
pub(super) fn rules(wish: &Wish) -> Result<Vec<Value>> {
    if wish.has(Switch::Privileged) {
        return Ok(vec![json!({ "allow": true, "access": "rwm" })]);
    }
    let mut rules = vec![json!({ "allow": false, "access": "rwm" })];
    for (device, look) in wanted(wish)? {
        let (kind, major, minor) = (letter(&look), major(look.rdev()), minor(look.rdev()));
        let access = device.access;
        rules.push(json!({ "allow": true, "type": kind, "major": major, "minor": minor, "access": access }));
    }
    for text in &wish.device_rules {
        rules.push(rule(text).ok_or_else(|| {
            refused(text, "not a rule of the device filter").hint("write it as 'c 42:* rwm'")
        })?);
    }
    Ok(rules)
}

fn rule(text: &str) -> Option<Value> {
    let mut words = text.split_whitespace();
    let (kind, numbers, access) = (words.next()?, words.next()?, words.next()?);
    let (major, minor) = numbers.split_once(':')?;
    let number = |word: &str| match word {
        "*" => Some(-1),
        word => word.parse::<i64>().ok(),
    };
    let known = ["a", "b", "c"].contains(&kind) && words.next().is_none();
    let (major, minor) = (number(major)?, number(minor)?);
    known.then(
        || json!({ "allow": true, "type": kind, "major": major, "minor": minor, "access": access }),
    )
}

/// `/linux/resources/blockIO`.
///
/// # Errors
/// A rate whose device is none.
pub(super) fn block(limits: &Limits) -> Result<Map<String, Value>> {
    let mut part = Map::new();
    if let Some(weight) = limits.blkio_weight {
        part.insert("weight".to_owned(), json!(weight));
    }
    for (name, text) in &limits.throttles {
        let (path, rate) = text
            .rsplit_once(':')
            .ok_or_else(|| refused(text, "not of the form DEVICE:RATE"))?;
        let rate = crate::cli::quantity::bytes(rate)
            .ok_or_else(|| refused(text, "the rate is no number"))?;
        let look = std::fs::metadata(path)
            .map_err(|error| Error::io("find a device", path, "stat", &error))?;
        let entry =
            json!({ "major": major(look.rdev()), "minor": minor(look.rdev()), "rate": rate });
        let list = part.entry(name.as_str()).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(entry);
        }
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_of_a_device() {
        let parts = |text: &str| {
            parse(text)
                .map(|device| (device.target, device.access))
                .ok()
        };
        let pair = |target: &str, access: &str| Some((target.to_owned(), access.to_owned()));
        assert_eq!(parts("/dev/fuse"), pair("/dev/fuse", "rwm"));
        assert_eq!(parts("/dev/fuse:r"), pair("/dev/fuse", "r"));
        assert_eq!(parts("/dev/fuse:/dev/x"), pair("/dev/x", "rwm"));
        assert_eq!(parts("/dev/fuse:/dev/x:rw"), pair("/dev/x", "rw"));
        assert_eq!(parts("fuse"), None);
        assert_eq!(parts("/dev/fuse:/dev/x:q"), None);
    }

    #[test]
    fn what_is_no_device_is_refused() {
        let wish = Wish {
            devices: vec!["/etc/passwd".into()],
            ..Wish::default()
        };
        assert!(nodes(&wish).unwrap_err().to_string().contains("no device"));
        assert_eq!(rule("c 42:* rwm").unwrap()["minor"], json!(-1));
        assert!(rule("c 42 rwm").is_none());
    }
}
