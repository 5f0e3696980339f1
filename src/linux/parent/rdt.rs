//! Groups of the resctrl file system: joined, made and removed (config-linux.md, "IntelRdt").

use crate::error::{Cause, Error, Object, Result};
use crate::plan::rdt::{Group, Rdt};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where the kernel makes the directory for it.
const USUAL: &str = "/sys/fs/resctrl";

const DOING: &str = "use Intel RDT";

/// Where resctrl is mounted in this mount namespace.
///
/// # Errors
/// Nowhere.
pub fn mounted(rdt: &Rdt) -> Result<PathBuf> {
    let text = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    place_in(&text).ok_or_else(|| {
        let why = "no resctrl file system is mounted";
        Error::refused(DOING, &rdt.pointer, why)
            .hint(format!("mount it, where the processor has it: mount -t resctrl resctrl {USUAL}; or leave it out"))
    })
}

/// The mount point of resctrl in a text of proc_pid_mountinfo(5).
fn place_in(mountinfo: &str) -> Option<PathBuf> {
    let line = mountinfo.lines().find(|line| {
        line.split_once(" - ")
            .is_some_and(|(_, kind)| kind.starts_with("resctrl "))
    });
    line?.split(' ').nth(4).map(PathBuf::from)
}

/// Puts process `pid` into its group below `root`, with the group's shares. Gives the directories that were made
/// and go with the container, in the order in which to remove them.
///
/// # Errors
/// A group that must be there and is not, that has other shares, or that cannot be made; what the kernel answers
/// to a line. What was made is removed again.
pub fn join(rdt: &Rdt, root: &Path, pid: i32) -> Result<Vec<PathBuf>> {
    let mut made = Vec::new();
    match enter(rdt, root, pid, &mut made) {
        Ok(()) => Ok(made),
        Err(error) => Err(error.also(remove(&made).err())),
    }
}

/// Puts process `pid` into the groups below `root` that its container is in.
///
/// # Errors
/// A group that is gone; what the kernel answers.
pub fn follow(rdt: &Rdt, root: &Path, pid: i32) -> Result<()> {
    let folder = match &rdt.group {
        Group::Default => root.to_path_buf(),
        Group::Own(name) | Group::Named(name) => root.join(name),
    };
    write(&folder.join("tasks"), &pid.to_string())?;
    match &rdt.monitor {
        Some(name) => {
            let monitor = folder.join("mon_groups").join(name);
            write(&monitor.join("tasks"), &pid.to_string())
        }
        None => Ok(()),
    }
}

fn enter(rdt: &Rdt, root: &Path, pid: i32, made: &mut Vec<PathBuf>) -> Result<()> {
    let folder = match &rdt.group {
        Group::Default => root.to_path_buf(),
        Group::Own(name) | Group::Named(name) => root.join(name),
    };
    let asked = !rdt.shares.is_empty() || !rdt.schemata.is_empty();
    if folder.is_dir() {
        if matches!(rdt.group, Group::Named(_)) {
            compare(rdt, &folder)?;
        }
    } else if matches!(rdt.group, Group::Named(_)) && !asked {
        let why = format!(
            "there is no group {}, and no shares to make it with",
            folder.display()
        );
        return Err(Error::refused(DOING, rdt.pointer.at("closID"), why)
            .hint("make the group first, or give it a \"schemata\""));
    } else {
        make(&folder)?;
        if matches!(rdt.group, Group::Own(_)) {
            made.push(folder.clone());
        }
    }
    if asked {
        let lines = rdt.shares.iter().chain(&rdt.schemata);
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        write(&folder.join("schemata"), &text)?;
    }
    write(&folder.join("tasks"), &pid.to_string())?;
    if let Some(name) = &rdt.monitor {
        let monitor = folder.join("mon_groups").join(name);
        make(&monitor)?;
        // Before the group that it lies in.
        made.insert(0, monitor.clone());
        write(&monitor.join("tasks"), &pid.to_string())?;
    }
    Ok(())
}

/// Gives the group that was made for a container other shares.
///
/// # Errors
/// A container that has none of its own; what the kernel answers to the lines.
pub fn share(made: &[PathBuf], lines: &[String]) -> Result<()> {
    // The monitoring group stands before the group that it lies in.
    let Some(folder) = made.last() else {
        let why = "updating a non-existent Intel RDT configuration is not supported";
        let object = Object::Argument("--l3-cache-schema, --mem-bw-schema".to_owned());
        return Err(Error::new(DOING, object, Cause::Refused(why.to_owned()))
            .hint("create the container with /linux/intelRdt and without a \"closID\""));
    };
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    write(&folder.join("schemata"), &text)
}

/// The shares of the group that was made for a container, line by line; none where it has no such group.
#[must_use]
pub fn schemata(made: &[PathBuf]) -> Vec<String> {
    let text = made
        .last()
        .and_then(|folder| std::fs::read_to_string(folder.join("schemata")).ok());
    let text = text.unwrap_or_default();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// A group that is there must have the shares that are asked for.
fn compare(rdt: &Rdt, folder: &Path) -> Result<()> {
    let path = folder.join("schemata");
    let text =
        std::fs::read_to_string(&path).map_err(|error| Error::io(DOING, &path, "read", &error))?;
    let has: Vec<_> = text.lines().filter_map(shares).collect();
    for line in &rdt.shares {
        let fits = shares(line).is_some_and(|(resource, wanted)| {
            has.iter().any(|(other, values)| {
                *other == resource
                    && wanted
                        .iter()
                        .all(|(id, value)| values.get(id) == Some(value))
            })
        });
        if !fits {
            let why = format!("{} has other shares than {line}", path.display());
            return Err(Error::refused(DOING, &rdt.pointer, why)
                .hint("choose another \"closID\", or ask for what the group has"));
        }
    }
    Ok(())
}

/// `L3:0=00f;1=ff` as the resource and its values by cache, without what the kernel adds to their looks.
fn shares(line: &str) -> Option<(&str, BTreeMap<&str, String>)> {
    let (resource, values) = line.trim().split_once(':')?;
    let values = values.split(';').filter_map(|pair| {
        let (id, value) = pair.split_once('=')?;
        let value = value.trim().trim_start_matches('0').to_ascii_lowercase();
        Some((id.trim(), value))
    });
    Some((resource.trim(), values.collect()))
}

/// Removes groups, in the order given. One that is gone is removed.
///
/// # Errors
/// As rmdir(2).
pub fn remove(made: &[PathBuf]) -> Result<()> {
    for folder in made {
        match std::fs::remove_dir(folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::io(
                    "remove the resctrl group",
                    folder,
                    "rmdir",
                    &error,
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir(folder)
        .map_err(|error| Error::io("make the resctrl group", folder, "mkdir", &error))
}

/// One write: the kernel takes a text as it comes.
fn write(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let opened = std::fs::OpenOptions::new().write(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Error::io("write to the resctrl group", path, "write", &error))
}

#[cfg(test)]
mod tests;
