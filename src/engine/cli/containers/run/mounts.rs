//! `-v`, `--mount`, `--tmpfs`, `--volumes-from`: docker's and podman's words into mounts.

use super::limits::refused;
use crate::engine::cli::texts;
use crate::engine::container::names;
use crate::engine::container::shelf::Shelf;
use crate::engine::container::wish::{Mount, MountKind};
use crate::error::{Error, Result};
use clap::ArgMatches;
use std::path::{Path, PathBuf};

/// Options of `-v` that config.json has under the same word.
const OPTIONS: [&str; 21] = [
    "ro",
    "rw",
    "rro",
    "private",
    "rprivate",
    "slave",
    "rslave",
    "shared",
    "rshared",
    "bind",
    "rbind",
    "nosuid",
    "suid",
    "nodev",
    "dev",
    "noexec",
    "exec",
    "idmap",
    "noatime",
    "relatime",
    "copy-symlink",
];

/// SELinux's relabelling, consistency on other systems, and copying that we always do.
const WITHOUT_EFFECT: [&str; 6] = ["z", "Z", "cached", "delegated", "consistent", "copy"];

/// All mounts, in the order of the kinds of flags.
///
/// # Errors
/// A path that is not absolute, an unknown option, a source that is not there.
pub(super) fn mounts(found: &ArgMatches, shelf: &Shelf) -> Result<Vec<Mount>> {
    let mut all = Vec::new();
    for other in texts(found, "volumes-from") {
        all.extend(from_another(shelf, &other)?);
    }
    for text in texts(found, "volume") {
        all.push(volume(&text)?);
    }
    for text in texts(found, "mount") {
        all.push(in_words(&text)?);
    }
    for text in texts(found, "tmpfs") {
        let (target, options) = text.split_once(':').unwrap_or((&text, ""));
        let options = options.split(',').filter(|word| !word.is_empty());
        all.push(Mount {
            kind: MountKind::Tmpfs,
            target: absolute("tmpfs", &text, target)?,
            options: options.map(str::to_owned).collect(),
            ..Mount::default()
        });
    }
    Ok(all)
}

fn from_another(shelf: &Shelf, text: &str) -> Result<Vec<Mount>> {
    let (name, options) = text.split_once(':').unwrap_or((text, ""));
    let mut mounts = shelf.find(name)?.wish.mounts;
    mounts.retain(|mount| mount.kind != MountKind::Tmpfs);
    for mount in &mut mounts {
        mount.options.extend(
            options
                .split(',')
                .filter(|word| !word.is_empty())
                .map(str::to_owned),
        );
    }
    Ok(mounts)
}

fn absolute(flag: &str, text: &str, target: &str) -> Result<String> {
    match target.starts_with('/') && target != "/" {
        true => Ok(target.to_owned()),
        false => Err(refused(
            flag,
            text,
            "the place in the container must be an absolute path below /",
        )),
    }
}

/// A path of the host: `/…`, `.…` or `~`; anything else is a volume's name.
fn source(flag: &str, text: &str, word: &str) -> Result<(MountKind, String)> {
    if !word.starts_with(['/', '.']) {
        names::check(word, "volume")?;
        return Ok((MountKind::Volume, word.to_owned()));
    }
    Ok((MountKind::Bind, of_host(flag, text, word)?))
}

fn of_host(flag: &str, text: &str, word: &str) -> Result<String> {
    let path = std::path::absolute(word).unwrap_or_else(|_| PathBuf::from(word));
    if std::fs::symlink_metadata(&path).is_err() {
        let why = format!("{} is not there", path.display());
        return Err(
            refused(flag, text, &why).hint(format!("make it first: mkdir -p {}", path.display()))
        );
    }
    Ok(path.to_string_lossy().into_owned())
}

fn volume(text: &str) -> Result<Mount> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source_word, target, options) = match parts.as_slice() {
        [target] => ("", *target, ""),
        [source, target] => (*source, *target, ""),
        [source, target, options] => (*source, *target, *options),
        _ => {
            return Err(refused(
                "volume",
                text,
                "not of the form SOURCE:TARGET[:OPTIONS]",
            ));
        }
    };
    let target = absolute("volume", text, target)?;
    let (kind, source) = match source_word {
        "" => (MountKind::Volume, String::new()),
        word => source("volume", text, word)?,
    };
    let mut kept = Vec::new();
    for option in options.split(',').filter(|word| !word.is_empty()) {
        if OPTIONS.contains(&option) || option.starts_with("idmap=") {
            kept.push(option.to_owned());
        } else if !WITHOUT_EFFECT.contains(&option) {
            let hint = format!("use {}", OPTIONS.join(", "));
            return Err(
                refused("volume", text, &format!("there is no option {option}")).hint(hint),
            );
        }
    }
    Ok(Mount {
        kind,
        source,
        target,
        options: kept,
        ..Mount::default()
    })
}

fn is_true(value: &str) -> bool {
    ["", "true", "1"].contains(&value)
}

fn in_words(text: &str) -> Result<Mount> {
    let mut mount = Mount {
        kind: MountKind::Volume,
        ..Mount::default()
    };
    let mut source_word = "";
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match (name, value) {
            ("type", "bind") => mount.kind = MountKind::Bind,
            ("type", "volume") => mount.kind = MountKind::Volume,
            ("type", "tmpfs") => mount.kind = MountKind::Tmpfs,
            ("type", "image") => mount.kind = MountKind::Image,
            ("source" | "src", value) => source_word = value,
            ("target" | "destination" | "dst", value) => {
                mount.target = absolute("mount", text, value)?
            }
            ("readonly" | "ro", value) if is_true(value) => mount.options.push("ro".to_owned()),
            ("readonly" | "ro" | "rw", _) => {}
            ("bind-propagation", value) => mount.options.push(value.to_owned()),
            ("bind-recursive", "disabled") => mount.options.push("bind".to_owned()),
            ("bind-recursive", "readonly" | "enabled" | "writable")
            | ("bind-nonrecursive", "false") => {}
            ("bind-nonrecursive", _) => mount.options.push("bind".to_owned()),
            ("tmpfs-size", value) => mount.options.push(format!("size={value}")),
            ("tmpfs-mode", value) => mount.options.push(format!("mode={value}")),
            ("volume-nocopy" | "relabel" | "consistency" | "z" | "Z", _) => {}
            (word, "") if OPTIONS.contains(&word) => mount.options.push(word.to_owned()),
            _ => return Err(unknown(text, part)),
        }
    }
    if mount.target.is_empty() {
        return Err(refused("mount", text, "there is no target"));
    }
    mount.source = match mount.kind {
        MountKind::Image if source_word.is_empty() => {
            return Err(refused(
                "mount",
                text,
                "there is no source, an image's name",
            ));
        }
        MountKind::Image => source_word.to_owned(),
        MountKind::Tmpfs => String::new(),
        MountKind::Bind if source_word.is_empty() => {
            return Err(refused("mount", text, "there is no source"));
        }
        MountKind::Bind => of_host("mount", text, source_word)?,
        MountKind::Volume => {
            if !source_word.is_empty() {
                names::check(source_word, "volume")?;
            }
            source_word.to_owned()
        }
    };
    Ok(mount)
}

fn unknown(text: &str, part: &str) -> Error {
    let hint = "use type=bind|volume|tmpfs|image, source, target, readonly, bind-propagation, tmpfs-size, tmpfs-mode";
    refused("mount", text, &format!("there is no word {part}")).hint(hint)
}

/// The absolute path of a file of the host.
pub(super) fn path(word: &str) -> PathBuf {
    std::path::absolute(Path::new(word)).unwrap_or_else(|_| PathBuf::from(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_forms_of_a_volume() {
        let bind = volume("/:/host:ro,rslave,z").unwrap();
        assert_eq!(
            (bind.kind, bind.source.as_str(), bind.target.as_str()),
            (MountKind::Bind, "/", "/host")
        );
        assert_eq!(bind.options, ["ro", "rslave"]);
        let named = volume("data:/data").unwrap();
        assert_eq!(
            (named.kind, named.source.as_str()),
            (MountKind::Volume, "data")
        );
        assert_eq!(volume("/data").unwrap().source, "");
        for wrong in [
            "/a:b",
            "/:/x:bad",
            "/nowhere-at-all:/x",
            "a:b:c:d",
            "x y:/z",
            "/:/",
        ] {
            assert!(volume(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_same_in_words() {
        let bind = in_words("type=bind,src=/,dst=/host,readonly,bind-propagation=rslave").unwrap();
        assert_eq!(bind.options, ["ro", "rslave"]);
        let tmpfs = in_words("type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=700").unwrap();
        assert_eq!(
            (tmpfs.kind, tmpfs.options),
            (MountKind::Tmpfs, vec!["size=1m".into(), "mode=700".into()])
        );
        for wrong in [
            "type=bind,dst=/x",
            "type=nfs,dst=/x",
            "type=tmpfs",
            "type=tmpfs,dst=x",
            "src=/a b,dst=/x,wrong=1",
        ] {
            assert!(in_words(wrong).is_err(), "{wrong}");
        }
    }
}
