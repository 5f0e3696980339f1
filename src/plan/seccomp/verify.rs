//! A program run without a kernel, and a profile read without a compiler: what both say must be the same.

use super::Insn;
use super::program::{AND, IF_ABOVE, IF_EQUAL, IF_NOT_BELOW, JUMP, LOAD, RETURN};

/// `struct seccomp_data` of linux/seccomp.h, without the instruction pointer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub audit: u32,
    pub number: u32,
    pub args: [u64; 6],
}

impl Call {
    /// The word at this offset, on a machine that stores the lower half first.
    fn word(&self, offset: u32) -> u32 {
        let of = |value: u64, upper: bool| (if upper { value >> 32 } else { value }) as u32;
        match offset {
            0 => self.number,
            4 => self.audit,
            16..64 => of(self.args[(offset as usize - 16) / 8], offset % 8 != 0),
            _ => panic!("a load from {offset}"),
        }
    }
}

/// What the program returns. Any instruction that the kernel would not take is a failure.
pub(super) fn run(program: &[Insn], call: &Call) -> u32 {
    let (mut at, mut loaded) = (0, 0);
    loop {
        let insn = &program[at];
        at += 1;
        let jump = |holds: bool| usize::from(if holds { insn.jt } else { insn.jf });
        match insn.code {
            LOAD => loaded = call.word(insn.k),
            AND => loaded &= insn.k,
            JUMP => at += insn.k as usize,
            IF_EQUAL => at += jump(loaded == insn.k),
            IF_ABOVE => at += jump(loaded > insn.k),
            IF_NOT_BELOW => at += jump(loaded >= insn.k),
            RETURN => return insn.k,
            other => panic!("instruction {other:#x}"),
        }
    }
}

/// What the kernel checks when a filter is loaded: known instructions, jumps that stay inside, a return
/// at the end, and not too many.
pub(super) fn check(program: &[Insn]) {
    assert!(
        (1..=4096).contains(&program.len()),
        "{} instructions",
        program.len()
    );
    assert_eq!(program.last().unwrap().code, RETURN);
    for (at, insn) in program.iter().enumerate() {
        let rest = program.len() - at - 1;
        let farthest = match insn.code {
            LOAD => {
                assert!(insn.k < 64 && insn.k % 4 == 0);
                0
            }
            AND | RETURN => 0,
            JUMP => insn.k as usize,
            IF_EQUAL | IF_ABOVE | IF_NOT_BELOW => usize::from(insn.jt.max(insn.jf)),
            other => panic!("instruction {other:#x}"),
        };
        assert!(
            farthest < rest || insn.code == RETURN,
            "{at} of {} jumps {farthest}",
            program.len()
        );
    }
}
