//! A path on the stack: what a walk has before it, without a heap.

use super::{Call, Fault};
use std::ffi::CStr;

/// Longest path, with its end mark; limits.h, PATH_MAX.
pub(super) const LONGEST: usize = 4096;

/// A path on the stack, always with its end mark.
#[derive(Debug)]
pub struct Text {
    pub(super) bytes: [u8; LONGEST],
    pub(super) length: usize,
}

impl Text {
    pub(super) fn new(from: &[u8]) -> Result<Text, Fault> {
        let mut text = Text::default();
        text.push(from)?;
        Ok(text)
    }

    pub(super) fn push(&mut self, more: &[u8]) -> Result<(), Fault> {
        let end = self.length + more.len();
        match self.bytes.get_mut(self.length..end) {
            Some(place) if end < LONGEST => place.copy_from_slice(more),
            _ => {
                return Err(Fault {
                    call: Call::Openat2,
                    errno: libc::ENAMETOOLONG,
                });
            }
        }
        self.length = end;
        if let Some(mark) = self.bytes.get_mut(end) {
            *mark = 0;
        }
        Ok(())
    }

    /// Appends a number in decimal digits.
    pub(super) fn push_number(&mut self, number: u32) -> Result<(), Fault> {
        let mut divisor = 1_000_000_000;
        let mut begun = false;
        while divisor > 0 {
            let digit = (number / divisor % 10).to_le_bytes()[0];
            begun |= digit != 0 || divisor == 1;
            if begun {
                self.push(&[b'0' + digit])?;
            }
            divisor /= 10;
        }
        Ok(())
    }

    pub(super) fn cut(&mut self, length: usize) {
        self.length = length.min(self.length);
        if let Some(mark) = self.bytes.get_mut(self.length) {
            *mark = 0;
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The whole of it.
    #[must_use]
    pub fn as_c(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }

    /// Takes the first component off the front; `None` when only slashes are left.
    pub(super) fn take_first(&mut self) -> Option<Text> {
        let start = self.as_bytes().iter().position(|b| *b != b'/')?;
        let rest = self.as_bytes().get(start..)?;
        let end = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
        let first = Text::new(rest.get(..end)?).ok()?;
        self.bytes.copy_within(start + end..self.length, 0);
        self.cut(self.length - start - end);
        Some(first)
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.as_bytes().iter().all(|b| *b == b'/')
    }
}

impl Default for Text {
    fn default() -> Text {
        Text {
            bytes: [0; LONGEST],
            length: 0,
        }
    }
}
