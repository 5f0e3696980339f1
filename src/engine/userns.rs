//! A user's own user namespace: what a user may not do on the host, its root may do in there.
//!
//! Everything that touches a container's files of other owners happens inside: mounting the overlay, calling
//! the runtime, removing. Whoever goes in has one thread. The maps are written by a helper that stays outside
//! and calls newuidmap(1), as only the ids of /etc/subuid may be mapped.

use super::places::{Who, who};
use super::runtime::on_path;
use crate::error::{Cause, Error, Object, Result};
use crate::sys::proc::Proc;
use crate::sys::process;
use nix::sched::{CloneFlags, unshare};
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

/// `CLONE_NEWUSER` and `CLONE_NEWNS`; clone(2).
const KINDS: [(&std::ffi::CStr, u32); 2] = [(c"user", 0x1000_0000), (c"mnt", 0x2_0000)];

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
    let why = text
        .lines()
        .last()
        .unwrap_or("the helper did not say why")
        .to_owned();
    Err(Error::new(
        "map the ids of the user namespace",
        Object::Nothing,
        Cause::Refused(why),
    )
    .hint("orbital doctor says what is missing"))
}

/// Enters the namespaces of a process that is inside already.
///
/// # Errors
/// EPERM for another user's, ESRCH for one that is gone.
pub(crate) fn enter_of(pid: i32) -> Result<()> {
    if !is_outside() {
        return Ok(());
    }
    let told = |fault| {
        Error::new(
            "enter the container's user namespace",
            Object::Process(pid),
            Cause::from(fault),
        )
    };
    let proc = Proc::open().map_err(told)?;
    let open =
        |(name, kind): (&std::ffi::CStr, u32)| proc.namespace_of(pid, name).map(|fd| (fd, kind));
    let found = KINDS.map(open);
    for namespace in found {
        let (fd, kind) = namespace.map_err(told)?;
        process::join(std::os::fd::AsFd::as_fd(&fd), kind).map_err(told)?;
    }
    Ok(())
}

/// The helper: waits for a line, then maps this user's ids into the user namespace of process `pid`.
///
/// # Errors
/// newuidmap's own refusal.
pub(crate) fn map(pid: i32) -> Result<()> {
    let mut line = [0; 1];
    // A caller that is gone needs no maps, ignored.
    let _ = std::io::stdin().read(&mut line);
    let (uid, gid) = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    let (users, groups) = (ranges("/etc/subuid", uid), ranges("/etc/subgid", uid));
    let helpers = on_path("newuidmap").zip(on_path("newgidmap"));
    match helpers.filter(|_| !users.is_empty() && !groups.is_empty()) {
        Some((newuidmap, newgidmap)) => {
            call(&newuidmap, pid, uid, &users)?;
            call(&newgidmap, pid, gid, &groups)
        }
        None => only_own(pid, uid, gid),
    }
}

/// One id, one's own: all that the kernel lets anybody map.
fn only_own(pid: i32, uid: u32, gid: u32) -> Result<()> {
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {uid} 1\n")),
        ("gid_map", format!("0 {gid} 1\n")),
    ] {
        let path = format!("/proc/{pid}/{file}");
        std::fs::write(&path, text)
            .map_err(|error| Error::io("map one's own id", path, "write", &error))?;
    }
    Ok(())
}

fn call(helper: &std::path::Path, pid: i32, own: u32, ranges: &[(u32, u32)]) -> Result<()> {
    let mut command = Command::new(helper);
    command
        .arg(pid.to_string())
        .args(["0", &own.to_string(), "1"]);
    let mut inside = 1;
    for (first, count) in ranges {
        command.args([inside, *first, *count].map(|number| number.to_string()));
        inside += count;
    }
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::io("call", helper, "execve", &error))?;
    if output.status.success() {
        return Ok(());
    }
    let last_line = String::from_utf8_lossy(&output.stderr)
        .lines()
        .last()
        .map(str::to_owned);
    let cause = Cause::Exited {
        status: output.status.code().unwrap_or(128),
        last_line,
    };
    Err(Error::new(
        "map ids",
        Object::File(helper.to_path_buf()),
        cause,
    ))
}

/// The ranges of a user in /etc/subuid or /etc/subgid: (first, count); subuid(5).
pub(crate) fn ranges(file: &str, uid: u32) -> Vec<(u32, u32)> {
    let name = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid))
        .ok()
        .flatten();
    let name = name.map(|user| user.name).unwrap_or_default();
    of_user(
        &std::fs::read_to_string(file).unwrap_or_default(),
        &name,
        uid,
    )
}

fn of_user(text: &str, name: &str, uid: u32) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.trim().split(':').collect();
        let [who, first, count] = fields.as_slice() else {
            continue;
        };
        let is_ours = (!name.is_empty() && *who == name) || who.parse() == Ok(uid);
        if let (true, Ok(first), Ok(count)) = (is_ours, first.parse(), count.parse()) {
            found.push((first, count));
        }
    }
    found
}

/// The highest group id that is mapped in this process's user namespace.
pub(crate) fn last_gid() -> u32 {
    let text = std::fs::read_to_string("/proc/self/gid_map").unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::of_user;

    #[test]
    fn ranges_by_name_and_by_number() {
        let text = "root:1:2\nann:100000:65536\n# x\n1000:5:6\nann:9:1:2\nbob:x:1\n";
        assert_eq!(of_user(text, "ann", 1000), [(100_000, 65_536), (5, 6)]);
        assert_eq!(of_user(text, "", 7), []);
    }
}
