//! What a runtime leaves behind: the container's process, which becomes ours, and, after a
//! failure, cgroups. Nothing here is timed.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::place::CGROUPS;
use crate::program::Program;
use crate::trial::Stand;

/// Orphans come to this process from now on, so that it can see them end: a zombie that nobody
/// collects would still be a living container to some runtimes.
pub(crate) fn adopt_orphans() -> Result<(), String> {
    set_child_subreaper(true).map_err(|e| format!("cannot become a subreaper: {e}"))
}

/// Waits until the process has ended, and collects it.
pub(crate) fn await_end(pid: i32) -> Result<(), String> {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => {}
            Ok(_) => return Ok(()),
            // Not our child: an intermediate process may still have it.
            Err(_) if kill(Pid::from_raw(pid), None::<Signal>) == Err(Errno::ESRCH) => {
                return Ok(());
            }
            Err(_) => {}
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Err(format!("process {pid} of the container did not end"))
}

/// Removes the container, whatever its state, and what the runtime's own removal leaves.
pub(crate) fn clear(program: &Program, id: &str, stand: &Stand) {
    let _ = stand.lap(&program.removal(id));
    for dir in cgroups_of(Path::new(CGROUPS), id) {
        let _ = std::fs::write(dir.join("cgroup.kill"), "1");
        for _ in 0..200 {
            collect_ended();
            if remove_tree(&dir).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    collect_ended();
}

/// Collects what has ended. Only between commands: it would steal a running command's status.
pub(crate) fn collect_ended() {
    while matches!(
        waitpid(None, Some(WaitPidFlag::WNOHANG)),
        Ok(status) if status != WaitStatus::StillAlive
    ) {}
}

/// Runtimes put a prefix of their own before the id, and some a folder above it.
fn cgroups_of(root: &Path, id: &str) -> Vec<std::path::PathBuf> {
    let below = |dir: &Path| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect()
    };
    let top = below(root);
    let inner: Vec<_> = top.iter().flat_map(|dir| below(dir)).collect();
    top.into_iter()
        .chain(inner)
        .filter(|path| {
            path.file_name()
                .is_some_and(|n| n.to_string_lossy().ends_with(id))
        })
        .collect()
}

/// A cgroup's files vanish with it: only directories are removed, the deepest first.
fn remove_tree(dir: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)?.flatten() {
        if entry.path().is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    std::fs::remove_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroups_are_found_with_and_without_a_prefix() {
        let root = tempfile::tempdir().unwrap();
        for dir in ["c1", ":youki:c1", "crun/c1", "c10", "other"] {
            std::fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        let mut found = cgroups_of(root.path(), "c1");
        found.sort();
        let expected = [":youki:c1", "c1", "crun/c1"].map(|dir| root.path().join(dir));
        assert_eq!(found, expected);
        remove_tree(&root.path().join("crun")).unwrap();
        assert_eq!(cgroups_of(root.path(), "c1").len(), 2);
    }
}
