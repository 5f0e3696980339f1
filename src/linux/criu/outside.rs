//! What of a container is not its own, so that an image holds only its name: binds and masks, namespaces
//! that it has joined, the pipes that its first streams came with.

use super::options::{EXTERNAL, EXTERNAL_MOUNT, INHERITED, JOINED, KEY, VALUE, pair};
use super::wire::Message;
use crate::error::{Cause, Error, Object, Result};
use crate::plan::Plan;
use crate::plan::birth::{Join, Kind};
use crate::plan::mounts::{MountOp, Source, SourceLink};
use crate::sys::path::{self, Links};
use crate::sys::proc::Proc;
use crate::sys::{Fault, file};
use rustix::fs::{CWD, OFlags};
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Name, in the folder of images, of the file that says what the first three descriptors were; runc's and crun's.
pub const DESCRIPTORS: &str = "descriptors.json";

const NULL: &str = "/dev/null";

/// Names what an image of process `pid` does not hold.
///
/// # Errors
/// A bind whose ids are mapped, which CRIU cannot bring back; a namespace that is gone.
pub fn at_dump(mut options: Message, plan: &Plan, pid: i32, proc: &Proc) -> Result<Message> {
    let told = |fault| {
        Error::new(
            "look into the container",
            Object::Process(pid),
            Cause::from(fault),
        )
    };
    let root = proc.root_of(pid).map_err(told)?;
    for (op, _) in binds(plan) {
        if let Source::Bind { ids: Some(ids), .. } = &op.source {
            let why = "criu cannot bring back a mount whose ids are mapped";
            return Err(Error::refused("checkpoint the mount", &ids.pointer, why));
        }
        let place = inside(&root, &op.target, proc).map_err(told)?;
        options = options.message(EXTERNAL_MOUNT, &pair(&place, &place));
    }
    for covered in &plan.masks.masked {
        match path::find(root.as_fd(), &covered.path, Links::Inside) {
            Ok(found) if !path::is_directory(&found).map_err(told)? => {
                let place = absolute(&covered.path);
                options = options.message(EXTERNAL_MOUNT, &pair(place, NULL));
            }
            // What is not there is not covered; a directory is, by a file system of its own.
            _ => {}
        }
    }
    options = devices(options, plan);
    for join in external(plan) {
        let namespace = file::open(CWD, &join.path, OFlags::RDONLY);
        let stat = namespace.and_then(path::look);
        let number = stat.map_err(|fault| unreachable(join, fault))?.st_ino;
        let name = join.kind.file().to_string_lossy();
        options = options.text(EXTERNAL, format!("{name}[{number}]:{}", key(join.kind)));
    }
    Ok(options)
}

/// Says what takes the place of all that in the container that is restored; with it descriptors that CRIU
/// must inherit.
///
/// # Errors
/// A namespace that is not there, or that CRIU cannot join.
pub fn at_restore(
    mut options: Message,
    plan: &Plan,
    streams: &[String],
    proc: &Proc,
) -> Result<(Message, Vec<OwnedFd>)> {
    let rootfs = file::open(CWD, &plan.root.path, OFlags::PATH);
    let place = plan.root.path.to_string_lossy().into_owned();
    let told = |fault| Error::file("look into the root file system", &place, fault);
    let rootfs = rootfs.map_err(told)?;
    let top = proc.path_of(&rootfs).map_err(told)?;
    for (op, source) in binds(plan) {
        let there = inside(&rootfs, &op.target, proc).map_err(told)?;
        let there = there.strip_prefix(&top[..]).unwrap_or(&there);
        options = options.message(EXTERNAL_MOUNT, &pair(there, source.to_bytes()));
    }
    if !plan.masks.masked.is_empty() {
        options = options.message(EXTERNAL_MOUNT, &pair(NULL, NULL));
    }
    options = devices(options, plan);
    let mut inherited = Vec::new();
    for join in &plan.birth.joins {
        match join.kind {
            Kind::Network | Kind::Pid => {
                let fd = file::open(CWD, &join.path, OFlags::RDONLY);
                let fd = fd.map_err(|fault| unreachable(join, fault))?;
                options = options.message(INHERITED, &inherit(key(join.kind), fd.as_raw_fd()));
                inherited.push(fd);
            }
            Kind::Cgroup => {
                let why = "criu cannot join a cgroup namespace";
                return Err(Error::refused("restore the namespaces", &join.pointer, why));
            }
            other => {
                let name = other.file().to_bytes();
                options = options.message(JOINED, &pair(name, join.path.to_bytes()));
            }
        }
    }
    for (stream, number) in streams.iter().zip(0..3) {
        if stream.starts_with("pipe:") {
            options = options.message(INHERITED, &inherit(stream, number));
        }
    }
    Ok((options, inherited))
}

fn inherit(key: &str, number: i32) -> Message {
    Message::default()
        .text(KEY, key)
        .number(VALUE, number.into())
}

/// Everything that is the host's, mounted somewhere in the container; with its source.
fn binds(plan: &Plan) -> impl Iterator<Item = (&MountOp, &CStr)> {
    plan.mounts.iter().filter_map(|op| match &op.source {
        Source::Bind {
            link: SourceLink::Copy,
            ..
        } => None,
        Source::Bind { path, .. } => Some((op, path.as_c_str())),
        _ => None,
    })
}

/// Nodes may be binds of the host's; one that is not has no mount, and is not asked about.
fn devices(mut options: Message, plan: &Plan) -> Message {
    for node in &plan.devices.nodes {
        let place = absolute(&node.path);
        options = options.message(EXTERNAL_MOUNT, &pair(&place, &place));
    }
    options
}

/// Namespaces that stay outside of the images; of the other kinds CRIU writes down what is in them.
fn external(plan: &Plan) -> impl Iterator<Item = &Join> {
    let joins = plan.birth.joins.iter();
    joins.filter(|join| matches!(join.kind, Kind::Network | Kind::Pid))
}

/// The names that runc and crun have for them, so that images can be exchanged.
fn key(kind: Kind) -> &'static str {
    match kind {
        Kind::Pid => "extRootPidNS",
        _ => "extRootNetNS",
    }
}

fn unreachable(join: &Join, fault: Fault) -> Error {
    Error::new(
        format!("open the {} namespace", join.kind.name()),
        Object::config(&join.pointer),
        fault.into(),
    )
}

fn absolute(path: &CStr) -> Vec<u8> {
    [b"/", path.to_bytes()].concat()
}

/// The place without symbolic links, as the mount has it; as written where it is not there.
fn inside(root: &OwnedFd, target: &CStr, proc: &Proc) -> std::result::Result<Vec<u8>, Fault> {
    match path::find(root.as_fd(), target, Links::Inside) {
        Err(fault) if fault.errno == libc::ENOENT => Ok(absolute(target)),
        found => proc.path_of(&found?),
    }
}

/// What the first three descriptors are connected to. Of a pipe that nobody in the container has the other
/// end of, that end is outside, and its name is kept: the one that is there when it is restored takes its place.
#[must_use]
pub fn streams(pid: i32, others: &[i32], proc: &Proc) -> Vec<String> {
    let mut ends: BTreeMap<Vec<u8>, Ends> = BTreeMap::new();
    let mut first = [(); 3].map(|()| String::from(NULL));
    for each in [pid].iter().chain(others) {
        // One that ends meanwhile has nothing open.
        for open in proc.descriptors_of(*each).unwrap_or_default() {
            let slot = usize::try_from(open.number).ok();
            if let Some(slot) = slot
                .filter(|_| *each == pid)
                .and_then(|slot| first.get_mut(slot))
            {
                *slot = String::from_utf8_lossy(&open.shown).into_owned();
            }
            let ends = ends.entry(open.shown).or_default();
            ends.0 |= open.is_read;
            ends.1 |= open.is_written;
        }
    }
    for shown in &mut first {
        if ends.get(shown.as_bytes()) == Some(&(true, true)) {
            NULL.clone_into(shown);
        }
    }
    first.into()
}

/// Whether a pipe is read, and whether it is written, in the container.
type Ends = (bool, bool);
