use super::*;
use crate::error::Pointer;
use std::fs;

/// A tree that looks like resctrl, but for what its kernel does: files must be there before they are written,
/// so a group that is made here can take no process.
fn tree(groups: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, schemata) in groups {
        let folder = root.path().join(name);
        fs::create_dir_all(folder.join("mon_groups")).unwrap();
        fs::write(folder.join("schemata"), schemata).unwrap();
        fs::write(folder.join("tasks"), "").unwrap();
    }
    root
}

fn rdt(group: Group, shares: &[&str], schemata: &[&str]) -> Rdt {
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    Rdt {
        group,
        shares: lines(shares),
        schemata: lines(schemata),
        monitor: None,
        pointer: Pointer::from("/linux/intelRdt"),
    }
}

fn named(name: &str) -> Group {
    Group::Named(name.to_owned())
}

fn content(root: &tempfile::TempDir, path: &str) -> String {
    fs::read_to_string(root.path().join(path)).unwrap()
}

#[test]
fn a_group_that_is_there_is_joined_and_stays() {
    let root = tree(&[("gold", "L3:0=00f;1=0ff\nMB:0=100\n")]);
    assert_eq!(
        join(&rdt(named("gold"), &[], &[]), root.path(), 7).unwrap(),
        [""; 0].map(PathBuf::from)
    );
    assert_eq!(content(&root, "gold/tasks"), "7");
    assert_eq!(
        content(&root, "gold/schemata"),
        "L3:0=00f;1=0ff\nMB:0=100\n",
        "not written"
    );
}

#[test]
fn shares_are_compared_by_what_they_mean() {
    let root = tree(&[("gold", "    L3:0=00f;1=0ff\n    MB:0=100;1= 50\n")]);
    let asked = |shares: &[&str]| join(&rdt(named("gold"), shares, &[]), root.path(), 7);
    asked(&["L3:1=FF;0=f", "MB:1=50"]).unwrap();
    let root = tree(&[("gold", "L3:0=00f;1=0ff\n")]);
    for other in ["L3:0=ff", "L2:0=f", "L3:2=f", "nonsense"] {
        let error = join(&rdt(named("gold"), &[other], &[]), root.path(), 7).unwrap_err();
        assert!(error.one_line().contains("has other shares"), "{error}");
    }
    assert_eq!(content(&root, "gold/tasks"), "", "nobody has joined");
}

#[test]
fn lines_are_written_in_their_order() {
    let root = tree(&[("web", ""), (".", "")]);
    let own = rdt(
        Group::Own("web".into()),
        &["L3:0=f", "MB:0=20"],
        &["L2:0=3"],
    );
    join(&own, root.path(), 9).unwrap();
    assert_eq!(content(&root, "web/schemata"), "L3:0=f\nMB:0=20\nL2:0=3\n");
    join(&rdt(Group::Default, &[], &[]), root.path(), 9).unwrap();
    assert_eq!(content(&root, "tasks"), "9");
}

#[test]
fn a_named_group_without_shares_must_be_there() {
    let root = tree(&[]);
    let error = join(&rdt(named("gold"), &[], &[]), root.path(), 7).unwrap_err();
    assert!(error.one_line().contains("there is no group"), "{error}");
    assert!(!root.path().join("gold").exists());
}

#[test]
fn what_was_made_goes_again() {
    let root = tree(&[]);
    // No kernel fills the new directory with files: the write fails.
    assert!(join(&rdt(Group::Own("web".into()), &[], &[]), root.path(), 7).is_err());
    assert!(
        !root.path().join("web").exists(),
        "its own group is removed"
    );
    let root = tree(&[("gold", "")]);
    let monitored = Rdt {
        monitor: Some("web".to_owned()),
        ..rdt(named("gold"), &[], &[])
    };
    assert!(join(&monitored, root.path(), 7).is_err());
    assert!(!root.path().join("gold/mon_groups/web").exists());
    assert!(root.path().join("gold").exists(), "a named one stays");
    remove(&[root.path().join("gone")]).unwrap();
}

#[test]
fn where_it_is_mounted() {
    let mountinfo = "22 1 0:20 / /sys rw - sysfs sysfs rw\n40 22 0:33 / /sys/fs/resctrl rw,relatime shared:9 - resctrl resctrl rw\n";
    assert_eq!(place_in(mountinfo), Some(PathBuf::from("/sys/fs/resctrl")));
    assert_eq!(
        place_in("22 1 0:20 / /resctrl rw - tmpfs resctrl rw\n"),
        None
    );
}

#[test]
fn a_group_that_is_not_there_is_made() {
    let root = tree(&[]);
    let gold = rdt(named("gold"), &["L3:0=f"], &[]);
    assert!(
        join(&gold, root.path(), 7).is_err(),
        "no kernel fills it with files"
    );
    assert!(root.path().join("gold").is_dir());
}

#[test]
fn a_monitoring_group_is_the_containers() {
    let root = tree(&[("gold", "")]);
    let monitored = Rdt {
        monitor: Some("web".to_owned()),
        ..rdt(named("gold"), &[], &[])
    };
    let place = root.path().join("gold/mon_groups/web");
    let error = join(&monitored, root.path(), 7).unwrap_err();
    // It was made: the write to its tasks is what failed.
    assert!(error.one_line().contains("mon_groups/web/tasks"), "{error}");
    assert!(!place.exists(), "and removed again");
    fs::create_dir(&place).unwrap();
    let error = join(&monitored, root.path(), 7).unwrap_err();
    assert!(error.one_line().contains("cannot make"), "{error}");
    assert!(place.exists(), "another's stays");
    remove(std::slice::from_ref(&place)).unwrap();
    assert!(!place.exists());
}
