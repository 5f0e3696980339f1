//! On the real kernel, as root, in groups of their own below the hierarchy's root. A machine that
//! has no v2 controller but some tests both the success and the failure with what it has.

use super::*;
use crate::plan::cgroup::{
    DeviceKind, DeviceRule, Group, Need, Otherwise, Relative, Setting, Verdict,
};
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A group that is removed at the end of the test, whatever its outcome.
struct Ours(Cgroup);

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.0.kill_all();
        let _ = self.0.remove();
        let _ = self.0.undo();
    }
}

fn may() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: making cgroups needs root");
    }
    root && hierarchy().is_ok_and(|h| file::open(&h.dir, c"cgroup.procs", OFlags::WRONLY).is_ok())
}

fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("orbital-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn group(path: &str) -> Group {
    Group {
        path: path.to_owned(),
        relative: Relative::ToRoot,
        pointer: "/linux/cgroupsPath".into(),
        need: Need::Required,
        settings: Vec::new(),
        devices: Vec::new(),
        warnings: Vec::new(),
    }
}

fn setting(file: &str, value: &str, pointer: &str) -> Setting {
    Setting {
        file: file.to_owned(),
        value: value.to_owned(),
        controller: file.split('.').next().map(str::to_owned),
        otherwise: Otherwise::Fail,
        pointer: pointer.into(),
    }
}

fn make(group: &Group) -> Result<Option<Cgroup>> {
    place::make(group, &Proc::open().unwrap())
}

fn ours(path: &str) -> Ours {
    Ours(make(&group(path)).unwrap().unwrap())
}

/// A shell that enters the group, runs `script` and stays until it is killed. (orbital itself never
/// enters a group this way: its children are born there.)
fn dweller(cgroup: &Cgroup, script: &str) -> Child {
    let enter = format!("echo $$ > \"$0/cgroup.procs\" && {script} && echo in && exec sleep 100");
    let mut child = Command::new("sh")
        .args(["-c", &enter])
        .arg(&cgroup.path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut word = [0; 3];
    child.stdout.as_mut().unwrap().read_exact(&mut word).unwrap();
    assert_eq!(&word, b"in\n");
    child
}

fn pid_of(child: &Child) -> i32 {
    i32::try_from(child.id()).unwrap()
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
    assert_eq!((ours.0.is_populated().unwrap(), ours.0.processes().unwrap()), (false, vec![]));
    let mut child = dweller(&ours.0, "mkdir -p $0/a/b $0/c");
    assert!(ours.0.is_populated().unwrap());
    assert_eq!(ours.0.processes().unwrap(), [pid_of(&child)]);
    assert!(Cgroup::open(&ours.0.path).unwrap().unwrap().is_populated().unwrap());
    ours.0.kill_all().unwrap();
    let start = Instant::now();
    ours.0.undo().unwrap();
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert!(!made.exists());
    assert!(!child.wait().unwrap().success());
    // All of it once more, on a group that is gone.
    ours.0.remove().unwrap();
    ours.0.undo().unwrap();
    ours.0.kill_all().unwrap();
    ours.0.thaw().unwrap();
    assert_eq!((ours.0.is_populated().unwrap(), ours.0.is_frozen().unwrap()), (false, false));
    assert!(Cgroup::open(&ours.0.path).unwrap().is_none());
}

#[test]
fn a_directory_that_others_use_survives_undo_needs_root() {
    if !may() {
        return;
    }
    let parent = name();
    let (first, second) = (ours(&format!("{parent}/one")), ours(&format!("{parent}/two")));
    first.0.undo().unwrap();
    assert!(!first.0.path.exists() && second.0.path.exists());
    assert_eq!(second.0.made.len(), 1, "the parent was there");
    std::fs::remove_dir(&second.0.path).unwrap();
    std::fs::remove_dir(second.0.path.parent().unwrap()).unwrap();
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
            child.id()
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
    let below = Cgroup { path: below.path.join("below"), ..below };
    let mut second = dweller(&below, "true");
    assert_eq!(ours.0.processes().unwrap().len(), 2);
    ours.0.signal_all(libc::SIGTERM).unwrap();
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(first.wait().unwrap().signal(), Some(libc::SIGTERM));
    assert_eq!(second.wait().unwrap().signal(), Some(libc::SIGTERM));
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

#[test]
fn a_group_with_processes_is_refused_needs_root() {
    if !may() {
        return;
    }
    let name = name();
    let ours = ours(&name);
    let again = make(&group(&name)).unwrap().unwrap();
    assert!(again.made.is_empty(), "an empty one may be used");
    let _child = dweller(&ours.0, "true");
    let error = make(&group(&name)).unwrap_err().to_string();
    let path = ours.0.path.display();
    assert_eq!(
        error,
        format!(
            "cannot make the cgroup\n  at:    config.json#/linux/cgroupsPath\n  cause: refused: {path} \
             holds processes already\n  hint:  delete the container that uses it, or give another \
             cgroupsPath"
        )
    );
}

#[test]
fn a_missing_controller_is_named_and_nothing_stays_needs_root() {
    if !may() {
        return;
    }
    let name = name();
    let mut group = group(&format!("{name}/inner"));
    group.settings = vec![setting("nosuch.max", "64", "/linux/resources/unified/nosuch.max")];
    let error = make(&group).unwrap_err();
    let report = error.to_string();
    let root = hierarchy().unwrap().path;
    assert!(report.starts_with("cannot set nosuch.max\n  at:    config.json#/linux/resources/unified/nosuch.max\n"));
    let file = root.join("cgroup.controllers");
    let why = format!("the nosuch controller is not in {}, which has only", file.display());
    assert!(report.contains(&why), "{report}");
    assert!(report.contains("cgroup_no_v1=nosuch"), "{report}");
    assert!(!root.join(name).exists());
}

/// The controller of which every machine of ours has one: hugetlb.
#[test]
fn limits_are_written_and_their_controllers_enabled_needs_root() {
    if !may() {
        return;
    }
    let root = hierarchy().unwrap();
    let offered = std::fs::read_to_string(root.path.join("cgroup.controllers")).unwrap();
    if !offered.split_whitespace().any(|word| word == "hugetlb") {
        return println!("skipped: cgroup v2 has no hugetlb here");
    }
    let mut group = group(&format!("{}/inner", name()));
    let at = "/linux/resources/hugepageLimits/0/limit";
    group.settings = vec![setting("hugetlb.2MB.max", "4194304", at)];
    let ours = Ours(make(&group).unwrap().unwrap());
    apply::write_all(&ours.0, &group.settings).unwrap();
    let read = |file: &str| std::fs::read_to_string(ours.0.path.join(file)).unwrap();
    assert_eq!(read("hugetlb.2MB.max"), "4194304\n");
    assert_eq!(read("../cgroup.subtree_control"), "hugetlb\n");
    assert_eq!(read("cgroup.subtree_control"), "", "the group itself takes processes");

    let ignored = Setting { otherwise: Otherwise::Ignore, ..setting("hugetlb.3MB.max", "1", at) };
    apply::write_all(&ours.0, &[ignored]).unwrap();
    let other = Otherwise::Write { file: "hugetlb.2MB.max".into(), value: "0".into() };
    let other = Setting { otherwise: other, ..setting("hugetlb.3MB.max", "1", at) };
    apply::write_all(&ours.0, &[other]).unwrap();
    assert_eq!(read("hugetlb.2MB.max"), "0\n");

    let error = |file, value| {
        apply::write_all(&ours.0, &[setting(file, value, at)]).unwrap_err().to_string()
    };
    let path = ours.0.path.display();
    assert_eq!(
        error("hugetlb.3MB.max", "1"),
        format!(
            "cannot set hugetlb.3MB.max\n  at:    config.json#{at}\n  cause: ENOENT: no such file or \
             directory, from openat of {path}/hugetlb.3MB.max\n  hint:  remove {at}: this kernel has \
             no hugetlb.3MB.max"
        )
    );
    let wrong = error("hugetlb.2MB.max", "much");
    assert!(wrong.contains("EINVAL: invalid argument, from write of"), "{wrong}");
    assert!(wrong.contains("does not take \"much\""), "{wrong}");
}

/// A parent with processes cannot give controllers; the hint says so.
#[test]
fn the_no_internal_process_rule_is_explained_needs_root() {
    if !may() {
        return;
    }
    let parent = ours(&name());
    let _child = dweller(&parent.0, "true");
    let below = parent.0.path.strip_prefix(hierarchy().unwrap().path).unwrap().join("below");
    let mut group = group(below.to_str().unwrap());
    group.settings = vec![setting("hugetlb.2MB.max", "0", "/linux/resources/hugepageLimits/0/limit")];
    let report = make(&group).unwrap_err().to_string();
    if report.contains("cgroup.controllers") {
        return println!("skipped: cgroup v2 has no hugetlb here");
    }
    let path = parent.0.path.display();
    assert!(report.contains(&format!("EBUSY: device or resource busy, from write of {path}/cgroup.subtree_control")), "{report}");
    assert!(report.contains(&format!("{path} holds processes, and such a group cannot give +hugetlb")), "{report}");
}

/// Groups that share a new parent, made and undone at the same time: nobody loses its own.
#[test]
fn groups_with_a_common_parent_do_not_disturb_each_other_needs_root() {
    if !may() {
        return;
    }
    let parent = name();
    let worker = |number: usize| {
        let path = format!("{parent}/{number}");
        for _ in 0..25 {
            let cgroup = make(&group(&path)).unwrap().unwrap();
            assert!(cgroup.path.exists());
            cgroup.undo().unwrap();
        }
    };
    std::thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || worker(number));
        }
    });
    let _ = std::fs::remove_dir(hierarchy().unwrap().path.join(&parent));
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
    let rules: Vec<DeviceRule> = [3, 8, 7, 9, 11, 12, 13, 14, 15].into_iter().map(rule).collect();
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
    assert_eq!((value_of(text, "oom_kill"), value_of(text, "oom")), (Some(2), Some(3)));
    assert_eq!(value_of(text, "kill"), None);
}
