//! Names of syscalls, and their numbers on every architecture.
//!
//! The table is `syscalls.tbl`, which `conformance/syscall-table` writes from the kernel's own tables. It
//! is read by the compiler of this program, so the program holds 24 KB of numbers and no text to parse.

use super::arch::{Arch, COLUMNS};

const TEXT: &[u8] = include_bytes!("syscalls.tbl");

/// How many names there are, and how many bytes in all of them.
const SIZE: (usize, usize) = measure(TEXT);

static TABLE: Table<{ SIZE.0 }, { SIZE.1 }> = read(TEXT);

/// Where the names that begin with a letter begin, by the letter's byte.
static FIRST: [u16; 129] = first_letters(&TABLE);

/// There is no such syscall on this architecture.
const NONE: u16 = u16::MAX;

/// arm's private syscalls (asm/unistd.h, `__ARM_NR_BASE`), which need more than 16 bits.
pub(super) const ARM_PRIVATE: u32 = 0x000f_0000;

/// They stand in the table with this in their upper half.
const ARM_PRIVATE_HERE: u16 = 0xff00;

struct Table<const N: usize, const BYTES: usize> {
    /// All names, one behind the other.
    names: [u8; BYTES],
    /// Where each of them ends.
    ends: [u16; N],
    /// Their numbers, in the order of `Arch::column`.
    numbers: [[u16; COLUMNS]; N],
}

/// A known name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name(usize);

impl Name {
    /// The syscall of this name, if any architecture has it.
    pub(super) fn find(name: &str) -> Option<Name> {
        // Only among those with its first letter: it halves the number of comparisons.
        let letter = usize::from(*name.as_bytes().first()?);
        let mut low = usize::from(*FIRST.get(letter)?);
        let mut high = usize::from(*FIRST.get(letter + 1)?);
        while low < high {
            let middle = usize::midpoint(low, high);
            match Name(middle).bytes().cmp(name.as_bytes()) {
                std::cmp::Ordering::Equal => return Some(Name(middle)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Its number on this architecture, as the kernel shows it to a filter.
    pub(super) fn number(self, arch: Arch) -> Option<u32> {
        let number = TABLE.numbers[self.0][arch.column];
        match number {
            NONE => None,
            _ if number >= ARM_PRIVATE_HERE => {
                Some(ARM_PRIVATE | u32::from(number - ARM_PRIVATE_HERE))
            }
            _ => Some(u32::from(number) | arch.bit),
        }
    }

    fn bytes(self) -> &'static [u8] {
        let start = match self.0 {
            0 => 0,
            at => usize::from(TABLE.ends[at - 1]),
        };
        &TABLE.names[start..usize::from(TABLE.ends[self.0])]
    }

    /// Every name, in the order of the table.
    #[cfg(test)]
    pub(super) fn all() -> impl Iterator<Item = &'static str> {
        (0..SIZE.0).map(|at| std::str::from_utf8(Name(at).bytes()).unwrap_or_default())
    }
}

/// Lines that are not comments, and the bytes of their first words.
const fn measure(text: &[u8]) -> (usize, usize) {
    let (mut at, mut lines, mut bytes) = (0, 0, 0);
    while at < text.len() {
        if text[at] != b'#' {
            lines += 1;
            bytes += word(text, at) - at;
        }
        at = after_line(text, at);
    }
    (lines, bytes)
}

/// The text as a table.
const fn read<const N: usize, const BYTES: usize>(text: &[u8]) -> Table<N, BYTES> {
    let mut table = Table {
        names: [0; BYTES],
        ends: [0; N],
        numbers: [[NONE; COLUMNS]; N],
    };
    let (mut at, mut line, mut bytes) = (0, 0, 0);
    while at < text.len() {
        if text[at] == b'#' {
            at = after_line(text, at);
            continue;
        }
        let end = word(text, at);
        while at < end {
            table.names[bytes] = text[at];
            (at, bytes) = (at + 1, bytes + 1);
        }
        table.ends[line] = small(bytes as u64);
        let mut column = 0;
        while column < COLUMNS {
            table.numbers[line][column] = number(text, at + 1);
            at = word(text, at + 1);
            column += 1;
        }
        assert!(text[at] == b'\n', "as many numbers as architectures");
        (at, line) = (at + 1, line + 1);
    }
    table
}

/// How many names begin with a lower byte, for each byte of ASCII and the one after.
const fn first_letters<const N: usize, const BYTES: usize>(table: &Table<N, BYTES>) -> [u16; 129] {
    let mut first = [0; 129];
    let (mut letter, mut line, mut start) = (0, 0, 0);
    while letter < first.len() {
        while line < N && (table.names[start] as usize) < letter {
            start = table.ends[line] as usize;
            line += 1;
        }
        first[letter] = small(line as u64);
        letter += 1;
    }
    first
}

/// Where the word that begins at `at` ends.
const fn word(text: &[u8], mut at: usize) -> usize {
    while text[at] != b' ' && text[at] != b'\n' {
        at += 1;
    }
    at
}

/// Where the next line begins.
const fn after_line(text: &[u8], mut at: usize) -> usize {
    while text[at] != b'\n' {
        at += 1;
    }
    at + 1
}

/// The number that begins at `at`, or none for a dash.
const fn number(text: &[u8], mut at: usize) -> u16 {
    if text[at] == b'-' {
        return NONE;
    }
    let mut value = 0u64;
    while text[at] != b' ' && text[at] != b'\n' {
        assert!(text[at].is_ascii_digit(), "a number or a dash");
        value = value * 10 + (text[at] - b'0') as u64;
        at += 1;
    }
    let private = ARM_PRIVATE as u64;
    if value >= private {
        assert!(value < private + 0xff, "a private number of arm");
        return small(value - private + ARM_PRIVATE_HERE as u64);
    }
    assert!(value < ARM_PRIVATE_HERE as u64, "a number of 16 bits");
    small(value)
}

const fn small(value: u64) -> u16 {
    assert!(value < u16::MAX as u64, "it fits into 16 bits");
    #[expect(
        clippy::cast_possible_truncation,
        reason = "compared in the line above"
    )]
    let small = value as u16;
    small
}
