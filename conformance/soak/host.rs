//! What there is on the machine, before and after.
//!
//! Processes, mounts, groups and keys are this run's own and must be gone. Descriptors and memory are the whole
//! machine's, which others use too: only on a machine of its own (`--alone`) they are wrong where each life would
//! have left half a descriptor, or 8 KiB.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::args::Machine;

/// One look.
#[derive(Debug)]
pub(crate) struct Look {
    processes: BTreeSet<String>,
    mounts: BTreeSet<String>,
    groups: BTreeSet<String>,
    keyrings: u64,
    namespaces: u64,
    descriptors: u64,
    files: u64,
    available: u64,
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} processes of ours, {} mounts, {} cgroups of ours, {} session keyrings of ours, {} network namespaces, \
             {} descriptors of ours, {} open files on the machine, {} MiB available",
            self.processes.len(),
            self.mounts.len(),
            self.groups.len(),
            self.keyrings,
            self.namespaces,
            self.descriptors,
            self.files,
            self.available / 1024,
        )
    }
}

/// Looks; `tag` is a word in all names of this run.
pub(crate) fn look(tag: &str, machine: Machine) -> Result<Look, String> {
    if machine == Machine::Alone {
        // What is kept for quick repetition is not lost.
        let _ = fs::write("/proc/sys/vm/drop_caches", "3");
    }
    let read = |path: &str| {
        fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))
    };
    let first = |text: &str| {
        text.split_whitespace()
            .next()
            .and_then(|word| word.parse().ok())
    };
    let available = read("/proc/meminfo")?;
    let available = available
        .lines()
        .find_map(|line| first(line.strip_prefix("MemAvailable:")?));
    Ok(Look {
        processes: processes(tag),
        mounts: read("/proc/self/mountinfo")?
            .lines()
            .map(str::to_owned)
            .collect(),
        groups: groups(tag),
        keyrings: count(&read("/proc/keys")?, tag),
        namespaces: namespaces(),
        descriptors: fs::read_dir("/proc/self/fd").map_or(0, |list| list.count() as u64),
        files: first(&read("/proc/sys/fs/file-nr")?).unwrap_or(0),
        available: available.unwrap_or(0),
    })
}

/// The same when what takes its time has been given it: the kernel ends namespaces and groups in the background.
pub(crate) fn look_again(tag: &str, before: &Look, machine: Machine) -> Result<Look, String> {
    let began = Instant::now();
    loop {
        let now = look(tag, machine)?;
        if before.left(&now, Machine::Shared, 0).is_empty()
            || began.elapsed() > Duration::from_secs(20)
        {
            return Ok(now);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

impl Look {
    /// What there is after `cycles` lives that was not there before.
    pub(crate) fn left(&self, after: &Look, machine: Machine, cycles: u64) -> Vec<String> {
        let more = |what: &str, before: &BTreeSet<String>, after: &BTreeSet<String>| {
            let new = after.difference(before);
            new.map(|one| format!("{what} {one} is left"))
                .collect::<Vec<_>>()
        };
        let mut left = more("process", &self.processes, &after.processes);
        left.extend(more("mount", &self.mounts, &after.mounts));
        left.extend(more("cgroup", &self.groups, &after.groups));
        let numbers = [
            ("session keyrings", self.keyrings, after.keyrings, 0),
            (
                "descriptors of ours",
                self.descriptors,
                after.descriptors,
                0,
            ),
            ("network namespaces", self.namespaces, after.namespaces, 3),
        ];
        for (what, before, now, grace) in numbers {
            if now > before.saturating_add(grace) {
                left.push(format!("{what}: {before} before, {now} now"));
            }
        }
        if machine == Machine::Shared {
            return left;
        }
        if after.files > self.files + cycles / 2 {
            left.push(format!(
                "open files on the machine: {} before, {} now",
                self.files, after.files
            ));
        }
        let lost = self.available.saturating_sub(after.available);
        if lost > 8 * cycles + 8192 {
            left.push(format!("{} KiB of memory are not available any more", lost));
        }
        left
    }
}

fn count(text: &str, tag: &str) -> u64 {
    text.lines().filter(|line| line.contains(tag)).count() as u64
}

/// Processes of containers are in groups with our tag, those of the runtime have it among their arguments; by
/// pid and name. Orphans are the business of whoever is process 1 here.
fn processes(tag: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let path = entry.path();
        let holds = |file: &str| {
            let text = fs::read(path.join(file)).unwrap_or_default();
            String::from_utf8_lossy(&text).contains(tag)
        };
        if holds("cgroup") || holds("cmdline") {
            let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
            found.insert(format!("{} ({})", entry.file_name().display(), name.trim()));
        }
    }
    found
}

fn groups(tag: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![Path::new("/sys/fs/cgroup").to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name().to_string_lossy().contains(tag) {
                    found.insert(entry.path().display().to_string());
                }
                open.push(entry.path());
            }
        }
    }
    found
}

/// Distinct network namespaces of all processes that can be seen.
fn namespaces() -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let seen = processes.filter_map(|entry| fs::read_link(entry.path().join("ns/net")).ok());
    seen.collect::<BTreeSet<_>>().len() as u64
}
