//! A directory → a tar: the way back of `unpack`. Everything is reached by descriptors, and no link is followed.

use super::unpack::Overlay;
use crate::sys::path;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fgetxattr, flistxattr, major, minor};
use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io::{Result, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use tar::{Builder, EntryType, Header};

/// Deepest directory; each is a descriptor while it is walked through.
const DEEPEST: u32 = 200;

/// Longest list and value of attributes.
const LONGEST: usize = 64 << 10;

/// Attributes that a tar keeps, by how their names begin.
const KEPT: [&str; 3] = ["user.", "security.capability", "system.posix_acl_"];

/// A tar that is written.
pub(crate) struct Pack<W: Write> {
    tar: Builder<W>,
    /// In whose words the directory tells overlay what is hidden: that is told in the words of layers.
    overlay: Overlay,
    /// Files with several names: the first one.
    first_names: HashMap<(u64, u64), Vec<u8>>,
}

impl<W: Write> Pack<W> {
    /// To be written to `out`.
    pub(crate) fn new(out: W, overlay: Overlay) -> Pack<W> {
        Pack {
            tar: Builder::new(out),
            overlay,
            first_names: HashMap::new(),
        }
    }

    /// Adds what is in the directory, each name below `prefix`.
    ///
    /// # Errors
    /// A file that cannot be read; whoever reads the tar is gone.
    pub(crate) fn content(&mut self, directory: &OwnedFd, prefix: &[u8]) -> Result<()> {
        self.below(directory, prefix, 0)
    }

    /// Adds what the directory calls `name`, and all in it, as `path`.
    ///
    /// # Errors
    /// As [`Pack::content`].
    pub(crate) fn one(&mut self, directory: &OwnedFd, name: &CStr, path: &[u8]) -> Result<()> {
        self.entry(directory, name, path, 0)
    }

    /// Ends it.
    ///
    /// # Errors
    /// As writing.
    pub(crate) fn finish(self) -> Result<W> {
        self.tar.into_inner()
    }

    fn below(&mut self, directory: &OwnedFd, prefix: &[u8], depth: u32) -> Result<()> {
        if depth > DEEPEST {
            return Err(std::io::Error::from_raw_os_error(libc::ELOOP));
        }
        let mut names: Vec<CString> = Vec::new();
        let mut listed = Dir::read_from(directory)?;
        while let Some(entry) = listed.read() {
            names.push(entry?.file_name().to_owned());
        }
        names.retain(|name| !matches!(name.to_bytes(), b"." | b".."));
        // The same directory makes the same tar.
        names.sort();
        for name in names {
            let path = match prefix {
                b"" => name.to_bytes().to_vec(),
                prefix => [prefix, b"/", name.to_bytes()].concat(),
            };
            self.entry(directory, &name, &path, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, directory: &OwnedFd, name: &CStr, path: &[u8], depth: u32) -> Result<()> {
        let look = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = path::kind(&look);
        if kind == FileType::CharacterDevice && look.st_rdev == 0 && self.overlay != Overlay::None {
            return self.whiteout(path);
        }
        if kind != FileType::Directory && look.st_nlink > 1 {
            let known = self.first_names.get(&(look.st_dev, look.st_ino)).cloned();
            if let Some(first) = known {
                let mut header = header(&look, EntryType::Link);
                return self.tar.append_link(&mut header, of(path), of(&first));
            }
            self.first_names
                .insert((look.st_dev, look.st_ino), path.to_vec());
        }
        match kind {
            FileType::Directory | FileType::RegularFile => {
                // What took its place meanwhile is not waited for, and refused by its kind.
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let open = rustix::fs::openat(directory, name, flags, Mode::empty())?;
                let look = rustix::fs::fstat(&open)?;
                match path::kind(&look) {
                    FileType::Directory => self.directory(&open, &look, path, depth),
                    FileType::RegularFile => self.file(open, &look, path),
                    _ => Err(std::io::Error::from_raw_os_error(libc::ESTALE)),
                }
            }
            FileType::Symlink => {
                let text = rustix::fs::readlinkat(directory, name, Vec::new())?;
                let mut header = header(&look, EntryType::Symlink);
                self.tar
                    .append_link(&mut header, of(path), of(text.to_bytes()))
            }
            // A socket is nothing without whoever listens.
            FileType::Socket => Ok(()),
            kind => self.node(&look, kind, path),
        }
    }

    fn directory(&mut self, open: &OwnedFd, look: &Stat, path: &[u8], depth: u32) -> Result<()> {
        let is_opaque = self.attributes(open)?;
        let mut header = header(look, EntryType::Directory);
        self.tar
            .append_data(&mut header, of(&[path, b"/"].concat()), &[][..])?;
        if is_opaque {
            self.whiteout(&[path, b"/.wh..opq"].concat())?;
        }
        self.below(open, path, depth + 1)
    }

    fn file(&mut self, open: OwnedFd, look: &Stat, path: &[u8]) -> Result<()> {
        self.attributes(&open)?;
        let mut header = header(look, EntryType::Regular);
        let size = u64::try_from(look.st_size).unwrap_or_default();
        header.set_size(size);
        // A file that grows or shrinks meanwhile: as many bytes as were promised.
        let bytes = std::io::Read::chain(File::from(open), std::io::repeat(0));
        self.tar
            .append_data(&mut header, of(path), std::io::Read::take(bytes, size))
    }

    fn node(&mut self, look: &Stat, kind: FileType, path: &[u8]) -> Result<()> {
        let entry = match kind {
            FileType::CharacterDevice => EntryType::Char,
            FileType::BlockDevice => EntryType::Block,
            _ => EntryType::Fifo,
        };
        let mut header = header(look, entry);
        header.set_device_major(major(look.st_rdev))?;
        header.set_device_minor(minor(look.st_rdev))?;
        self.tar.append_data(&mut header, of(path), &[][..])
    }

    /// A name that this layer hides; image-spec's layer.md, "Whiteouts".
    fn whiteout(&mut self, path: &[u8]) -> Result<()> {
        let cut = path
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or(0, |cut| cut + 1);
        let (parent, name) = path.split_at(cut);
        let mut header = plain(0);
        let path = [parent, b".wh.", name].concat();
        self.tar.append_data(&mut header, of(&path), &[][..])
    }

    /// The attributes as a PAX record before the entry. Whether overlay is told that nothing shines through.
    fn attributes(&mut self, open: &OwnedFd) -> Result<bool> {
        let mut names = vec![0; LONGEST];
        let length = match flistxattr(open, names.as_mut_slice()) {
            Err(rustix::io::Errno::NOTSUP) => return Ok(false),
            length => length?,
        };
        let (mut is_opaque, mut kept) = (false, Vec::new());
        for name in names
            .get(..length)
            .unwrap_or_default()
            .split(|byte| *byte == 0)
        {
            let Some(name) = std::str::from_utf8(name)
                .ok()
                .filter(|name| !name.is_empty())
            else {
                continue;
            };
            let mut value = vec![0; LONGEST];
            let length = fgetxattr(open, name, value.as_mut_slice())?;
            value.truncate(length);
            let own = match self.overlay {
                Overlay::Trusted => "trusted.overlay.",
                Overlay::User => "user.overlay.",
                Overlay::None => "",
            };
            if !own.is_empty() && name.starts_with(own) {
                is_opaque |= name.ends_with(".opaque") && value == b"y";
            } else if KEPT.iter().any(|begin| name.starts_with(begin)) {
                kept.push((format!("SCHILY.xattr.{name}"), value));
            }
        }
        if !kept.is_empty() {
            let records = kept
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_slice()));
            self.tar.append_pax_extensions(records)?;
        }
        Ok(is_opaque)
    }
}

fn of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// The header of a file that is nobody's in particular, of this size.
pub(crate) fn plain(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header
}

fn header(look: &Stat, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(look.st_mode & 0o7777);
    header.set_uid(look.st_uid.into());
    header.set_gid(look.st_gid.into());
    header.set_mtime(u64::try_from(look.st_mtime).unwrap_or_default());
    header.set_size(0);
    header
}
