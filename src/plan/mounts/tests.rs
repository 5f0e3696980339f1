use super::*;
use crate::plan::facts::Privilege;
use crate::plan::root::tests::{caller, mapped, plain, spec};
use libc::{
    MOUNT_ATTR_NODEV as NODEV, MOUNT_ATTR_NOSUID as NOSUID, MOUNT_ATTR_RDONLY as RDONLY,
    MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE,
};
use serde_json::{Value, json};

pub(super) fn of(more: Value, birth: &Birth, privilege: Privilege) -> Result<Vec<MountOp>> {
    plan(
        &spec(more),
        birth,
        &caller(privilege),
        Path::new("/bundles/web"),
        &mut Vec::new(),
    )
}

pub(super) fn single(mount: Value) -> Result<MountOp> {
    of(json!({"mounts": [mount]}), &plain(), Privilege::Root).map(|mut all| all.remove(0))
}

#[test]
fn a_bind_by_option_or_by_type() {
    for (mount, path, recursive) in [
        (
            json!({"source": "/srv", "options": ["bind"]}),
            c"/srv",
            Recursive::No,
        ),
        (
            json!({"source": "/srv/../x", "type": "none", "options": ["rbind"]}),
            c"/srv/../x",
            Recursive::Yes,
        ),
        (
            json!({"source": "files", "type": "bind"}),
            c"/bundles/web/files",
            Recursive::No,
        ),
        (
            json!({"source": "./f", "type": "bind", "options": ["rbind"]}),
            c"/bundles/web/./f",
            Recursive::Yes,
        ),
        (
            json!({"source": "/srv", "type": "ext4", "options": ["rbind"]}),
            c"/srv",
            Recursive::Yes,
        ),
    ] {
        let mut mount = mount;
        mount["destination"] = json!("/data");
        let op = single(mount.clone()).unwrap();
        let none = AttrChange::default();
        let expected = Source::Bind {
            path: path.into(),
            recursive,
            attributes: none,
            tree_attributes: none,
            opener: Opener::Child,
            link: SourceLink::Follow,
            ids: None,
        };
        assert_eq!(
            (op.source, op.otherwise, op.missing),
            (expected, None, Missing::LikeSource),
            "{mount}"
        );
    }
}

#[test]
fn attributes_of_a_bind() {
    let words = [
        "rbind", "ro", "rnosuid", "dev", "noatime", "sync", "silent", "defaults",
    ];
    let op = single(json!({"destination": "/d", "source": "/s", "options": words})).unwrap();
    let Source::Bind {
        attributes,
        tree_attributes,
        ..
    } = op.source
    else {
        panic!("no bind")
    };
    assert_eq!(
        attributes,
        AttrChange {
            set: RDONLY | libc::MOUNT_ATTR_NOATIME,
            clear: NODEV | libc::MOUNT_ATTR__ATIME
        }
    );
    assert_eq!(
        tree_attributes,
        AttrChange {
            set: NOSUID,
            clear: 0
        }
    );
    assert_eq!(op.seal, Seal::AtOnce);
}

#[test]
fn data_for_the_file_system_of_a_bind_is_left_out_with_a_warning() {
    for options in [
        json!(["bind", "mode=755"]),
        json!(["remount", "bind", "mode=755"]),
    ] {
        let mount = json!({"destination": "/d", "source": "/s", "options": options});
        let mut warnings = Vec::new();
        let ops = plan(
            &spec(json!({"mounts": [mount]})),
            &plain(),
            &caller(Privilege::Root),
            Path::new("/b"),
            &mut warnings,
        );
        assert!(!format!("{:?}", ops.unwrap()).contains("mode"));
        let last = options.as_array().unwrap().len() - 1;
        let expected = format!(
            "left mode=755 of /mounts/0/options/{last} out: a bind mount takes no options for its file system"
        );
        assert_eq!(warnings, [expected]);
    }
}

#[test]
fn binds_that_are_refused() {
    for (mount, expected) in [
        (
            json!({"destination": "/d", "options": ["bind"]}),
            "cannot mount /d: config.json#/mounts/0: refused: a bind mount needs a source",
        ),
        (
            json!({"destination": "/d", "type": "bind", "source": ""}),
            "config.json#/mounts/0: refused: a bind mount needs a source",
        ),
        (
            json!({"destination": "/d", "source": "/s\0", "options": ["bind"]}),
            "config.json#/mounts/0/source: refused: a C string cannot hold the character NUL",
        ),
        (
            json!({"destination": "/d", "source": "/s", "options": ["bind", "userxattr"]}),
            "cannot mount /s on /d: config.json#/mounts/0/options/1: refused: a bind mount shows a file system that is mounted \
             already, and takes no options for it (hint: remove userxattr: it can only be given where the file system itself is mounted)",
        ),
        (
            json!({"destination": "/d", "source": "/s", "options": ["rbind", "ro", "nosiud"]}),
            "(hint: did you mean nosuid?)",
        ),
        (
            json!({"destination": "/d", "source": "/s", "options": ["rbind", "RPrivate"]}),
            "(hint: did you mean rprivate?)",
        ),
    ] {
        let line = single(mount).unwrap_err().one_line();
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn file_systems_that_are_refused() {
    for (mount, expected) in [
        (
            json!({"destination": "/d"}),
            "cannot mount /d: config.json#/mounts/0: refused: it has neither the type of a file system nor the option bind",
        ),
        (
            json!({"destination": "/d", "type": "none", "source": "/s"}),
            "neither the type of a file system nor the option bind",
        ),
        (
            json!({"destination": "/d", "type": "a\0b"}),
            "config.json#/mounts/0/type: refused: a C string cannot hold",
        ),
        (
            json!({"destination": "/d", "type": "ramfs", "options": ["tmpcopyup"]}),
            "config.json#/mounts/0/options/0: refused: only a new tmpfs can begin with a copy of what it covers",
        ),
        (
            json!({"destination": "/d", "type": "tmpfs", "options": ["ro", "copy-symlink"]}),
            "config.json#/mounts/0/options/1: refused: only the source of a bind mount can be a symbolic link",
        ),
        (
            json!({"destination": "/d", "type": "tmpfs", "options": ["idmap"]}),
            "config.json#/mounts/0/options/0: refused: only the files of a bind mount",
        ),
        (
            json!({"destination": "/d", "type": "tmpfs", "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]}),
            "config.json#/mounts/0/gidMappings: refused: only the files of a bind mount",
        ),
        (
            json!({"destination": "/d", "type": "tmpfs", "options": ["mode=755", format!("size={}", "0".repeat(256))]}),
            "cannot mount tmpfs: config.json#/mounts/0/options/1: refused: the kernel takes at most 255 bytes of an option",
        ),
        (
            json!({"destination": "/d", "type": "x", "source": "s".repeat(256)}),
            "config.json#/mounts/0/source: refused: the kernel takes",
        ),
    ] {
        let line = single(mount).unwrap_err().one_line();
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn the_pointer_is_that_of_the_entry() {
    let bad = json!({"mounts": [{"destination": "/a", "type": "tmpfs"}, {"destination": "/b", "type": "ext4", "options": ["tmpcopyup"]}]});
    let line = of(bad, &plain(), Privilege::Root).unwrap_err().one_line();
    assert!(line.contains("config.json#/mounts/1/options/0"), "{line}");
    let good = json!({"mounts": [{"destination": "/a", "type": "tmpfs"}, {"destination": "b", "type": "mqueue", "source": "mqueue"}]});
    let ops = of(good, &plain(), Privilege::Root).unwrap();
    assert_eq!(
        (ops[0].pointer.as_str(), ops[1].pointer.as_str()),
        ("/mounts/0", "/mounts/1")
    );
    assert_eq!(of(json!({}), &plain(), Privilege::Root).unwrap(), []);
}

#[test]
fn what_must_be_filled_first_is_sealed_at_the_end() {
    for (mount, seal) in [
        (
            json!({"destination": "/run", "type": "tmpfs", "options": ["ro"]}),
            Seal::AtTheEnd,
        ),
        (
            json!({"destination": "/dev/", "type": "devtmpfs", "options": ["ro"]}),
            Seal::AtTheEnd,
        ),
        (
            json!({"destination": "/run", "type": "tmpfs"}),
            Seal::AtOnce,
        ),
        (
            json!({"destination": "/sys", "type": "sysfs", "options": ["ro"]}),
            Seal::AtOnce,
        ),
        (
            json!({"destination": "/dev", "source": "/dev", "options": ["rbind", "ro"]}),
            Seal::AtOnce,
        ),
    ] {
        assert_eq!(single(mount.clone()).unwrap().seal, seal, "{mount}");
    }
}

#[test]
fn what_the_runtime_opens_is_cut_off_from_the_host_first() {
    let slave = MS_SLAVE | MS_REC;
    for (birth, privilege, root, word, expected) in [
        (plain(), Privilege::Root, None, None, &[][..]),
        (
            plain(),
            Privilege::Root,
            None,
            Some("rshared"),
            &[MS_SHARED | MS_REC][..],
        ),
        (
            mapped(),
            Privilege::User,
            None,
            Some("shared"),
            &[MS_SHARED],
        ),
        (mapped(), Privilege::Root, None, None, &[slave]),
        (
            mapped(),
            Privilege::Root,
            None,
            Some("rshared"),
            &[slave, MS_SHARED | MS_REC],
        ),
        (mapped(), Privilege::Root, Some("rshared"), None, &[slave]),
        (
            mapped(),
            Privilege::Root,
            Some("private"),
            None,
            &[MS_PRIVATE | MS_REC],
        ),
    ] {
        let words: Vec<&str> = ["rbind"].into_iter().chain(word).collect();
        let mounts = json!([{"destination": "/d", "source": "/s", "options": words}, {"destination": "/t", "type": "tmpfs"}]);
        let ops = of(
            json!({"mounts": mounts, "linux": {"rootfsPropagation": root}}),
            &birth,
            privilege,
        )
        .unwrap();
        assert_eq!(
            ops[0].propagation, expected,
            "{privilege:?} {root:?} {word:?}"
        );
        assert!(
            ops[1].propagation.is_empty(),
            "only binds come from the host"
        );
    }
}

/// A container that stays in its caller's mount namespace must not be heard there, and hears only if it asks to.
#[test]
fn among_the_mounts_of_the_caller_every_bind_is_cut_off() {
    let birth = crate::plan::root::tests::without(plain(), crate::plan::birth::Kind::Mount);
    for (word, expected) in [
        (None, vec![MS_PRIVATE | MS_REC]),
        (
            Some("rshared"),
            vec![MS_PRIVATE | MS_REC, MS_SHARED | MS_REC],
        ),
        (Some("slave"), vec![MS_SLAVE | MS_REC, MS_SLAVE]),
    ] {
        let words: Vec<&str> = ["rbind"].into_iter().chain(word).collect();
        let mounts = json!([{"destination": "/d", "source": "/s", "options": words}]);
        let ops = of(json!({"mounts": mounts}), &birth, Privilege::Root).unwrap();
        assert_eq!(ops[0].propagation, expected, "{word:?}");
    }
}
