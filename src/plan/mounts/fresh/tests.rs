use super::*;
use crate::plan::birth::Birth;
use crate::plan::facts::Privilege;
use crate::plan::mounts::tests::{of, single};
use crate::plan::mounts::{Missing, MountOp};
use crate::plan::root::tests::{mapped, plain, without};
use libc::{
    MOUNT_ATTR_NODEV as NODEV, MOUNT_ATTR_NOEXEC as NOEXEC, MOUNT_ATTR_NOSUID as NOSUID,
    MOUNT_ATTR_RDONLY as RDONLY,
};
use serde_json::{Value, json};

fn options_of(op: &MountOp) -> Vec<String> {
    let Source::New { options, .. } = &op.source else {
        panic!("not new")
    };
    let show = |option: &FsOption| match &option.value {
        Some(value) => format!(
            "{}={}",
            option.key.to_str().unwrap(),
            value.to_str().unwrap()
        ),
        None => option.key.to_str().unwrap().to_owned(),
    };
    options.iter().map(show).collect()
}

#[test]
fn a_new_file_system() {
    for (mount, options, attributes) in [
        (
            json!({"type": "proc", "source": "proc"}),
            &["source=proc"][..],
            0,
        ),
        (
            json!({"type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]}),
            &["source=tmpfs", "mode=755", "size=65536k"],
            NOSUID | libc::MOUNT_ATTR_STRICTATIME,
        ),
        (
            json!({"type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "gid=5"]}),
            &["source=devpts", "newinstance", "ptmxmode=0666", "gid=5"],
            NOSUID | NOEXEC,
        ),
        (
            json!({"type": "tmpfs", "source": "", "options": ["rro", "rw", "rnodev", "uid=7", "sync"]}),
            &["sync", "uid=7"],
            RDONLY | NODEV,
        ),
        (
            json!({"type": "tmpfs", "options": ["nosuid", "rsuid"]}),
            &[],
            0,
        ),
        (
            json!({"type": "ext4", "source": "/dev/sda1", "options": ["ro", "data=ordered"]}),
            &["source=/dev/sda1", "ro", "data=ordered"],
            RDONLY,
        ),
        (
            json!({"type": "sysfs", "source": "sysfs", "options": ["ro", "nosuid"]}),
            &["source=sysfs"],
            RDONLY | NOSUID,
        ),
    ] {
        let mut mount = mount;
        mount["destination"] = if mount["type"] == "proc" {
            json!("/proc")
        } else {
            json!("/d")
        };
        let op = single(mount.clone()).unwrap();
        assert_eq!(options_of(&op), options, "{mount}");
        assert!(
            matches!(&op.source, Source::New { attributes: found, .. } if *found == attributes),
            "{mount}"
        );
        assert_eq!(
            (op.missing, op.propagation.len(), &op.otherwise),
            (Missing::Directory, 0, &None),
            "{mount}"
        );
        assert_eq!(op.kind_word, mount["type"].as_str().unwrap());
    }
}

#[test]
fn long_lists_of_lower_directories_go_one_by_one() {
    let (first, second) = (
        format!("/{}", "a".repeat(200)),
        format!("/{}\\:x\\,y", "b".repeat(200)),
    );
    let overlay = |lower: &str| {
        let words = [
            format!("lowerdir={lower}"),
            "upperdir=/u".to_owned(),
            "workdir=/w".to_owned(),
        ];
        single(
            json!({"destination": "/d", "type": "overlay", "source": "overlay", "options": words}),
        )
    };
    let op = overlay("/a:/b").unwrap();
    assert_eq!(
        options_of(&op),
        [
            "source=overlay",
            "lowerdir=/a:/b",
            "upperdir=/u",
            "workdir=/w"
        ]
    );
    let op = overlay(&format!("{first}:{second}:/c::/d::/e")).unwrap();
    let plain_second = second.replace('\\', "");
    let lower = [
        format!("lowerdir+={first}"),
        format!("lowerdir+={plain_second}"),
        "lowerdir+=/c".into(),
        "datadir+=/d".into(),
        "datadir+=/e".into(),
    ];
    assert_eq!(options_of(&op)[1..6], lower);
    let line = overlay(&format!("/a:/{}", "b".repeat(300)))
        .unwrap_err()
        .one_line();
    assert!(
        line.contains("/mounts/0/options/0: refused: the kernel takes at most 255 bytes"),
        "{line}"
    );
}

fn bind_of_host(path: &std::ffi::CStr, set: u64) -> Option<Source> {
    Some(Source::Bind {
        path: path.to_owned(),
        recursive: Recursive::Yes,
        attributes: AttrChange::default(),
        tree_attributes: AttrChange { set, clear: 0 },
        opener: Opener::Child,
        link: SourceLink::Follow,
        ids: None,
    })
}

#[test]
fn cgroup_means_version_2() {
    let with = |word: &str| json!({"mounts": [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "relatime", word]}]});
    let shared = without(mapped(), Kind::Cgroup);
    for (word, birth, attributes) in [
        ("rw", plain(), NOSUID | NOEXEC),
        ("ro", plain(), NOSUID | NOEXEC | RDONLY),
        ("rw", mapped(), NOSUID | NOEXEC),
        ("rw", shared, NOSUID | NOEXEC | RDONLY),
    ] {
        let op = of(with(word), &birth, Privilege::Root).unwrap().remove(0);
        let Source::New {
            kind,
            attributes: found,
            ..
        } = &op.source
        else {
            panic!("not new")
        };
        assert_eq!(
            (kind.as_c_str(), *found),
            (c"cgroup2", attributes),
            "{word} {birth:?}"
        );
        assert_eq!(
            op.otherwise,
            bind_of_host(c"/sys/fs/cgroup", NOSUID | NOEXEC | RDONLY),
            "{word} {birth:?}"
        );
        assert_eq!(op.kind_word, "cgroup");
    }
}

#[test]
fn sysfs_may_have_to_be_the_hosts() {
    let sys = json!({"mounts": [{"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "nodev"]}]});
    for (birth, otherwise) in [
        (plain(), None),
        (mapped(), bind_of_host(c"/sys", NOSUID | NODEV | RDONLY)),
        (
            Birth {
                user: UserNamespace::Joined,
                ..plain()
            },
            bind_of_host(c"/sys", NOSUID | NODEV | RDONLY),
        ),
    ] {
        assert_eq!(
            of(sys.clone(), &birth, Privilege::User).unwrap()[0].otherwise,
            otherwise,
            "{birth:?}"
        );
    }
}

#[test]
fn the_hosts_hierarchy_is_not_mounted_anew_for_who_lives_in_it() {
    let cgroups = |options: Value, birth: &Birth| {
        let mount = json!({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": options});
        let all = of(json!({"mounts": [mount]}), birth, Privilege::Root);
        all.unwrap().remove(0).source
    };
    let of_the_host = without(plain(), Kind::Cgroup);
    let shown = cgroups(json!(["nosuid", "rw"]), &of_the_host);
    let Source::Bind {
        path,
        tree_attributes,
        ..
    } = shown
    else {
        panic!("{shown:?}")
    };
    assert_eq!(path.as_c_str(), c"/sys/fs/cgroup");
    assert_eq!(
        tree_attributes.set,
        libc::MOUNT_ATTR_NOSUID,
        "writable, as asked"
    );
    for (options, birth) in [
        (json!(["nosuid"]), &plain()),
        (json!(["nsdelegate"]), &of_the_host),
    ] {
        assert!(matches!(cgroups(options, birth), Source::New { .. }));
    }
}
