//! The usual mounts, and those asked for, which come in place of a usual one at the same path.

use super::Ground;
use super::process::INIT;
use crate::engine::container::wish::{Mount, MountKind, Switch, Wish};
use crate::engine::places::Who;
use serde_json::{Value, json};
use std::path::{Component, Path};

/// The group tty, to which terminals belong.
const TTY: u32 = 5;

/// `/mounts`, those of flags after the usual ones, shorter paths first.
pub(super) fn mounts(wish: &Wish, ground: &Ground<'_>) -> Vec<Value> {
    let mut asked: Vec<&Mount> = Vec::new();
    for mount in &wish.mounts {
        asked.retain(|earlier| clean(&earlier.target) != clean(&mount.target));
        asked.push(mount);
    }
    asked.sort_by_key(|mount| clean(&mount.target).split('/').count());
    let is_asked = |target: &str| asked.iter().any(|mount| clean(&mount.target) == target);
    let mut all: Vec<Value> = usual(wish, ground)
        .into_iter()
        .filter(|mount| !is_asked(mount["destination"].as_str().unwrap_or_default()))
        .collect();
    for (source, target) in &ground.files {
        if !is_asked(target) {
            let options = ["bind", "rprivate"];
            all.push(json!({ "destination": target, "type": "bind", "source": source, "options": options }));
        }
    }
    all.extend(asked.into_iter().map(|mount| one(mount, ground)));
    if wish.has(Switch::Init) {
        let options = ["bind", "ro", "nosuid", "nodev"];
        all.push(json!({ "destination": INIT, "type": "bind", "source": ground.program, "options": options }));
    }
    all
}

/// Without `.`, `..`, double and last slashes.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => parts.push(name.to_str().unwrap_or_default()),
            Component::ParentDir => drop(parts.pop()),
            _ => {}
        }
    }
    format!("/{}", parts.join("/"))
}

fn usual(wish: &Wish, ground: &Ground<'_>) -> Vec<Value> {
    let mount = |destination: &str, kind: &str, source: &str, options: &[&str]| json!({ "destination": destination, "type": kind, "source": source, "options": options });
    let locked = |last| ["nosuid", "noexec", "nodev", last];
    let access = match wish.has(Switch::Privileged) {
        true => "rw",
        false => "ro",
    };
    let size = format!("size={}", wish.shm_size);
    let mut pts = vec![
        "nosuid",
        "noexec",
        "newinstance",
        "ptmxmode=0666",
        "mode=0620",
    ];
    if ground.last_gid >= TTY {
        pts.push("gid=5");
    }
    let mut all = vec![
        mount("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount(
            "/dev",
            "tmpfs",
            "tmpfs",
            &["nosuid", "strictatime", "mode=755", "size=65536k"],
        ),
        mount("/dev/pts", "devpts", "devpts", &pts),
        mount(
            "/dev/shm",
            "tmpfs",
            "shm",
            &["nosuid", "noexec", "nodev", "mode=1777", &size],
        ),
    ];
    let is_hosts = |kind: &str| wish.namespaces.get(kind).is_some_and(|mode| mode == "host");
    all.push(match is_hosts("ipc") && ground.who == Who::User {
        true => mount(
            "/dev/mqueue",
            "bind",
            "/dev/mqueue",
            &["rbind", "nosuid", "noexec", "nodev"],
        ),
        false => mount(
            "/dev/mqueue",
            "mqueue",
            "mqueue",
            &["nosuid", "noexec", "nodev"],
        ),
    });
    // A new sysfs belongs to the owner of the network namespace, and a user's container may have the host's.
    all.push(match ground.who == Who::User && ground.network.is_none() {
        true => mount(
            "/sys",
            "bind",
            "/sys",
            &["rbind", "nosuid", "noexec", "nodev", "ro"],
        ),
        false => mount("/sys", "sysfs", "sysfs", &locked(access)),
    });
    let group = ["nosuid", "noexec", "nodev", "relatime", access];
    all.push(mount("/sys/fs/cgroup", "cgroup", "cgroup", &group));
    all
}

fn one(mount: &Mount, ground: &Ground<'_>) -> Value {
    let mut options = mount.options.clone();
    let (kind, source) = match mount.kind {
        MountKind::Tmpfs => {
            for usual in ["nosuid", "nodev"] {
                if !options
                    .iter()
                    .any(|word| word == usual.trim_start_matches("no"))
                {
                    options.push(usual.to_owned());
                }
            }
            ("tmpfs", "tmpfs".to_owned())
        }
        MountKind::Volume => {
            let source = ground
                .volumes
                .get(&mount.target)
                .cloned()
                .unwrap_or_default();
            options.insert(0, "bind".to_owned());
            ("bind", source.to_string_lossy().into_owned())
        }
        MountKind::Bind => {
            if !options.iter().any(|word| word == "bind" || word == "rbind") {
                options.insert(0, "rbind".to_owned());
            }
            ("bind", mount.source.clone())
        }
    };
    let propagates = |word: &String| {
        ["private", "slave", "shared"]
            .iter()
            .any(|end| word.ends_with(end))
    };
    if mount.kind != MountKind::Tmpfs && !options.iter().any(propagates) {
        options.push("rprivate".to_owned());
    }
    // What lies below a read-only directory of the host is read-only too.
    if mount.kind == MountKind::Bind && options.iter().any(|word| word == "ro") {
        options.push("rro".to_owned());
    }
    json!({ "destination": mount.target, "type": kind, "source": source, "options": options })
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn paths_are_compared_clean() {
        for (path, same) in [
            ("/a/b/", "/a/b"),
            ("/a/../b", "/b"),
            ("//x/./y", "/x/y"),
            ("/", "/"),
            ("/../..", "/"),
        ] {
            assert_eq!(clean(path), same);
        }
    }
}
