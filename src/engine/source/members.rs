//! The files in a tar, by name, read where they lie. A tar that is compressed as a whole is refused: nothing
//! in it could be found without unpacking all of it.

use super::broken;
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tar::{Archive, EntryType};

/// Most files of an archive of images.
const MOST: usize = 100_000;

/// Where a file's bytes are, or which other it stands for.
#[derive(Debug)]
enum Member {
    At(u64, u64),
    Link(String),
}

/// A tar's files.
#[derive(Debug)]
pub(super) struct Members {
    path: PathBuf,
    all: BTreeMap<String, Member>,
}

impl Members {
    pub(super) fn open(path: &Path) -> Result<Members> {
        let io = |call, error: &std::io::Error| Error::io("read the image", path, call, error);
        let mut file = File::open(path).map_err(|error| io("openat", &error))?;
        let mut magic = [0; 4];
        let count = file.read(&mut magic).map_err(|error| io("read", &error))?;
        if matches!(
            magic.get(..count),
            Some(
                [0x1f, 0x8b, ..]
                    | [0x28, 0xb5, 0x2f, 0xfd]
                    | [b'B', b'Z', b'h', _]
                    | [0xfd, b'7', b'z', b'X']
            )
        ) {
            return Err(broken(path, "it is compressed as a whole").hint(format!(
                "unpack it first: gzip -d or zstd -d {}",
                path.display()
            )));
        }
        file.seek(SeekFrom::Start(0))
            .map_err(|error| io("lseek", &error))?;
        let mut all = BTreeMap::new();
        let mut archive = Archive::new(file);
        let told = |error: std::io::Error| broken(path, format!("it is no tar archive: {error}"));
        for entry in archive.entries_with_seek().map_err(told)? {
            let entry = entry.map_err(told)?;
            let name = clean(&String::from_utf8_lossy(&entry.path_bytes()));
            let member = match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous => {
                    Member::At(entry.raw_file_position(), entry.size())
                }
                EntryType::Symlink | EntryType::Link => {
                    let target = entry.link_name_bytes().unwrap_or_default();
                    Member::Link(beside(
                        &name,
                        &String::from_utf8_lossy(&target),
                        entry.header().entry_type(),
                    ))
                }
                _ => continue,
            };
            all.insert(name, member);
            if all.len() > MOST {
                return Err(broken(path, format!("it has more than {MOST} files")));
            }
        }
        Ok(Members {
            path: path.to_owned(),
            all,
        })
    }

    /// Where this file's bytes are.
    fn find(&self, name: &str) -> Result<(u64, u64)> {
        let mut name = clean(name);
        for _ in 0..8 {
            match self.all.get(&name) {
                Some(Member::At(from, size)) => return Ok((*from, *size)),
                Some(Member::Link(target)) => target.clone_into(&mut name),
                None => break,
            }
        }
        Err(broken(&self.path, format!("there is no {name} in it")))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    /// A file's size, and its bytes to be read.
    pub(super) fn read(&self, name: &str) -> Result<(u64, impl Read + use<>)> {
        let (from, size) = self.find(name)?;
        let io =
            |call, error: &std::io::Error| Error::io("read the image", &self.path, call, error);
        let mut file = File::open(&self.path).map_err(|error| io("openat", &error))?;
        file.seek(SeekFrom::Start(from))
            .map_err(|error| io("lseek", &error))?;
        Ok((size, file.take(size)))
    }
}

/// A name without `./`, `..` and double slashes: only to be looked up in the map.
fn clean(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What a link means: a symbolic one is relative to its folder, a hard one to the archive.
fn beside(name: &str, target: &str, kind: EntryType) -> String {
    match name.rsplit_once('/') {
        Some((folder, _)) if kind == EntryType::Symlink && !target.starts_with('/') => {
            clean(&format!("{folder}/{target}"))
        }
        _ => clean(target),
    }
}
