//! Root file systems, and what must not be left.

use super::lab::{Lab, Ran, is_root};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Programs of the root file system, all one busybox.
const APPLETS: [&str; 29] = [
    "sh", "cat", "echo", "env", "id", "ls", "sleep", "true", "false", "touch", "grep", "hostname",
    "ps", "kill", "df", "mount", "head", "stty", "tty", "wc", "seq", "test", "dd", "ip", "mkdir",
    "chown", "stat", "pwd", "wget",
];

/// One test's place: a lab with a root file system in it.
pub(crate) struct Ground {
    pub(crate) lab: Lab,
}

impl Ground {
    /// Nothing where containers cannot be made; it says why.
    pub(crate) fn new() -> Option<Ground> {
        let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
        if !is_root() || !unified {
            println!(
                "skipped: containers need root and a unified cgroup tree; see conformance/in-unified"
            );
            return None;
        }
        let busybox = Path::new("/bin/busybox");
        if !busybox.exists() {
            println!("skipped: there is no static busybox");
            return None;
        }
        let ground = Ground { lab: Lab::new() };
        let root = ground.root();
        for folder in ["bin", "etc", "proc", "dev", "sys", "tmp"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::copy(busybox, root.join("bin/busybox")).unwrap();
        for applet in APPLETS {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        ground.lab.write(
            "root/etc/passwd",
            "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n",
        );
        ground
            .lab
            .write("root/etc/group", "root:x:0:\nweb:x:34:\nlogs:x:4:web\n");
        Some(ground)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.lab.path().join("root")
    }

    /// `run` with these flags, without a network, on the directory.
    pub(crate) fn run(&self, flags: &[&str], command: &[&str]) -> Ran {
        self.lab.run(&words(flags, command))
    }

    /// The same, which must succeed.
    #[track_caller]
    pub(crate) fn good(&self, flags: &[&str], command: &[&str]) -> String {
        self.lab.good(&words(flags, command))
    }

    /// A script in a container that is removed after.
    #[track_caller]
    pub(crate) fn sh(&self, flags: &[&str], script: &str) -> String {
        let flags: Vec<&str> = ["--rm"].iter().chain(flags).copied().collect();
        self.good(&flags, &["sh", "-c", script])
    }

    /// Fails for whatever is left of containers: mounts, cgroups, processes, directories.
    #[track_caller]
    pub(crate) fn nothing_is_left(&self) {
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < end, "left: {left:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        let place = self.lab.path().display().to_string();
        let mounts = std::fs::read_to_string("/proc/thread-self/mounts").unwrap();
        left.extend(
            mounts
                .lines()
                .filter(|line| line.contains(&place))
                .map(str::to_owned),
        );
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            if words.contains(&place) && words.contains("orbital") {
                left.push(words);
            }
        }
        for folder in ["store/containers", "state/containers", "state/runtime"] {
            for name in std::fs::read_dir(self.lab.path().join(folder))
                .into_iter()
                .flatten()
                .flatten()
            {
                let name = name.file_name().into_string().unwrap();
                if name != "lock" {
                    left.extend(group(&name));
                    left.push(format!("{folder}/{name}"));
                }
            }
        }
        left
    }
}

/// The cgroup of a container, while there is one.
pub(crate) fn group(id: &str) -> Option<String> {
    let path = format!("/sys/fs/cgroup/orbital-{id}");
    Path::new(&path).exists().then_some(path)
}

fn words<'w>(flags: &[&'w str], command: &[&'w str]) -> Vec<&'w str> {
    let first = ["run", "--network", "none"];
    first
        .iter()
        .chain(flags)
        .chain(["./root"].iter())
        .chain(command)
        .copied()
        .collect()
}
