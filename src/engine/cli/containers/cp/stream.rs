//! A tar in place of the host's path: `cp - CONTAINER:DIR` and `cp CONTAINER:PATH -`.

use super::{Side, c, name_of, open_container, refused, told};
use crate::engine::Outcome;
use crate::engine::container::shelf::Shelf;
use crate::engine::ids::Ids;
use crate::engine::pack::Pack;
use crate::engine::rootfs::owners;
use crate::engine::unpack::{self, Overlay};
use crate::error::{Cause, Error, Object};
use crate::sys::path::{self, Links};
use rustix::fs::OFlags;
use std::fs::File;
use std::io::{BufWriter, IsTerminal as _};
use std::os::fd::AsFd as _;

/// Unpacks standard input into a directory of the container.
pub(super) fn write_in(shelf: &Shelf, name: &str, directory: &str, shown: &str) -> Outcome {
    let record = shelf.find(name)?;
    let input = std::io::stdin().as_fd().try_clone_to_owned();
    let input = input.map_err(|error| Error::io("copy", "standard input", "fcntl", &error))?;
    let side = Side {
        root: open_container(shelf, &record)?,
        path: directory.to_owned(),
        shown: shown.to_owned(),
        ids: record.ids.clone(),
    };
    let found = path::find(side.root.as_fd(), &c(directory), Links::Inside)
        .map_err(|fault| told(&side, fault))?;
    if !path::is_directory(&found).map_err(|fault| told(&side, fault))? {
        return Err(refused(
            shown,
            "a tar is unpacked into a directory, and this is none",
        )
        .into());
    }
    // Links in the archive are the container's own, up to its root.
    let (ids, prefix) = (side.ids, directory.trim_matches('/'));
    let owner = |uid, gid| owners::owner(&ids, uid, gid);
    unpack::spill(side.root, prefix, File::from(input), owner).map_err(|error| {
        let object = Object::Argument("standard input".to_owned());
        Error::new("copy", object, Cause::Answer(error.to_string()))
    })?;
    Ok(0)
}

/// Writes a file or a directory of the container to standard output.
pub(super) fn read_out(shelf: &Shelf, name: &str, from: &str, shown: &str) -> Outcome {
    if std::io::stdout().is_terminal() {
        return Err(refused("-", "a tar is not for a terminal")
            .hint(format!("orbital cp {shown} - > FILE"))
            .into());
    }
    let record = shelf.find(name)?;
    let side = Side {
        root: open_container(shelf, &record)?,
        path: from.to_owned(),
        shown: shown.to_owned(),
        ids: Ids::default(),
    };
    let io = |error: std::io::Error| Error::io("copy", shown, "write", &error);
    let mut pack = Pack::new(BufWriter::new(std::io::stdout().lock()), Overlay::None);
    let found = path::find(side.root.as_fd(), &c(from), Links::Inside)
        .map_err(|fault| told(&side, fault))?;
    let (base, dots) = (name_of(from), from.ends_with("/.") || from == ".");
    if path::is_directory(&found).map_err(|fault| told(&side, fault))? && (dots || base.is_empty())
    {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let directory = path::open_file(side.root.as_fd(), &c(from), flags)
            .map_err(|fault| told(&side, fault))?;
        pack.content(&directory, b"").map_err(io)?;
    } else {
        let whole = from.trim_end_matches('/');
        let parent = whole.rsplit_once('/').map_or("/", |(parent, _)| parent);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let directory = path::open_file(side.root.as_fd(), &c(parent), flags)
            .map_err(|fault| told(&side, fault))?;
        pack.one(&directory, &c(base), base.as_bytes())
            .map_err(io)?;
    }
    pack.finish()
        .and_then(|out| {
            out.into_inner()
                .map(drop)
                .map_err(std::io::IntoInnerError::into_error)
        })
        .map_err(io)?;
    Ok(0)
}
