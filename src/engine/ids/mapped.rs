//! A user namespace of a container's maps, for mounts that show files under other owners; mount_setattr(2),
//! MOUNT_ATTR_IDMAP. A process of our own makes it and ends as soon as it is held by a descriptor.

use super::{Ids, Piece};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::process;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

/// The verb by which the engine calls itself.
pub(crate) const VERB: &str = "hold-ids";

/// Makes it.
///
/// # Errors
/// Maps that the kernel refuses.
pub(crate) fn mapped(ids: &Ids) -> Result<OwnedFd> {
    let told = |call, error: &std::io::Error| {
        Error::io(
            "make a user namespace for the files",
            "/proc/self/exe",
            call,
            error,
        )
    };
    let mut holder = Command::new("/proc/self/exe")
        .arg(VERB)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| told("execve", &error))?;
    let ready = holder
        .stdout
        .as_mut()
        .map(|out| out.read_exact(&mut [0; 1]));
    let made = match ready {
        Some(Ok(())) => held(holder.id(), ids),
        _ => Err(Error::new(
            "make a user namespace for the files",
            Object::Nothing,
            Cause::Refused("its holder ended".to_owned()),
        )),
    };
    drop(holder.stdin.take());
    // It ends with its standard input, ignored where it has ended already.
    let _ = holder.wait();
    made
}

fn held(pid: u32, ids: &Ids) -> Result<OwnedFd> {
    for (file, map) in [("uid_map", &ids.uids), ("gid_map", &ids.gids)] {
        let path = format!("/proc/{pid}/{file}");
        std::fs::write(&path, lines(map))
            .map_err(|error| Error::io("map the ids of the files", path, "write", &error))?;
    }
    let path = format!("/proc/{pid}/ns/user");
    let file = std::fs::File::open(&path)
        .map_err(|error| Error::io("hold a user namespace", path, "openat", &error))?;
    Ok(file.into())
}

fn lines(map: &[Piece]) -> String {
    let mut text = String::new();
    for piece in map {
        let _ = writeln!(text, "{} {} {}", piece.container, piece.host, piece.size);
    }
    text
}

/// What the process does.
///
/// # Errors
/// A host that forbids user namespaces.
pub(crate) fn hold() -> Result<()> {
    process::unshare_user()
        .map_err(|fault| Error::new("make a user namespace", Object::Nothing, fault.into()))?;
    let mut stdout = std::io::stdout();
    // Whoever does not listen does not need it, ignored.
    let _ = stdout.write_all(b"+").and_then(|()| stdout.flush());
    let _ = std::io::stdin().read(&mut [0; 1]);
    Ok(())
}
