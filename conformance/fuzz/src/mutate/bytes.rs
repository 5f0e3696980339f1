//! Single bytes, runs of them, and pieces of other input.

use super::words::PIECES;
use crate::random::Random;

/// The longest that input may grow.
const LONGEST: usize = 1 << 16;

/// `input` with up to eight changes, and at most [`LONGEST`] bytes.
#[must_use]
pub fn change(input: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut changed = input.to_vec();
    for _ in 0..=random.below(8) {
        once(&mut changed, other, random);
    }
    changed.truncate(LONGEST);
    changed
}

fn once(text: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(text.len() + 1);
    match random.below(8) {
        0 => {
            let bit = 1u8 << random.below(8);
            if let Some(byte) = text.get_mut(at) {
                *byte ^= bit;
            }
        }
        1 => {
            let any = random.number().to_le_bytes()[0];
            if let Some(byte) = text.get_mut(at) {
                *byte = any;
            }
        }
        2 => drop(text.splice(at..at, [random.number().to_le_bytes()[0]])),
        3 => drop(text.drain(part(text.len(), at, 16, random))),
        4 => text.truncate(at),
        5 => {
            // A name twice, most often.
            let twice = text
                .get(part(text.len(), at, 64, random))
                .unwrap_or_default()
                .to_vec();
            text.splice(at..at, twice);
        }
        6 => {
            let from = random.below(other.len() + 1);
            let piece = other
                .get(part(other.len(), from, 64, random))
                .unwrap_or_default();
            text.splice(at..at, piece.iter().copied());
        }
        _ => {
            let piece = random.of_these(PIECES).copied().unwrap_or_default();
            text.splice(at..at, piece.bytes());
        }
    }
}

/// At most `longest` bytes from `at` on, of `length`.
fn part(length: usize, at: usize, longest: usize, random: &mut Random) -> std::ops::Range<usize> {
    at..length.min(at + random.below(longest) + 1).max(at)
}
