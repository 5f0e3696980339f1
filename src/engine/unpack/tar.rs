//! The archive's entries, one after the other: ustar, PAX and GNU headers, long names, sparse files.
//!
//! The fields of a header are read by the crate `tar`; sizes, names and their bounds are decided here.

/// Decimal numbers.
mod number;

/// Extended headers: `length key=value`.
mod pax;

/// Where the data of a sparse file belong.
mod sparse;

pub(super) use sparse::Sparse;

use ::tar::{EntryType, Header};
use pax::Pax;
use std::io::{Error, Read, Result};

const BLOCK: usize = 512;

/// Longest name or link text: linux/limits.h, PATH_MAX.
const LONGEST_NAME: u64 = 4096;

/// Longest extended header. One attribute has at most 64 KiB.
const LONGEST_PAX: u64 = 1 << 20;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    HardLink,
    Symlink,
    Character,
    Block,
    Directory,
    Fifo,
}

/// One entry, its data still to be read.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// As it is written.
    pub(super) path: Vec<u8>,
    /// A link's target, as it is written.
    pub(super) link: Vec<u8>,
    /// Permissions, with set-id and sticky bits.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Seconds since 1970, and nanoseconds.
    pub(super) mtime: (i64, u32),
    pub(super) device: (u32, u32),
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: Option<Sparse>,
}

/// The archive.
pub(super) struct Archive<R> {
    input: R,
    /// What is left of the current entry's data.
    left: u64,
    /// Zeros after them.
    padding: u64,
    global: Pax,
}

pub(super) fn wrong(why: impl Into<String>) -> Error {
    Error::other(why.into())
}

impl<R: Read> Archive<R> {
    pub(super) fn new(input: R) -> Archive<R> {
        Archive {
            input,
            left: 0,
            padding: 0,
            global: Pax::default(),
        }
    }

    /// The stream, for what follows the archive's end.
    pub(super) fn into_inner(self) -> R {
        self.input
    }

    /// The next entry, or nothing at the archive's end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>> {
        let mut pax = Pax::default();
        let (mut long_name, mut long_link) = (None, None);
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let stored = header
                .entry_size()
                .map_err(|_| wrong("a header has no size"))?;
            match header.entry_type() {
                EntryType::GNULongName => long_name = Some(self.text(stored)?),
                EntryType::GNULongLink => long_link = Some(self.text(stored)?),
                EntryType::XHeader => pax = Pax::read(&self.small(stored, LONGEST_PAX)?)?,
                EntryType::XGlobalHeader => {
                    let more = Pax::read(&self.small(stored, LONGEST_PAX)?)?;
                    self.global = std::mem::take(&mut self.global).with(more);
                }
                _ => {
                    let pax = self.global.clone().with(pax);
                    return self
                        .entry(&header, stored, pax, long_name, long_link)
                        .map(Some);
                }
            }
        }
    }

    fn entry(
        &mut self,
        header: &Header,
        stored: u64,
        mut pax: Pax,
        long_name: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
    ) -> Result<Entry> {
        let field = |what: &str| wrong(format!("a header has no {what} that could be read"));
        let mut path = long_name.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = long_link.or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
        let Some(kind) = kind(header.entry_type(), &path) else {
            let letter = char::from(header.entry_type().as_byte());
            let name = String::from_utf8_lossy(&path).into_owned();
            return Err(wrong(format!(
                "{name:?} is an entry of a kind that no layer has ({letter:?})"
            )));
        };
        // Only a file's data follow it; links of some archives repeat the size of what they name.
        self.begin(if kind == Kind::File {
            pax.size.unwrap_or(stored)
        } else {
            0
        })?;
        let sparse = self.sparse(header, kind, &mut pax)?;
        path = pax.path.unwrap_or(path);
        let id = |value: u64, what: &str| u32::try_from(value).map_err(|_| field(what));
        let device = match kind {
            Kind::Character | Kind::Block => device(header).map_err(|_| field("device"))?,
            _ => (0, 0),
        };
        Ok(Entry {
            kind,
            path,
            link: pax.link.or(link).unwrap_or_default(),
            mode: header.mode().map_err(|_| field("mode"))? & 0o7777,
            uid: id(
                pax.uid
                    .map_or_else(|| header.uid(), Ok)
                    .map_err(|_| field("owner"))?,
                "owner",
            )?,
            gid: id(
                pax.gid
                    .map_or_else(|| header.gid(), Ok)
                    .map_err(|_| field("group"))?,
                "group",
            )?,
            mtime: pax.mtime.unwrap_or_else(|| (seconds(header), 0)),
            device,
            xattrs: pax.xattrs,
            sparse,
        })
    }

    /// Where the data of a sparse file belong: what the headers say, or what stands in front of the data.
    fn sparse(&mut self, header: &Header, kind: Kind, pax: &mut Pax) -> Result<Option<Sparse>> {
        let sparse = if header.entry_type() == EntryType::GNUSparse {
            sparse::gnu(header, &mut self.input)?
        } else if kind == Kind::File && pax.is_sparse() {
            pax.sparse(self)?
        } else {
            return Ok(None);
        };
        sparse.check(self.left)?;
        Ok(Some(sparse))
    }

    /// The next header with a right sum; nothing at two blocks of zeros or at the stream's end.
    fn header(&mut self) -> Result<Option<Header>> {
        for _ in 0..2 {
            let mut block = [0; BLOCK];
            if !self.fill(&mut block)? {
                return Ok(None);
            }
            if block.iter().any(|byte| *byte != 0) {
                let header = Header::from_byte_slice(&block).clone();
                return check_sum(&header).map(|()| Some(header));
            }
        }
        Ok(None)
    }

    /// Fills a block; false at the stream's end.
    fn fill(&mut self, block: &mut [u8]) -> Result<bool> {
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest)? {
                0 if filled == 0 => return Ok(false),
                0 => return Err(wrong("the archive ends in the middle of a header")),
                count => filled += count,
            }
        }
        Ok(true)
    }

    fn begin(&mut self, size: u64) -> Result<()> {
        if size > i64::MAX as u64 {
            return Err(wrong(format!("an entry says that it has {size} bytes")));
        }
        self.left = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        Ok(())
    }

    /// What nobody has read of the last entry.
    fn skip(&mut self) -> Result<()> {
        let rest = std::mem::take(&mut self.left) + std::mem::take(&mut self.padding);
        let skipped = std::io::copy(&mut (&mut self.input).take(rest), &mut std::io::sink())?;
        if skipped < rest { Err(ends()) } else { Ok(()) }
    }

    /// All of a small entry's data.
    fn small(&mut self, size: u64, most: u64) -> Result<Vec<u8>> {
        if size > most {
            return Err(wrong(format!(
                "a header of the archive has {size} bytes; {most} are the most"
            )));
        }
        self.begin(size)?;
        let mut data = Vec::new();
        self.read_to_end(&mut data)?;
        Ok(data)
    }

    fn text(&mut self, size: u64) -> Result<Vec<u8>> {
        let mut text = self.small(size, LONGEST_NAME + 1)?;
        while text.last() == Some(&0) {
            text.pop();
        }
        Ok(text)
    }
}

/// The current entry's data.
impl<R: Read> Read for Archive<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(part) = buffer.get_mut(..most).filter(|part| !part.is_empty()) else {
            return Ok(0);
        };
        let count = self.input.read(part)?;
        if count == 0 {
            return Err(ends());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

fn ends() -> Error {
    wrong("the archive ends in the middle of an entry")
}

fn kind(kind: EntryType, path: &[u8]) -> Option<Kind> {
    Some(match kind {
        // Before POSIX a directory was a file whose name ends in a slash.
        EntryType::Regular if path.ends_with(b"/") => Kind::Directory,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File,
        EntryType::Link => Kind::HardLink,
        EntryType::Symlink => Kind::Symlink,
        EntryType::Char => Kind::Character,
        EntryType::Block => Kind::Block,
        EntryType::Directory => Kind::Directory,
        EntryType::Fifo => Kind::Fifo,
        _ => return None,
    })
}

/// A device's major and minor number.
fn device(header: &Header) -> Result<(u32, u32)> {
    let numbers = (header.device_major()?, header.device_minor()?);
    Ok((numbers.0.unwrap_or_default(), numbers.1.unwrap_or_default()))
}

/// GNU writes years before 1970 as a negative number in base 256.
fn seconds(header: &Header) -> i64 {
    let field = &header.as_old().mtime;
    if field.first() == Some(&0xff) {
        let last: [u8; 8] = field
            .get(4..)
            .and_then(|last| last.try_into().ok())
            .unwrap_or_default();
        return i64::from_be_bytes(last);
    }
    header
        .mtime()
        .ok()
        .and_then(|time| i64::try_from(time).ok())
        .unwrap_or_default()
}

/// The sum of the header's bytes, its own field counted as spaces; old archives count the bytes with a sign.
fn check_sum(header: &Header) -> Result<()> {
    let field = 148..156;
    let bytes = header.as_bytes().iter().enumerate();
    let (mut plain, mut signed) = (0_i64, 0_i64);
    for (at, byte) in bytes {
        let byte = if field.contains(&at) { b' ' } else { *byte };
        plain += i64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    match header.cksum().map(i64::from) {
        Ok(sum) if sum == plain || sum == signed => Ok(()),
        _ => Err(wrong("it is no tar archive: a header's sum is wrong")),
    }
}
