//! The bundle that everybody runs: what `runc spec` writes, without a terminal, ending at once.
//! floor.c has the same bundle written into it; change both together.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::floor::first_line;
use crate::place::Scratch;

/// The exit status of the program that `Bundle::proof` runs.
pub(crate) const PROOF_STATUS: i32 = 7;

/// Two bundles over one root file system.
#[derive(Debug)]
pub(crate) struct Bundle {
    /// Runs `/bin/true`.
    pub(crate) timed: PathBuf,
    /// Ends with `PROOF_STATUS`, which no runtime gives unless it ran the program.
    pub(crate) proof: PathBuf,
    pub(crate) rootfs: PathBuf,
    /// A payload that loads libraries takes longer for everybody and so flatters the ratios.
    pub(crate) payload: Linkage,
}

/// Whether a program needs a loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linkage {
    Static,
    Dynamic,
    /// A script, or nothing that this kernel's ELF loader knows.
    Unknown,
}

/// Makes both bundles below the scratch directory.
pub(crate) fn write(scratch: &Scratch) -> Result<Bundle, String> {
    let timed = scratch.folder("timed")?;
    let proof = scratch.folder("proof")?;
    let rootfs = timed.join("rootfs");
    make_rootfs(&timed, &rootfs)?;
    let script = format!("exit {PROOF_STATUS}");
    put_config(&timed, &rootfs, &["/bin/true"])?;
    put_config(&proof, &rootfs, &["/bin/sh", "-c", &script])?;
    let payload = linkage(&rootfs.join("bin/true"));
    Ok(Bundle {
        timed,
        proof,
        rootfs,
        payload,
    })
}

/// By the script of the examples, which knows several sources; by hand where it is not there.
fn make_rootfs(folder: &Path, rootfs: &Path) -> Result<(), String> {
    let maker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundle-examples/make-rootfs");
    if !maker.exists() {
        return rootfs_of_busybox(rootfs);
    }
    let done = Command::new(&maker)
        .arg(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cannot start {}: {e}", maker.display()))?;
    match done.status.success() {
        true => Ok(()),
        false => Err(first_line(&done.stderr, "make-rootfs gave no reason")),
    }
}

fn rootfs_of_busybox(rootfs: &Path) -> Result<(), String> {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"]
        .iter()
        .map(Path::new)
        .find(|path| linkage(path) == Linkage::Static)
        .ok_or("cannot find a static busybox; Debian has it as busybox-static")?;
    let bin = rootfs.join("bin");
    let made = || -> std::io::Result<()> {
        for dir in ["bin", "dev", "proc", "sys"] {
            std::fs::create_dir_all(rootfs.join(dir))?;
        }
        std::fs::copy(busybox, bin.join("busybox"))?;
        for name in ["true", "sh"] {
            std::os::unix::fs::symlink("busybox", bin.join(name))?;
        }
        Ok(())
    };
    made().map_err(|e| format!("cannot make {}: {e}", rootfs.display()))
}

fn put_config(folder: &Path, rootfs: &Path, args: &[&str]) -> Result<(), String> {
    let file = folder.join("config.json");
    std::fs::write(&file, config(rootfs, args).to_string())
        .map_err(|e| format!("cannot write {}: {e}", file.display()))
}

fn config(rootfs: &Path, args: &[&str]) -> Value {
    let kept = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": {"uid": 0, "gid": 0},
            "args": args,
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {"bounding": kept, "effective": kept, "permitted": kept},
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": true
        },
        "root": {"path": rootfs, "readonly": true},
        "hostname": "runc",
        "mounts": mounts(),
        "linux": {
            "resources": {"devices": [{"allow": false, "access": "rwm"}]},
            "namespaces": [
                {"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"},
                {"type": "mount"}, {"type": "cgroup"}
            ],
            "maskedPaths": [
                "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
                "/proc/scsi"
            ],
            "readonlyPaths": [
                "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"
            ]
        }
    })
}

fn mounts() -> Value {
    let mount = |at: &str, kind: &str, source: &str, options: &[&str]| {
        let options: Vec<&str> = options.to_vec();
        json!({"destination": at, "type": kind, "source": source, "options": options})
    };
    let quiet = ["nosuid", "noexec", "nodev"];
    let and = |more: &[&'static str]| [&quiet[..], more].concat();
    json!([
        mount("/proc", "proc", "proc", &[]),
        mount(
            "/dev",
            "tmpfs",
            "tmpfs",
            &["nosuid", "strictatime", "mode=755", "size=65536k"]
        ),
        mount(
            "/dev/pts",
            "devpts",
            "devpts",
            &[
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
                "gid=5"
            ]
        ),
        mount(
            "/dev/shm",
            "tmpfs",
            "shm",
            &and(&["mode=1777", "size=65536k"])
        ),
        mount("/dev/mqueue", "mqueue", "mqueue", &quiet),
        mount("/sys", "sysfs", "sysfs", &and(&["ro"])),
        mount(
            "/sys/fs/cgroup",
            "cgroup",
            "cgroup",
            &and(&["relatime", "ro"])
        ),
    ])
}

/// Looks for an interpreter among the program headers (elf(5)).
pub(crate) fn linkage(file: &Path) -> Linkage {
    match std::fs::read(file) {
        Ok(bytes) => linkage_of(&bytes),
        Err(_) => Linkage::Unknown,
    }
}

fn linkage_of(elf: &[u8]) -> Linkage {
    const INTERPRETER: u64 = 3;
    let number = |at: u64, size: usize| -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let mut word = [0; 8];
        word.get_mut(..size)?
            .copy_from_slice(elf.get(at..at.checked_add(size)?)?);
        Some(u64::from_le_bytes(word))
    };
    // 64 bits, little endian: every machine that this project builds for.
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return Linkage::Unknown;
    }
    let (Some(table), Some(size), Some(count)) = (number(32, 8), number(54, 2), number(56, 2))
    else {
        return Linkage::Unknown;
    };
    let loads = (0..count).any(|i| number(table.wrapping_add(i * size), 4) == Some(INTERPRETER));
    match loads {
        true => Linkage::Dynamic,
        false => Linkage::Static,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(kind: u8) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes[64] = kind;
        bytes
    }

    #[test]
    fn an_interpreter_makes_a_program_dynamic() {
        assert_eq!(linkage_of(&elf(1)), Linkage::Static);
        assert_eq!(linkage_of(&elf(3)), Linkage::Dynamic);
        assert_eq!(linkage_of(b"#!/bin/sh\n"), Linkage::Unknown);
        assert_eq!(linkage_of(&elf(3)[..40]), Linkage::Unknown);
    }

    #[test]
    fn the_config_is_the_default_one() {
        let config = config(Path::new("/r"), &["/bin/true"]);
        assert_eq!(config["root"]["path"], "/r");
        assert_eq!(config["process"]["terminal"], false);
        assert_eq!(config["mounts"].as_array().unwrap().len(), 7);
        let mut shm = config["mounts"][3]["options"].as_array().unwrap().clone();
        shm.retain(|option| option == "nodev" || option == "mode=1777");
        assert_eq!(shm.len(), 2);
    }
}
