//! Changes of a mount that is there already (mount(8), "remount"): what the options name changes, all
//! else stays, as mount(8) has it.

use super::{Entry, MountOp, Seal, Source, bind, fresh, is_bind};
use crate::error::Result;
use libc::MOUNT_ATTR_RDONLY;

/// The change.
///
/// # Errors
/// Options that only a new mount can have; with `bind`, words for the file system.
pub(super) fn plan(entry: &Entry<'_>, warnings: &mut Vec<String>) -> Result<Source> {
    entry.refuse_bind_options()?;
    if let Some(index) = entry.options.extras.copy_up {
        return Err(fresh::no_copy(entry, index));
    }
    if is_bind(entry.mount) {
        bind::no_data(entry, warnings)?;
    }
    let options: Vec<_> = match is_bind(entry.mount) {
        true => Vec::new(),
        false => {
            let flags = entry.options.superblock.iter();
            flags.chain(&entry.options.data).cloned().collect()
        }
    };
    fresh::check_length(entry, &options)?;
    Ok(Source::Again {
        options,
        attributes: entry.options.attributes,
        tree_attributes: entry.options.tree_attributes,
    })
}

/// An earlier mount that was to become read-only at the end does not, when `op` makes it writable.
pub(super) fn unseal(op: &MountOp, earlier: &mut [MountOp]) {
    let Source::Again { attributes, .. } = &op.source else {
        return;
    };
    if attributes.clear & MOUNT_ATTR_RDONLY == 0 {
        return;
    }
    for other in earlier.iter_mut().filter(|one| one.target == op.target) {
        if other.seal == Seal::AtOnce {
            continue;
        }
        other.seal = Seal::AtOnce;
        match &mut other.source {
            Source::New { attributes, .. } => *attributes &= !MOUNT_ATTR_RDONLY,
            Source::Again { attributes, .. } => attributes.set &= !MOUNT_ATTR_RDONLY,
            Source::Bind { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
