//! The processes of the group and of the groups below it: list them, signal them, kill them.

use super::{Cgroup, is_gone, write};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::dir::Listing;
use crate::sys::{Fault, dir, file, pidfd};
use rustix::fs::OFlags;
use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::fd::OwnedFd;

/// Passes over the list before a group that forks faster than it dies is given up, where the kernel
/// cannot kill it in one act.
const MOST_PASSES: u32 = 100;

impl Cgroup {
    /// Kills every process of the group and below it; they may need a moment to be gone (see
    /// [`Cgroup::is_empty_within`]). A group that is gone has none.
    ///
    /// # Errors
    /// As write(2) to `cgroup.kill`; without it (before Linux 5.14) as [`Cgroup::signal_all`].
    pub fn kill_all(&self) -> Result<()> {
        match write(&self.dir, c"cgroup.kill", b"1") {
            Ok(()) => Ok(()),
            Err(Fault {
                errno: libc::ENOENT,
                ..
            }) => self.kill_one_by_one(),
            Err(Fault {
                errno: libc::ENODEV,
                ..
            }) => Ok(()),
            Err(fault) => Err(self.fault("kill the container's processes", "cgroup.kill", fault)),
        }
    }

    /// Sends a signal, 1 to 64, to every process that is in the group or below it now.
    ///
    /// # Errors
    /// As read(2) of `cgroup.procs`; the first refusal of a process to be signalled, after all have
    /// been tried; processes that this pid namespace cannot name.
    pub fn signal_all(&self, signal: i32) -> Result<()> {
        if signal == libc::SIGKILL {
            return self.kill_all();
        }
        self.signal_listed(signal).map(|_| ())
    }

    /// The processes of the group and below it, as pids of the caller's pid namespace, ascending.
    ///
    /// # Errors
    /// As read(2).
    pub fn processes(&self) -> Result<Vec<i32>> {
        let pids = self.listed()?;
        Ok(pids.into_iter().filter(|pid| *pid > 0).collect())
    }

    /// Frozen, so that none forks while we look; a frozen process still dies of SIGKILL.
    pub(super) fn kill_one_by_one(&self) -> Result<()> {
        let frozen = self.set_freezer(b"1").is_ok();
        let mut answer = Ok(0);
        for _ in 0..MOST_PASSES {
            answer = self.signal_listed(libc::SIGKILL);
            if !matches!(answer, Ok(1..)) {
                break;
            }
        }
        let thawed = if frozen { self.thaw() } else { Ok(()) };
        answer.and(thawed)
    }

    /// One pass; how many processes were signalled.
    fn signal_listed(&self, signal: i32) -> Result<usize> {
        let doing = format!("send signal {signal} to the container's processes");
        let listed = self.listed()?;
        let opened: Vec<(i32, OwnedFd)> = listed
            .iter()
            .filter_map(|pid| pidfd::open(*pid).ok().map(|descriptor| (*pid, descriptor)))
            .collect();
        // A number may have passed to a stranger between the list and its opening; whoever is in
        // the list afterwards is the process that was opened, or one that has ended since.
        let still = self.listed()?;
        let mut sent = 0;
        let mut first = Ok(());
        for (pid, descriptor) in opened.iter().filter(|(pid, _)| still.contains(pid)) {
            match pidfd::signal(descriptor, signal) {
                Ok(()) => sent += 1,
                Err(Fault {
                    errno: libc::ESRCH, ..
                }) => {}
                Err(fault) => {
                    let cause = Cause::Os {
                        call: fault.call.name(),
                        errno: fault.errno,
                        on: Some(format!("process {pid}")),
                    };
                    let error = Error::new(&doing, Object::File(self.path.clone()), cause);
                    first = first.and(Err(error));
                }
            }
        }
        if still.contains(&0) {
            let why = "some of them are outside of the caller's pid namespace".to_owned();
            let error = Error::new(&doing, Object::File(self.path.clone()), Cause::Refused(why));
            first = first.and(Err(error));
        }
        first.map(|()| sent)
    }

    /// All pids; 0 stands for processes outside of the caller's pid namespace.
    fn listed(&self) -> Result<BTreeSet<i32>> {
        let mut passes = 0;
        loop {
            let mut pids = BTreeSet::new();
            passes += 1;
            match list_all(&self.dir, &mut pids) {
                Ok(()) => return Ok(pids),
                // A group went while we stood in it: what lies beside it has not been seen.
                Err(fault) if is_gone(fault) && passes < MOST_PASSES => {}
                Err(fault) => {
                    return Err(self.fault("list the container's processes", "", fault));
                }
            }
        }
    }
}

/// Adds the processes of the group `top` and of those below it. They may be of the container's making, as deep
/// as no path is long: so one descriptor walks down and, by `..`, up again.
fn list_all(top: &OwnedFd, pids: &mut BTreeSet<i32>) -> std::result::Result<(), Fault> {
    let mut here = match dir::open(top, c".") {
        Err(fault) if is_gone(fault) => return Ok(()),
        opened => opened?,
    };
    let mut levels = vec![list_one(&here, pids)?];
    while let Some(level) = levels.last_mut() {
        let Some(name) = level.pop() else {
            levels.pop();
            if !levels.is_empty() {
                here = dir::open(&here, c"..")?;
            }
            continue;
        };
        match dir::open(&here, &name) {
            Err(fault) if is_gone(fault) => {}
            opened => {
                here = opened?;
                levels.push(list_one(&here, pids)?);
            }
        }
    }
    Ok(())
}

/// Adds the processes of one group, and gives the names of those below it. One that is gone has neither.
fn list_one(here: &OwnedFd, pids: &mut BTreeSet<i32>) -> std::result::Result<Vec<CString>, Fault> {
    match file::open(here, c"cgroup.procs", OFlags::RDONLY).and_then(|procs| read_all(&procs)) {
        Ok(text) => pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok())),
        // A threaded group; its processes are listed by the domain above it.
        Err(Fault {
            errno: libc::EOPNOTSUPP,
            ..
        }) => {}
        Err(fault) if is_gone(fault) => return Ok(Vec::new()),
        Err(fault) => return Err(fault),
    }
    let mut below = Vec::new();
    dir::each_directory(here, |name| {
        below.push(name.to_owned());
        Listing::Continue
    })?;
    Ok(below)
}

fn read_all(fd: &OwnedFd) -> std::result::Result<String, Fault> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match file::read_some(fd, &mut buffer)? {
            [] => return Ok(String::from_utf8_lossy(&text).into_owned()),
            more => text.extend_from_slice(more),
        }
    }
}
