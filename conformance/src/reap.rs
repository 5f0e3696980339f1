//! The case process is the subreaper of everything it starts. This collects the orphans that are
//! given to it, as a shim would, and leaves alone the children that someone waits for.

use std::collections::{HashMap, HashSet};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use crate::check::Outcome;

/// What the reaper knows: whom to leave alone, and how the others ended.
#[derive(Debug, Default)]
pub(crate) struct Reaper {
    ours: Mutex<HashSet<i32>>,
    ended: Mutex<HashMap<i32, WaitStatus>>,
    idle: AtomicBool,
}

/// A child process that the case itself waits for.
#[derive(Debug)]
pub(crate) struct Ours {
    child: Child,
    reaper: Arc<Reaper>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reaper {
    /// Begins to collect orphans.
    pub(crate) fn begin() -> Arc<Self> {
        let reaper = Arc::new(Reaper::default());
        let worker = Arc::clone(&reaper);
        thread::spawn(move || worker.collect());
        reaper
    }

    fn collect(&self) {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        loop {
            if !self.idle.load(Ordering::Relaxed)
                && let Ok(status) = waitid(Id::All, look)
                && let Some(pid) = status.pid()
            {
                // Held while a child is started, so that no new child looks like an orphan.
                let ours = locked(&self.ours);
                if !ours.contains(&pid.as_raw()) && !self.idle.load(Ordering::Relaxed) {
                    locked(&self.ended).insert(pid.as_raw(), status);
                    let _ = waitid(Id::Pid(pid), WaitPidFlag::WEXITED);
                    continue;
                }
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Leaves orphans as zombies until `resume`.
    pub(crate) fn pause(&self) {
        self.idle.store(true, Ordering::Relaxed);
    }

    /// Collects orphans again.
    pub(crate) fn resume(&self) {
        self.idle.store(false, Ordering::Relaxed);
    }

    /// How an orphan ended, once it has been collected.
    pub(crate) fn ended(&self, pid: i32) -> Option<WaitStatus> {
        locked(&self.ended).get(&pid).copied()
    }

    /// Starts a child that the caller will wait for.
    pub(crate) fn spawn(self: &Arc<Self>, command: &mut Command) -> Outcome<Ours> {
        let mut ours = locked(&self.ours);
        let child = command
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))?;
        ours.insert(child.id().cast_signed());
        Ok(Ours {
            child,
            reaper: Arc::clone(self),
        })
    }
}

impl Ours {
    /// The child's pid.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Waits for the child's end.
    pub(crate) fn wait(&mut self) -> Outcome<std::process::ExitStatus> {
        let status = self.child.wait()?;
        locked(&self.reaper.ours).remove(&self.pid().as_raw());
        Ok(status)
    }

    /// The child's end, if it has come.
    pub(crate) fn poll(&mut self) -> Outcome<Option<std::process::ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() {
            locked(&self.reaper.ours).remove(&self.pid().as_raw());
        }
        Ok(status)
    }

    /// Sends the child a signal; an ended child is no error.
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let _ = nix::sys::signal::kill(self.pid(), signal);
    }
}
