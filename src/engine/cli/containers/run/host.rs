//! What the host lends by a name: vendors' devices, a time zone.

use super::limits::refused;
use crate::engine::cli::{text, texts};
use crate::error::Result;
use clap::ArgMatches;
use std::path::Path;

/// `local`, or a file below /usr/share/zoneinfo, which must be there.
pub(super) fn time_zone(found: &ArgMatches) -> Result<String> {
    let zone = text(found, "tz").unwrap_or_default();
    let is_there = |zone: &str| {
        let inside = !zone.starts_with('/') && !zone.split('/').any(|part| part == "..");
        inside && Path::new("/usr/share/zoneinfo").join(zone).is_file()
    };
    match zone.as_str() {
        "" | "local" => Ok(zone),
        name if is_there(name) => Ok(zone),
        _ => Err(refused("tz", &zone, "this host knows no such time zone")
            .hint("use local, or a name such as Europe/Berlin; zones are in the package tzdata")),
    }
}

/// A device by its vendor's name, in place of a path: `vendor.com/class=name`.
pub(super) fn is_vendors(word: &str) -> bool {
    !word.starts_with('/') && word.contains('/') && word.contains('=')
}

/// Those of `--device`, and `--gpus` in the words of docker.
pub(super) fn vendors_devices(found: &ArgMatches) -> Result<Vec<String>> {
    let mut all: Vec<String> = texts(found, "device");
    all.retain(|word| is_vendors(word));
    for word in texts(found, "gpus") {
        let names = word.strip_prefix("device=").unwrap_or(&word);
        if names.is_empty() || names.contains('=') {
            return Err(
                refused("gpus", &word, "no such word").hint("use all, a number, or device=0,1")
            );
        }
        match (names.parse::<u32>(), names == word) {
            (Ok(count), true) => {
                all.extend((0..count.min(1024)).map(|number| format!("nvidia.com/gpu={number}")))
            }
            _ => all.extend(
                names
                    .split(',')
                    .map(|name| format!("nvidia.com/gpu={name}")),
            ),
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::is_vendors;

    #[test]
    fn a_vendors_name_is_no_path() {
        for name in ["vendor.com/gpu=all", "v/c=d"] {
            assert!(is_vendors(name), "{name}");
        }
        for path in ["/dev/fuse", "/dev/x=y/z", "/dev/fuse:/dev/a=b", "fuse"] {
            assert!(!is_vendors(path), "{path}");
        }
    }
}
