//! The process of one case: namespaces and a subreaper of its own, a time limit, the leak check.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_child_subreaper;

use crate::case::Case;
use crate::check::{Outcome, ensure, patience};
use crate::lab::Lab;
use crate::leak::{self, Before};
use crate::runtime::Runtime;

/// How long a case may take, on a machine of usual speed.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `case` in `dir`: its failure, or what it left behind, is the error.
pub(crate) fn run(case: &Case, runtime: Runtime, dir: &Path, busybox: &Path) -> Outcome {
    set_child_subreaper(true)?;
    if nix::unistd::geteuid().is_root() {
        own_mounts(dir)?;
    }
    let lab = Arc::new(Lab::furnish(runtime, dir, busybox)?);
    let before = Before::look(&lab)?;
    let (sender, receiver) = mpsc::channel();
    let (worker, body) = (Arc::clone(&lab), case.run);
    std::thread::spawn(move || sender.send(body.judge(&worker)));
    let limit = LIMIT * patience();
    let outcome = match receiver.recv_timeout(limit) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Err(format!("not finished within {limit:?}").into())
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => Err("the case itself panicked".into()),
    };
    lab.reaper.resume();
    let outcome = outcome.and_then(|()| {
        let left = before.left(&lab)?;
        ensure!(left.is_empty(), "left behind:\n{}", left.join("\n"));
        Ok(())
    });
    leak::sweep(&lab);
    outcome
}

/// A mount namespace whose mounts are shared, as on most hosts, so that a mount which gets out of
/// a container is seen, with a file system for the lab that goes away with it.
fn own_mounts(dir: &Path) -> Outcome {
    const NONE: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SHARED, NONE)?;
    mount(
        Some("lab"),
        dir,
        Some("tmpfs"),
        MsFlags::empty(),
        Some("mode=755"),
    )?;
    mount(NONE, dir, NONE, MsFlags::MS_SHARED, NONE)?;
    Ok(())
}
