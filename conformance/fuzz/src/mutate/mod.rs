//! From input to other input, by numbers: JSON by what could stand there or as any tree, or bytes whatever they
//! mean.

/// Single bytes, runs of them, and pieces of other input.
pub mod bytes;

/// Members, elements and values of JSON.
pub mod json;

/// A few values of a whole document.
pub mod gently;

/// Words that mean something to orbital, and values at the edge of a type.
pub mod words;

use crate::random::Random;

/// `input` changed in a few places; as JSON where it is some, most of the time.
#[must_use]
pub fn config(input: &[u8], others: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let none = Vec::new();
    let other = random.of_these(others).unwrap_or(&none);
    if random.one_in(4) {
        return bytes::change(input, other, random);
    }
    match json::change(input, other, random) {
        // Some of it is then no JSON any more, or such as no tree would be written: names twice, odd spaces.
        Some(changed) if random.one_in(8) => bytes::change(&changed, other, random),
        Some(changed) => changed,
        None => bytes::change(input, other, random),
    }
}
