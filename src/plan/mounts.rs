//! `/mounts` (config.md, "Mounts") as ordered operations.

/// What is decided.
pub(super) mod op;

/// The place in the container, and what may stand there.
mod target;

/// A new file system: its type, its options, and what else will do in a user namespace.
mod fresh;

/// A part of the host's tree.
mod bind;

/// Whose the files of a bind's source seem to be.
mod ids;

/// Changes of a mount that is there already.
mod again;

/// The SELinux label of new file systems.
mod label;

pub use label::{Label, label};
pub use op::{
    AttrChange, Begins, FsOption, IdMapping, Ids, Missing, MountOp, NO_INDEX, Recursive, Seal,
    Source, SourceLink, TargetLinks,
};

use super::birth::Birth;
use super::facts::{Facts, Privilege};
use super::options::{self, Options};
use super::root::{self, Opener, Propagation};
use crate::error::{Error, Pointer, Result};
use libc::MOUNT_ATTR_RDONLY;
use oci_spec::runtime::{Mount, Spec};
use std::ffi::CStr;
use std::path::Path;

/// What all mounts of one container share.
struct Around<'a> {
    birth: &'a Birth,
    bundle: &'a Path,
    opener: Opener,
    privilege: Privilege,
    unified: bool,
    propagation: Propagation,
    label: Option<Label>,
}

/// One entry of `/mounts` while it is read.
struct Entry<'a> {
    mount: &'a Mount,
    options: Options,
    pointer: Pointer,
    doing: String,
}

/// Decides the mounts, in the order of `/mounts`. `warnings` takes what is left out.
///
/// # Errors
/// A place where nothing may be mounted, a bind without a source or with a file system's options, an
/// entry that is neither a bind nor has a type, and what [`options::parse`] refuses.
pub fn plan(
    spec: &Spec,
    birth: &Birth,
    facts: &Facts,
    bundle: &Path,
    warnings: &mut Vec<String>,
) -> Result<Vec<MountOp>> {
    let propagation = root::propagation(spec, birth)?;
    let around = Around {
        birth,
        bundle,
        opener: root::opener(birth, facts),
        privilege: facts.privilege,
        unified: facts.unified,
        propagation,
        label: label(spec)?,
    };
    let mounts = spec.mounts().as_deref().unwrap_or_default();
    let mut ops: Vec<MountOp> = Vec::with_capacity(mounts.len());
    for (number, mount) in mounts.iter().enumerate() {
        let op = one(
            mount,
            Pointer::from("/mounts").at(number),
            &around,
            warnings,
        )?;
        again::unseal(&op, &mut ops);
        ops.push(op);
    }
    Ok(ops)
}

/// Whether the entry is a bind mount: by either option, or by `bind` as its type, which the
/// specification does not know but callers write.
#[must_use]
pub fn is_bind(mount: &Mount) -> bool {
    let options = mount.options().as_deref().unwrap_or_default();
    mount.typ().as_deref() == Some("bind")
        || options.iter().any(|word| word == "bind" || word == "rbind")
}

/// Whether the entry changes a mount that an earlier one has made.
#[must_use]
pub fn is_remount(mount: &Mount) -> bool {
    let options = mount.options().as_deref().unwrap_or_default();
    options.iter().any(|word| word == "remount")
}

fn one(
    mount: &Mount,
    pointer: Pointer,
    around: &Around<'_>,
    warnings: &mut Vec<String>,
) -> Result<MountOp> {
    let kind_word = kind_word(mount);
    let options = options::parse(mount.options().as_deref().unwrap_or_default(), &pointer)?;
    let entry = Entry {
        mount,
        options,
        pointer,
        doing: match is_remount(mount) {
            true => format!("remount {}", mount.destination().display()),
            false => format!("mount {kind_word}"),
        },
    };
    let (target, links) = target::plan(&entry)?;
    let (source, otherwise) = if is_remount(mount) {
        (again::plan(&entry, warnings)?, None)
    } else if is_bind(mount) {
        (bind::plan(&entry, around, warnings)?, None)
    } else {
        fresh::plan(&entry, around)?
    };
    Ok(MountOp {
        missing: match source {
            Source::Bind { .. } => Missing::LikeSource,
            Source::New { .. } | Source::Again { .. } => Missing::Directory,
        },
        links,
        seal: seal(&source, &target),
        propagation: bind::propagation(&entry, &source, around),
        source,
        otherwise,
        target,
        pointer: entry.pointer,
        kind_word,
    })
}

fn seal(source: &Source, target: &CStr) -> Seal {
    match source {
        Source::New {
            kind, attributes, ..
        } if attributes & MOUNT_ATTR_RDONLY != 0
            && (kind.as_c_str() == c"tmpfs" || target == c"dev") =>
        {
            Seal::AtTheEnd
        }
        Source::Again { attributes, .. }
            if attributes.set & MOUNT_ATTR_RDONLY != 0 && target == c"dev" =>
        {
            Seal::AtTheEnd
        }
        _ => Seal::AtOnce,
    }
}

fn kind_word(mount: &Mount) -> String {
    let source = mount
        .source()
        .as_ref()
        .filter(|_| is_bind(mount))
        .map(|path| format!("{} on {}", path.display(), mount.destination().display()));
    source
        .or_else(|| mount.typ().clone())
        .unwrap_or_else(|| mount.destination().display().to_string())
}

impl Entry<'_> {
    fn refused(&self, part: &str, why: &str) -> Error {
        Error::refused(self.doing.as_str(), self.pointer.at(part), why)
    }

    fn refused_option(&self, index: u16, why: &str) -> Error {
        let at = self.pointer.at("options").at(index);
        Error::refused(self.doing.as_str(), at, why)
    }

    /// Options that only a bind can have.
    fn refuse_bind_options(&self) -> Result<()> {
        if let Some((_, index)) = self.options.extras.source_link {
            let hint = "remove it, or make it a bind mount by the option bind";
            let why = "only the source of a bind mount can be a symbolic link";
            return Err(self.refused_option(index, why).hint(hint));
        }
        ids::refuse(self)
    }
}

#[cfg(test)]
mod tests;
