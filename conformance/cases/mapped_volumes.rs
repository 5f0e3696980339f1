//! Volumes whose files seem to be somebody else's: `idmap`, `ridmap`, mappings of a mount.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::spec::Spec;

const NEEDS: &[Need] = &[Need::Root, Need::UserNs];

pub(super) const CASES: &[Case] = &[
    Case::new("mappings-of-the-mount", own_mappings).deviates(OLD_RUNC),
    Case::new("writes-are-mapped-back", writes).deviates(OLD_RUNC),
    Case::new("unmapped-ids-are-nobodys", unmapped).deviates(OLD_RUNC),
    Case::new("mappings-of-the-container", of_container)
        .needs(NEEDS)
        .deviates(OLD_RUNC),
    Case::new("both-in-one-container", both)
        .needs(NEEDS)
        .deviates(OLD_RUNC),
    Case::new("mappings-of-a-joined-namespace", of_joined)
        .needs(NEEDS)
        .deviates(OLD_RUNC),
    Case::new("ranges-in-the-option", ranges).deviates(OLD_RUNC),
    Case::new("ranges-of-the-containers-own-ids", own_ranges)
        .needs(NEEDS)
        .deviates(OLD_RUNC),
    Case::new("idmap-is-for-the-top", top_only).deviates(OLD_RUNC),
    Case::new("ridmap-is-for-all", whole_tree).deviates(OLD_RUNC),
    Case::new("a-single-file", single_file).deviates(OLD_RUNC),
    Case::new("read-only-too", read_only).deviates(OLD_RUNC),
    Case::new("the-hosts-mount-stays", host_stays),
    Case::new("one-list-alone-is-refused", one_list).deviates(&[
        ("runc", "1.1 ignores it"),
        ("crun", "takes the container's mappings instead"),
    ]),
    Case::new("no-mappings-at-all-are-refused", no_mappings).deviates(&[
        ("runc", "1.1 ignores the option"),
        ("crun", "leaves a cgroup behind"),
    ]),
    Case::new("a-file-system-that-cannot-is-refused", cannot).deviates(&[
        ("runc", "1.1 ignores the mappings"),
        ("crun", "leaves a cgroup behind"),
    ]),
    Case::new("an-ordinary-user-is-refused", ordinary_user)
        .needs(&[Need::Root, Need::UserNs, Need::Program("setpriv")])
        .deviates(&[("runc", "1.1 ignores the mappings")]),
];

const OLD_RUNC: &[(&str, &str)] = &[("runc", "1.1 has no mapped mounts")];

/// A host folder with a file of 100000:100000, one of 100007:100008, and one of root's.
fn folder(lab: &Lab) -> Outcome<(PathBuf, String)> {
    let folder = lab.folder("host")?;
    for (name, uid, gid) in [
        ("zero", 100_000, 100_000),
        ("seven", 100_007, 100_008),
        ("root", 0, 0),
    ] {
        fs::write(folder.join(name), format!("{name}\n"))?;
        chown(folder.join(name), Some(uid), Some(gid))?;
    }
    chown(&folder, Some(100_000), Some(100_000))?;
    let path = folder.to_string_lossy().into_owned();
    Ok((folder, path))
}

/// Files of 100000 and up on disk seem to be `seen`'s and up.
fn mapping(seen: u32) -> Value {
    json!([{"containerID": 100_000, "hostID": seen, "size": 65536}])
}

fn volume(spec: &mut Spec, source: &str, target: &str, options: &[&str], maps: Option<Value>) {
    let mut mount =
        json!({"destination": target, "type": "none", "source": source, "options": options});
    if let Some(maps) = maps {
        mount["uidMappings"] = maps.clone();
        mount["gidMappings"] = maps;
    }
    spec.push("/mounts", mount);
}

const STAT: &str = "cd /mnt; stat -c '%n %u:%g' zero seven root";

fn own_mappings(lab: &Lab) -> Outcome {
    let (_, path) = folder(lab)?;
    // The option is only there so that older runtimes do not ignore the mappings.
    for options in [&["bind"][..], &["bind", "idmap"], &["rbind", "ridmap"]] {
        let out = lab.look(STAT, |spec| {
            volume(spec, &path, "/mnt", options, Some(mapping(0)));
        })?;
        ensure!(
            out.starts_with("zero 0:0\nseven 7:8\n"),
            "{options:?}: {out:?}"
        );
    }
    Ok(())
}

fn writes(lab: &Lab) -> Outcome {
    let (folder, path) = folder(lab)?;
    lab.look("echo x > /mnt/new; chown 5:6 /mnt/seven", |spec| {
        spec.capabilities(&["CAP_CHOWN"]);
        volume(spec, &path, "/mnt", &["bind", "idmap"], Some(mapping(0)));
    })?;
    for (name, owner) in [("new", (100_000, 100_000)), ("seven", (100_005, 100_006))] {
        let meta = folder.join(name).metadata()?;
        same(name, (meta.uid(), meta.gid()), owner)?;
    }
    Ok(())
}

fn unmapped(lab: &Lab) -> Outcome {
    let (_, path) = folder(lab)?;
    let out = lab.look(
        "stat -c '%u:%g' /mnt/root; chown 70000 /mnt/zero 2>/dev/null || echo refused",
        |spec| {
            spec.capabilities(&["CAP_CHOWN"]);
            volume(spec, &path, "/mnt", &["bind", "idmap"], Some(mapping(0)));
        },
    )?;
    same("output", out.as_str(), "65534:65534\nrefused\n")
}

/// As podman hands on `--volume SOURCE:TARGET:idmap=…`.
fn ranges(lab: &Lab) -> Outcome {
    let (_, path) = folder(lab)?;
    let option = "idmap=uids=100000-0-5#100005-2000-5;gids=100000-3000-10";
    let out = lab.look(STAT, |spec| {
        volume(spec, &path, "/mnt", &["bind", option], None);
    })?;
    let want = "zero 0:3000\nseven 2002:3008\nroot 65534:65534\n";
    same("owners", out.as_str(), want)
}

/// With an @ the second number is one of the container's, wherever its namespace lies.
fn own_ranges(lab: &Lab) -> Outcome {
    let (_, path) = folder(lab)?;
    let out = lab.look(&STAT.replace("/mnt", "/tmp"), |spec| {
        spec.user_namespace(200_000, 65536);
        let option = "idmap=uids=@100000-0-1#@100007-1000-1;gids=@100000-20-10";
        volume(spec, &path, "/tmp", &["bind", option], None);
    })?;
    same(
        "owners",
        out.as_str(),
        "zero 0:20\nseven 1000:28\nroot 65534:65534\n",
    )
}

/// Root's files on disk are the container's root's.
fn of_container(lab: &Lab) -> Outcome {
    let (folder, path) = folder(lab)?;
    chown(&folder, Some(0), Some(0))?;
    let out = lab.look(
        "cd /tmp; stat -c '%n %u:%g' root zero; echo x > new",
        |spec| {
            spec.user_namespace(200_000, 65536);
            volume(spec, &path, "/tmp", &["bind", "idmap"], None);
        },
    )?;
    same("owners", out.as_str(), "root 0:0\nzero 65534:65534\n")?;
    same("new file", folder.join("new").metadata()?.uid(), 0)
}

/// The host's id of the mapping is the host's, whatever the container's namespace is.
fn both(lab: &Lab) -> Outcome {
    let (_, path) = folder(lab)?;
    let out = lab.look(&STAT.replace("/mnt", "/tmp"), |spec| {
        spec.user_namespace(200_000, 65536);
        volume(
            spec,
            &path,
            "/tmp",
            &["bind", "idmap"],
            Some(mapping(200_000)),
        );
    })?;
    ensure!(out.starts_with("zero 0:0\nseven 7:8\n"), "owners: {out:?}");
    Ok(())
}

fn of_joined(lab: &Lab) -> Outcome {
    let (_, path) = folder(lab)?;
    let first = lab.started(|spec| {
        spec.user_namespace(200_000, 65536);
    })?;
    let namespace = format!("/proc/{}/ns/user", first.pid);
    let bundle = lab.bundle(|spec| {
        spec.join("user", &namespace)
            .sh("stat -c '%n %u:%g' /tmp/root; sleep 99");
        volume(spec, &path, "/tmp", &["bind", "idmap"], None);
    })?;
    let second = Container::create(lab, &bundle, &lab.id("second"))?;
    second.start()?;
    second.wrote("/tmp/root 0:0")?;
    second.end()?;
    first.end()
}

/// The folder with a mount below it; both hold a file of 100000.
fn with_below(lab: &Lab, f: impl FnOnce(&str) -> Outcome) -> Outcome {
    let (folder, path) = folder(lab)?;
    let below = folder.join("below");
    fs::create_dir(&below)?;
    let inner = below.to_string_lossy().into_owned();
    lab.host(&["mount", "-t", "tmpfs", "below", &inner])?;
    fs::write(below.join("deep"), "")?;
    chown(below.join("deep"), Some(100_007), Some(100_008))?;
    let outcome = f(&path);
    lab.host(&["umount", &inner])?;
    outcome
}

fn top_only(lab: &Lab) -> Outcome {
    with_below(lab, |path| {
        let out = lab.look("stat -c '%u:%g' /mnt/seven /mnt/below/deep", |spec| {
            volume(spec, path, "/mnt", &["rbind", "idmap"], Some(mapping(0)));
        })?;
        same("owners", out.as_str(), "7:8\n100007:100008\n")
    })
}

fn whole_tree(lab: &Lab) -> Outcome {
    with_below(lab, |path| {
        let out = lab.look("stat -c '%u:%g' /mnt/seven /mnt/below/deep", |spec| {
            volume(spec, path, "/mnt", &["rbind", "ridmap"], Some(mapping(0)));
        })?;
        same("owners", out.as_str(), "7:8\n7:8\n")
    })
}

fn single_file(lab: &Lab) -> Outcome {
    let (_, path) = folder(lab)?;
    let out = lab.look("stat -c '%u:%g' /etc/seven", |spec| {
        let file = format!("{path}/seven");
        volume(
            spec,
            &file,
            "/etc/seven",
            &["bind", "idmap"],
            Some(mapping(1000)),
        );
    })?;
    same("owner", out.as_str(), "1007:1008\n")
}

fn read_only(lab: &Lab) -> Outcome {
    let (_, path) = folder(lab)?;
    let out = lab.look(
        "stat -c '%u' /mnt/zero; touch /mnt/x 2>/dev/null || echo refused",
        |spec| {
            volume(
                spec,
                &path,
                "/mnt",
                &["rbind", "ro", "idmap"],
                Some(mapping(0)),
            );
        },
    )?;
    same("output", out.as_str(), "0\nrefused\n")
}

/// A process of the host's still sees the owners as they are on disk.
fn host_stays(lab: &Lab) -> Outcome {
    let (folder, path) = folder(lab)?;
    let container = lab.started(|spec| {
        volume(spec, &path, "/mnt", &["bind", "idmap"], Some(mapping(0)));
        spec.sh("stat -c %u /mnt/zero; exec sleep 99");
    })?;
    container.wrote("0")?;
    let outside = folder.join("zero").metadata()?.uid();
    container.end()?;
    same("owner outside", outside, 100_000)
}

fn one_list(lab: &Lab) -> Outcome {
    let (_, path) = folder(lab)?;
    let said = lab.refuse(|spec| {
        spec.push("/mounts", json!({"destination": "/mnt", "type": "none", "source": path, "options": ["bind", "idmap"], "uidMappings": mapping(0)}));
    })?;
    mentions("the refusal", &said.err, &["gidmappings", "gid mappings"])
}

fn no_mappings(lab: &Lab) -> Outcome {
    let (_, path) = folder(lab)?;
    let said = lab.refuse(|spec| {
        volume(spec, &path, "/mnt", &["bind", "idmap"], None);
    })?;
    contains("the refusal", &said.err, "mnt").or_else(|_| contains("the refusal", &said.err, "map"))
}

fn cannot(lab: &Lab) -> Outcome {
    let said = lab.refuse(|spec| {
        volume(
            spec,
            "/proc/sys",
            "/mnt",
            &["bind", "idmap"],
            Some(mapping(0)),
        );
    })?;
    mentions("the refusal", &said.err, &["invalid argument"])
}

fn ordinary_user(lab: &Lab) -> Outcome {
    let folder = lab.folder("host")?;
    let bundle = lab.user_bundle(|spec| {
        volume(
            spec,
            &folder.to_string_lossy(),
            "/mnt",
            &["bind", "idmap"],
            None,
        );
    })?;
    lab.user_call(&["create", "--bundle", bundle.arg(), &lab.id("user")])?
        .refused()
        .map(drop)
}
