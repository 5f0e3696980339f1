use crate::cgroup::hierarchy;
use crate::cgroup::tests::{Hugetlb, dweller, group, make, may, name, ours, setting};

#[test]
fn a_directory_that_others_use_survives_undo_needs_root() {
    if !may() {
        return;
    }
    let parent = name();
    let (first, second) = (
        ours(&format!("{parent}/one")),
        ours(&format!("{parent}/two")),
    );
    first.0.undo().unwrap();
    assert!(!first.0.path.exists() && second.0.path.exists());
    assert_eq!(second.0.made.len(), 1, "the parent was there");
    std::fs::remove_dir(&second.0.path).unwrap();
    std::fs::remove_dir(second.0.path.parent().unwrap()).unwrap();
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
    group.settings = vec![setting(
        "nosuch.max",
        "64",
        "/linux/resources/unified/nosuch.max",
    )];
    let error = make(&group).unwrap_err();
    let report = error.to_string();
    let root = hierarchy().unwrap().path;
    assert!(report.starts_with(
        "cannot set nosuch.max\n  at:    config.json#/linux/resources/unified/nosuch.max\n"
    ));
    let file = root.join("cgroup.controllers");
    let why = format!(
        "the nosuch controller is not in {}, which has only",
        file.display()
    );
    assert!(report.contains(&why), "{report}");
    assert!(report.contains("hint:  Linux has cpu, "), "{report}");
    assert!(!root.join(name).exists());
}

/// A parent with processes cannot give controllers; the hint says so.
#[test]
fn the_no_internal_process_rule_is_explained_needs_root() {
    if !may() {
        return;
    }
    let Some(_hugetlb) = Hugetlb::borrow() else {
        return;
    };
    let parent = ours(&name());
    let _child = dweller(&parent.0, "true");
    let below = parent
        .0
        .path
        .strip_prefix(hierarchy().unwrap().path)
        .unwrap()
        .join("below");
    let mut group = group(below.to_str().unwrap());
    group.settings = vec![setting(
        "hugetlb.2MB.max",
        "0",
        "/linux/resources/hugepageLimits/0/limit",
    )];
    let report = make(&group).unwrap_err().to_string();
    let path = parent.0.path.display();
    assert!(
        report.contains(&format!(
            "EBUSY: device or resource busy, from write of {path}/cgroup.subtree_control"
        )),
        "{report}"
    );
    assert!(
        report.contains(&format!(
            "{path} holds processes, and such a group cannot give +hugetlb"
        )),
        "{report}"
    );
}

/// Without any limit a group has what the groups above it can give; one with processes gives nothing.
#[test]
fn every_controller_is_given_where_nobody_is_disturbed_needs_root() {
    if !may() {
        return;
    }
    let Some(_hugetlb) = Hugetlb::borrow() else {
        return;
    };
    let offered = |cgroup: &std::path::Path| {
        let text = std::fs::read_to_string(cgroup.join("cgroup.controllers")).unwrap();
        text.split_whitespace().any(|name| name == "hugetlb")
    };
    let name = name();
    let inner = ours(&format!("{name}/inner"));
    assert!(offered(&inner.0.path));
    inner.0.undo().unwrap();
    let busy = ours(&format!("{name}-busy"));
    let _child = dweller(&busy.0, "true");
    let below = ours(&format!("{name}-busy/below"));
    assert!(!offered(&below.0.path));
    let kind = std::fs::read_to_string(below.0.path.join("cgroup.type")).unwrap();
    assert_eq!(kind.trim(), "domain");
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
