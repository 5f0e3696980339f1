//! `cp`: files into and out of a container. Both sides are walked by descriptor below a root, the host's being
//! its own: a link in the container leads nowhere else.

use super::end::enter;
use crate::cli::flags::Extent;
use crate::engine::cli::{Verb, texts, word};
use crate::engine::container::record::Record;
use crate::engine::container::shelf::Shelf;
use crate::engine::ids::Ids;
use crate::engine::places::Places;
use crate::engine::rootfs::owners;
use crate::engine::{Outcome, inside, rootfs};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::path::{self, Leaf, Links};
use crate::sys::{Fault, copy, file};
use clap::ArgMatches;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use std::ffi::CString;
use std::os::fd::{AsFd as _, OwnedFd};

/// A tar in place of the host's path.
mod stream;

/// `cp`.
pub(super) const CP: Verb = Verb {
    name: "cp",
    line: "copy files into or out of a container",
    extent: Extent::End,
    define: |command| {
        command
            .about(
                "\
Copy a file or a directory between a container and the host: cp CONTAINER:PATH PATH, or
cp PATH CONTAINER:PATH. In place of PATH, - is a tar on standard input or output. A directory that is there gets the source into it; the source DIR/.
means what is in DIR.",
            )
            .arg(word("words", "[CONTAINER:]PATH [CONTAINER:]PATH", "from, and to").num_args(2))
    },
    run,
};

/// One side: a root, and a path below it.
struct Side {
    root: OwnedFd,
    path: String,
    shown: String,
    /// Whose files are there; empty for the host's.
    ids: Ids,
}

fn run(found: &ArgMatches, places: &Places) -> Outcome {
    let shelf = Shelf::new(places);
    let words = texts(found, "words");
    let (Some(from), Some(to)) = (words.first(), words.get(1)) else {
        return Err(refused("", "two paths are needed").into());
    };
    let (from_in, to_in) = (container(from), container(to));
    match (from.as_str(), to.as_str(), from_in, to_in) {
        ("-", _, _, Some((name, path))) => return stream::write_in(&shelf, name, path, to),
        (_, "-", Some((name, path)), _) => return stream::read_out(&shelf, name, path, from),
        _ => {}
    }
    let name = match (from_in, to_in) {
        (Some((name, _)), None) | (None, Some((name, _))) => name,
        _ => {
            return Err(
                refused(from, "one of the two must be CONTAINER:PATH, and only one").into(),
            );
        }
    };
    // Relative paths of the host are the caller's, wherever this process goes.
    let absolute = |word: &str| {
        let dots = if word.ends_with("/.") { "/." } else { "" };
        let path = std::path::absolute(word).unwrap_or_else(|_| word.into());
        format!("{}{dots}", path.to_string_lossy())
    };
    let (from_host, to_host) = (absolute(from), absolute(to));
    let record = shelf.find(name)?;
    let host = open_root("/")?;
    let inside = open_container(&shelf, &record)?;
    let side = |root: OwnedFd, path: &str, shown: &str| Side {
        root,
        path: path.to_owned(),
        shown: shown.to_owned(),
        ids: Ids::default(),
    };
    let (source, target) = match (from_in, to_in) {
        (Some((_, path)), _) => (side(inside, path, from), side(host, &to_host, to)),
        (None, Some((_, path))) => {
            let ids = record.ids.clone();
            (
                side(host, &from_host, from),
                Side {
                    ids,
                    ..side(inside, path, to)
                },
            )
        }
        (None, None) => return Ok(0),
    };
    copy_between(&source, &target)?;
    Ok(0)
}

fn refused(what: &str, why: &str) -> Error {
    Error::new(
        "copy",
        Object::Argument(what.to_owned()),
        Cause::Refused(why.to_owned()),
    )
}

/// `NAME:PATH`; a path of the host has a slash or a point first, or no colon.
fn container(word: &str) -> Option<(&str, &str)> {
    if word.starts_with(['/', '.']) {
        return None;
    }
    word.split_once(':')
        .filter(|(name, path)| !name.is_empty() && !path.is_empty())
}

fn open_root(path: &str) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty())
        .map_err(|errno| Error::io("open the root", path, "openat", &errno.into()))
}

/// The root as its processes see it; of one that does not run, as they would.
fn open_container(shelf: &Shelf, record: &Record) -> Result<OwnedFd> {
    if let Some(process) = record.running() {
        enter(record, process.pid)?;
        return open_root(&format!("/proc/{}/root", process.pid));
    }
    inside::enter_new()?;
    rootfs::own_mounts(shelf)?;
    Ok(rootfs::prepare(shelf, record)?.fd)
}

fn c(path: &str) -> CString {
    CString::new(path).unwrap_or_default()
}

fn told(side: &Side, fault: Fault) -> Error {
    Error::new("copy", Object::Argument(side.shown.clone()), fault.into())
}

/// The last part of a path, without slashes and points at its end.
fn name_of(path: &str) -> &str {
    let bare = path.trim_end_matches("/.").trim_end_matches('/');
    bare.rsplit('/').next().unwrap_or_default()
}

fn copy_between(source: &Side, target: &Side) -> Result<()> {
    let found = path::find(source.root.as_fd(), &c(&source.path), Links::Inside)
        .map_err(|fault| told(source, fault))?;
    let kind = path::kind(&path::look(&found).map_err(|fault| told(source, fault))?);
    let there = match path::find(target.root.as_fd(), &c(&target.path), Links::Inside) {
        Ok(there) => Some(there),
        Err(fault) if fault.errno == libc::ENOENT => None,
        Err(fault) => return Err(told(target, fault)),
    };
    let is_dir = match &there {
        Some(there) => path::is_directory(there).map_err(|fault| told(target, fault))?,
        None => false,
    };
    match kind {
        FileType::Directory => directory(source, target, there.is_some(), is_dir),
        FileType::RegularFile => {
            if !is_dir && target.path.ends_with('/') {
                return Err(refused(&target.shown, "there is no such directory"));
            }
            let path = if is_dir {
                format!("{}/{}", target.path, name_of(&source.path))
            } else {
                target.path.clone()
            };
            one_file(source, target, &path)
        }
        _ => Err(refused(&source.shown, "neither a file nor a directory")),
    }
}

fn directory(source: &Side, target: &Side, exists: bool, is_dir: bool) -> Result<()> {
    if exists && !is_dir {
        return Err(refused(
            &target.shown,
            "a directory cannot be copied onto a file",
        ));
    }
    let content_only = source.path.ends_with("/.") || !exists;
    let path = match content_only {
        true => target.path.clone(),
        false => format!("{}/{}", target.path, name_of(&source.path)),
    };
    let from = path::open_file(
        source.root.as_fd(),
        &c(&source.path),
        OFlags::RDONLY | OFlags::DIRECTORY,
    )
    .map_err(|fault| told(source, fault))?;
    path::find_or_make(
        target.root.as_fd(),
        &c(&path),
        Links::Inside,
        Leaf::Directory(0o755),
    )
    .map_err(|fault| told(target, fault))?;
    let to = path::open_file(
        target.root.as_fd(),
        &c(&path),
        OFlags::RDONLY | OFlags::DIRECTORY,
    )
    .map_err(|fault| told(target, fault))?;
    copy::content(from.as_fd(), to.as_fd(), copy::Top::Own).map_err(|fault| {
        let error = told(target, fault);
        match fault.errno {
            libc::EEXIST => error.hint("a file of that name is there already: remove it first"),
            _ => error,
        }
    })?;
    owners::give_copy(&target.ids, &target.root, &path)
}

fn one_file(source: &Side, target: &Side, path: &str) -> Result<()> {
    let from = path::find(source.root.as_fd(), &c(&source.path), Links::Inside)
        .and_then(|found| file::reopen(found, OFlags::RDONLY | OFlags::NONBLOCK))
        .map_err(|fault| told(source, fault))?;
    let mode = path::look(&from)
        .map_err(|fault| told(source, fault))?
        .st_mode
        & 0o7777;
    let (parent, name) = path
        .trim_end_matches('/')
        .rsplit_once('/')
        .unwrap_or(("", path));
    let parent = if parent.is_empty() { "/" } else { parent };
    let dir = path::open_file(
        target.root.as_fd(),
        &c(parent),
        OFlags::RDONLY | OFlags::DIRECTORY,
    )
    .map_err(|fault| told(target, fault))?;
    let made = || -> rustix::io::Result<OwnedFd> {
        // A file that is there is replaced, not written into: somebody may be running it.
        match rustix::fs::unlinkat(&dir, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let to = rustix::fs::openat(&dir, name, flags, Mode::from_raw_mode(0o600))?;
        rustix::fs::fchmod(&to, Mode::from_raw_mode(mode))?;
        Ok(to)
    };
    let to = made().map_err(|errno| Error::io("copy", &target.shown, "openat", &errno.into()))?;
    file::copy_all(from.as_fd(), to.as_fd()).map_err(|fault| told(target, fault))?;
    owners::give_copy(&target.ids, &target.root, path)
}

#[cfg(test)]
mod tests {
    use super::{container, name_of};

    #[test]
    fn which_side_is_a_container() {
        assert_eq!(container("web:/etc"), Some(("web", "/etc")));
        for host in ["/a:b", "./a:b", "plain", ":x", "web:"] {
            assert_eq!(container(host), None, "{host}");
        }
        for (path, name) in [("/a/b", "b"), ("/a/b/", "b"), ("/a/b/.", "b"), ("/", "")] {
            assert_eq!(name_of(path), name);
        }
    }
}
