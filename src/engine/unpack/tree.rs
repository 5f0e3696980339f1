//! Entries made in the tree, by descriptor: the parent of each name is found inside the root, and its last
//! component is never followed. A later entry of the same name takes the place of an earlier one.

/// Owners, attributes, modes and times of what has been made.
mod metadata;

/// What stands where an entry belongs, removed.
mod replace;

/// Second names of files.
mod link;

use super::tar::{Entry, Kind, Sparse};
use super::whiteout::{self, Whiteout};
use super::{Overlay, tar};
use crate::sys::Fault;
use crate::sys::path::{self, Leaf, Links};
use rustix::fs::{FileType, Mode, OFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::io::{Error, Read, Result};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

/// Most entries of a layer: each is an inode, of which a file system has a limited number.
const MOST_ENTRIES: u64 = 4_000_000;

/// The tree, and what is still to be done to it.
pub(super) struct Tree {
    root: OwnedFd,
    overlay: Overlay,
    /// The directory of the last entry: archives go through a directory at a time.
    last: Option<(Vec<u8>, Rc<OwnedFd>)>,
    /// Directories and their times, which everything made in them changes.
    times: BTreeMap<Vec<u8>, (i64, u32)>,
    /// Directories that no entry has described yet.
    implied: BTreeSet<Vec<u8>>,
    /// Names that this layer hides from lower ones, for directories that come after.
    hidden: BTreeSet<Vec<u8>>,
    /// Second names whose first one is not in this layer.
    borrowed: Vec<(Vec<u8>, Vec<u8>)>,
    notes: BTreeMap<&'static str, u64>,
    entries: u64,
    buffer: Vec<u8>,
}

/// Where an entry belongs: its directory, and its name there.
struct Place {
    parent: Rc<OwnedFd>,
    name: CString,
    /// The whole path, cleaned.
    path: Vec<u8>,
}

/// A system call's answer as `std` tells it.
pub(super) fn told(fault: Fault) -> Error {
    let words = crate::sys::words::of_error(fault.errno);
    Error::other(format!("{words}, from {}", fault.call.name()))
}

/// The same for rustix, where the call is known by what was done.
fn because<T>(result: rustix::io::Result<T>, call: &str) -> Result<T> {
    result.map_err(|errno| {
        let words = crate::sys::words::of_error(errno.raw_os_error());
        Error::other(format!("{words}, from {call}"))
    })
}

impl Tree {
    pub(super) fn new(root: OwnedFd, overlay: Overlay) -> Tree {
        Tree {
            root,
            overlay,
            last: None,
            times: BTreeMap::new(),
            implied: BTreeSet::new(),
            hidden: BTreeSet::new(),
            borrowed: Vec::new(),
            notes: BTreeMap::new(),
            entries: 0,
            buffer: vec![0; 256 << 10],
        }
    }

    /// Makes one entry; its data are read from `data`.
    pub(super) fn make(&mut self, entry: &Entry, data: &mut impl Read) -> Result<()> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            return Err(tar::wrong(format!(
                "the layer has more than {MOST_ENTRIES} entries"
            )));
        }
        let path = clean(&entry.path)?;
        let Some(name) = path
            .rsplit(|byte| *byte == b'/')
            .next()
            .filter(|name| !name.is_empty())
        else {
            return self.describe_root(entry);
        };
        let whiteout = match self.overlay {
            Overlay::None => None,
            _ => whiteout::read(name)?,
        };
        self.borrowed.retain(|(known, _)| *known != path);
        let place = self.place(&path)?;
        match whiteout {
            Some(Whiteout::Ignored) => Ok(()),
            Some(Whiteout::Opaque) => whiteout::opaque(&place.parent, self.overlay),
            Some(Whiteout::Of(hidden)) => self.hide(&place, hidden),
            None => self.fill(&place, entry, data),
        }
    }

    /// The directory of `path`, made where it is missing: then it is one that the archive only implies.
    fn place(&mut self, path: &[u8]) -> Result<Place> {
        let cut = path.iter().rposition(|byte| *byte == b'/');
        let parent = path.get(..cut.unwrap_or(0)).unwrap_or_default();
        let name = path.get(cut.map_or(0, |cut| cut + 1)..).unwrap_or_default();
        let name = CString::new(name).map_err(|_| tar::wrong("its name has a zero byte"))?;
        let found = match &self.last {
            Some((last, fd)) if last == parent => fd.clone(),
            _ => {
                let fd = Rc::new(self.directory(parent)?);
                self.last = Some((parent.to_vec(), fd.clone()));
                fd
            }
        };
        Ok(Place {
            parent: found,
            name,
            path: path.to_vec(),
        })
    }

    fn directory(&mut self, directory: &[u8]) -> Result<OwnedFd> {
        let whole = CString::new(directory).map_err(|_| tar::wrong("its name has a zero byte"))?;
        let root = self.root.as_fd();
        let found = match path::find(root, &whole, Links::Inside) {
            Err(Fault {
                errno: libc::ENOENT,
                ..
            }) => {
                let ends = directory
                    .iter()
                    .enumerate()
                    .filter(|(_, byte)| **byte == b'/');
                for end in ends.map(|(at, _)| at).chain([directory.len()]) {
                    let part = directory.get(..end).unwrap_or_default();
                    let whole = CString::new(part).unwrap_or_default();
                    if path::find(root, &whole, Links::Inside).is_err() {
                        self.implied.insert(part.to_vec());
                        path::find_or_make(root, &whole, Links::Inside, Leaf::Directory(0o755))
                            .map_err(told)?;
                    }
                }
                path::find(root, &whole, Links::Inside)
            }
            other => other,
        };
        let found = found.map_err(told)?;
        if !path::is_directory(&found).map_err(told)? {
            return Err(tar::wrong("what it lies in is no directory"));
        }
        Ok(found)
    }

    fn fill(&mut self, place: &Place, entry: &Entry, data: &mut impl Read) -> Result<()> {
        if entry.kind == Kind::Directory {
            return self.make_directory(place, entry);
        }
        self.implied.remove(&place.path);
        match self.try_make(place, entry, data) {
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {
                self.last = None;
                replace::remove(&place.parent, &place.name)?;
                self.forget(&place.path);
                self.try_make(place, entry, data)
            }
            made => made,
        }
        .map_err(|error| match error.raw_os_error() {
            Some(errno) => Error::other(crate::sys::words::of_error(errno)),
            None => error,
        })
    }

    /// EEXIST before anything has been read, where something stands there.
    fn try_make(&mut self, place: &Place, entry: &Entry, data: &mut impl Read) -> Result<()> {
        let (parent, name) = (place.parent.as_fd(), place.name.as_c_str());
        match entry.kind {
            Kind::File => {
                let flags = OFlags::WRONLY
                    | OFlags::CREATE
                    | OFlags::EXCL
                    | OFlags::NOFOLLOW
                    | OFlags::CLOEXEC;
                let file = rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o600))?;
                self.write(&file, entry.sparse.as_ref(), data)?;
                self.describe_file(file.as_fd(), entry)
            }
            Kind::Symlink => {
                let text = CString::new(entry.link.as_slice())
                    .map_err(|_| tar::wrong("a link's text has a zero byte"))?;
                rustix::fs::symlinkat(text.as_c_str(), parent, name)?;
                self.describe_name(place, entry)
            }
            Kind::HardLink => self.link(place, &entry.link),
            Kind::Character | Kind::Block | Kind::Fifo => self.node(place, entry),
            Kind::Directory => Ok(()),
        }
    }

    fn write(
        &mut self,
        file: &OwnedFd,
        sparse: Option<&Sparse>,
        data: &mut impl Read,
    ) -> Result<()> {
        let whole = [(0, u64::MAX)];
        let pieces = sparse.map_or(&whole[..], |sparse| &sparse.pieces);
        for (offset, length) in pieces {
            let (mut at, mut left) = (*offset, *length);
            while left > 0 {
                let most = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(self.buffer.len());
                let part = self.buffer.get_mut(..most).unwrap_or_default();
                let count = data.read(part)?;
                if count == 0 {
                    break;
                }
                let mut rest = part.get(..count).unwrap_or_default();
                while !rest.is_empty() {
                    let written = because(rustix::io::pwrite(file, rest, at), "write")?;
                    at += written as u64;
                    rest = rest.get(written..).unwrap_or_default();
                }
                left -= count as u64;
            }
        }
        match sparse {
            Some(sparse) => because(rustix::fs::ftruncate(file, sparse.real), "ftruncate"),
            None => Ok(()),
        }
    }

    fn node(&mut self, place: &Place, entry: &Entry) -> Result<()> {
        let kind = match entry.kind {
            Kind::Character => FileType::CharacterDevice,
            Kind::Block => FileType::BlockDevice,
            _ => FileType::Fifo,
        };
        let device = path::device(entry.device.0, entry.device.1);
        let mode = Mode::from_raw_mode(entry.mode);
        match rustix::fs::mknodat(&place.parent, &place.name, kind, mode, device) {
            Err(rustix::io::Errno::PERM) => {
                self.note("devices were left out, which only root may make");
                Ok(())
            }
            made => {
                made?;
                self.describe_name(place, entry)
            }
        }
    }

    /// An existing directory stays, with what is in it, and is described anew.
    fn make_directory(&mut self, place: &Place, entry: &Entry) -> Result<()> {
        let mode = Mode::from_raw_mode(0o700);
        let (parent, name) = (place.parent.as_fd(), place.name.as_c_str());
        let open = || {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(parent, name, flags, Mode::empty())
        };
        match rustix::fs::mkdirat(parent, name, mode) {
            Err(rustix::io::Errno::EXIST) if open().is_err() => {
                self.last = None;
                replace::remove(&place.parent, name)?;
                self.forget(&place.path);
                because(rustix::fs::mkdirat(parent, name, mode), "mkdirat")?;
            }
            Err(rustix::io::Errno::EXIST) => {}
            made => because(made, "mkdirat")?,
        }
        let made = because(open(), "openat")?;
        // What a lower layer has of this name was hidden, and must not shine through.
        if self.hidden.remove(&place.path) {
            whiteout::opaque(&made, self.overlay)?;
        }
        self.describe_file(made.as_fd(), entry)?;
        self.implied.remove(&place.path);
        self.times.insert(place.path.clone(), entry.mtime);
        Ok(())
    }

    /// Hides a name of lower layers. What this layer itself has of that name stays.
    fn hide(&mut self, place: &Place, hidden: &[u8]) -> Result<()> {
        let name = CString::new(hidden).map_err(|_| tar::wrong("its name has a zero byte"))?;
        let parent = place
            .path
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or(0, |cut| cut + 1);
        let mut path = place.path.get(..parent).unwrap_or_default().to_vec();
        path.extend_from_slice(hidden);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match whiteout::make(&place.parent, &name) {
            Err(rustix::io::Errno::EXIST) => {
                match rustix::fs::openat(&place.parent, &name, flags, Mode::empty()) {
                    Ok(directory) => whiteout::opaque(&directory, self.overlay),
                    Err(_) => Ok(()),
                }
            }
            made => {
                because(made, "mknodat of a whiteout")?;
                self.borrowed.retain(|(known, _)| *known != path);
                self.hidden.insert(path);
                Ok(())
            }
        }
    }

    /// A path that stands for something else now.
    fn forget(&mut self, path: &[u8]) {
        let below = [path, b"/"].concat();
        let stays = |known: &[u8]| known != path && !known.starts_with(&below);
        self.times.retain(|known, _| stays(known));
        self.implied.retain(|known| stays(known));
        self.borrowed.retain(|(known, _)| stays(known));
    }

    fn note(&mut self, what: &'static str) {
        *self.notes.entry(what).or_default() += 1;
    }

    /// Directories get their times, now that nothing is made in them any more.
    pub(super) fn finish(mut self) -> Result<Finished> {
        for (directory, time) in std::mem::take(&mut self.times).into_iter().rev() {
            self.set_time(&directory, time)?;
        }
        let text = |path: Vec<u8>| String::from_utf8(path).ok();
        let notes = self
            .notes
            .into_iter()
            .map(|(what, count)| format!("{count} {what}"));
        Ok(Finished {
            entries: self.entries,
            implied: self.implied.into_iter().filter_map(text).collect(),
            borrowed: self.borrowed,
            notes: notes.collect(),
        })
    }
}

/// What has become of an archive.
pub(super) struct Finished {
    pub(super) entries: u64,
    pub(super) implied: Vec<String>,
    pub(super) borrowed: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) notes: Vec<String>,
}

/// A name without `.`, `..`, double slashes and slashes at its ends. One that leads out is refused.
pub(super) fn clean(path: &[u8]) -> Result<Vec<u8>> {
    if path.contains(&0) {
        return Err(tar::wrong("its name has a zero byte"));
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.pop().is_none() => {
                return Err(tar::wrong("its name leads out of the layer"));
            }
            b".." => {}
            part => parts.push(part),
        }
    }
    Ok(parts.join(&b'/'))
}
