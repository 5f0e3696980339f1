//! The root file system (config.md, "Root"; config-linux.md, "Rootfs Mount Propagation").

use super::birth::{Birth, Kind, UserNamespace};
use super::cstrings;
use super::facts::{Facts, Privilege};
use crate::error::nearest;
use crate::error::{Error, Pointer, Result};
use libc::{MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE, MS_UNBINDABLE};
use oci_spec::runtime::Spec;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

pub use crate::cli::Entry;

/// Who opens a source in the host's file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// The child, in its own mount namespace.
    Child,
    /// The runtime, before the clone: the child's user namespace could not reach it.
    Parent,
}

/// Writable or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// As the file system permits.
    ReadWrite,
    /// Read-only for the container.
    ReadOnly,
}

/// The root file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Absolute path on the host.
    pub path: CString,
    /// `/root/path`.
    pub pointer: Pointer,
    /// `/root/readonly`.
    pub access: Access,
    /// `MS_SLAVE` or `MS_PRIVATE` for the copy of the host's mounts, always the whole tree and without
    /// `MS_REC`; 0 leaves all but / as they are. With [`Entry::Chroot`] it is for the copies alone.
    pub host_propagation: u64,
    /// `MS_SHARED`, `MS_SLAVE`, `MS_PRIVATE` or `MS_UNBINDABLE` for the container's root at the end, with
    /// `MS_REC` where recursive; 0 leaves it.
    pub final_propagation: u64,
    /// How it is entered.
    pub entry: Entry,
    /// Who opens it.
    pub opener: Opener,
}

/// What `rootfsPropagation` comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Propagation {
    /// As [`Root::host_propagation`].
    pub host: u64,
    /// As [`Root::final_propagation`].
    pub last: u64,
}

/// The word; what the host's mounts become, before; what the container's root becomes, at the end.
///
/// With `shared` the copies of the host's mounts stay peers of them, so that a bind of one with
/// `rshared` is heard by the host. With `private` the end is set too, as a root that the runtime had
/// to open in the host's namespace arrives as a slave.
const PROPAGATIONS: &[(&str, u64, u64)] = &[
    ("rslave", MS_SLAVE, 0),
    ("slave", MS_SLAVE, 0),
    ("rprivate", MS_PRIVATE, MS_PRIVATE),
    ("private", MS_PRIVATE, MS_PRIVATE),
    ("rshared", 0, MS_SHARED | MS_REC),
    ("shared", 0, MS_SHARED),
    ("runbindable", MS_PRIVATE, MS_UNBINDABLE | MS_REC),
    ("unbindable", MS_PRIVATE, MS_UNBINDABLE),
];

const PROPAGATING: &str = "set the propagation of the root";

/// Decides where the root file system is and how it is entered.
///
/// # Errors
/// No root, an unknown propagation, a private one without pivot_root, one that ties the root to the host's
/// mounts in a container that lives among them.
pub fn plan(
    spec: &Spec,
    birth: &Birth,
    facts: &Facts,
    bundle: &Path,
    entry: Entry,
) -> Result<Root> {
    let doing = "find the root file system";
    let Some(root) = spec.root() else {
        let hint = "add \"root\": {\"path\": \"rootfs\"}";
        return Err(Error::refused(doing, "/root", "there is none").hint(hint));
    };
    let pointer = Pointer::from("/root/path");
    if root.path().as_os_str().is_empty() {
        let hint = "give the directory that is to be / in the container, such as rootfs";
        return Err(Error::refused(doing, pointer, "the path is empty").hint(hint));
    }
    let propagation = propagation(spec, birth)?;
    let entry = match birth.owns(Kind::Mount) {
        true => entry,
        false => Entry::Chroot,
    };
    if entry == Entry::MoveAndChroot && propagation.host == MS_PRIVATE {
        let why =
            "without pivot_root the host's mounts stay in the namespace, and private ones for ever";
        let at = Pointer::from("/linux/rootfsPropagation");
        let hint = "use rslave, or leave out --no-pivot";
        return Err(Error::refused("enter the root file system", at, why).hint(hint));
    }
    Ok(Root {
        path: on_host(doing, root.path(), bundle, &pointer)?,
        access: match root.readonly() {
            Some(true) => Access::ReadOnly,
            _ => Access::ReadWrite,
        },
        host_propagation: propagation.host,
        final_propagation: propagation.last,
        entry,
        opener: opener(birth, facts),
        pointer,
    })
}

/// `/linux/rootfsPropagation`; where it is not given `rslave`, and `rprivate` among the mounts of the caller.
///
/// # Errors
/// An unknown word; one that needs a mount namespace of the container's own.
pub fn propagation(spec: &Spec, birth: &Birth) -> Result<Propagation> {
    let given = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.rootfs_propagation().as_deref());
    let own = birth.owns(Kind::Mount);
    let word =
        given
            .filter(|word| !word.is_empty())
            .unwrap_or(if own { "rslave" } else { "rprivate" });
    if let Some((_, host, last)) = PROPAGATIONS.iter().find(|(known, ..)| *known == word) {
        if !own && *host != MS_PRIVATE {
            let at = Pointer::from("/linux/rootfsPropagation");
            let why = "without a mount namespace of its own the container's mounts would spread among the host's";
            let hint = "use rprivate, or add {\"type\": \"mount\"} to /linux/namespaces";
            return Err(Error::refused(PROPAGATING, at, why).hint(hint));
        }
        return Ok(Propagation {
            host: *host,
            last: *last,
        });
    }
    let hint = match nearest(word, PROPAGATIONS.iter().map(|(known, ..)| *known)) {
        Some(known) => format!("did you mean {known}?"),
        None => {
            "use shared, slave, private or unbindable, with an r before it for all mounts".into()
        }
    };
    let at = Pointer::from("/linux/rootfsPropagation");
    Err(Error::refused(PROPAGATING, at, "no such propagation").hint(hint))
}

/// Who opens files of the host for this container. Where root makes a user namespace, the child may
/// be nobody to the host's files; where a user makes one, the child can open what its caller can.
#[must_use]
pub fn opener(birth: &Birth, facts: &Facts) -> Opener {
    match (&birth.user, facts.privilege) {
        (UserNamespace::Inherited, _) | (_, Privilege::User) => Opener::Child,
        (UserNamespace::New(_) | UserNamespace::Joined, Privilege::Root) => Opener::Parent,
    }
}

/// A path of the host, a relative one being relative to the bundle. It is not cleaned: `..` behind a
/// symbolic link means what the kernel says.
///
/// # Errors
/// A NUL byte in it.
pub fn on_host(doing: &str, path: &Path, bundle: &Path, pointer: &Pointer) -> Result<CString> {
    cstrings::path(&bundle.join(path), doing, pointer)
}

/// A path of the container, below its root: cleaned of `.`, `..`, double and outer slashes. `..` of
/// the root is the root. Empty for the root itself.
///
/// # Errors
/// A NUL byte in it.
pub fn below(doing: &str, path: &Path, pointer: &Pointer) -> Result<CString> {
    let bytes = path.as_os_str().as_bytes();
    let is_name = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    if let Some(clean) = bytes.strip_prefix(b"/")
        && clean.split(|byte| *byte == b'/').all(is_name)
    {
        return cstrings::text(clean, doing, pointer);
    }
    let mut clean: Vec<&[u8]> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name.as_bytes()),
            Component::ParentDir => drop(clean.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    cstrings::text(&clean.join(&b'/'), doing, pointer)
}

#[cfg(test)]
pub(super) mod tests;
