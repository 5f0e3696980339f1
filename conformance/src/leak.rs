//! After every case: is the host as it was?

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::check::{Outcome, patience};
use crate::lab::{Lab, USER};
use crate::probe;

/// What the host was like before the case.
#[derive(Debug)]
pub(crate) struct Before {
    mounts: Vec<String>,
    canary: String,
}

impl Before {
    /// Looks at the host.
    pub(crate) fn look(lab: &Lab) -> Outcome<Self> {
        Ok(Before {
            mounts: mounts()?,
            canary: probe::fingerprint(&lab.canary())?,
        })
    }

    /// One line for each thing that the case left; processes get a second to go, times [`patience`].
    pub(crate) fn left(&self, lab: &Lab) -> Outcome<Vec<String>> {
        let mut left = Vec::new();
        for (pid, name) in patient(|| probe::descendants(own_pid())) {
            left.push(format!("process {pid} ({name})"));
        }
        let now = mounts()?;
        left.extend(
            now.iter()
                .filter(|m| !self.mounts.contains(m))
                .map(|m| format!("mount {m}")),
        );
        left.extend(
            self.mounts
                .iter()
                .filter(|m| !now.contains(m))
                .map(|m| format!("lost mount {m}")),
        );
        for dir in probe::cgroups_with(lab.tag()) {
            left.push(format!("cgroup {}", dir.display()));
        }
        left.extend(sockets(lab.tag()).map(|name| format!("socket {name}")));
        for parent in state_parents(lab) {
            for entry in fs::read_dir(&parent).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.contains(lab.tag()) {
                    left.push(format!("state {}", parent.join(name).display()));
                }
            }
        }
        if probe::fingerprint(&lab.canary())? != self.canary {
            left.push("the host's canary tree has changed".to_owned());
        }
        Ok(left)
    }
}

/// Sockets with this in their name, abstract ones too, that somebody still holds; proc_net(5).
fn sockets(tag: &str) -> impl Iterator<Item = String> {
    let all = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let named = all
        .lines()
        .filter_map(|line| line.split_whitespace().nth(7));
    let held: Vec<_> = named
        .filter(|name| name.contains(tag))
        .map(Into::into)
        .collect();
    held.into_iter()
}

/// Where containers' directories could be: the lab's own roots and the usual defaults.
fn state_parents(lab: &Lab) -> Vec<std::path::PathBuf> {
    let mut parents = vec![lab.root(), lab.home(USER).join("state")];
    parents.extend(["/run/orbital", "/run/runc", "/run/crun"].map(Into::into));
    parents
}

fn own_pid() -> i32 {
    std::process::id().cast_signed()
}

/// Repeats a look until it is empty, for a second.
fn patient<T>(
    look: impl Fn() -> std::collections::BTreeMap<i32, T>,
) -> std::collections::BTreeMap<i32, T> {
    let end = Instant::now() + Duration::from_secs(1) * patience();
    loop {
        let found = look();
        if found.is_empty() || Instant::now() > end {
            return found;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// This process's mounts, without the ids that change when mounts come and go.
fn mounts() -> Outcome<Vec<String>> {
    let text = fs::read_to_string("/proc/self/mountinfo")?;
    let bare = |line: &str| {
        let line = line.split(' ').skip(2).collect::<Vec<_>>().join(" ");
        // Its options are the machine's, and CRIU changes them while another case works.
        let cgroup2 = line
            .split_once(" - cgroup2 ")
            .map(|(mount, _)| mount.to_owned());
        cgroup2.unwrap_or(line)
    };
    let mut lines: Vec<_> = text.lines().map(bare).collect();
    lines.sort();
    Ok(lines)
}

/// Ends whatever the case left: only for tidiness after a failure, which has been reported.
pub(crate) fn sweep(lab: &Lab) {
    for id in lab.list().unwrap_or_default() {
        let _ = lab.call(&["delete", "--force", &id]).say();
    }
    lab.reaper.resume();
    for _ in 0..20 {
        for pid in probe::descendants(own_pid()).keys() {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
        let mut cgroups = probe::cgroups_with(lab.tag());
        cgroups.sort_by_key(|dir| std::cmp::Reverse(dir.as_os_str().len()));
        for dir in &cgroups {
            let _ = fs::write(dir.join("cgroup.freeze"), "0");
            let _ = fs::write(dir.join("cgroup.kill"), "1");
            let _ = fs::remove_dir(dir);
        }
        if cgroups.is_empty() && probe::descendants(own_pid()).is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
