//! What `orbital spec` writes: a config.json that runs a shell behind all the usual walls.
//!
//! It is written as text rather than from types, so that it reads in the order in which one thinks
//! of a container: the process, its root, its mounts, its limits, its namespaces. For a user without
//! privileges it differs in four places, each a branch below.

use crate::error::{Cause, Error, Object, Result};
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// The version of the OCI runtime specification that orbital implements.
pub const VERSION: &str = "1.3.0";

/// Whom a first config.json is for: root or a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecFor {
    /// With all privileges.
    Root,
    /// `--rootless`: in a user namespace.
    User,
}

const PROCESS: &str = r#"
  "process": {
    "terminal": true,
    "user": { "uid": 0, "gid": 0 },
    "args": ["sh"],
    "env": [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "TERM=xterm"
    ],
    "cwd": "/",
    "capabilities": {
      "bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
      "effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
      "permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
    },
    "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 }],
    "noNewPrivileges": true
  },
  "root": { "path": "rootfs", "readonly": true },
  "hostname": "orbital","#;

/// What shows the container the hardware or lets it speak to the kernel past its namespaces.
const WALLS: &str = r#"
    "maskedPaths": [
      "/proc/acpi",
      "/proc/asound",
      "/proc/interrupts",
      "/proc/kcore",
      "/proc/keys",
      "/proc/latency_stats",
      "/proc/sched_debug",
      "/proc/scsi",
      "/proc/timer_list",
      "/proc/timer_stats",
      "/sys/devices/virtual/powercap",
      "/sys/firmware"
    ],
    "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]"#;

/// (destination, type, source, options), each list of options as JSON.
type MountLine = (&'static str, &'static str, &'static str, &'static str);

const PROC_AND_DEV: [MountLine; 2] = [
    ("/proc", "proc", "proc", ""),
    (
        "/dev",
        "tmpfs",
        "tmpfs",
        r#""nosuid", "strictatime", "mode=755", "size=65536k""#,
    ),
];

const PTS: MountLine = (
    "/dev/pts",
    "devpts",
    "devpts",
    r#""nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5""#,
);

/// Group 5 (tty) is not mapped where only one group is.
const PTS_OF_A_USER: MountLine = (
    "/dev/pts",
    "devpts",
    "devpts",
    r#""nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620""#,
);

const SHM_AND_MQUEUE: [MountLine; 2] = [
    (
        "/dev/shm",
        "tmpfs",
        "shm",
        r#""nosuid", "noexec", "nodev", "mode=1777", "size=65536k""#,
    ),
    (
        "/dev/mqueue",
        "mqueue",
        "mqueue",
        r#""nosuid", "noexec", "nodev""#,
    ),
];

const SYS_AND_CGROUP: [MountLine; 2] = [
    (
        "/sys",
        "sysfs",
        "sysfs",
        r#""nosuid", "noexec", "nodev", "ro""#,
    ),
    (
        "/sys/fs/cgroup",
        "cgroup",
        "cgroup",
        r#""nosuid", "noexec", "nodev", "relatime", "ro""#,
    ),
];

/// A new sysfs belongs to the owner of the network namespace, and a user's container has the host's.
const SYS_OF_A_USER: MountLine = (
    "/sys",
    "none",
    "/sys",
    r#""rbind", "nosuid", "noexec", "nodev", "ro""#,
);

/// The text of a config.json for root, or for the user with this uid and gid.
#[must_use]
pub fn text(whom: SpecFor, uid: u32, gid: u32) -> String {
    let mut text = format!("{{\n  \"ociVersion\": \"{VERSION}\",{PROCESS}\n  \"mounts\": [\n");
    text.push_str(&mounts(whom));
    text.push_str("  ],\n  \"linux\": {\n");
    text.push_str(&match whom {
        SpecFor::Root => {
            "    \"resources\": { \"devices\": [{ \"allow\": false, \"access\": \"rwm\" }] },\n"
                .to_owned()
        }
        SpecFor::User => mappings(uid, gid),
    });
    text.push_str("    \"namespaces\": [\n");
    text.push_str(&namespaces(whom));
    let _ = write!(text, "    ],{WALLS}\n  }}\n}}\n");
    text
}

/// Writes this text as `bundle`/config.json, with the mode that the umask leaves of 0666.
///
/// # Errors
/// The file exists, or the folder does not, or cannot be written to.
pub fn write(bundle: &Path, text: &str) -> Result<()> {
    const DOING: &str = "write config.json";
    let path = bundle.join("config.json");
    let mut file = match std::fs::File::create_new(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let why = "there is one, and it is never overwritten".to_owned();
            let hint = format!("remove {} first", path.display());
            return Err(Error::new(DOING, Object::File(path), Cause::Refused(why)).hint(hint));
        }
        Err(error) => return Err(Error::io(DOING, path, "openat", &error)),
    };
    file.write_all(text.as_bytes())
        .map_err(|error| Error::io(DOING, path, "write", &error))
}

fn mounts(whom: SpecFor) -> String {
    let mut lines: Vec<&MountLine> = PROC_AND_DEV.iter().collect();
    lines.push(match whom {
        SpecFor::Root => &PTS,
        SpecFor::User => &PTS_OF_A_USER,
    });
    lines.extend(&SHM_AND_MQUEUE);
    match whom {
        SpecFor::Root => lines.extend(&SYS_AND_CGROUP),
        SpecFor::User => lines.push(&SYS_OF_A_USER),
    }
    listed(lines.iter().map(|(destination, kind, source, options)| {
        let what =
            format!(r#""destination": "{destination}", "type": "{kind}", "source": "{source}""#);
        match *options {
            "" => format!("    {{ {what} }}"),
            options => format!("    {{ {what},\n      \"options\": [{options}] }}"),
        }
    }))
}

/// A user may map one id, their own, without the help of newuidmap(1).
fn mappings(uid: u32, gid: u32) -> String {
    let line = |name: &str, host: u32| {
        format!("    \"{name}\": [{{ \"containerID\": 0, \"hostID\": {host}, \"size\": 1 }}],\n")
    };
    line("uidMappings", uid) + &line("gidMappings", gid)
}

/// A user keeps the host's network: without help from outside a new one would reach nothing.
fn namespaces(whom: SpecFor) -> String {
    let first: &[&str] = match whom {
        SpecFor::Root => &["pid", "network"],
        SpecFor::User => &["user", "pid"],
    };
    let rest = ["ipc", "uts", "mount", "cgroup"];
    listed(
        first
            .iter()
            .chain(&rest)
            .map(|kind| format!("      {{ \"type\": \"{kind}\" }}")),
    )
}

fn listed(lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    lines.join(",\n") + "\n"
}

#[cfg(test)]
mod tests;
