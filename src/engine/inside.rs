//! A user's own user namespace: what a user may not do on the host, its root may do in there.
//!
//! Everything that touches a container's files of other owners happens inside: mounting the overlay, calling
//! the runtime, removing. Whoever goes in has one thread. The maps are written by a helper that stays outside
//! and calls newuidmap(1), as only the ids of /etc/subuid may be mapped.

use super::container::shelf::Shelf;
use super::places::{Who, who};
use super::userns::give_ids;
use crate::error::{Cause, Error, Object, Result};
use crate::sys::proc::Proc;
use crate::sys::{Fault, process};
use nix::sched::{CloneFlags, unshare};
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};

/// `CLONE_NEWUSER`; clone(2).
const NEWUSER: u32 = 0x1000_0000;

/// The verb of the helper that stays outside.
pub(crate) const MAPPER: &str = "map";

/// Whether this process is a user who must go inside first.
pub(crate) fn is_outside() -> bool {
    who() == Who::User && !rustix::process::geteuid().is_root()
}

/// Makes a user namespace of our own with a mount namespace, and becomes its root.
///
/// # Errors
/// A host that forbids it, or maps that cannot be written.
pub(crate) fn enter_new() -> Result<()> {
    if !is_outside() {
        return Ok(());
    }
    let program = std::env::current_exe()
        .map_err(|error| Error::io("find this program", "/proc/self/exe", "readlink", &error))?;
    let mut mapper = Command::new(&program);
    mapper.arg(MAPPER).arg(process::own_pid().to_string());
    mapper
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::null());
    let mut mapper = mapper
        .spawn()
        .map_err(|error| Error::io("start a helper", program, "execve", &error))?;
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).map_err(|errno| {
        let cause = Cause::Os {
            call: "unshare",
            errno: errno as i32,
            on: None,
        };
        Error::new("make a user namespace", Object::Nothing, cause)
            .hint("orbital doctor says what forbids it")
    })?;
    if let Some(mut gate) = mapper.stdin.take() {
        // A helper that is gone tells it by its status, ignored.
        let _ = gate.write_all(b"\n");
    }
    let output = mapper
        .wait_with_output()
        .map_err(|error| Error::io("wait for a helper", "newuidmap", "waitid", &error))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let mut lines = text.lines().map(str::trim);
    let why = lines
        .find_map(|line| line.strip_prefix("cause: "))
        .unwrap_or("the helper did not say why")
        .to_owned();
    Err(Error::new(
        "map the ids of the user namespace",
        Object::Nothing,
        Cause::Refused(why),
    )
    .hint("orbital doctor says what is missing"))
}

/// As [`enter_new`], but into the user namespace of a monitor that runs, where there is one: containers of one
/// user that share it may share their namespaces too. The mount namespace is always new.
///
/// # Errors
/// As [`enter_new`].
pub(crate) fn enter_shared(shelf: &Shelf) -> Result<()> {
    if !is_outside() {
        return Ok(());
    }
    let monitors: Vec<i32> = shelf
        .all()?
        .iter()
        .filter_map(|record| Some(record.watched()?.pid))
        .collect();
    for pid in monitors {
        let joined = join(pid);
        if joined.is_ok() {
            let own = unshare(CloneFlags::CLONE_NEWNS);
            return own.map_err(|errno| {
                let cause = Cause::Os {
                    call: "unshare",
                    errno: errno as i32,
                    on: None,
                };
                Error::new("make a mount namespace", Object::Nothing, cause)
            });
        }
    }
    enter_new()
}

/// Enters the user namespace of a process that is inside already; the mounts stay those of the host.
///
/// # Errors
/// EPERM for another user's, ESRCH for one that is gone.
pub(crate) fn enter_of(pid: i32) -> Result<()> {
    if !is_outside() {
        return Ok(());
    }
    join(pid).map_err(|fault| {
        Error::new(
            "enter the container's user namespace",
            Object::Process(pid),
            Cause::from(fault),
        )
    })
}

fn join(pid: i32) -> std::result::Result<(), Fault> {
    let namespace = Proc::open()?.namespace_of(pid, c"user")?;
    process::join(namespace.as_fd(), NEWUSER)
}

/// The helper: waits for a line, then gives process `pid` this user's ids.
///
/// # Errors
/// newuidmap's own refusal.
pub(crate) fn map(pid: u32) -> Result<()> {
    let mut line = [0; 1];
    // A caller that is gone needs no maps, ignored.
    let _ = std::io::stdin().read(&mut line);
    give_ids(pid, "map the ids of the user namespace")
}

/// The highest `uid` or `gid` that is mapped in this process's user namespace.
pub(crate) fn last(kind: &str) -> u32 {
    let text = std::fs::read_to_string(format!("/proc/self/{kind}_map")).unwrap_or_default();
    let last = text.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (first, _, count) = (
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
        );
        Some(first.saturating_add(count.saturating_sub(1)))
    });
    last.max().unwrap_or(0)
}
