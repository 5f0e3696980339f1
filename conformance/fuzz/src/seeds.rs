//! Valid and nearly valid input to begin with.

use std::fs;
use std::path::{Path, PathBuf};

/// The top of the checkout.
fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every config.json of the examples, broken ones too, and everything in `seeds/`, in order of their paths.
#[must_use]
pub fn configs() -> Vec<Vec<u8>> {
    let examples = top().join("bundle-examples");
    let mut files = Vec::new();
    for folder in [examples.clone(), examples.join("broken")] {
        files.extend(
            within(&folder)
                .iter()
                .map(|folder| folder.join("config.json")),
        );
    }
    files.extend(within(&Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")));
    files
        .iter()
        .filter_map(|file| fs::read(file).ok())
        .collect()
}

/// The seccomp profiles of those.
#[must_use]
pub fn profiles() -> Vec<Vec<u8>> {
    let profile = |config: Vec<u8>| {
        let config: serde_json::Value = serde_json::from_slice(&config).ok()?;
        Some(config.pointer("/linux/seccomp")?.to_string().into_bytes())
    };
    configs().into_iter().filter_map(profile).collect()
}

fn within(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// What `create` writes about a container, with every member.
pub const RECORD: &[u8] = br#"{"orbitalVersion":1,"id":"web","ociVersion":"1.2.0","bundle":"/bundles/web",
"rootfs":"/bundles/web/rootfs","created":"2026-01-02T03:04:05.678901234Z","owner":0,
"process":{"pid":4711,"startTime":123456},"cgroup":"/sys/fs/cgroup/orbital/web",
"cgroupMade":["/sys/fs/cgroup/orbital","/sys/fs/cgroup/orbital/web"],"annotations":{"org.example.a":"b"},
"poststart":[{"path":"/bin/true","args":["true"],"env":["A=b"],"timeout":3,"pointer":"/hooks/poststart/0"}],
"poststop":[{"path":"/bin/false","args":[],"env":[],"pointer":"/hooks/poststop/0"}]}"#;

/// Command lines, word by word, with NUL between them.
pub const ARGUMENTS: [&[u8]; 6] = [
    b"orbital\0--root\0/run/x\0--log-format\0json\0--log\0/tmp/l\0create\0--bundle\0/b\0--pid-file\0/p\0--console-socket\0/s\0id",
    b"runc\0--systemd-cgroup\0--debug\0run\0-d\0--keep\0--no-pivot\0--no-new-keyring\0--preserve-fds\x003\0-b\0.\0id",
    b"orbital\0kill\0--all\0id\0SIGRTMIN+3",
    b"orbital\0delete\0-f\0id",
    b"orbital\0list\0--format=json\0-q",
    b"orbital\0-cgroup-manager\0systemd\0plan\0--json\0folder",
];

/// Lists of mount options, a line each.
pub const OPTIONS: [&[u8]; 4] = [
    b"rbind\nro\nnosuid\nnodev\nrslave\nrro",
    b"nosuid\nstrictatime\nmode=755\nsize=65536k",
    b"lowerdir=/a:/b\nupperdir=/u\nworkdir=/w\nuserxattr",
    b"newinstance\nptmxmode=0666\nmode=0620\ngid=5\nrelatime\nrnoatime\nsync\nasync",
];

/// Id mappings: twelve bytes a line, user mappings up to the first byte, group mappings after.
pub const MAPPINGS: [&[u8]; 2] = [
    b"\x01\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01",
    b"\x02\0\0\0\0\x03\xe8\0\0\0\x01\0\0\0\x01\0\x01\x86\xa0\0\0\xff\xff\0\0\0\0\0\x01\x86\xa0\0\x01\0\0",
];
