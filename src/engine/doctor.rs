//! `doctor`: what containers need of this host, whether it is there, and how to get it. Nothing is changed.

use super::places::{Places, Who, who};
use super::runtime::on_path;
use super::userns::range;
use std::path::Path;
use std::process::Command;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    what: &'static str,
    state: State,
    said: String,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    Missing,
    Grave,
}

impl Finding {
    /// As one line.
    pub(crate) fn line(&self) -> String {
        let mark = match self.state {
            State::Good => "ok     ",
            State::Missing => "missing",
            State::Grave => "broken ",
        };
        format!("{mark}  {:22} {}", self.what, self.said)
    }

    /// Whether no container can run without it.
    pub(crate) fn grave(&self) -> bool {
        self.state == State::Grave
    }
}

fn finding(what: &'static str, good: bool, otherwise: State, said: &str, hint: &str) -> Finding {
    match good {
        true => Finding {
            what,
            state: State::Good,
            said: said.to_owned(),
        },
        false => Finding {
            what,
            state: otherwise,
            said: hint.to_owned(),
        },
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Looks at everything.
pub(crate) fn look(places: &Places) -> Vec<Finding> {
    let mut all = vec![runtime(), kernel(), cgroups()];
    if who() == Who::User && !rustix::process::geteuid().is_root() {
        all.extend(of_user());
    }
    all.push(overlay(places));
    all.push(network());
    all
}

fn runtime() -> Finding {
    let beside = std::env::current_exe()
        .ok()
        .map(|own| own.with_file_name("orbital"))
        .filter(|path| path.is_file());
    let found = beside.or_else(|| on_path("orbital"));
    let said = found
        .as_ref()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    finding(
        "runtime",
        found.is_some(),
        State::Grave,
        &said,
        "put orbital beside orbital-engine or on PATH",
    )
}

fn kernel() -> Finding {
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let mut numbers = release
        .split('.')
        .map(|word| word.parse::<u32>().unwrap_or_default());
    let version = (
        numbers.next().unwrap_or_default(),
        numbers.next().unwrap_or_default(),
    );
    finding(
        "kernel",
        version >= (5, 12),
        State::Grave,
        &release,
        "orbital needs Linux 5.12 or newer",
    )
}

fn cgroups() -> Finding {
    let root = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        .into_iter()
        .find(|root| {
            Path::new(&format!("{root}/cgroup.procs")).exists()
                && Path::new(&format!("{root}/cgroup.controllers")).exists()
        });
    let controllers = root
        .map(|root| read(&format!("{root}/cgroup.controllers")))
        .unwrap_or_default();
    let complete = ["cpu", "memory", "pids"]
        .iter()
        .all(|name| controllers.split_whitespace().any(|word| word == *name));
    let hint = match root {
        None => "no cgroup v2 is mounted: boot with systemd.unified_cgroup_hierarchy=1",
        Some(_) => {
            "limits need the controllers cpu, memory and pids in cgroup v2: boot with systemd.unified_cgroup_hierarchy=1"
        }
    };
    let state = if root.is_some() {
        State::Missing
    } else {
        State::Grave
    };
    finding("cgroup v2", complete, state, &controllers, hint)
}

fn of_user() -> Vec<Finding> {
    let uid = rustix::process::geteuid().as_raw();
    let mut all = Vec::new();
    let limit = read("/proc/sys/user/max_user_namespaces");
    let clone = read("/proc/sys/kernel/unprivileged_userns_clone");
    all.push(finding(
        "user namespaces",
        limit != "0" && clone != "0",
        State::Grave,
        "allowed",
        "sysctl -w user.max_user_namespaces=28633 kernel.unprivileged_userns_clone=1",
    ));
    let walled = read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1";
    all.push(finding("AppArmor", !walled, State::Grave, "no wall around user namespaces",
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give orbital-engine a profile with userns"));
    for (what, file) in [("subuid", "/etc/subuid"), ("subgid", "/etc/subgid")] {
        let count = range(file, uid).map_or(0, |range| range.count);
        let hint = format!(
            "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {uid}: without, a container has one user"
        );
        all.push(finding(
            what,
            count >= 65_536,
            State::Missing,
            &format!("{count} ids in {file}"),
            &hint,
        ));
    }
    let helpers = on_path("newuidmap").is_some() && on_path("newgidmap").is_some();
    all.push(finding(
        "newuidmap",
        helpers,
        State::Missing,
        "there",
        "apt install uidmap (or shadow-utils)",
    ));
    let runtime_dir = std::env::var_os("XDG_RUNTIME_DIR").is_some();
    all.push(finding(
        "XDG_RUNTIME_DIR",
        runtime_dir,
        State::Missing,
        "set",
        "loginctl enable-linger, or name a directory with --state",
    ));
    let controllers = delegated(uid);
    all.push(finding("delegated cgroups", controllers.contains("memory"), State::Missing, &controllers,
        "limits for users: systemctl edit user@.service, [Service] Delegate=cpu cpuset io memory pids"));
    all
}

/// Controllers that systemd hands to this user.
fn delegated(uid: u32) -> String {
    read(&format!(
        "/sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers"
    ))
}

/// Whether the kernel has overlays, and whether the store's file system can hold an upper directory.
fn overlay(places: &Places) -> Finding {
    let known = read("/proc/filesystems")
        .lines()
        .any(|line| line.trim_start_matches("nodev").trim() == "overlay");
    let kind = Command::new("stat")
        .args(["-f", "-c", "%T"])
        .arg(nearest(&places.store))
        .output();
    let kind = kind
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default();
    let good = known && kind != "overlayfs" && kind != "nfs";
    let hint = match known {
        false => "modprobe overlay".to_owned(),
        true => format!(
            "an overlay cannot have its upper directory on {kind}: choose another directory with --store"
        ),
    };
    let said = format!("{} is on {kind}", places.store.display());
    finding("overlay", good, State::Grave, &said, &hint)
}

/// The path itself, or what there is of it.
fn nearest(path: &Path) -> &Path {
    let mut here = path;
    while !here.exists() {
        match here.parent() {
            Some(parent) => here = parent,
            None => return Path::new("/"),
        }
    }
    here
}

fn network() -> Finding {
    if who() == Who::Root {
        let found = Path::new("/proc/sys/net/ipv4/ip_forward").exists();
        return finding(
            "network",
            found,
            State::Missing,
            "the kernel can forward",
            "this kernel has no IPv4",
        );
    }
    let (pasta, slirp) = (on_path("pasta"), on_path("slirp4netns"));
    let found = pasta.as_ref().or(slirp.as_ref());
    let said = match (&pasta, &slirp) {
        (Some(pasta), _) => format!("pasta carries the packets: {}", pasta.display()),
        (None, Some(slirp)) => format!(
            "slirp4netns carries the packets, IPv4 alone: {}; apt install passt for pasta",
            slirp.display()
        ),
        (None, None) => String::new(),
    };
    finding(
        "network",
        found.is_some(),
        State::Missing,
        &said,
        "apt install passt: without, only --network none and host",
    )
}
