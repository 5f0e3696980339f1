//! Settings of the host that packets of containers need: changed only where they are not so, and then said.

use crate::error::{Error, Result};
use crate::sys::Fault;
use crate::sys::proc::Proc;
use std::ffi::CString;
use std::path::Path;

const FOUR: &str = "sys/net/ipv4/ip_forward";
const SIX: &str = "sys/net/ipv6/conf/all/forwarding";

/// Which kinds of packets are to be let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinds {
    /// IPv4.
    Four,
    /// IPv4 and IPv6.
    Both,
}

/// Lets the host forward packets; returns what was changed, in words.
///
/// # Errors
/// A /proc/sys that cannot be written.
pub(super) fn ensure(kinds: Kinds) -> Result<Vec<String>> {
    let proc = Proc::open().map_err(|fault| Error::file("open procfs", "/proc", fault))?;
    let mut notes = Vec::new();
    if read(&proc, FOUR).as_deref() == Some("0") {
        write(&proc, FOUR, "1")?;
        notes.push(
            "turned net.ipv4.ip_forward on, without which no container reaches anything".to_owned(),
        );
    }
    if kinds == Kinds::Both && read(&proc, SIX).as_deref() == Some("0") {
        notes.extend(keep_announced_routes(&proc)?);
        write(&proc, SIX, "1")?;
        notes.push("turned net.ipv6.conf.all.forwarding on, without which no container reaches anything by IPv6".to_owned());
    }
    Ok(notes)
}

/// A host that forwards no longer listens to routers, and would lose its own way out: unless it is told to listen still.
fn keep_announced_routes(proc: &Proc) -> Result<Vec<String>> {
    let folder = Path::new("/proc/sys/net/ipv6/conf");
    let entries = std::fs::read_dir(folder).map_err(|error| {
        Error::io(
            "list the devices that listen to routers",
            folder,
            "openat",
            &error,
        )
    })?;
    let mut notes = Vec::new();
    for entry in entries.flatten() {
        let Ok(device) = entry.file_name().into_string() else {
            continue;
        };
        let file = format!("sys/net/ipv6/conf/{device}/accept_ra");
        if !["all", "default", "lo"].contains(&device.as_str())
            && read(proc, &file).as_deref() == Some("1")
        {
            write(proc, &file, "2")?;
            notes.push(format!(
                "set net.ipv6.conf.{device}.accept_ra to 2, so that it still listens to routers"
            ));
        }
    }
    Ok(notes)
}

/// A setting of a device's for IPv6; without IPv6 there is none, and nothing to set.
pub(super) fn set_six(device: &str, setting: &str, value: &str) -> std::result::Result<(), Fault> {
    let proc = Proc::open()?;
    match raw_write(
        &proc,
        &format!("sys/net/ipv6/conf/{device}/{setting}"),
        value,
    ) {
        Err(fault) if fault.errno == libc::ENOENT => Ok(()),
        other => other,
    }
}

fn read(proc: &Proc, path: &str) -> Option<String> {
    let path = CString::new(path).ok()?;
    let mut buffer = [0; 16];
    let bytes = proc.read(&path, &mut buffer).ok()?;
    Some(String::from_utf8_lossy(bytes).trim().to_owned())
}

fn raw_write(proc: &Proc, path: &str, value: &str) -> std::result::Result<(), Fault> {
    proc.write(&CString::new(path).unwrap_or_default(), value.as_bytes())
}

fn write(proc: &Proc, path: &str, value: &str) -> Result<()> {
    raw_write(proc, path, value).map_err(|fault| {
        Error::file(
            "let the host forward packets",
            Path::new("/proc").join(path),
            fault,
        )
    })
}
