//! HOME from the container's own passwd(5), read with a fixed buffer: the file is hostile, so its size
//! and its lines are bounded (CVE-2026-47262), and only numbers are compared (CVE-2016-3697).

use crate::linux::held::Held;
use crate::plan::Plan;
use crate::plan::process::Home;
use crate::sys::{file, path};
use rustix::fs::{FileType, OFlags};
use std::os::fd::{AsFd, OwnedFd};

/// Bytes of the file that are read at most.
const MOST: usize = 1 << 20;

/// Longest line that is understood.
const LINE: usize = 4096;

/// Fills the blank of the environment. A missing or odd file leaves `HOME=/`.
pub fn fill(p: &Plan, h: &mut Held, root: &OwnedFd) {
    if p.process.home == Home::Given {
        return;
    }
    let Ok(file) = path::open_file(
        root.as_fd(),
        c"etc/passwd",
        OFlags::RDONLY | OFlags::NONBLOCK,
    ) else {
        return;
    };
    if !path::look(&file).is_ok_and(|stat| path::kind(&stat) == FileType::RegularFile) {
        return;
    }
    let mut lines = Lines {
        file,
        buffer: [0; LINE],
        filled: 0,
        total: 0,
    };
    while let Some(line) = lines.next() {
        if let Some(home) = home_of(line.bytes(), p.user.uid) {
            h.envp.fill(&[b"HOME=", home]);
            return;
        }
    }
}

/// The sixth field of a line whose third is this id.
fn home_of(line: &[u8], uid: u32) -> Option<&[u8]> {
    let mut fields = line.split(|byte| *byte == b':');
    let id = fields.nth(2)?;
    let home = fields.nth(2)?;
    let number = std::str::from_utf8(id).ok()?.parse::<u32>().ok()?;
    (number == uid && home.first() == Some(&b'/')).then_some(home)
}

struct Lines {
    file: OwnedFd,
    buffer: [u8; LINE],
    filled: usize,
    total: usize,
}

struct Line {
    bytes: [u8; LINE],
    length: usize,
}

impl Line {
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Lines {
    /// The next line without its end; one that is too long ends the reading.
    fn next(&mut self) -> Option<Line> {
        loop {
            let ready = self.buffer.get(..self.filled)?;
            if let Some(end) = ready.iter().position(|byte| *byte == b'\n') {
                let line = Line {
                    bytes: self.buffer,
                    length: end,
                };
                self.buffer.copy_within(end + 1..self.filled, 0);
                self.filled -= end + 1;
                return Some(line);
            }
            if self.total >= MOST {
                return None;
            }
            let space = self
                .buffer
                .get_mut(self.filled..)
                .filter(|space| !space.is_empty())?;
            match file::read_once(&self.file, space) {
                Ok(0) | Err(_) => return self.rest(),
                Ok(count) => {
                    self.filled += count;
                    self.total += count;
                }
            }
        }
    }

    /// A last line without an end mark.
    fn rest(&mut self) -> Option<Line> {
        let length = std::mem::take(&mut self.filled);
        (length > 0).then_some(Line {
            bytes: self.buffer,
            length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::home_of;

    #[test]
    fn only_numbers_are_compared() {
        assert_eq!(
            home_of(b"ana:x:1000:1000::/home/ana:/bin/sh", 1000),
            Some(&b"/home/ana"[..])
        );
        assert_eq!(
            home_of(b"1000:x:0:0::/root:/bin/sh", 1000),
            None,
            "a user named 1000 is not user 1000"
        );
        assert_eq!(home_of(b"ana:x:1000:1000::relative:/bin/sh", 1000), None);
        assert_eq!(home_of(b"ana:x:1000", 1000), None);
        assert_eq!(home_of(b"", 0), None);
    }
}
