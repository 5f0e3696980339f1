//! Bundles made on the spot: a config.json and a root file system with a static busybox.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::check::{Outcome, ensure};
use crate::spec::Spec;

/// The commands that the cases' scripts use; each is a link to busybox.
const APPLETS: &str = "sh ash [ awk basename cat chgrp chmod chown cmp cp cut date dd df dirname du echo \
    env expr fallocate false find grep groups head hostname id ifconfig ip ipcmk ipcs ipcrm kill ln ls mkdir mkfifo mknod mktemp mount mv nc \
    od ping printf ps pwd readlink realpath rm rmdir sed seq setsid sleep sort stat stty sync tail \
    tee test timeout touch tr true tty ulimit umask umount uname uniq unshare usleep wc which xargs yes";

/// A bundle directory; it vanishes with the case.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    pub(crate) dir: PathBuf,
}

impl Bundle {
    /// The root file system.
    pub(crate) fn rootfs(&self) -> PathBuf {
        self.dir.join("rootfs")
    }

    /// Writes a file into the root file system with its parents; mode 0644, or 0755 for scripts.
    pub(crate) fn file(&self, path: &str, content: &str) -> Outcome<PathBuf> {
        let file = self.rootfs().join(path.trim_start_matches('/'));
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&file, content)?;
        let mode = if content.starts_with("#!") {
            0o755
        } else {
            0o644
        };
        fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
        Ok(file)
    }

    /// Makes a symbolic link in the root file system, in the place of what was there.
    pub(crate) fn link(&self, path: &str, target: &str) -> Outcome {
        let link = self.rootfs().join(path.trim_start_matches('/'));
        if link.is_dir() && !link.is_symlink() {
            fs::remove_dir_all(&link)?;
        } else if link.symlink_metadata().is_ok() {
            fs::remove_file(&link)?;
        }
        if let Some(parent) = link.parent() {
            fs::create_dir_all(parent)?;
        }
        symlink(target, link)?;
        Ok(())
    }

    /// Writes (or replaces) config.json.
    pub(crate) fn write(&self, spec: &Spec) -> Outcome {
        fs::write(
            self.dir.join("config.json"),
            serde_json::to_vec_pretty(&spec.0)?,
        )?;
        Ok(())
    }

    /// Gives everything in the bundle to `uid`, which is its own group too.
    pub(crate) fn give_to(&self, uid: u32) -> Outcome {
        give(&self.dir, uid)
    }

    /// The bundle as an argument.
    pub(crate) fn arg(&self) -> &str {
        self.dir.to_str().unwrap_or_default()
    }
}

fn give(path: &Path, uid: u32) -> Outcome {
    std::os::unix::fs::lchown(path, Some(uid), Some(uid))?;
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), uid)?;
        }
    }
    Ok(())
}

/// Makes a bundle in `dir` whose busybox is linked from `busybox` (on the same file system).
pub(crate) fn make(dir: &Path, busybox: &Path, spec: &Spec) -> Outcome<Bundle> {
    let rootfs = dir.join("rootfs");
    for folder in [
        "bin", "dev", "etc", "proc", "root", "sys", "tmp", "usr/bin", "var",
    ] {
        fs::create_dir_all(rootfs.join(folder))?;
    }
    fs::set_permissions(rootfs.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    fs::hard_link(busybox, rootfs.join("bin/busybox"))?;
    for applet in APPLETS.split_whitespace() {
        symlink("busybox", rootfs.join("bin").join(applet))?;
    }
    let bundle = Bundle {
        dir: dir.to_path_buf(),
    };
    bundle.file(
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\n",
    )?;
    bundle.file("etc/group", "root:x:0:\nana:x:1000:\n")?;
    bundle.write(spec)?;
    Ok(bundle)
}

/// Where this machine keeps a busybox without shared libraries.
pub(crate) fn find_busybox() -> Outcome<PathBuf> {
    for path in [
        "/bin/busybox",
        "/usr/bin/busybox",
        "/bin/busybox.static",
        "/usr/bin/busybox.static",
    ] {
        let Ok(bytes) = fs::read(path) else { continue };
        if !asks_for_a_loader(&bytes) {
            return Ok(PathBuf::from(path));
        }
    }
    ensure!(
        false,
        "cannot find a static busybox; install the package busybox-static, or name one with --busybox"
    );
    Ok(PathBuf::new())
}

/// Whether the ELF file has a PT_INTERP header: it then needs a loader that the bundle lacks.
fn asks_for_a_loader(elf: &[u8]) -> bool {
    let number = |at: usize, size: usize| {
        let bytes = elf.get(at..at + size).unwrap_or_default();
        bytes
            .iter()
            .rev()
            .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let (start, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    (0..count).any(|index| number(start + index * size, 4) == 3)
}
