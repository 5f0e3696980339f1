//! From a byte of the text to the JSON pointer of the value around it.
//!
//! serde says line and column; a reader wants `/process/user/uid`. The text is known to be JSON by
//! then, so this scanner checks nothing: it keeps a stack of the open objects and lists, and stops at
//! the byte asked for.

use crate::error::Pointer;

/// An open object or list.
enum Open {
    /// The member that we are in, from its name on; none right after `{` and `,`.
    Object(Option<String>),
    /// The element that we are in.
    List(usize),
}

/// The byte at a line and column, both from 1; the last one where the text is shorter.
#[must_use]
pub fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let ends = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1);
    let start = std::iter::once(0)
        .chain(ends)
        .nth(line.saturating_sub(1))
        .unwrap_or(text.len());
    (start + column.saturating_sub(1)).min(text.len().saturating_sub(1))
}

/// The pointer of the innermost value that holds the byte at `offset`; a name, and the colon after it,
/// count as part of the value. The document's own pointer is empty.
#[must_use]
pub fn around(text: &[u8], offset: usize) -> Pointer {
    let mut walk = Walk::of(text);
    while walk.at <= offset && walk.step().is_some() {}
    walk.place()
}

/// The lists of the document that stand no deeper than `deepest` parts of a pointer, in order; one pass.
pub fn lists(text: &[u8], deepest: usize) -> impl Iterator<Item = Pointer> {
    let mut walk = Walk::of(text);
    std::iter::from_fn(move || {
        loop {
            let begins = walk.text.get(walk.at) == Some(&b'[') && walk.is_shallow(deepest);
            let place = begins.then(|| walk.place());
            walk.step()?;
            if place.is_some() {
                return place;
            }
        }
    })
}

/// Where a walk through the text is.
struct Walk<'t> {
    text: &'t [u8],
    at: usize,
    stack: Vec<Open>,
    /// How many are open beyond [`DEEPEST`]: nobody reads those, and their depth has no end.
    deeper: usize,
}

/// As deep as serde reads.
const DEEPEST: usize = 128;

impl Walk<'_> {
    fn of(text: &[u8]) -> Walk<'_> {
        Walk {
            text,
            at: 0,
            stack: Vec::new(),
            deeper: 0,
        }
    }

    /// Goes on by one byte, or by one string, and returns its first byte; `None` at the end.
    fn step(&mut self) -> Option<u8> {
        let start = self.at;
        let byte = *self.text.get(start)?;
        self.at = match byte {
            b'"' => end_of_string(self.text, start),
            _ => start + 1,
        };
        match (byte, self.deeper) {
            (b'{' | b'[', deeper) if self.stack.len() == DEEPEST => self.deeper = deeper + 1,
            (b'}' | b']', deeper @ 1..) => self.deeper = deeper - 1,
            (_, 0) => {
                let token = self.text.get(start..self.at).unwrap_or_default();
                enter(&mut self.stack, byte, token);
            }
            _ => {}
        }
        Some(byte)
    }

    fn is_shallow(&self, deepest: usize) -> bool {
        self.stack.len() <= deepest && self.deeper == 0
    }

    fn place(&self) -> Pointer {
        path(&self.stack)
    }
}

fn enter(stack: &mut Vec<Open>, byte: u8, token: &[u8]) {
    match (byte, stack.last_mut()) {
        (b'{', _) => stack.push(Open::Object(None)),
        (b'[', _) => stack.push(Open::List(0)),
        (b'}' | b']', _) => drop(stack.pop()),
        (b'"', Some(Open::Object(member @ None))) => *member = serde_json::from_slice(token).ok(),
        (b',', Some(Open::Object(member))) => *member = None,
        (b',', Some(Open::List(index))) => *index += 1,
        _ => {}
    }
}

/// One past the closing quote.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn path(stack: &[Open]) -> Pointer {
    stack
        .iter()
        .fold(Pointer::default(), |pointer, open| match open {
            Open::Object(Some(name)) => pointer.at(name),
            Open::Object(None) => pointer,
            Open::List(index) => pointer.at(index),
        })
}

#[cfg(test)]
mod tests;
