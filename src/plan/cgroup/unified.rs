//! `/linux/resources/unified` (config-linux.md, "Unified").

use super::Wanted;
use crate::error::{Error, Pointer, Result};
use std::collections::HashMap;

/// Files of the core that limit; the others place, kill or freeze, which is the runtime's own act.
const OF_CORE: [&str; 3] = [
    "cgroup.max.depth",
    "cgroup.max.descendants",
    "cgroup.pressure",
];

/// v2 files by name, in order of their names. The kernel takes one line at a write, so a value of
/// several lines is written in as many.
pub(super) fn plan(
    files: &HashMap<String, String>,
    at: &Pointer,
    wanted: &mut Wanted,
) -> Result<()> {
    let mut files: Vec<_> = files.iter().collect();
    files.sort();
    for (file, value) in files {
        let at = at.at(file);
        check(file, &at)?;
        for line in value.lines().filter(|line| !line.is_empty()) {
            wanted.set(file, line, at.clone());
        }
    }
    Ok(())
}

/// The key is a file's name in the container's own group, and nothing else.
fn check(file: &str, at: &Pointer) -> Result<()> {
    let refuse = |why: &str| Err(Error::refused("write a cgroup file", at, why));
    if file.contains(['/', '\0', '\n']) || file.contains("..") {
        return refuse("a key is a file's name, without / and ..");
    }
    match file.split_once('.') {
        None | Some(("", _) | (_, "")) => {
            refuse("a key is a controller and a file, such as memory.high")
        }
        Some(("cgroup", _)) if !OF_CORE.contains(&file) => {
            refuse("this file moves, freezes or kills processes, which is orbital's own work")
        }
        Some(_) => Ok(()),
    }
}
