//! Sources whose ids are mapped (mount_setattr(2), MOUNT_ATTR_IDMAP): only the host's root may do that,
//! before the container's process is born, and the kernel takes the maps as a user namespace.

use super::idmap::put;
use crate::error::{Error, Object, Result};
use crate::linux::explain;
use crate::linux::gates::forget;
use crate::plan::Plan;
use crate::plan::birth::Kind;
use crate::plan::idmap::Map;
use crate::plan::mounts::{IdMapping, Source};
use crate::plan::mounts::{Ids, MountOp, Recursive};
use crate::sys::clone::{Birth, Side, clone3};
use crate::sys::mount::{Attributes, Depth, set_attributes};
use crate::sys::proc::Proc;
use crate::sys::{Fault, file, heap, pidfd, process, socket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// User namespaces that were made for mounts, by their maps: mounts with the same ones share them.
#[derive(Debug, Default)]
pub struct Namespaces<'p> {
    made: Vec<(&'p [u8], &'p [u8], OwnedFd)>,
}

impl<'p> Namespaces<'p> {
    /// Maps the ids of `tree`, a copy of the mount's source that is attached nowhere, if they are to be.
    ///
    /// # Errors
    /// A map that the kernel refuses, by its pointer; EINVAL for a file system that cannot be mapped.
    pub fn map(
        &mut self,
        plan: &'p Plan,
        op: &'p MountOp,
        tree: &OwnedFd,
        joins: &[OwnedFd],
        proc: &Proc,
    ) -> Result<()> {
        let Source::Bind { ids: Some(ids), .. } = &op.source else {
            return Ok(());
        };
        let userns = match &ids.by {
            Ids::OfJoined => joined(plan, joins),
            Ids::Maps(uid, gid) => Some(self.with(uid, gid, proc)?),
        };
        // A plan that maps by a joined namespace joins one.
        userns.map_or(Ok(()), |userns| {
            set(ids, tree, userns).map_err(|fault| explain::source(plan, op, fault))
        })
    }

    /// The namespace with these maps, made where there is none yet.
    fn with(&mut self, uid: &'p Map, gid: &'p Map, proc: &Proc) -> Result<&OwnedFd> {
        let (uids, gids) = (uid.bytes.as_slice(), gid.bytes.as_slice());
        let known = self
            .made
            .iter()
            .position(|(u, g, _)| (*u, *g) == (uids, gids));
        let index = match known {
            Some(index) => index,
            None => {
                self.made.push((uids, gids, namespace(uid, gid, proc)?));
                self.made.len() - 1
            }
        };
        Ok(&self.made[index].2)
    }
}

fn joined<'f>(plan: &Plan, joins: &'f [OwnedFd]) -> Option<&'f OwnedFd> {
    let mut all = plan.birth.joins.iter().zip(joins);
    all.find(|(join, _)| join.kind == Kind::User)
        .map(|(_, fd)| fd)
}

fn set(ids: &IdMapping, tree: &OwnedFd, userns: &OwnedFd) -> std::result::Result<(), Fault> {
    let depth = match ids.recursive {
        Recursive::Yes => Depth::Tree,
        Recursive::No => Depth::One,
    };
    let attributes = Attributes {
        set: libc::MOUNT_ATTR_IDMAP,
        userns_fd: userns.as_raw_fd().unsigned_abs().into(),
        ..Attributes::default()
    };
    set_attributes(tree, depth, &attributes)
}

/// A user namespace with these maps. A process is born in it, holds it until it is open here, and ends.
fn namespace(uid: &Map, gid: &Map, proc: &Proc) -> Result<OwnedFd> {
    let at = |map: &Map, doing: &str, fault: Fault| {
        Error::new(doing, Object::config(&map.pointer), fault.into())
    };
    let making = "make a user namespace for the ids of a mount";
    let (ours, theirs) = socket::pair().map_err(|fault| at(uid, making, fault))?;
    let birth = Birth {
        flags: Kind::User.flag().into(),
        cgroup: None,
    };
    let (pid, holder) = match clone3(&birth).map_err(|fault| at(uid, making, fault))? {
        Side::Child => hold(&ours, &theirs),
        Side::Parent(pid, holder) => (pid, holder),
    };
    let opened = put(proc, pid, "uid_map", &uid.bytes)
        .map_err(|fault| at(uid, "write the user map of a mount", fault))
        .and_then(|()| {
            put(proc, pid, "gid_map", &gid.bytes)
                .map_err(|fault| at(gid, "write the group map of a mount", fault))
        })
        .and_then(|()| {
            proc.namespace_of(pid, Kind::User.file())
                .map_err(|fault| at(uid, making, fault))
        });
    drop(ours);
    // It has ended or is about to, and has nothing to say, ignored.
    let _ = pidfd::wait(holder.as_fd());
    opened
}

/// The process in the new namespace: it ends when the runtime closes its end, or is gone.
fn hold(parents_end: &OwnedFd, ours: &OwnedFd) -> ! {
    heap::seal();
    let _ = forget(parents_end);
    let _ = file::read_once(ours, &mut [0]);
    process::exit_now(0)
}
