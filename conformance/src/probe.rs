//! Looks at a container from the host: the kernel's own files about its processes.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::check::{Outcome, ensure};

/// One line of mountinfo (proc_pid_mountinfo(5)).
#[derive(Clone, Debug)]
pub(crate) struct Mount {
    pub(crate) target: String,
    pub(crate) options: Vec<String>,
    /// `shared:N`, `master:N`, `unbindable`.
    pub(crate) propagation: Vec<String>,
    pub(crate) kind: String,
    pub(crate) superblock: Vec<String>,
}

impl Mount {
    /// Whether the mount or its superblock has this option.
    pub(crate) fn has(&self, option: &str) -> bool {
        self.options
            .iter()
            .chain(&self.superblock)
            .any(|o| o == option)
    }
}

/// The mounts in a mountinfo text.
pub(crate) fn mounts(text: &str) -> Vec<Mount> {
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let line = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let left: Vec<_> = left.split(' ').collect();
        let right: Vec<_> = right.split(' ').collect();
        Some(Mount {
            target: (*left.get(4)?).to_owned(),
            options: list(left.get(5)?),
            propagation: left.iter().skip(6).map(|p| (*p).to_owned()).collect(),
            kind: (*right.first()?).to_owned(),
            superblock: list(right.get(2)?),
        })
    };
    text.lines().filter_map(line).collect()
}

/// The uppermost mount at `target`.
pub(crate) fn mounted(text: &str, target: &str) -> Outcome<Mount> {
    let found = mounts(text)
        .into_iter()
        .rfind(|mount| mount.target == target);
    found.ok_or_else(|| format!("nothing is mounted at {target} in:\n{text}").into())
}

/// A file of /proc/PID.
pub(crate) fn proc_file(pid: i32, name: &str) -> Outcome<String> {
    let path = format!("/proc/{pid}/{name}");
    let bytes = fs::read(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A field of a /proc/PID/status text, its blanks made single.
pub(crate) fn field(status: &str, name: &str) -> Outcome<String> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let line = line.ok_or_else(|| format!("no field {name} in {status:?}"))?;
    Ok(line.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The identity of a process's namespace; `kind` as in /proc/PID/ns.
pub(crate) fn namespace(pid: i32, kind: &str) -> Outcome<String> {
    Ok(fs::read_link(format!("/proc/{pid}/ns/{kind}"))?
        .to_string_lossy()
        .into_owned())
}

/// The same of this process.
pub(crate) fn own_namespace(kind: &str) -> Outcome<String> {
    Ok(fs::read_link(format!("/proc/self/ns/{kind}"))?
        .to_string_lossy()
        .into_owned())
}

/// The cgroup v2 path of a process, as this process sees it.
pub(crate) fn cgroup(pid: i32) -> Outcome<String> {
    let text = proc_file(pid, "cgroup")?;
    let line = text.lines().find_map(|line| line.strip_prefix("0::"));
    Ok(line.ok_or("no cgroup v2 line")?.to_owned())
}

/// Where the cgroup v2 hierarchy is mounted.
pub(crate) fn cgroup_mount() -> PathBuf {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let found = mounts(&text)
        .into_iter()
        .rfind(|mount| mount.kind == "cgroup2");
    found.map_or_else(
        || PathBuf::from("/sys/fs/cgroup"),
        |mount| PathBuf::from(mount.target),
    )
}

/// The directory of a process's cgroup.
pub(crate) fn cgroup_dir(pid: i32) -> Outcome<PathBuf> {
    Ok(cgroup_mount().join(cgroup(pid)?.trim_start_matches('/')))
}

/// The cgroup directories that carry `tag` in their path.
pub(crate) fn cgroups_with(tag: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(dir) = open.pop() {
        let Ok(entries) = fs::read_dir(&dir) else {
            continue;
        };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.path().to_string_lossy().contains(tag) {
                    found.push(entry.path());
                }
                open.push(entry.path());
            }
        }
    }
    found
}

/// Every process's parent: pid → (parent, name).
fn parents() -> HashMap<i32, (i32, String)> {
    let mut parents = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let Some((name, rest)) = stat.rsplit_once(')') else {
            continue;
        };
        let Some(parent) = rest.split_whitespace().nth(1).and_then(|p| p.parse().ok()) else {
            continue;
        };
        let name = name.split_once('(').map_or(name, |(_, name)| name);
        parents.insert(pid, (parent, name.to_owned()));
    }
    parents
}

/// The living and dead descendants of `ancestor`: pid → name.
pub(crate) fn descendants(ancestor: i32) -> BTreeMap<i32, String> {
    let parents = parents();
    let mut found = BTreeMap::new();
    for (pid, (_, name)) in &parents {
        let mut at = *pid;
        while let Some((parent, _)) = parents.get(&at) {
            if *parent == ancestor {
                found.insert(*pid, name.clone());
                break;
            }
            at = *parent;
        }
    }
    found
}

/// A text that changes when anything about the files below `dir` changes: names, kinds, modes,
/// owners, sizes, contents, link targets, mount points.
pub(crate) fn fingerprint(dir: &Path) -> Outcome<String> {
    let mut lines = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(path) = open.pop() {
        let meta = path.symlink_metadata()?;
        let content = if meta.is_file() {
            fs::read_to_string(&path).unwrap_or_default()
        } else if meta.is_symlink() {
            fs::read_link(&path)?.display().to_string()
        } else {
            String::new()
        };
        lines.push(format!(
            "{} mode {:o} owner {}:{} device {} {content:?}",
            path.display(),
            meta.mode(),
            meta.uid(),
            meta.gid(),
            meta.dev()
        ));
        if meta.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        }
    }
    lines.sort();
    ensure!(!lines.is_empty(), "nothing at {}", dir.display());
    Ok(lines.join("\n"))
}

/// The open descriptors of a process: number → what it is.
pub(crate) fn descriptors(pid: i32) -> Outcome<BTreeMap<i32, String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let entry = entry?;
        let Ok(number) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        let target = fs::read_link(entry.path()).unwrap_or_default();
        found.insert(number, target.display().to_string());
    }
    Ok(found)
}
