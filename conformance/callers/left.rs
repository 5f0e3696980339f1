//! What a case has left behind: anything on the machine that still bears one of its marks.
//!
//! Marks are the ids of its containers, its tag and its folder ([`Place::mark`]). They are looked for in processes,
//! mounts of all mount namespaces, groups, state directories below `/run`, and the callers' own records.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::check::patience;
use crate::place::Place;

/// How long what is left may take to go, times [`patience`]: callers tidy up in the background.
const GRACE: Duration = Duration::from_secs(10);

/// One line for each thing that is still there after some time.
pub(crate) fn after(place: &Place<'_>) -> Vec<String> {
    let (end, marks) = (Instant::now() + GRACE * patience(), place.marks());
    loop {
        let found = look(place, &marks);
        if found.is_empty() || Instant::now() > end {
            return found;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn look(place: &Place<'_>, marks: &BTreeSet<String>) -> Vec<String> {
    let marked = |text: &str| marks.iter().any(|mark| text.contains(mark.as_str()));
    let mut found = processes(place, &marked);
    found.extend(
        mounts(&marked)
            .into_iter()
            .map(|line| format!("mount {line}")),
    );
    let groups = named(Path::new("/sys/fs/cgroup"), 9, &marked);
    found.extend(
        groups
            .into_iter()
            .map(|dir| format!("cgroup {}", dir.display())),
    );
    let states = named(Path::new("/run"), 4, &marked);
    found.extend(
        states
            .into_iter()
            .map(|path| format!("state {}", path.display())),
    );
    // An image may stay, and so does what podman keeps of containers that never began.
    let records = named(&place.home, 5, &marked).into_iter().filter(|path| {
        let text = path.to_string_lossy();
        !text.contains("-images/") && !text.contains("/persist/")
    });
    found.extend(
        records
            .into_iter()
            .map(|path| format!("record {}", path.display())),
    );
    found
}

/// Processes by their arguments and their group; and those of the runtime itself, which nobody else uses now.
fn processes(place: &Place<'_>, marked: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let path = entry.path();
        let read = |file: &str| {
            let bytes = fs::read(path.join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let runs = fs::read_link(path.join("exe")).is_ok_and(|exe| exe == place.runtime.path);
        if runs || marked(&read("cmdline")) || marked(&read("cgroup")) {
            let (pid, words) = (entry.file_name(), read("cmdline"));
            found.push(format!("process {} ({})", pid.display(), words.trim()));
        }
    }
    found
}

/// Mounts of every mount namespace that a process is in.
fn mounts(marked: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let space = fs::metadata(entry.path().join("ns/mnt")).map(|data| data.ino());
        if space.is_ok_and(|number| seen.insert(number)) {
            let text = fs::read_to_string(entry.path().join("mountinfo")).unwrap_or_default();
            found.extend(text.lines().filter(|line| marked(line)).map(str::to_owned));
        }
    }
    found
}

/// Files and folders at most `depth` below `dir` with a mark in their names; not what is in those.
fn named(dir: &Path, depth: u32, marked: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if marked(&entry.file_name().to_string_lossy()) {
            found.push(path);
        } else if depth > 1 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(named(&path, depth - 1, marked));
        }
    }
    found
}
