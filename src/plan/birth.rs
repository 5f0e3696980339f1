//! Which process makes or joins which namespace (config-linux.md, "Namespaces").
//!
//! | user namespace | who joins the others by path | who makes the new ones | clones |
//! |---|---|---|--:|
//! | none | the parent, just before the clone, and returns; the child a mount namespace | the clone | 1 |
//! | new | the parent likewise, while it still has its privileges | the same clone, with the user namespace | 1 |
//! | joined | a helper, which joins the user namespace first | the helper's clone, as its sibling | 2 |
//!
//! A runtime that is in a user namespace itself, as a rootless engine's, could not return from what it joined: there
//! the helper does the parent's part of the first two rows too (`linux/birth.rs`).
//!
//! A new cgroup namespace is never part of the clone: the child unshares it when it is in its group.
//!
//! A new time namespace is part of the clone unless it has offsets: whoever is born into one freezes them.
//! Then, in all three rows, the child unshares it, which moves only children that it does not have, writes
//! the offsets through its own /proc/PID/timens_offsets, and enters by setns(2) of time_for_children. It is
//! the first thing it does, while it has every right over its user namespace and its /proc files are still
//! its own. So the namespace belongs to the container's user namespace, as a privileged `exec` wants it, a
//! user without privileges can do it, and no process between is needed.

use super::clocks::{self, Clocks};
use super::cstrings;
use super::facts::Facts;
use super::idmap;
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{Linux, LinuxNamespace, LinuxNamespaceType, Spec};
use std::ffi::{CStr, CString};

/// A kind of namespace; namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Process ids.
    Pid,
    /// Network devices, addresses, routes.
    Network,
    /// Mounts.
    Mount,
    /// System V IPC and POSIX message queues.
    Ipc,
    /// Host and domain name.
    Uts,
    /// User and group ids, and the capabilities over the other kinds.
    User,
    /// The root of the visible cgroup tree.
    Cgroup,
    /// Monotonic and boot clocks.
    Time,
}

impl Kind {
    /// The `CLONE_NEW*` flag; clone(2).
    #[must_use]
    pub const fn flag(self) -> u32 {
        match self {
            Kind::Time => 0x80,
            Kind::Mount => 0x2_0000,
            Kind::Cgroup => 0x200_0000,
            Kind::Uts => 0x400_0000,
            Kind::Ipc => 0x800_0000,
            Kind::User => 0x1000_0000,
            Kind::Pid => 0x2000_0000,
            Kind::Network => 0x4000_0000,
        }
    }

    /// Its file in /proc/PID/ns; namespaces(7).
    #[must_use]
    pub const fn file(self) -> &'static CStr {
        match self {
            Kind::Pid => c"pid",
            Kind::Network => c"net",
            Kind::Mount => c"mnt",
            Kind::Ipc => c"ipc",
            Kind::Uts => c"uts",
            Kind::User => c"user",
            Kind::Cgroup => c"cgroup",
            Kind::Time => c"time",
        }
    }

    /// The name in config.json.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Pid => "pid",
            Kind::Network => "network",
            Kind::Mount => "mount",
            Kind::Ipc => "ipc",
            Kind::Uts => "uts",
            Kind::User => "user",
            Kind::Cgroup => "cgroup",
            Kind::Time => "time",
        }
    }
}

/// Which process joins a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joiner {
    /// The runtime, just before the clone; it returns to its own after. Where it could not, a helper in its place.
    Parent,
    /// The container's own process, after gate A.
    Child,
    /// A helper between the two, which joins a user namespace that the runtime could not leave again.
    Helper,
}

/// A namespace to join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Its kind; the kernel checks that the path shows one of it.
    pub kind: Kind,
    /// Where it is, as given.
    pub path: CString,
    /// `/linux/namespaces/N/path`.
    pub pointer: Pointer,
    /// Who joins it.
    pub by: Joiner,
}

/// Whether there is a user namespace, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserNamespace {
    /// The caller's.
    Inherited,
    /// A new one, with these maps.
    New(super::idmap::Maps),
    /// One joined by path.
    Joined,
}

/// Whether the child takes user and group id 0 of its user namespace before it makes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BecomeRoot {
    /// It does: id 0 is mapped.
    Yes,
    /// It keeps what it has.
    No,
}

/// The whole of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Birth {
    /// The row of the table above.
    pub user: UserNamespace,
    /// `CLONE_NEW*` flags of the clone (without cgroup).
    pub clone_flags: u64,
    /// Who makes a new network namespace.
    pub network: NetworkMaker,
    /// Namespaces to join: for a helper user first, a mount namespace last.
    pub joins: Vec<Join>,
    /// Whether the child unshares a new cgroup namespace.
    pub new_cgroup: NewCgroup,
    /// The offsets of a new time namespace, which the child then unshares; none where the clone makes it.
    pub clocks: Option<Clocks>,
    /// Take root inside?
    pub become_root: BecomeRoot,
    /// Every kind that the container does not share with its caller, new or joined.
    pub own: Vec<Kind>,
}

/// Who makes a network namespace that is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkMaker {
    /// A thread of the runtime's, beside the planning; the child enters it.
    Ahead,
    /// The clone, or nobody, as there is none.
    Clone,
}

/// Who makes this container's network namespace: it belongs to a user namespace of the container's own, where there
/// is one; what is joined is joined by a runtime with one thread; and a device is moved to where the child is.
#[must_use]
pub fn network(spec: &Spec) -> NetworkMaker {
    let Some(linux) = spec.linux() else {
        return NetworkMaker::Clone;
    };
    let given = linux.namespaces().as_deref().unwrap_or_default();
    let devices = linux.net_devices().as_ref();
    let has = |wanted| given.iter().any(|namespace| namespace.typ() == wanted);
    let joins = given.iter().any(|namespace| namespace.path().is_some());
    if has(LinuxNamespaceType::Network)
        && !has(LinuxNamespaceType::User)
        && !joins
        && devices.is_none_or(|devices| devices.is_empty())
    {
        return NetworkMaker::Ahead;
    }
    NetworkMaker::Clone
}

/// Whether the child unshares a cgroup namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewCgroup {
    /// A new one, rooted at the container's group.
    Yes,
    /// The caller's, or one joined by path.
    No,
}

impl Birth {
    /// Whether the container has a namespace of this kind other than its caller's.
    #[must_use]
    pub fn owns(&self, kind: Kind) -> bool {
        self.own.contains(&kind)
    }

    /// Whether a namespace of this kind is made new for this container.
    #[must_use]
    pub fn makes(&self, kind: Kind) -> bool {
        self.clone_flags & u64::from(kind.flag()) != 0
            || (kind == Kind::Cgroup && self.new_cgroup == NewCgroup::Yes)
            || (kind == Kind::Time && self.clocks.is_some())
    }
}

const DOING: &str = "plan the namespaces";

/// Plans `/linux/namespaces` and the mappings of a new user namespace; `warnings` takes what is left out.
///
/// # Errors
/// One type twice, a relative path, mappings without a new user namespace or the other way round, offsets of
/// clocks that are not the container's own.
pub fn plan(spec: &Spec, facts: &Facts, warnings: &mut Vec<String>) -> Result<Birth> {
    let none = Linux::default();
    let linux = spec.linux().as_ref().unwrap_or(&none);
    let given = match spec.linux() {
        Some(linux) => linux.namespaces().as_deref().unwrap_or_default(),
        None => &[],
    };
    only_once(given)?;
    let user = user(given, linux, facts, warnings)?;
    let clocks = clocks::plan(linux, source_of_time(given))?;
    let mut clone_flags = 0;
    let mut joins = Vec::new();
    let mut new_cgroup = NewCgroup::No;
    for (index, namespace) in given.iter().enumerate() {
        match (kind(namespace.typ()), namespace.path()) {
            (kind, Some(path)) => joins.push(join(kind, path, index, &user)?),
            (Kind::Time, None) if clocks.is_some() => {}
            (Kind::Cgroup, None) => new_cgroup = NewCgroup::Yes,
            (kind, None) => clone_flags |= u64::from(kind.flag()),
        }
    }
    joins.sort_by_key(|join| order(join.kind));
    let become_root = become_root(&user);
    let own = given
        .iter()
        .map(|namespace| kind(namespace.typ()))
        .collect();
    Ok(Birth {
        user,
        clone_flags,
        network: network(spec),
        joins,
        new_cgroup,
        clocks,
        become_root,
        own,
    })
}

/// Refuses a container that could make no mount: in its caller's mount namespace a user namespace has no rights.
///
/// # Errors
/// A user namespace without a mount namespace.
pub fn may_mount(birth: &Birth) -> Result<()> {
    if birth.owns(Kind::Mount) || birth.user == UserNamespace::Inherited {
        return Ok(());
    }
    let why = "a user namespace has no rights over the mount namespace of the runtime, where /dev and all mounts would have to be made";
    let hint = "add {\"type\": \"mount\"} to /linux/namespaces";
    Err(Error::refused(DOING, "/linux/namespaces", why).hint(hint))
}

fn pointer(index: usize) -> Pointer {
    Pointer::from("/linux/namespaces").at(index)
}

fn only_once(given: &[LinuxNamespace]) -> Result<()> {
    for (index, namespace) in given.iter().enumerate() {
        let first = given
            .iter()
            .position(|other| other.typ() == namespace.typ())
            .unwrap_or(index);
        if first != index {
            let why = format!(
                "{} is there already, at {}",
                kind(namespace.typ()).name(),
                pointer(first).as_str()
            );
            return Err(Error::refused(DOING, pointer(index), why).hint("keep one of the two"));
        }
    }
    Ok(())
}

fn source_of_time(given: &[LinuxNamespace]) -> clocks::Source {
    let time = given
        .iter()
        .find(|namespace| namespace.typ() == LinuxNamespaceType::Time);
    match time.map(LinuxNamespace::path) {
        None => clocks::Source::Inherited,
        Some(None) => clocks::Source::New,
        Some(Some(_)) => clocks::Source::Joined,
    }
}

fn user(
    given: &[LinuxNamespace],
    linux: &Linux,
    facts: &Facts,
    warnings: &mut Vec<String>,
) -> Result<UserNamespace> {
    let namespace = given
        .iter()
        .find(|namespace| namespace.typ() == LinuxNamespaceType::User);
    let mapped = [
        ("/linux/uidMappings", linux.uid_mappings()),
        ("/linux/gidMappings", linux.gid_mappings()),
    ];
    let mapped = mapped
        .iter()
        .find(|(_, lines)| lines.as_ref().is_some_and(|lines| !lines.is_empty()));
    match (namespace.map(LinuxNamespace::path), mapped) {
        (Some(None), _) => Ok(UserNamespace::New(idmap::plan(linux, facts)?)),
        (Some(Some(_)), Some((place, _))) => {
            // containerd and CRI-O send the joined namespace's own mappings along.
            warnings.push(format!(
                "left {place} out: a user namespace that is joined has its mappings already"
            ));
            Ok(UserNamespace::Joined)
        }
        (Some(Some(_)), None) => Ok(UserNamespace::Joined),
        (None, Some((place, _))) => Err(Error::refused(
            DOING,
            *place,
            "mappings belong to a new user namespace, and there is none",
        )
        .hint("add {\"type\": \"user\"} to /linux/namespaces, or leave the mappings out")),
        (None, None) => Ok(UserNamespace::Inherited),
    }
}

fn join(kind: Kind, path: &std::path::Path, index: usize, user: &UserNamespace) -> Result<Join> {
    let pointer = pointer(index).at("path");
    let path = cstrings::absolute(path, DOING, &pointer)?;
    let by = match (user, kind) {
        (UserNamespace::Joined, _) => Joiner::Helper,
        (UserNamespace::Inherited, Kind::Mount) => Joiner::Child,
        _ => Joiner::Parent,
    };
    Ok(Join {
        kind,
        path,
        pointer,
        by,
    })
}

/// A user namespace grants the others, so it is first; a mount namespace takes the paths of the others away, so it is last.
fn order(kind: Kind) -> u8 {
    match kind {
        Kind::User => 0,
        Kind::Mount => 2,
        _ => 1,
    }
}

/// A joined user namespace is taken to map id 0, as nobody but the kernel knows its maps.
fn become_root(user: &UserNamespace) -> BecomeRoot {
    match user {
        UserNamespace::Joined => BecomeRoot::Yes,
        UserNamespace::New(maps) if maps.uid.holds(0) && maps.gid.holds(0) => BecomeRoot::Yes,
        UserNamespace::New(_) | UserNamespace::Inherited => BecomeRoot::No,
    }
}

fn kind(kind: LinuxNamespaceType) -> Kind {
    match kind {
        LinuxNamespaceType::Mount => Kind::Mount,
        LinuxNamespaceType::Cgroup => Kind::Cgroup,
        LinuxNamespaceType::Uts => Kind::Uts,
        LinuxNamespaceType::Ipc => Kind::Ipc,
        LinuxNamespaceType::User => Kind::User,
        LinuxNamespaceType::Pid => Kind::Pid,
        LinuxNamespaceType::Network => Kind::Network,
        LinuxNamespaceType::Time => Kind::Time,
    }
}

#[cfg(test)]
mod tests;
