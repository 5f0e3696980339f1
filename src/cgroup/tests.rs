//! On the real kernel, as root, in groups of their own below the hierarchy's root. A machine that
//! has no v2 controller but some tests both the success and the failure with what it has.

use super::*;
use crate::plan::cgroup::{
    DeviceKind, DeviceRule, Group, Need, Otherwise, Relative, Setting, Verdict,
};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A group that is removed at the end of the test, whatever its outcome.
pub(super) struct Ours(pub(super) Cgroup);

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.0.kill_all();
        let _ = self.0.remove();
        let _ = self.0.undo();
    }
}

pub(super) fn may() -> bool {
    let writable = |root: Hierarchy| file::open(&root.dir, c"cgroup.procs", OFlags::WRONLY).is_ok();
    let may = rustix::process::geteuid().is_root() && hierarchy().is_ok_and(writable);
    if !may {
        println!("skipped: making cgroups needs root and cgroup v2");
    }
    may
}

pub(super) fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "orbital-test-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

pub(super) fn group(path: &str) -> Group {
    Group {
        path: path.to_owned(),
        relative: Relative::ToRoot,
        pointer: "/linux/cgroupsPath".into(),
        need: Need::Required,
        settings: Vec::new(),
        devices: Vec::new(),
        scope: None,
        owner: None,
        warnings: Vec::new(),
    }
}

pub(super) fn setting(file: &str, value: &str, pointer: &str) -> Setting {
    Setting {
        file: file.to_owned(),
        value: value.to_owned(),
        controller: file.split('.').next().map(str::to_owned),
        otherwise: Otherwise::Fail,
        pointer: pointer.into(),
    }
}

pub(super) fn make(group: &Group) -> Result<Option<Cgroup>> {
    place::make(group, &Proc::open().unwrap())
}

pub(super) fn ours(path: &str) -> Ours {
    Ours(make(&group(path)).unwrap().unwrap())
}

/// A shell that enters the group, runs `script` and stays until it is killed. (orbital itself never
/// enters a group this way: its children are born there.)
pub(super) fn dweller(cgroup: &Cgroup, script: &str) -> Dweller {
    let enter = format!("echo $$ > \"$0/cgroup.procs\" && {script} && echo in && exec sleep 100");
    let mut child = Command::new("sh")
        .args(["-c", &enter])
        .arg(&cgroup.path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut word = [0; 3];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut word)
        .unwrap();
    assert_eq!(&word, b"in\n");
    Dweller(child)
}

/// A process in a group; it ends with the test.
pub(super) struct Dweller(Child);

impl Dweller {
    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    fn signal_of_its_end(&mut self) -> Option<i32> {
        self.0.wait().unwrap().signal()
    }
}

impl Drop for Dweller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_group_is_made_used_and_removed_needs_root() {
    if !may() {
        return;
    }
    let name = name();
    let ours = ours(&format!("{name}/inner"));
    let made = hierarchy().unwrap().path.join(&name);
    assert_eq!(ours.0.made, [made.clone(), made.join("inner")]);
    assert_eq!(
        (ours.0.is_populated().unwrap(), ours.0.processes().unwrap()),
        (false, vec![])
    );
    let mut child = dweller(&ours.0, "mkdir -p $0/a/b $0/c");
    assert!(ours.0.is_populated().unwrap());
    assert_eq!(ours.0.processes().unwrap(), [child.pid()]);
    assert!(
        Cgroup::open(&ours.0.path)
            .unwrap()
            .unwrap()
            .is_populated()
            .unwrap()
    );
    ours.0.kill_all().unwrap();
    let start = Instant::now();
    ours.0.undo().unwrap();
    assert!(
        start.elapsed() < Duration::from_millis(500),
        "{:?}",
        start.elapsed()
    );
    assert!(!made.exists());
    assert_eq!(child.signal_of_its_end(), Some(libc::SIGKILL));
    // All of it once more, on a group that is gone.
    ours.0.remove().unwrap();
    ours.0.undo().unwrap();
    ours.0.kill_all().unwrap();
    ours.0.thaw().unwrap();
    assert_eq!(
        (ours.0.is_populated().unwrap(), ours.0.is_frozen().unwrap()),
        (false, false)
    );
    assert!(Cgroup::open(&ours.0.path).unwrap().is_none());
}

#[test]
fn a_deep_and_wide_tree_of_the_containers_is_removed_needs_root() {
    if !may() {
        return;
    }
    let ours = ours(&name());
    let mut deep = ours.0.path.clone();
    for _ in 0..60 {
        deep.push("deep");
        std::fs::create_dir(&deep).unwrap();
    }
    for wide in 0..30 {
        std::fs::create_dir(ours.0.path.join(format!("wide{wide}"))).unwrap();
    }
    ours.0.remove().unwrap();
    assert!(!ours.0.path.exists());
}

#[test]
fn removal_says_who_is_still_there_needs_root() {
    if !may() {
        return;
    }
    let ours = ours(&name());
    let child = dweller(&ours.0, "true");
    let error = ours.0.remove().unwrap_err().to_string();
    let path = ours.0.path.display();
    assert_eq!(
        error,
        format!(
            "cannot remove the container's cgroup\n  at:    {path}\n  cause: EBUSY: device or resource \
             busy, from unlinkat (directory)\n  hint:  end its processes first: {}",
            child.pid()
        )
    );
}

#[test]
fn freezing_stops_and_thawing_goes_on_needs_root() {
    if !may() {
        return;
    }
    let ours = ours(&name());
    let _child = dweller(&ours.0, "true");
    ours.0.freeze().unwrap();
    assert!(ours.0.is_frozen().unwrap());
    ours.0.thaw().unwrap();
    assert!(!ours.0.is_frozen().unwrap());
}

#[test]
fn every_process_gets_the_signal_needs_root() {
    if !may() {
        return;
    }
    let ours = ours(&name());
    let mut first = dweller(&ours.0, "true");
    let below = Cgroup::open(&ours.0.path).unwrap().unwrap();
    std::fs::create_dir(ours.0.path.join("below")).unwrap();
    let below = Cgroup {
        path: below.path.join("below"),
        ..below
    };
    let mut second = dweller(&below, "true");
    assert_eq!(ours.0.processes().unwrap().len(), 2);
    ours.0.signal_all(libc::SIGTERM).unwrap();
    assert_eq!(first.signal_of_its_end(), Some(libc::SIGTERM));
    assert_eq!(second.signal_of_its_end(), Some(libc::SIGTERM));
}

#[test]
fn killing_one_by_one_reaches_all_needs_root() {
    if !may() {
        return;
    }
    let ours = ours(&name());
    let _child = dweller(&ours.0, "for n in 1 2 3 4 5; do sleep 100 & done");
    assert_eq!(ours.0.processes().unwrap().len(), 6);
    ours.0.kill_one_by_one().unwrap();
    assert!(ours.0.is_empty_within(Duration::from_secs(2)).unwrap());
    assert!(!ours.0.is_frozen().unwrap());
}

/// Gives hugetlb to the groups below the root for one test, and takes it back where it was not given
/// before. `None` where the machine has none.
pub(super) struct Hugetlb {
    before: bool,
    file: PathBuf,
    _alone: std::sync::MutexGuard<'static, ()>,
}

static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

impl Hugetlb {
    pub(super) fn borrow() -> Option<Hugetlb> {
        let root = hierarchy().ok()?.path;
        let has = |file: &str| {
            let text = std::fs::read_to_string(root.join(file)).unwrap();
            text.split_whitespace().any(|word| word == "hugetlb")
        };
        if !has("cgroup.controllers") {
            println!("skipped: cgroup v2 has no hugetlb here");
            return None;
        }
        let _alone = ALONE
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let file = root.join("cgroup.subtree_control");
        Some(Hugetlb {
            before: has("cgroup.subtree_control"),
            file,
            _alone,
        })
    }
}

impl Drop for Hugetlb {
    fn drop(&mut self) {
        if !self.before {
            let _ = std::fs::write(&self.file, "-hugetlb");
        }
    }
}

#[test]
fn the_filter_is_in_force_and_cheap_needs_root() {
    if !may() {
        return;
    }
    let ours = ours(&name());
    let proc = Proc::open().unwrap();
    let rule = |minor| DeviceRule {
        verdict: Verdict::Allow,
        kind: DeviceKind::Character,
        major: Some(1),
        minor: Some(minor),
        access: 6,
    };
    let rules: Vec<DeviceRule> = [3, 8, 7, 9, 11, 12, 13, 14, 15]
        .into_iter()
        .map(rule)
        .collect();
    let start = Instant::now();
    devices::attach(&ours.0, &rules, &proc).unwrap();
    println!("load and attach: {:?}", start.elapsed());
    let tests = "cat /dev/null && head -c1 /dev/urandom >/dev/null && ! cat /dev/zero 2>/dev/null";
    let _child = dweller(&ours.0, tests);
}

#[test]
fn the_callers_own_group_is_found() {
    let group = own_group(&Proc::open().unwrap()).unwrap();
    assert!(group.starts_with('/'), "{group}");
}

#[test]
fn keys_of_flat_files_are_matched_whole() {
    let text = "low 0\noom 3\noom_kill 2\noom_group_kill 1\n";
    assert_eq!(
        (value_of(text, "oom_kill"), value_of(text, "oom")),
        (Some(2), Some(3))
    );
    assert_eq!(value_of(text, "kill"), None);
}
