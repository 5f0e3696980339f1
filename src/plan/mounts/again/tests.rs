use super::*;
use crate::plan::facts::Privilege;
use crate::plan::mounts::AttrChange;
use crate::plan::mounts::tests::of;
use crate::plan::root::tests::plain;
use libc::{MOUNT_ATTR_NODEV, MOUNT_ATTR_RDONLY};
use serde_json::{Value, json};

fn planned(mounts: Value) -> Result<Vec<MountOp>> {
    of(json!({"mounts": mounts}), &plain(), Privilege::Root)
}

#[test]
fn only_what_is_named_changes() {
    let mount =
        json!({"destination": "/proc/x", "options": ["remount", "ro", "dev", "sync", "size=1m"]});
    let op = planned(json!([mount])).unwrap().remove(0);
    let Source::Again {
        options,
        attributes,
        tree_attributes,
    } = op.source
    else {
        panic!("not again")
    };
    let keys: Vec<_> = options
        .iter()
        .map(|option| option.key.to_str().unwrap())
        .collect();
    assert_eq!(keys, ["sync", "size"]);
    let change = AttrChange {
        set: MOUNT_ATTR_RDONLY,
        clear: MOUNT_ATTR_NODEV,
    };
    assert_eq!(
        (attributes, tree_attributes),
        (change, AttrChange::default())
    );
    assert_eq!(op.seal, Seal::AtOnce);
    let bind = json!({"destination": "/d", "options": ["bind", "remount", "sync"]});
    let bind = planned(json!([bind])).unwrap().remove(0);
    assert!(matches!(bind.source, Source::Again { options, .. } if options.is_empty()));
}

#[test]
fn dev_is_made_read_only_when_its_devices_are_there() {
    let op = planned(json!([{"destination": "/dev", "options": ["remount", "ro"]}]));
    assert_eq!(op.unwrap()[0].seal, Seal::AtTheEnd);
}

#[test]
fn the_last_word_counts() {
    let mounts = json!([
        {"destination": "/run", "type": "tmpfs", "options": ["ro"]},
        {"destination": "/tmp", "type": "tmpfs", "options": ["ro"]},
        {"destination": "/run", "options": ["remount", "rw"]},
    ]);
    let ops = planned(mounts).unwrap();
    assert_eq!(ops[0].seal, Seal::AtOnce);
    assert!(matches!(ops[0].source, Source::New { attributes: 0, .. }));
    assert_eq!(ops[1].seal, Seal::AtTheEnd, "another mount");
}

#[test]
fn refusals() {
    for (options, expected) in [
        (
            json!(["remount", "tmpcopyup"]),
            "/options/1: refused: only a new tmpfs",
        ),
        (
            json!(["remount", "idmap"]),
            "/options/1: refused: only the files of a bind mount",
        ),
        (
            json!(["remount", "bind", "userxattr"]),
            "/options/2: refused: a bind mount shows",
        ),
    ] {
        let mount = json!({"destination": "/d", "options": options});
        let line = planned(json!([mount])).unwrap_err().one_line();
        let start = format!("cannot remount /d: config.json#/mounts/0{expected}");
        assert!(line.starts_with(&start), "{line}");
    }
}
