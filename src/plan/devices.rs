//! Device nodes and links (config-linux.md, "Devices", "Default Devices"; runtime-linux.md, "Dev symbolic links").

use super::birth::{Birth, UserNamespace};
use super::mounts::{is_bind, is_remount};
use super::root::below;
use crate::error::{Error, Pointer, Result};
use libc::{S_IFBLK, S_IFCHR, S_IFIFO};
use oci_spec::runtime::{LinuxDevice, LinuxDeviceType, Spec};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::path::Path;

/// How a node comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    /// mknodat(2); a fifo, which anybody may make.
    Node,
    /// mknodat(2), and where the kernel answers EPERM [`Make::Bind`]: whoever is root may still be so in
    /// an outer container's user namespace only, or without CAP_MKNOD, and its device filter may refuse.
    NodeOrBind,
    /// The host's node of the same path, which must have the same numbers, bound onto an empty file: a
    /// user namespace may not make nodes.
    Bind,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Path below the root, without a leading slash.
    pub path: CString,
    /// File type and permission bits, as `st_mode`.
    pub mode: u32,
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// How it is made.
    pub make: Make,
    /// `/linux/devices/N`, or `None` for a default device.
    pub pointer: Option<Pointer>,
}

/// What happens to a file of the image that has the name of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InTheWay {
    /// It stays.
    Keep,
    /// It is removed, unless it is the same link.
    Replace,
}

/// A symbolic link in /dev.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Path below the root, without a leading slash.
    pub path: CString,
    /// Its target, as written into the link.
    pub target: CString,
    /// What happens to another file of its name.
    pub in_the_way: InTheWay,
}

/// All of them; where /dev itself is a bind mount, nothing in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Nodes in order.
    pub nodes: Vec<Device>,
    /// Links in order.
    pub links: Vec<Link>,
}

/// What every container has, all of them readable and writable for all: path, major, minor; null(4),
/// random(4), full(4), tty(4).
const DEFAULTS: &[(&CStr, u32, u32)] = &[
    (c"dev/null", 1, 3),
    (c"dev/zero", 1, 5),
    (c"dev/full", 1, 7),
    (c"dev/random", 1, 8),
    (c"dev/urandom", 1, 9),
    (c"dev/tty", 5, 0),
];

/// Links: path, target. The first four are the specification's; programs know core from other runtimes.
const LINKS: &[(&CStr, &CStr)] = &[
    (c"dev/fd", c"/proc/self/fd"),
    (c"dev/stdin", c"/proc/self/fd/0"),
    (c"dev/stdout", c"/proc/self/fd/1"),
    (c"dev/stderr", c"/proc/self/fd/2"),
    (c"dev/core", c"/proc/kcore"),
    (PTMX, c"pts/ptmx"),
];

/// Always the container's own, whatever the list or the image says; but for a mount of its own.
const PTMX: &CStr = c"dev/ptmx";

const DEFAULT_MODE: u32 = 0o666;

/// Largest major number of the kernel: 12 bits.
const LAST_MAJOR: u32 = (1 << 12) - 1;

/// Largest minor number of the kernel: 20 bits.
const LAST_MINOR: u32 = (1 << 20) - 1;

const DOING: &str = "make the devices";

/// Decides the nodes and links: the default ones, then `/linux/devices`, where a path of the former
/// replaces it.
///
/// # Errors
/// A relative path, a type that no file can have, numbers out of range, two devices at one path.
pub fn plan(spec: &Spec, birth: &Birth) -> Result<Devices> {
    let list = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.devices().as_deref())
        .unwrap_or_default();
    let mut given: Vec<Device> = Vec::new();
    let mut places: BTreeMap<CString, usize> = BTreeMap::new();
    for (number, device) in list.iter().enumerate() {
        let device = one(device, Pointer::from("/linux/devices").at(number), birth)?;
        let place = places.get(&device.path);
        match place.and_then(|place| given.get_mut(*place)) {
            Some(other) => replace(other, device)?,
            None => {
                places.insert(device.path.clone(), given.len());
                given.push(device);
            }
        }
    }
    let replaced = |path: &CStr| places.contains_key(path);
    let defaults = DEFAULTS
        .iter()
        .filter(|(path, ..)| !replaced(path))
        .map(|row| default(*row, birth));
    let mut devices = Devices {
        nodes: defaults.collect(),
        links: Vec::new(),
    };
    devices.links = LINKS
        .iter()
        .filter(|(path, _)| *path == PTMX || !replaced(path))
        .map(link)
        .collect();
    devices.nodes.append(&mut given);
    devices.nodes.retain(|node| node.path.as_c_str() != PTMX);
    leave_to_mounts(&mut devices, spec)?;
    Ok(devices)
}

/// Where a bind mount stands exactly on /dev, its source has what it should have; a mount on /dev/ptmx is
/// there because config.json wants it.
fn leave_to_mounts(devices: &mut Devices, spec: &Spec) -> Result<()> {
    for mount in spec.mounts().as_deref().unwrap_or_default() {
        let target = below(DOING, mount.destination(), &Pointer::from("/mounts"))?;
        match target.as_bytes() {
            b"dev" if is_bind(mount) && !is_remount(mount) => {
                let in_dev = |path: &CStr| path.to_bytes().starts_with(b"dev/");
                devices.nodes.retain(|node| !in_dev(&node.path));
                devices.links.clear();
            }
            b"dev/ptmx" => devices.links.retain(|link| link.path.as_c_str() != PTMX),
            _ => {}
        }
    }
    Ok(())
}

fn default((path, major, minor): (&CStr, u32, u32), birth: &Birth) -> Device {
    let path = path.to_owned();
    Device {
        path,
        mode: S_IFCHR | DEFAULT_MODE,
        major,
        minor,
        uid: 0,
        gid: 0,
        make: make(S_IFCHR, birth),
        pointer: None,
    }
}

fn link((path, target): &(&CStr, &CStr)) -> Link {
    Link {
        path: (*path).to_owned(),
        target: (*target).to_owned(),
        in_the_way: match *path == PTMX {
            true => InTheWay::Replace,
            false => InTheWay::Keep,
        },
    }
}

/// A user namespace may make fifos, but no nodes of devices; mknod(2).
fn make(file_type: u32, birth: &Birth) -> Make {
    match (file_type, &birth.user) {
        (S_IFIFO, _) => Make::Node,
        (_, UserNamespace::Inherited) => Make::NodeOrBind,
        _ => Make::Bind,
    }
}

/// Callers that collect devices name one twice; that is no contradiction as long as it is the same.
fn replace(earlier: &mut Device, later: Device) -> Result<()> {
    let identity = |device: &Device| (device.mode & libc::S_IFMT, device.major, device.minor);
    if identity(earlier) == identity(&later) {
        *earlier = later;
        return Ok(());
    }
    let at = later.pointer.unwrap_or_default();
    let first = earlier.pointer.clone().unwrap_or_default();
    let why = format!("another device is at the same path, by {}", first.as_str());
    Err(Error::refused(DOING, at, why).hint("remove one of them, or change its path"))
}

fn one(device: &LinuxDevice, pointer: Pointer, birth: &Birth) -> Result<Device> {
    let path = path(device.path(), &pointer.at("path"))?;
    let file_type = match device.typ() {
        LinuxDeviceType::B => S_IFBLK,
        LinuxDeviceType::C | LinuxDeviceType::U => S_IFCHR,
        LinuxDeviceType::P => S_IFIFO,
        LinuxDeviceType::A => {
            let why = "no file can have this type, which only rules of access know";
            let error = Error::refused(DOING, pointer.at("type"), why);
            return Err(
                error.hint("use c for a character device, b for a block device, p for a fifo")
            );
        }
    };
    let (major, minor) = match file_type {
        S_IFIFO => (0, 0),
        _ => (
            number(device.major(), LAST_MAJOR, &pointer.at("major"))?,
            number(device.minor(), LAST_MINOR, &pointer.at("minor"))?,
        ),
    };
    Ok(Device {
        make: make(file_type, birth),
        path,
        // Callers pass st_mode as they found it, with the type's bits.
        mode: file_type | device.file_mode().unwrap_or(DEFAULT_MODE) & 0o7777,
        major,
        minor,
        uid: id(device.uid(), &pointer.at("uid"))?,
        gid: id(device.gid(), &pointer.at("gid"))?,
        pointer: Some(pointer),
    })
}

fn path(path: &Path, pointer: &Pointer) -> Result<CString> {
    if !path.is_absolute() {
        let why = "the path of a device must be absolute";
        let hint = match path.file_name() {
            Some(name) => format!("use /dev/{}", name.display()),
            None => "give the full path, such as /dev/fuse".to_owned(),
        };
        return Err(Error::refused(DOING, pointer, why).hint(hint));
    }
    match below(DOING, path, pointer)? {
        root if root.is_empty() => Err(Error::refused(
            DOING,
            pointer,
            "the container's root cannot be a device",
        )),
        below => Ok(below),
    }
}

fn number(given: i64, last: u32, pointer: &Pointer) -> Result<u32> {
    u32::try_from(given)
        .ok()
        .filter(|number| *number <= last)
        .ok_or_else(|| {
            Error::refused(
                DOING,
                pointer,
                format!("the kernel knows numbers from 0 to {last}"),
            )
            .hint("copy both numbers from ls -l of the device on the host")
        })
}

/// All bits set would mean "leave the owner as it is"; chown(2).
fn id(given: Option<u32>, pointer: &Pointer) -> Result<u32> {
    match given.unwrap_or(0) {
        u32::MAX => Err(Error::refused(
            DOING,
            pointer,
            "this number stands for no owner at all",
        )),
        id => Ok(id),
    }
}

#[cfg(test)]
mod tests;
