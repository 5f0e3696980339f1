//! Look-ups below a root that never leave it, and the making of what is missing there.
//!
//! The content of a root file system is hostile: any component may be a symbolic link, and may
//! become one between two calls. So every look-up starts from one descriptor of the root and is
//! resolved by the kernel inside it (openat2(2), RESOLVE_IN_ROOT, no magic links). Where a name is
//! missing further up, or openat2 is not to be had, a walk goes component by component over descriptors and
//! follows links itself, again only inside. Nothing here allocates: the child calls it.

use super::text::LONGEST;
pub use super::text::Text;
use super::{At, Call, Fault};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat};
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Links followed before the walk gives up, as the kernel does; path_resolution(7).
const MOST_LINKS: u32 = 40;
/// Repetitions of a look-up that raced with a rename (EAGAIN, openat2(2)).
const MOST_RACES: u32 = 128;

/// What to do about symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Follow them, inside the root.
    Inside,
    /// Refuse any, in every component (ELOOP).
    Refuse,
    /// Follow them inside, but for the last component: the link itself is what is looked for.
    LastItself,
}

/// What is to be made where a name is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Nothing: ENOENT.
    MustExist,
    /// A directory of this mode; parents get mode 0755.
    Directory(u32),
    /// An empty file of this mode; parents get mode 0755.
    File(u32),
}

/// Opens `path` (relative or absolute: both mean below `root`) as an O_PATH descriptor.
///
/// # Errors
/// ENOENT, ENOTDIR, EACCES as openat2(2); ELOOP for a link that `links` refuses or for too many.
pub fn find(root: BorrowedFd<'_>, path: &CStr, links: Links) -> Result<OwnedFd, Fault> {
    match open_inside(root, path, OFlags::PATH, links) {
        Err(Fault {
            errno: libc::ENOSYS,
            ..
        }) => walk(root, path, links, Leaf::MustExist),
        other => other,
    }
}

/// As [`find`], and makes what is missing: directories on the way and the leaf at the end.
///
/// # Errors
/// As [`find`], and EROFS, EACCES or ENOTDIR where something cannot be made.
pub fn find_or_make(
    root: BorrowedFd<'_>,
    path: &CStr,
    links: Links,
    leaf: Leaf,
) -> Result<OwnedFd, Fault> {
    match open_inside(root, path, OFlags::PATH, links) {
        Err(Fault {
            errno: libc::ENOENT | libc::ENOSYS,
            ..
        }) => make(root, path, links, leaf),
        other => other,
    }
}

/// As [`find_or_make`], for a `path` that [`find`] has not found.
///
/// # Errors
/// As [`find_or_make`].
pub fn make(root: BorrowedFd<'_>, path: &CStr, links: Links, leaf: Leaf) -> Result<OwnedFd, Fault> {
    match make_last(root, path, links, leaf) {
        Some(made) => Ok(made),
        None => walk(root, path, links, leaf),
    }
}

/// Longest parent that [`make_last`] takes.
const SHORT: usize = 256;

/// The usual case, in four calls: only the last component is missing, and its name is a plain one.
/// `None` for anything else, a failure too: the walk goes the whole way and tells.
fn make_last(root: BorrowedFd<'_>, path: &CStr, links: Links, leaf: Leaf) -> Option<OwnedFd> {
    let whole = path.to_bytes_with_nul();
    let slash = whole.iter().rposition(|byte| *byte == b'/')?;
    let (parent, name) = (whole.get(..slash)?, whole.get(slash + 1..)?);
    let name = CStr::from_bytes_with_nul(name).ok()?;
    if matches!(name.to_bytes(), b"" | b"." | b"..") {
        return None;
    }
    let mut text = [0; SHORT];
    text.get_mut(..slash)
        .filter(|_| slash < SHORT)?
        .copy_from_slice(parent);
    let parent = CStr::from_bytes_until_nul(&text).ok()?;
    let parent = open_inside(root, parent, OFlags::PATH | OFlags::DIRECTORY, links).ok()?;
    make_one(parent.as_fd(), name, leaf).ok()?;
    let made = peek(parent.as_fd(), name).ok()?;
    // Whoever is in the root may have put something else there meanwhile.
    let right = matches!(
        (kind(&look(&made).ok()?), leaf),
        (FileType::Directory, Leaf::Directory(_)) | (FileType::RegularFile, Leaf::File(_))
    );
    right.then_some(made)
}

/// Opens a file below `root` for reading or writing, without following links in its last component.
///
/// # Errors
/// As openat2(2).
pub fn open_file(root: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<OwnedFd, Fault> {
    open_inside(
        root,
        path,
        flags | OFlags::NOFOLLOW | OFlags::NOCTTY,
        Links::Inside,
    )
}

/// What the descriptor shows; fstat(2).
///
/// # Errors
/// As fstat(2).
pub fn look(fd: impl AsFd) -> Result<Stat, Fault> {
    rustix::fs::fstat(fd).at(Call::Fstat)
}

/// Whether the descriptor shows a symbolic link.
///
/// # Errors
/// As fstat(2).
pub fn is_link(fd: impl AsFd) -> Result<bool, Fault> {
    Ok(kind(&look(fd)?) == FileType::Symlink)
}

/// Whether the descriptor shows a directory.
///
/// # Errors
/// As fstat(2).
pub fn is_directory(fd: impl AsFd) -> Result<bool, Fault> {
    Ok(kind(&look(fd)?) == FileType::Directory)
}

/// Magic number of procfs; linux/magic.h, PROC_SUPER_MAGIC.
pub const PROC: u64 = 0x9fa0;

/// Magic number of devpts; linux/magic.h, DEVPTS_SUPER_MAGIC.
pub const DEVPTS: u64 = 0x1cd1;

/// The magic number of the file system that the descriptor shows; fstatfs(2).
///
/// # Errors
/// As fstatfs(2).
pub fn file_system(fd: impl AsFd) -> Result<u64, Fault> {
    Ok(rustix::fs::fstatfs(fd).at(Call::Fstatfs)?.f_type as u64)
}

/// The root of the mount that `fd` lies on: up from directory to directory until statx(2) says
/// STATX_ATTR_MOUNT_ROOT (Linux 5.8).
///
/// # Errors
/// As statx(2) and openat(2).
pub fn root_of_mount(fd: OwnedFd) -> Result<OwnedFd, Fault> {
    use rustix::fs::{AtFlags, StatxAttributes, StatxFlags};
    let mut here = fd;
    loop {
        let look = rustix::fs::statx(&here, c"", AtFlags::EMPTY_PATH, StatxFlags::TYPE);
        if look
            .at(Call::Statx)?
            .stx_attributes
            .contains(StatxAttributes::MOUNT_ROOT)
        {
            return Ok(here);
        }
        here = peek(here.as_fd(), c"..")?;
    }
}

/// A device's number as `st_rdev` has it; makedev(3).
#[must_use]
pub fn device(major: u32, minor: u32) -> u64 {
    rustix::fs::makedev(major, minor)
}

/// The file type in a stat record.
#[must_use]
pub fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

fn open_inside(
    root: BorrowedFd<'_>,
    path: &CStr,
    flags: OFlags,
    links: Links,
) -> Result<OwnedFd, Fault> {
    let mut resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let mut flags = flags;
    match links {
        Links::Inside => {}
        Links::Refuse => resolve |= ResolveFlags::NO_SYMLINKS,
        Links::LastItself => flags |= OFlags::NOFOLLOW,
    }
    let path = if path.is_empty() { c"." } else { path };
    let mut races = 0;
    loop {
        match rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) if races < MOST_RACES => {
                races += 1
            }
            other => return other.at(Call::Openat2),
        }
    }
}

/// The way so far: a directory below the root, and how it is reached without any link.
struct Place<'r> {
    root: BorrowedFd<'r>,
    prefix: Text,
    here: OwnedFd,
}

impl Place<'_> {
    fn return_to_root(&mut self) -> Result<(), Fault> {
        self.prefix.cut(0);
        self.here = duplicate(self.root)?;
        Ok(())
    }

    /// One up, never above the root: by the path walked, since ".." of a moved directory could lead out.
    fn up(&mut self) -> Result<(), Fault> {
        let keep = self
            .prefix
            .as_bytes()
            .iter()
            .rposition(|b| *b == b'/')
            .unwrap_or(0);
        self.prefix.cut(keep);
        let mut again = Text::new(self.prefix.as_bytes())?;
        self.here = duplicate(self.root)?;
        while let Some(name) = again.take_first() {
            self.here = peek(self.here.as_fd(), name.as_c())?;
        }
        Ok(())
    }

    fn down(&mut self, name: &Text, next: OwnedFd) -> Result<(), Fault> {
        self.prefix.push(b"/")?;
        self.prefix.push(name.as_bytes())?;
        self.here = next;
        Ok(())
    }
}

/// Component by component, each opened without following it. Apart from the rest because it has a dozen
/// pages on the stack.
#[cold]
#[inline(never)]
fn walk(root: BorrowedFd<'_>, path: &CStr, links: Links, leaf: Leaf) -> Result<OwnedFd, Fault> {
    let mut rest = Text::new(path.to_bytes())?;
    let mut place = Place {
        root,
        prefix: Text::new(b"")?,
        here: duplicate(root)?,
    };
    let mut followed = 0;
    while let Some(name) = rest.take_first() {
        match name.as_bytes() {
            b"." => continue,
            b".." => {
                place.up()?;
                continue;
            }
            _ => {}
        }
        let what = if rest.is_used_up() {
            leaf
        } else {
            parent_of(leaf)
        };
        let next = open_or_make(place.here.as_fd(), &name, what)?;
        match kind(&look(&next)?) {
            FileType::Symlink if links == Links::LastItself && rest.is_used_up() => {
                return Ok(next);
            }
            FileType::Symlink => {
                followed += 1;
                if links == Links::Refuse || followed > MOST_LINKS {
                    return Err(Fault {
                        call: Call::Openat2,
                        errno: libc::ELOOP,
                    });
                }
                let mut longer = link_text(next.as_fd())?;
                if longer.as_bytes().first() == Some(&b'/') {
                    place.return_to_root()?;
                }
                longer.push(b"/")?;
                longer.push(rest.as_bytes())?;
                rest = longer;
            }
            FileType::Directory => place.down(&name, next)?,
            _ if rest.is_used_up() => return Ok(next),
            _ => {
                return Err(Fault {
                    call: Call::Openat2,
                    errno: libc::ENOTDIR,
                });
            }
        }
    }
    Ok(place.here)
}

const fn parent_of(leaf: Leaf) -> Leaf {
    match leaf {
        Leaf::MustExist => Leaf::MustExist,
        Leaf::Directory(_) | Leaf::File(_) => Leaf::Directory(0o755),
    }
}

/// Opens one name, or makes it and opens that; somebody else may make it first, which is as good.
fn open_or_make(dir: BorrowedFd<'_>, name: &Text, leaf: Leaf) -> Result<OwnedFd, Fault> {
    match peek(dir, name.as_c()) {
        Err(Fault {
            errno: libc::ENOENT,
            ..
        }) => {}
        other => return other,
    }
    match make_one(dir, name.as_c(), leaf) {
        Ok(())
        | Err(Fault {
            errno: libc::EEXIST,
            ..
        }) => peek(dir, name.as_c()),
        Err(fault) => Err(fault),
    }
}

/// Makes one name; EEXIST where there is something, also a link that leads nowhere.
fn make_one(dir: BorrowedFd<'_>, name: &CStr, leaf: Leaf) -> Result<(), Fault> {
    match leaf {
        Leaf::MustExist => Err(Fault {
            call: Call::Openat2,
            errno: libc::ENOENT,
        }),
        Leaf::Directory(mode) => {
            rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(mode)).at(Call::Mkdirat)
        }
        Leaf::File(mode) => {
            let flags =
                OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::WRONLY;
            rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(mode))
                .at(Call::Openat)
                .map(drop)
        }
    }
}

/// The object of this name itself, link or not.
fn peek(dir: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Fault> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty()).at(Call::Openat)
}

/// The text of the symbolic link that the descriptor shows; readlinkat(2).
///
/// # Errors
/// As readlinkat(2); ENAMETOOLONG for one that no path could hold.
pub fn link_text(link: BorrowedFd<'_>) -> Result<Text, Fault> {
    let mut text = Text {
        bytes: [0; LONGEST],
        length: 0,
    };
    let length =
        rustix::fs::readlinkat_raw(link, c"", text.bytes.as_mut_slice()).at(Call::Readlinkat)?;
    if length >= LONGEST {
        return Err(Fault {
            call: Call::Readlinkat,
            errno: libc::ENAMETOOLONG,
        });
    }
    text.length = length;
    text.cut(length);
    Ok(text)
}

fn duplicate(fd: BorrowedFd<'_>) -> Result<OwnedFd, Fault> {
    rustix::io::fcntl_dupfd_cloexec(fd, 3).at(Call::Fcntl)
}

#[cfg(test)]
mod tests;
