//! Names of syscalls, and their numbers on every architecture.
//!
//! The table is `syscalls.tbl`, which `conformance/syscall-table` writes from the kernel's own tables. It
//! is read by the compiler of this program, so the program holds 24 KB of numbers and no text to parse.
//! A profile has some 400 names, at each start of a container: they are found by a hash that is made there too.

use super::arch::{ARM_PRIVATE, Arch, COLUMNS, IPC_CALLS, SOCKET_CALLS};

const TEXT: &[u8] = include_bytes!("syscalls.tbl");

/// How many names there are, and how many bytes in all of them.
const SIZE: (usize, usize) = measure(TEXT);

static TABLE: Table<{ SIZE.0 }, { SIZE.1 }> = read(TEXT);

/// Twice as many as there are names, so that rarely more than two are looked at.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 10;

/// Where a name stands in the table: at its hash, or in one of the slots behind, before one that is free.
static SLOT: [u16; SLOTS] = slots(&TABLE);

/// Through what each name can be called besides.
static THROUGH: [Option<Through>; SIZE.0] = throughs(&TABLE);

/// There is no such syscall on this architecture; or a slot is free.
const NONE: u16 = u16::MAX;

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

/// One syscall that is many, and the first argument that says which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Through {
    /// socketcall(2)
    Socketcall(u8),
    /// ipc(2)
    Ipc(u8),
}

/// A known name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name(usize);

impl Name {
    /// The syscall of this name, if any architecture has it.
    pub(super) fn find(name: &str) -> Option<Name> {
        let mut slot = hash(name.as_bytes(), (0, name.len()));
        loop {
            let known = match SLOT[slot] {
                NONE => return None,
                at => Name(usize::from(at)),
            };
            if known.bytes() == name.as_bytes() {
                return Some(known);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// The syscall through which it can be called too on this architecture, and the first argument that says so.
    pub(super) fn multiplexed(self, arch: Arch) -> Option<(u32, u64)> {
        let (socketcall, ipc) = arch.multiplexed?;
        Some(match THROUGH[self.0]? {
            Through::Socketcall(call) => (socketcall, u64::from(call)),
            Through::Ipc(call) => (ipc, u64::from(call)),
        })
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
        let (start, end) = place(&TABLE, self.0);
        &TABLE.names[start..end]
    }

    /// Every name, in the order of the table.
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

/// Where a name begins and ends.
const fn place<const N: usize, const BYTES: usize>(
    table: &Table<N, BYTES>,
    at: usize,
) -> (usize, usize) {
    let start = if at == 0 { 0 } else { table.ends[at - 1] };
    (start as usize, table.ends[at] as usize)
}

/// The slot of the name that stands there.
const fn hash(text: &[u8], (mut at, end): (usize, usize)) -> usize {
    let mut hash = 0u32;
    while at < end {
        // Knuth's factor, the golden ratio of 32 bits: the upper bits depend on every byte.
        hash = (hash.rotate_left(5) ^ text[at] as u32).wrapping_mul(0x9e37_79b1);
        at += 1;
    }
    (hash >> (u32::BITS - SLOT_BITS)) as usize
}

/// Every name in its slot, or in the next that is free.
const fn slots<const N: usize, const BYTES: usize>(table: &Table<N, BYTES>) -> [u16; SLOTS] {
    assert!(N * 15 / 8 < SLOTS, "there are slots enough");
    let mut slots = [NONE; SLOTS];
    let mut line = 0;
    while line < N {
        let mut slot = hash(&table.names, place(table, line));
        while slots[slot] != NONE {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] = small(line as u64);
        line += 1;
    }
    slots
}

/// The multiplexed ones among all names.
const fn throughs<const N: usize, const BYTES: usize>(
    table: &Table<N, BYTES>,
) -> [Option<Through>; N] {
    let mut throughs = [None; N];
    let mut line = 0;
    while line < N {
        let here = place(table, line);
        throughs[line] = match (
            call(&SOCKET_CALLS, table, here),
            call(&IPC_CALLS, table, here),
        ) {
            (Some(number), _) => Some(Through::Socketcall(number)),
            (None, Some(number)) => Some(Through::Ipc(number)),
            (None, None) => None,
        };
        line += 1;
    }
    throughs
}

/// The number of the call whose name stands there.
const fn call<const N: usize, const BYTES: usize>(
    list: &[(&str, u8)],
    table: &Table<N, BYTES>,
    (start, end): (usize, usize),
) -> Option<u8> {
    let mut at = 0;
    while at < list.len() {
        let name = list[at].0.as_bytes();
        let mut same = 0;
        while start + same < end && same < name.len() && table.names[start + same] == name[same] {
            same += 1;
        }
        if start + same == end && same == name.len() {
            return Some(list[at].1);
        }
        at += 1;
    }
    None
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
