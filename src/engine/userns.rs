//! A user's own range of ids: a worker of a user goes into a new user namespace in which it is root, and the
//! engine gives it the ids of /etc/subuid and /etc/subgid, by newuidmap and newgidmap. Where there are none,
//! it gets the user's own id alone, and owners are lost.

use super::places::{Who, who};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::process;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a worker waits for its ids.
const PATIENCE: Duration = Duration::from_secs(10);

/// One range: where it begins on the host, how many ids it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First id on the host.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// In a worker: becomes root of a new user namespace, if this user is not root already. `waiting` tells the
/// engine that ids are wanted.
///
/// # Errors
/// A host that forbids user namespaces; ids that do not come.
pub fn enter(waiting: impl FnOnce()) -> Result<()> {
    let doing = "enter a user namespace";
    if who() == Who::Root || rustix::process::geteuid().is_root() {
        return Ok(());
    }
    process::unshare_user().map_err(|fault| {
        Error::new(doing, Object::Nothing, fault.into())
            .hint("this host forbids user namespaces: see sysctl user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns")
    })?;
    waiting();
    let asked = Instant::now();
    while std::fs::read_to_string("/proc/self/gid_map")
        .unwrap_or_default()
        .is_empty()
    {
        if asked.elapsed() > PATIENCE {
            return Err(Error::new(
                doing,
                Object::Nothing,
                Cause::Answer("nobody has given it any ids".to_owned()),
            ));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let became = process::set_gid(0).and_then(|()| process::set_uid(0));
    became.map_err(|fault| Error::new(doing, Object::Nothing, fault.into()))
}

/// In the engine: gives the waiting process `pid` its ids.
///
/// # Errors
/// newuidmap or newgidmap that refuse; maps that cannot be written.
pub fn give_ids(pid: u32, doing: &str) -> Result<()> {
    let uid = rustix::process::getuid().as_raw();
    let gid = rustix::process::getgid().as_raw();
    match (range("/etc/subuid", uid), range("/etc/subgid", uid)) {
        (Some(users), Some(groups)) if has_programs() => {
            // The group map last: it is what the worker waits for.
            map("newuidmap", pid, uid, users, doing)?;
            map("newgidmap", pid, gid, groups, doing)
        }
        _ => {
            let write = |file: &str, text: String| {
                let path = format!("/proc/{pid}/{file}");
                std::fs::write(&path, text).map_err(|error| Error::io(doing, path, "write", &error))
            };
            write("setgroups", "deny".to_owned())?;
            write("uid_map", format!("0 {uid} 1"))?;
            write("gid_map", format!("0 {gid} 1"))
        }
    }
}

fn has_programs() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    has("newuidmap") && has("newgidmap")
}

fn map(program: &str, pid: u32, own: u32, range: Range, doing: &str) -> Result<()> {
    let numbers = [pid, 0, own, 1, 1, range.first, range.count].map(|number| number.to_string());
    let output = Command::new(program).args(numbers).output();
    let output = output.map_err(|error| Error::io(doing, program, "execve", &error))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let last_line = Some(text.lines().last().unwrap_or_default().to_owned());
    let status = output.status.code().unwrap_or_default();
    let cause = Cause::Exited { status, last_line };
    Err(Error::new(doing, Object::File(program.into()), cause)
        .hint("see /etc/subuid and /etc/subgid: the ranges there must be this user's"))
}

/// This user's first range in a file of `name-or-uid:first:count`.
#[must_use]
pub fn range(file: &str, uid: u32) -> Option<Range> {
    let text = std::fs::read_to_string(Path::new(file)).ok()?;
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    read_range(&text, name.as_deref(), uid)
}

/// The first range of a user by name.
#[must_use]
pub fn named_range(file: &str, name: &str) -> Option<Range> {
    let text = std::fs::read_to_string(file).ok()?;
    // No user has this number.
    read_range(&text, Some(name), u32::MAX)
}

fn read_range(text: &str, name: Option<&str>, uid: u32) -> Option<Range> {
    text.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let whose = fields.next()?;
        let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let own = Some(whose) == name || whose.parse() == Ok(uid);
        (own && count > 0).then_some(Range { first, count })
    })
}

#[cfg(test)]
mod tests {
    use super::{Range, read_range};

    #[test]
    fn a_range_is_found_by_name_or_number() {
        let text = "ana:100000:65536\n1001:165536:1000\nbroken\nana:9:9\n";
        let range = |first, count| Some(Range { first, count });
        assert_eq!(read_range(text, Some("ana"), 1000), range(100_000, 65536));
        assert_eq!(read_range(text, None, 1001), range(165_536, 1000));
        assert_eq!(read_range(text, Some("bob"), 1002), None);
    }
}
