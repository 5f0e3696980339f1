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

fn entry(destination: &str, kind: &str, source: &str, options: &[&str]) -> Value {
    json!({ "destination": destination, "type": kind, "source": source, "options": options })
}

fn usual(wish: &Wish, ground: &Ground<'_>) -> Vec<Value> {
    let size = format!("size={}", wish.shm_size);
    let mut pts = vec![
        "nosuid",
        "noexec",
        "newinstance",
        "ptmxmode=0666",
        "mode=0620",
    ];
    let has_tty = match ground.ids.is_hosts() {
        true => ground.last_gid >= TTY,
        false => ground.ids.has_group(TTY),
    };
    if has_tty {
        pts.push("gid=5");
    }
    let dev = ["nosuid", "strictatime", "mode=755", "size=65536k"];
    let shm = ["nosuid", "noexec", "nodev", "mode=1777", &size];
    let mut all = vec![
        entry("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
        entry("/dev", "tmpfs", "tmpfs", &dev),
        entry("/dev/pts", "devpts", "devpts", &pts),
        entry("/dev/shm", "tmpfs", "shm", &shm),
    ];
    all.extend(of_the_kernel(wish, ground));
    all
}

/// Where a container with a user namespace has another's namespace, what belongs to that is not its own: nothing new of the
/// kind may be mounted by anybody but its owner.
fn of_the_kernel(wish: &Wish, ground: &Ground<'_>) -> [Value; 3] {
    let access = if wish.has(Switch::Privileged) {
        "rw"
    } else {
        "ro"
    };
    let locked = ["nosuid", "noexec", "nodev"];
    let of_host = ["rbind", "nosuid", "noexec", "nodev"];
    // A namespace of the kind that was not made with the container's user namespace is another's.
    let has_user_namespace = ground.who == Who::User || !ground.ids.is_hosts();
    let made_with_it = ground
        .network
        .as_ref()
        .is_some_and(|path| path.as_os_str().is_empty() || ground.ids.is_hosts());
    let hosts_ipc = wish
        .namespaces
        .get("ipc")
        .is_some_and(|mode| mode == "host");
    let queues = match has_user_namespace && hosts_ipc {
        true => entry("/dev/mqueue", "bind", "/dev/mqueue", &of_host),
        false => entry("/dev/mqueue", "mqueue", "mqueue", &locked),
    };
    let sys = match has_user_namespace && !made_with_it {
        true => entry(
            "/sys",
            "bind",
            "/sys",
            &["rbind", "nosuid", "noexec", "nodev", "ro"],
        ),
        false => entry(
            "/sys",
            "sysfs",
            "sysfs",
            &["nosuid", "noexec", "nodev", access],
        ),
    };
    let group = ["nosuid", "noexec", "nodev", "relatime", access];
    [
        queues,
        sys,
        entry("/sys/fs/cgroup", "cgroup", "cgroup", &group),
    ]
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
        MountKind::Image => {
            let source = ground
                .images
                .get(&mount.target)
                .cloned()
                .unwrap_or_default();
            options.extend(["bind", "ro", "nosuid", "nodev"].map(str::to_owned));
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
