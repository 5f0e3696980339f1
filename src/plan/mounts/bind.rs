//! A part of the host's tree.

use super::{Around, Entry, FsOption, Recursive, Source, SourceLink, ids};
use crate::error::nearest;
use crate::error::{Error, Result};
use crate::plan::birth::Kind;
use crate::plan::options;
use crate::plan::root::{self, Opener};
use libc::{MS_PRIVATE, MS_REC, MS_SLAVE};

/// Attributes that the options do not name stay as they are at the source.
///
/// # Errors
/// No source, a word for a file system, options that contradict each other, ids that cannot be mapped.
pub(super) fn plan(
    entry: &Entry<'_>,
    around: &Around<'_>,
    warnings: &mut Vec<String>,
) -> Result<Source> {
    let path = entry.mount.source().as_ref();
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
        let why = "a bind mount needs a source";
        let hint = "add \"source\": the path on the host, or relative to the bundle, that is to be seen there";
        return Err(Error::refused(entry.doing.as_str(), &entry.pointer, why).hint(hint));
    };
    no_data(entry, warnings)?;
    if let Some(index) = entry.options.extras.copy_up {
        return Err(super::fresh::no_copy(entry, index));
    }
    let ids = ids::plan(entry, around)?;
    Ok(Source::Bind {
        path: root::on_host(
            &entry.doing,
            path,
            around.bundle,
            &entry.pointer.at("source"),
        )?,
        recursive: entry.options.bind.unwrap_or(Recursive::No),
        attributes: entry.options.attributes,
        tree_attributes: entry.options.tree_attributes,
        // Only the host's root may map ids, and only while the copy is attached nowhere.
        opener: ids.as_ref().map_or(around.opener, |_| Opener::Parent),
        link: link(entry)?,
        ids,
    })
}

/// Refuses data for a file system that is mounted already: the kernel would ignore it without a word. What has a
/// value is left out with a warning, as it can be nothing but data (config.md, "Linux mount options": what is
/// unknown goes to mount(2) as that, which ignores it of a bind); a word alone may be a protection, misspelt.
///
/// # Errors
/// There is such a word.
pub(super) fn no_data(entry: &Entry<'_>, warnings: &mut Vec<String>) -> Result<()> {
    for data in &entry.options.data {
        let Some(value) = &data.value else {
            return Err(refuse_data(entry, data));
        };
        let at = entry.pointer.at("options").at(data.index);
        let (key, value) = (data.key.to_string_lossy(), value.to_string_lossy());
        warnings.push(format!(
            "left {key}={value} of {} out: a bind mount takes no options for its file system",
            at.as_str()
        ));
    }
    Ok(())
}

fn refuse_data(entry: &Entry<'_>, data: &FsOption) -> Error {
    let word = data.key.to_string_lossy();
    // What other programs call it is farther away than any misspelling.
    let synonym = match &*word {
        "readonly" => Some("ro"),
        "readwrite" => Some("rw"),
        _ => None,
    };
    let hint = match synonym.or_else(|| nearest(&word, options::known())) {
        Some(known) => format!("did you mean {known}?"),
        None => {
            format!("remove {word}: it can only be given where the file system itself is mounted")
        }
    };
    let why =
        "a bind mount shows a file system that is mounted already, and takes no options for it";
    entry.refused_option(data.index, why).hint(hint)
}

fn link(entry: &Entry<'_>) -> Result<SourceLink> {
    let extras = entry.options.extras;
    match (extras.source_link, extras.no_follow) {
        (Some((SourceLink::Copy, _)), Some(index)) => {
            let why = "copy-symlink makes a link where nothing is, and covers none";
            Err(entry
                .refused_option(index, why)
                .hint("keep one of copy-symlink and dest-nofollow"))
        }
        (Some((link, _)), _) => Ok(link),
        (None, _) => Ok(SourceLink::Follow),
    }
}

/// Propagation changes, in order. A bind that is opened in the host's namespace is cut off from the host's
/// mounts first. Where the container stays there, it may hear of them if it asks to, and is never heard.
pub(super) fn propagation(entry: &Entry<'_>, source: &Source, around: &Around<'_>) -> Vec<u64> {
    let stays = !around.birth.owns(Kind::Mount);
    let mut asked = entry.options.propagation.iter();
    let hears = stays && asked.any(|flags| flags & !MS_REC == MS_SLAVE);
    let cut = match around.propagation.host {
        MS_PRIVATE if !hears => MS_PRIVATE | MS_REC,
        _ => MS_SLAVE | MS_REC,
    };
    let from_host = stays
        || matches!(
            source,
            Source::Bind {
                opener: Opener::Parent,
                ..
            }
        );
    from_host
        .then_some(cut)
        .into_iter()
        .chain(entry.options.propagation.iter().copied())
        .collect()
}
