//! Writing the maps, or calling newuidmap(1); user_namespaces(7).

use crate::error::{Cause, Error, Object, Result};
use crate::plan::Plan;
use crate::plan::birth::UserNamespace;
use crate::plan::idmap::{Map, Setgroups, Writer};
use crate::sys::Fault;
use crate::sys::proc::Proc;
use std::ffi::CString;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes both maps of the child, where it has a user namespace of its own.
///
/// # Errors
/// The map by its pointer: EPERM for ids that the caller may not map, EINVAL for a map the kernel refuses.
pub fn write(plan: &Plan, pid: i32, proc: &Proc) -> Result<()> {
    let UserNamespace::New(maps) = &plan.birth.user else {
        return Ok(());
    };
    match &maps.writer {
        Writer::Runtime => {
            if maps.setgroups == Setgroups::Deny {
                put(proc, pid, "setgroups", b"deny")
                    .map_err(|fault| told("deny setgroups", &maps.gid, fault))?;
            }
            put(proc, pid, "uid_map", &maps.uid.bytes)
                .map_err(|fault| told("write the user map", &maps.uid, fault))?;
            put(proc, pid, "gid_map", &maps.gid.bytes)
                .map_err(|fault| told("write the group map", &maps.gid, fault))
        }
        Writer::Helpers {
            newuidmap,
            newgidmap,
        } => {
            call(newuidmap, pid, &maps.uid, "write the user map", "subuid")?;
            call(newgidmap, pid, &maps.gid, "write the group map", "subgid")
        }
    }
}

/// Writes a map of process `pid`.
///
/// # Errors
/// As write(2): EPERM, EINVAL.
pub(super) fn put(
    proc: &Proc,
    pid: i32,
    file: &str,
    bytes: &[u8],
) -> std::result::Result<(), Fault> {
    let path = CString::new(format!("{pid}/{file}")).unwrap_or_default();
    proc.write(&path, bytes)
}

fn told(doing: &str, map: &Map, fault: Fault) -> Error {
    Error::new(doing, Object::config(&map.pointer), fault.into())
}

/// The helper is setuid: it reads /etc/subuid and writes what that file permits.
fn call(helper: &Path, pid: i32, map: &Map, doing: &str, file: &str) -> Result<()> {
    let numbers = map
        .lines
        .iter()
        .flat_map(|(inside, outside, count)| [*inside, *outside, *count]);
    let mut command = Command::new(helper);
    command
        .arg(pid.to_string())
        .args(numbers.map(|number| number.to_string()));
    command.env_clear().stdin(Stdio::null());
    let name = helper
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let output = command
        .output()
        .map_err(|error| Error::io(format!("call {name}"), helper, "execve", &error))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last_line = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .map(str::to_owned);
    let cause = Cause::Exited {
        status: output.status.code().unwrap_or(128),
        last_line,
    };
    Err(
        Error::new(doing, Object::config(&map.pointer), cause).hint(format!(
            "give this user the range: add a line NAME:FIRST:COUNT to /etc/{file}"
        )),
    )
}
