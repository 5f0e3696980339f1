//! Extended headers, pax(1): records of `length key=value`, and a newline each.

use super::number::number;
use super::{Archive, Sparse, sparse, wrong};
use std::io::{Read, Result};

/// What extended headers say of the next entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) mtime: Option<(i64, u32)>,
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    name: Option<Vec<u8>>,
    real: Option<u64>,
    major: Option<u64>,
    pieces: Vec<u64>,
}

/// Attributes as star, GNU tar and Go write them.
const XATTR: &[u8] = b"SCHILY.xattr.";

impl Pax {
    /// Reads the records.
    pub(super) fn read(mut data: &[u8]) -> Result<Pax> {
        let mut pax = Pax::default();
        while !data.is_empty() {
            let broken = || wrong("an extended header is broken");
            let space = data
                .iter()
                .position(|byte| *byte == b' ')
                .ok_or_else(broken)?;
            let length = number(data.get(..space).unwrap_or_default()).ok_or_else(broken)?;
            let length = usize::try_from(length).map_err(|_| broken())?;
            let record = data.get(space + 1..length).ok_or_else(broken)?;
            let record = record.strip_suffix(b"\n").ok_or_else(broken)?;
            let equals = record
                .iter()
                .position(|byte| *byte == b'=')
                .ok_or_else(broken)?;
            let (key, value) = (
                record.get(..equals).unwrap_or_default(),
                record.get(equals + 1..).unwrap_or_default(),
            );
            pax.take(key, value)?;
            data = data.get(length..).unwrap_or_default();
        }
        Ok(pax)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let own = || value.to_vec();
        let count = || {
            let key = String::from_utf8_lossy(key);
            number(value)
                .ok_or_else(|| wrong(format!("an extended header has a {key} that is no number")))
        };
        match key {
            // A NUL would end the name for the kernel, and not for whoever checks it.
            b"path" | b"linkpath" | b"GNU.sparse.name" if value.contains(&0) => {
                return Err(wrong("an extended header has a name with a zero byte"));
            }
            b"path" => self.path = Some(own()),
            b"linkpath" => self.link = Some(own()),
            b"size" => self.size = Some(count()?),
            b"uid" => self.uid = Some(count()?),
            b"gid" => self.gid = Some(count()?),
            b"mtime" => self.mtime = time(value),
            b"GNU.sparse.name" => self.name = Some(own()),
            b"GNU.sparse.realsize" | b"GNU.sparse.size" => self.real = Some(count()?),
            b"GNU.sparse.major" => self.major = Some(count()?),
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => self.pieces.push(count()?),
            b"GNU.sparse.map" => {
                let pieces = value.split(|byte| *byte == b',').map(number);
                self.pieces = pieces
                    .collect::<Option<_>>()
                    .ok_or_else(|| wrong("a sparse file's map is broken"))?;
            }
            _ => {
                if let Some(name) = key.strip_prefix(XATTR) {
                    self.xattrs.push((name.to_vec(), own()));
                }
            }
        }
        Ok(())
    }

    /// This one, and over it a later one.
    pub(super) fn with(self, later: Pax) -> Pax {
        Pax {
            path: later.path.or(self.path),
            link: later.link.or(self.link),
            size: later.size.or(self.size),
            uid: later.uid.or(self.uid),
            gid: later.gid.or(self.gid),
            mtime: later.mtime.or(self.mtime),
            xattrs: self.xattrs.into_iter().chain(later.xattrs).collect(),
            name: later.name.or(self.name),
            real: later.real.or(self.real),
            major: later.major.or(self.major),
            pieces: if later.pieces.is_empty() {
                self.pieces
            } else {
                later.pieces
            },
        }
    }

    /// Whether the data are in pieces.
    pub(super) fn is_sparse(&self) -> bool {
        self.major.is_some() || !self.pieces.is_empty()
    }

    /// Where they belong: in the header, or, since version 1.0, in front of the data.
    pub(super) fn sparse(&mut self, data: &mut Archive<impl Read>) -> Result<Sparse> {
        if let Some(name) = self.name.take() {
            self.path = Some(name);
        }
        let real = self
            .real
            .ok_or_else(|| wrong("a sparse file has no size"))?;
        let pieces = match self.major {
            Some(1) => sparse::map_of_data(data)?,
            _ => sparse::pairs(&self.pieces)?,
        };
        Ok(Sparse { real, pieces })
    }
}

/// `seconds[.fraction]`, maybe negative.
fn time(text: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nanoseconds: u32 = digits.parse().ok()?;
    // -1.5 is half a second before -1.
    if text.starts_with('-') && nanoseconds > 0 {
        return Some((seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds));
    }
    Some((seconds, nanoseconds))
}
