use super::write_all;
use crate::cgroup::tests::{Hugetlb, Ours, group, make, may, name, setting};
use crate::plan::cgroup::{Moment, Otherwise, Setting};

/// The one controller that is nearly always free for v2.
#[test]
fn limits_are_written_and_their_controllers_enabled_needs_root() {
    if !may() {
        return;
    }
    let Some(_hugetlb) = Hugetlb::borrow() else {
        return;
    };
    let mut group = group(&format!("{}/inner", name()));
    let at = "/linux/resources/hugepageLimits/0/limit";
    group.settings = vec![setting("hugetlb.2MB.max", "4194304", at)];
    let ours = Ours(make(&group).unwrap().unwrap());
    write_all(&ours.0, &group.settings, Moment::BeforeBirth).unwrap();
    let read = |file: &str| std::fs::read_to_string(ours.0.path.join(file)).unwrap();
    assert_eq!(read("hugetlb.2MB.max"), "4194304\n");
    assert_eq!(read("../cgroup.subtree_control"), "hugetlb\n");
    assert_eq!(
        read("cgroup.subtree_control"),
        "",
        "the group itself takes processes"
    );

    let ignored = Setting {
        otherwise: Otherwise::Ignore,
        ..setting("hugetlb.3MB.max", "1", at)
    };
    write_all(&ours.0, &[ignored], Moment::BeforeBirth).unwrap();
    let other = Otherwise::Write {
        file: "hugetlb.2MB.max".into(),
        value: "0".into(),
    };
    let other = Setting {
        otherwise: other,
        ..setting("hugetlb.3MB.max", "1", at)
    };
    write_all(&ours.0, &[other], Moment::BeforeBirth).unwrap();
    assert_eq!(read("hugetlb.2MB.max"), "0\n");

    let error = |file, value| {
        write_all(&ours.0, &[setting(file, value, at)], Moment::BeforeBirth)
            .unwrap_err()
            .to_string()
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
    assert!(
        wrong.contains("EINVAL: invalid argument, from write of"),
        "{wrong}"
    );
    assert!(wrong.contains("does not take \"much\""), "{wrong}");
}
