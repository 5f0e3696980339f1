use super::*;
use crate::plan::birth::{BecomeRoot, Kind, NewCgroup};
use crate::plan::facts::Instance;
use crate::plan::idmap::{Map, Maps, Setgroups, Writer};
use serde_json::{Value, json};

/// A container with all kinds of namespaces of its own, but a user namespace.
pub(in crate::plan) fn plain() -> Birth {
    let own = vec![
        Kind::Pid,
        Kind::Network,
        Kind::Mount,
        Kind::Ipc,
        Kind::Uts,
        Kind::Cgroup,
    ];
    Birth {
        network: crate::plan::birth::NetworkMaker::Clone,
        user: UserNamespace::Inherited,
        clone_flags: 0,
        joins: Vec::new(),
        new_cgroup: NewCgroup::Yes,
        clocks: None,
        become_root: BecomeRoot::No,
        own,
    }
}

/// The same in a new user namespace.
pub(in crate::plan) fn mapped() -> Birth {
    let map = |name: &str| Map {
        lines: vec![(0, 100_000, 65_536)],
        bytes: b"0 100000 65536\n".to_vec(),
        pointer: Pointer::from("/linux").at(name),
    };
    let maps = Maps {
        uid: map("uidMappings"),
        gid: map("gidMappings"),
        writer: Writer::Runtime,
        setgroups: Setgroups::Allow,
    };
    Birth {
        user: UserNamespace::New(maps),
        ..plain()
    }
}

/// Without one of its namespaces.
pub(in crate::plan) fn without(mut birth: Birth, kind: Kind) -> Birth {
    birth.own.retain(|own| *own != kind);
    birth
}

/// A caller with or without privileges.
pub(in crate::plan) fn caller(privilege: Privilege) -> Facts {
    let (uid, gid) = if privilege == Privilege::Root {
        (0, 0)
    } else {
        (1000, 1000)
    };
    Facts {
        architecture: oci_spec::runtime::Arch::ScmpArchX86_64,
        uid,
        gid,
        privilege,
        systemd: Instance::System,
        last_capability: 40,
        grantable: 0,
        newuidmap: None,
        newgidmap: None,
        unified: true,
    }
}

/// A configuration with these properties beside the necessary ones.
pub(in crate::plan) fn spec(more: Value) -> Spec {
    let mut all = json!({"ociVersion": "1.2.0", "root": {"path": "rootfs"}});
    let (Value::Object(all_of), Value::Object(more)) = (&mut all, more) else {
        panic!("no object")
    };
    all_of.extend(more);
    serde_json::from_value(all).unwrap()
}

fn planned(more: Value, entry: Entry) -> Result<Root> {
    plan(
        &spec(more),
        &plain(),
        &caller(Privilege::Root),
        Path::new("/bundles/web"),
        entry,
    )
}

#[test]
fn the_path_is_relative_to_the_bundle() {
    for (written, path) in [
        ("rootfs", c"/bundles/web/rootfs"),
        ("../shared", c"/bundles/web/../shared"),
        ("/srv/images/debian", c"/srv/images/debian"),
    ] {
        let root = planned(json!({"root": {"path": written}}), Entry::Pivot).unwrap();
        assert_eq!(root.path.as_c_str(), path);
        assert_eq!(root.access, Access::ReadWrite);
    }
    let root = planned(
        json!({"root": {"path": "r", "readonly": true}}),
        Entry::Pivot,
    )
    .unwrap();
    assert_eq!(root.access, Access::ReadOnly);
}

#[test]
fn a_missing_or_empty_root_is_refused() {
    let none = serde_json::from_value(json!({"ociVersion": "1.2.0"})).unwrap();
    let error = plan(
        &none,
        &plain(),
        &caller(Privilege::Root),
        Path::new("/b"),
        Entry::Pivot,
    );
    assert_eq!(
        error.unwrap_err().one_line(),
        "cannot find the root file system: config.json#/root: refused: there is none (hint: add \"root\": {\"path\": \"rootfs\"})"
    );
    for (path, why) in [
        ("", "the path is empty"),
        ("a\0b", "a C string cannot hold"),
    ] {
        let planned = planned(json!({"root": {"path": path}}), Entry::Pivot);
        let line = planned.unwrap_err().one_line();
        let start = "cannot find the root file system: config.json#/root/path: refused: ";
        assert!(line.starts_with(&format!("{start}{why}")), "{line}");
    }
}

#[test]
fn propagation_words() {
    for (word, host, last) in [
        (None, MS_SLAVE, 0),
        (Some(""), MS_SLAVE, 0),
        (Some("slave"), MS_SLAVE, 0),
        (Some("rslave"), MS_SLAVE, 0),
        (Some("private"), MS_PRIVATE, MS_PRIVATE),
        (Some("rprivate"), MS_PRIVATE, MS_PRIVATE),
        (Some("shared"), 0, MS_SHARED),
        (Some("rshared"), 0, MS_SHARED | MS_REC),
        (Some("unbindable"), MS_PRIVATE, MS_UNBINDABLE),
        (Some("runbindable"), MS_PRIVATE, MS_UNBINDABLE | MS_REC),
    ] {
        let root = planned(json!({"linux": {"rootfsPropagation": word}}), Entry::Pivot).unwrap();
        assert_eq!(
            (root.host_propagation, root.final_propagation),
            (host, last),
            "{word:?}"
        );
    }
}

#[test]
fn an_unknown_propagation_gets_the_nearest_word() {
    for (word, hint) in [
        ("rslav", "did you mean rslave?"),
        ("Private", "did you mean private?"),
        (
            "none",
            "use shared, slave, private or unbindable, with an r before it for all mounts",
        ),
    ] {
        let error =
            planned(json!({"linux": {"rootfsPropagation": word}}), Entry::Pivot).unwrap_err();
        assert_eq!(error.report().hint.as_deref(), Some(hint));
        assert_eq!(
            error.report().object,
            crate::error::Object::config("/linux/rootfsPropagation")
        );
    }
}

#[test]
fn private_mounts_of_the_host_need_pivot_root() {
    for word in ["private", "rprivate", "unbindable", "runbindable"] {
        let more = json!({"linux": {"rootfsPropagation": word}});
        assert!(planned(more.clone(), Entry::Pivot).is_ok());
        let line = planned(more, Entry::MoveAndChroot).unwrap_err().one_line();
        assert!(
            line.contains("without pivot_root") && line.contains("leave out --no-pivot"),
            "{line}"
        );
    }
}

#[test]
fn among_the_mounts_of_the_caller_the_root_is_private_and_entered_by_chroot() {
    let among = |word: Option<&str>, entry| {
        plan(
            &spec(json!({"linux": {"rootfsPropagation": word}})),
            &without(plain(), Kind::Mount),
            &caller(Privilege::Root),
            Path::new("/bundles/web"),
            entry,
        )
    };
    for word in [None, Some(""), Some("private"), Some("runbindable")] {
        for entry in [Entry::Pivot, Entry::MoveAndChroot] {
            let root = among(word, entry).unwrap();
            assert_eq!(
                (root.entry, root.host_propagation),
                (Entry::Chroot, MS_PRIVATE)
            );
        }
    }
    for word in ["shared", "rshared", "slave", "rslave"] {
        let error = among(Some(word), Entry::Pivot).unwrap_err();
        let hint = "use rprivate, or add {\"type\": \"mount\"} to /linux/namespaces";
        assert_eq!(error.report().hint.as_deref(), Some(hint), "{word}");
    }
}

#[test]
fn only_a_privileged_parent_opens_for_a_user_namespace() {
    let joined = Birth {
        user: UserNamespace::Joined,
        ..plain()
    };
    for (birth, privilege, expected) in [
        (plain(), Privilege::Root, Opener::Child),
        (plain(), Privilege::User, Opener::Child),
        (mapped(), Privilege::Root, Opener::Parent),
        (mapped(), Privilege::User, Opener::Child),
        (joined, Privilege::Root, Opener::Parent),
    ] {
        assert_eq!(
            opener(&birth, &caller(privilege)),
            expected,
            "{privilege:?} {:?}",
            birth.user
        );
    }
}

#[test]
fn paths_below_the_root_are_clean() {
    for (written, clean) in [
        ("/data", c"data"),
        ("data", c"data"),
        ("//a//b/", c"a/b"),
        ("/a/./b/.", c"a/b"),
        ("/a/../b", c"b"),
        ("/../../etc", c"etc"),
        ("..", c""),
        ("/", c""),
        ("", c""),
        ("/a/..", c""),
        ("/a b/ü", c"a b/ü"),
    ] {
        assert_eq!(
            below("x", Path::new(written), &"/p".into())
                .unwrap()
                .as_c_str(),
            clean,
            "{written}"
        );
    }
    let line = below("mount x", Path::new("/a\0b"), &"/p".into())
        .unwrap_err()
        .one_line();
    assert_eq!(
        line,
        "cannot mount x: config.json#/p: refused: a C string cannot hold the character NUL (hint: take \\u0000 out)"
    );
}
