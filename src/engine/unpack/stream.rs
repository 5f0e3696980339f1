//! gzip, zstd or nothing, by the first bytes: what comes out is counted, bounded and hashed.

use crate::engine::digest::{Digest, Hasher};
use flate2::bufread::MultiGzDecoder;
use std::cell::Cell;
use std::io::{BufRead, BufReader, Error, Read, Result};
use std::rc::Rc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Bytes read at once.
const BLOCK: usize = 256 << 10;

/// The archive without its compression.
pub(super) struct Stream<'w> {
    inner: Box<dyn Read + 'w>,
    hashing: Hashing,
    out: u64,
    most: u64,
}

/// Hashes beside the decompression, which takes about as long: a thread, and blocks on their way to it.
struct Hashing {
    block: Vec<u8>,
    blocks: SyncSender<Vec<u8>>,
    thread: JoinHandle<Digest>,
}

/// How many blocks may wait.
const WAITING: usize = 4;

impl Hashing {
    fn begin() -> Result<Hashing> {
        let (blocks, arriving) = sync_channel::<Vec<u8>>(WAITING);
        let hash = move || {
            let mut hasher = Hasher::default();
            for block in arriving {
                hasher.update(&block);
            }
            hasher.finish()
        };
        Ok(Hashing {
            block: Vec::with_capacity(BLOCK),
            blocks,
            thread: Builder::new().spawn(hash)?,
        })
    }

    fn update(&mut self, bytes: &[u8]) -> Result<()> {
        self.block.extend_from_slice(bytes);
        if self.block.len() < BLOCK {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        self.blocks.send(full).map_err(|_| ended())
    }

    fn finish(self) -> Result<Digest> {
        self.blocks.send(self.block).map_err(|_| ended())?;
        drop(self.blocks);
        self.thread.join().map_err(|_| ended())
    }
}

fn ended() -> Error {
    Error::other("the thread that hashes has ended")
}

/// Counts what is read of the blob, and tells.
struct Counted<'w, R> {
    inner: R,
    read: Rc<Cell<u64>>,
    told: u64,
    tell: &'w mut dyn FnMut(u64),
}

/// Bytes between two words about progress.
const STEP: u64 = 1 << 20;

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.inner.read(buffer)?;
        let read = self.read.get() + count as u64;
        self.read.set(read);
        if read - self.told >= STEP || count == 0 {
            self.told = read;
            (self.tell)(read);
        }
        Ok(count)
    }
}

impl<'w> Stream<'w> {
    /// Of a blob, of which at most `most` bytes may come out.
    ///
    /// # Errors
    /// A blob that cannot be read, or is compressed in another way.
    pub(super) fn open(
        blob: impl Read + 'w,
        most: u64,
        tell: &'w mut dyn FnMut(u64),
    ) -> Result<Stream<'w>> {
        let counted = Counted {
            inner: blob,
            read: Rc::default(),
            told: 0,
            tell,
        };
        let mut blob = BufReader::with_capacity(BLOCK, counted);
        let first = blob.fill_buf()?;
        let inner: Box<dyn Read + 'w> = match first {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(blob)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                Box::new(zstd::stream::read::Decoder::with_buffer(blob)?)
            }
            [0xfd, b'7', b'z', b'X', b'Z', ..] => {
                return Err(Error::other(
                    "it is compressed by xz; gzip and zstd are what images have",
                ));
            }
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => {
                return Err(Error::other(
                    "it is compressed by bzip2; gzip and zstd are what images have",
                ));
            }
            _ => Box::new(blob),
        };
        Ok(Stream {
            inner,
            hashing: Hashing::begin()?,
            out: 0,
            most,
        })
    }

    /// Reads what is left, and returns the digest and the size of all.
    ///
    /// # Errors
    /// As reading.
    pub(super) fn finish(mut self) -> Result<(Digest, u64)> {
        let mut buffer = vec![0; BLOCK];
        while self.read(&mut buffer)? > 0 {}
        Ok((self.hashing.finish()?, self.out))
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hashing
            .update(buffer.get(..count).unwrap_or_default())?;
        self.out += count as u64;
        if self.out > self.most {
            return Err(Error::other(format!(
                "more than {} bytes come out of it, which is more than it may have (--max-unpacked raises it)",
                self.most
            )));
        }
        Ok(count)
    }
}
