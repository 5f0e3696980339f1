//! Where the data of a sparse file belong; between them are holes.

use super::number::number;
use super::{Archive, BLOCK, wrong};
use ::tar::{GnuExtSparseHeader, GnuSparseHeader, Header};
use std::io::{Read, Result};

/// Most pieces of one file.
const MOST: usize = 1 << 20;

/// A file with holes.
#[derive(Debug)]
pub(in crate::engine::unpack) struct Sparse {
    /// How long the file is, holes and all.
    pub(in crate::engine::unpack) real: u64,
    /// Offset and length of each piece, in order.
    pub(in crate::engine::unpack) pieces: Vec<(u64, u64)>,
}

impl Sparse {
    /// The pieces are in order, inside the file, and as many bytes as there are.
    pub(super) fn check(&self, stored: u64) -> Result<()> {
        let (mut end, mut sum) = (0_u64, 0_u64);
        for (offset, length) in &self.pieces {
            let next = offset.checked_add(*length);
            if *offset < end || next.is_none_or(|next| next > self.real) {
                return Err(wrong(
                    "the pieces of a sparse file lie over each other, or outside of it",
                ));
            }
            end = next.unwrap_or_default();
            sum += length;
        }
        if sum != stored || self.real > i64::MAX as u64 {
            return Err(wrong(
                "the pieces of a sparse file are not as long as its data",
            ));
        }
        Ok(())
    }
}

/// Pairs of offset and length.
pub(super) fn pairs(numbers: &[u64]) -> Result<Vec<(u64, u64)>> {
    let (pairs, rest) = numbers.as_chunks::<2>();
    if rest.is_empty() && pairs.len() <= MOST {
        return Ok(pairs
            .iter()
            .map(|[offset, length]| (*offset, *length))
            .collect());
    }
    Err(wrong("a sparse file's map is broken"))
}

/// GNU's own: four pieces in the header, then blocks of 21 more.
pub(super) fn gnu(header: &Header, input: &mut impl Read) -> Result<Sparse> {
    let gnu = header
        .as_gnu()
        .ok_or_else(|| wrong("a sparse file has no GNU header"))?;
    let mut pieces = Vec::new();
    take(&gnu.sparse, &mut pieces)?;
    let mut more = gnu.is_extended();
    while more {
        let mut block = GnuExtSparseHeader::new();
        input.read_exact(block.as_mut_bytes())?;
        take(block.sparse(), &mut pieces)?;
        more = block.is_extended();
        if pieces.len() > MOST {
            return Err(wrong("a sparse file has too many pieces"));
        }
    }
    Ok(Sparse {
        real: gnu.real_size()?,
        pieces,
    })
}

fn take(from: &[GnuSparseHeader], pieces: &mut Vec<(u64, u64)>) -> Result<()> {
    for piece in from.iter().filter(|piece| !piece.is_empty()) {
        pieces.push((piece.offset()?, piece.length()?));
    }
    Ok(())
}

/// Version 1.0: lines of numbers before the data, filled up to whole blocks.
pub(super) fn map_of_data(data: &mut Archive<impl Read>) -> Result<Vec<(u64, u64)>> {
    let mut text = Vec::new();
    let mut numbers = Vec::new();
    let mut wanted = None;
    while wanted.is_none_or(|wanted| numbers.len() < wanted) {
        let mut block = [0; BLOCK];
        data.read_exact(&mut block)
            .map_err(|_| wrong("a sparse file's map is broken"))?;
        text.extend_from_slice(&block);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            let line = number(line.get(..end).unwrap_or_default())
                .ok_or_else(|| wrong("a sparse file's map is broken"))?;
            match wanted {
                None if line > MOST as u64 => {
                    return Err(wrong("a sparse file has too many pieces"));
                }
                None => wanted = Some(usize::try_from(line).unwrap_or_default() * 2),
                Some(wanted) if numbers.len() < wanted => numbers.push(line),
                Some(_) => break,
            }
        }
        if text.len() > 64 && numbers.len() < wanted.unwrap_or(1) {
            return Err(wrong("a sparse file's map is broken"));
        }
    }
    pairs(&numbers)
}
