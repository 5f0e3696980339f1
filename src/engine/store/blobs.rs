//! Documents, and downloads on their way: hashed as they grow, and kept when they are cut, to be resumed.

use super::Store;
use crate::engine::digest::{Digest, Hasher};
use crate::engine::image::Descriptor;
use crate::error::{Cause, Error, Object, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// A blob on its way into the store.
#[derive(Debug)]
pub struct Partial {
    file: File,
    path: PathBuf,
    hasher: Hasher,
    length: u64,
    wanted: Descriptor,
}

impl Store {
    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.root().join("blobs/sha256").join(digest.hex())
    }

    /// Whether the document is here.
    #[must_use]
    pub fn has_document(&self, digest: &Digest) -> bool {
        self.blob(digest).exists()
    }

    /// Keeps a manifest or a config.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        super::replace(&self.blob(&digest), bytes, 0o600)?;
        Ok(digest)
    }

    /// Begins a download, or goes on with one that was cut. The caller holds the blob's lock.
    ///
    /// # Errors
    /// A file that cannot be opened or read.
    pub fn begin(&self, wanted: &Descriptor) -> Result<Partial> {
        let path = self.blob(&wanted.digest).with_added_extension("part");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = file.map_err(|error| Error::io("begin a download", &path, "openat", &error))?;
        let mut partial = Partial {
            file,
            path,
            hasher: Hasher::default(),
            length: 0,
            wanted: wanted.clone(),
        };
        partial.read_back()?;
        if partial.length > wanted.size {
            partial.restart()?;
        }
        Ok(partial)
    }
}

impl Partial {
    /// How many bytes are there.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What it will be.
    #[must_use]
    pub fn wanted(&self) -> &Descriptor {
        &self.wanted
    }

    fn read_back(&mut self) -> Result<()> {
        let mut buffer = vec![0; 1 << 20];
        loop {
            let count = self
                .file
                .read(&mut buffer)
                .map_err(|error| self.failed("read", &error))?;
            if count == 0 {
                return Ok(());
            }
            self.hasher.update(buffer.get(..count).unwrap_or_default());
            self.length += count as u64;
        }
    }

    fn failed(&self, call: &'static str, error: &std::io::Error) -> Error {
        Error::io(
            format!("store blob {}", self.wanted.digest.short()),
            &self.path,
            call,
            error,
        )
    }

    /// Throws away what is there.
    ///
    /// # Errors
    /// A file that cannot be cut.
    pub fn restart(&mut self) -> Result<()> {
        self.hasher = Hasher::default();
        self.length = 0;
        let cut = self
            .file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)));
        cut.map(|_| ())
            .map_err(|error| self.failed("ftruncate", &error))
    }

    /// More bytes.
    ///
    /// # Errors
    /// More than there may be; a full disk.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.length += bytes.len() as u64;
        if self.length > self.wanted.size {
            let why = format!(
                "more than the {} bytes come that its manifest says",
                self.wanted.size
            );
            return Err(self.broken(why));
        }
        self.hasher.update(bytes);
        self.file
            .write_all(bytes)
            .map_err(|error| self.failed("write", &error))
    }

    /// All is there: the blob, open for reading, if it is what it must be. What is not is thrown away.
    ///
    /// # Errors
    /// Another size or digest.
    pub fn finish(mut self) -> Result<File> {
        let digest = std::mem::take(&mut self.hasher).finish();
        if self.length != self.wanted.size {
            let why = format!(
                "{} bytes came of the {} that its manifest says",
                self.length, self.wanted.size
            );
            return Err(self.broken(why));
        }
        if digest != self.wanted.digest {
            return Err(self.broken(format!("what came hashes to {digest}")));
        }
        self.file
            .seek(SeekFrom::Start(0))
            .map_err(|error| self.failed("lseek", &error))?;
        Ok(self.file)
    }

    fn broken(&self, why: String) -> Error {
        // What cannot be removed will be compared again, ignored.
        let _ = fs::remove_file(&self.path);
        Error::new(
            "verify a blob",
            Object::Argument(self.wanted.digest.to_string()),
            Cause::Answer(why),
        )
    }

    /// Removes a download that has been made use of.
    pub(super) fn path_of(store: &Store, digest: &Digest) -> PathBuf {
        store.blob(digest).with_added_extension("part")
    }
}
