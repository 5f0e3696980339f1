//! Where the benchmark works: a tmpfs that only it sees, on a host with cgroup v2 alone.
//!
//! State directories and the bundle lie on the tmpfs, so that no disk is measured, and whatever
//! the runtimes leave there ends with this process.

use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};

/// Where cgroup v2 must be mounted.
pub(crate) const CGROUPS: &str = "/sys/fs/cgroup";

/// Refuses a host on which the peers would take other paths through their code, or none.
pub(crate) fn must_be_unified() -> Result<(), String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("cannot make containers: run it as root".to_owned());
    }
    let kind = statfs(CGROUPS)
        .map_err(|e| format!("cannot look at {CGROUPS}: {e}"))?
        .filesystem_type();
    match kind {
        CGROUP2_SUPER_MAGIC => Ok(()),
        _ => Err(format!(
            "{CGROUPS} is not cgroup v2: run me as conformance/in-unified bench …"
        )),
    }
}

/// A directory on a tmpfs of our own; gone when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: tempfile::TempDir,
}

impl Scratch {
    /// Must be called before the first thread is made: it leaves the caller's mount namespace.
    pub(crate) fn new() -> Result<Self, String> {
        let said = |what: &str, e: nix::Error| format!("cannot {what}: {e}");
        let dir = tempfile::Builder::new()
            .prefix("orbital-bench.")
            .tempdir()
            .map_err(|e| format!("cannot make a scratch directory: {e}"))?;
        unshare(CloneFlags::CLONE_NEWNS).map_err(|e| said("make a mount namespace", e))?;
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
            .map_err(|e| said("make the mounts private", e))?;
        mount(
            Some("tmpfs"),
            dir.path(),
            Some("tmpfs"),
            MsFlags::empty(),
            Some("mode=755"),
        )
        .map_err(|e| said("mount a scratch tmpfs", e))?;
        Ok(Self { dir })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A new directory below the scratch directory.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path)
            .map_err(|e| format!("cannot make {}: {e}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // If it stays mounted it ends with the namespace, and TempDir then finds it busy: harmless.
        let _ = umount2(self.dir.path(), MntFlags::MNT_DETACH);
    }
}
