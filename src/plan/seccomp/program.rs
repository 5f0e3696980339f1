//! A BPF program, written from its end to its beginning.
//!
//! BPF jumps forwards only. Whoever writes backwards therefore knows every distance when a jump is
//! written. A conditional jump reaches 255 instructions: what is farther away is reached by way of an
//! unconditional one, or, where it is a return, by another copy of the return.

use seccompiler::sock_filter as Insn;

/// linux/bpf_common.h.
pub(super) const LOAD: u16 = 0x20;
pub(super) const AND: u16 = 0x54;
pub(super) const JUMP: u16 = 0x05;
pub(super) const IF_EQUAL: u16 = 0x15;
pub(super) const IF_ABOVE: u16 = 0x25;
pub(super) const IF_NOT_BELOW: u16 = 0x35;
pub(super) const RETURN: u16 = 0x06;

/// One less than a conditional jump reaches: its other way may still put an instruction in between.
const REACH: usize = 254;

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// The filter ends with this value.
    Return(u32),
    /// An instruction, counted from the end.
    At(usize),
}

/// What is written so far.
#[derive(Debug, Default)]
pub(super) struct Program {
    backwards: Vec<Insn>,
    /// Where the nearest return of each value is.
    returns: Vec<(u32, usize)>,
}

impl Program {
    /// Loads a word of `struct seccomp_data`, and goes on.
    pub(super) fn load(&mut self, offset: u32, then: Goal) -> Goal {
        self.ahead(LOAD, offset, then)
    }

    /// Leaves only these bits of what is loaded, and goes on.
    pub(super) fn and(&mut self, mask: u32, then: Goal) -> Goal {
        match mask {
            u32::MAX => then,
            _ => self.ahead(AND, mask, then),
        }
    }

    /// Goes one of two ways, as what is loaded compares with `value`.
    pub(super) fn branch(&mut self, code: u16, value: u32, yes: Goal, no: Goal) -> Goal {
        if yes == no {
            return yes;
        }
        let yes = self.near(yes);
        let no = self.near(no);
        let (jt, jf) = (self.distance(yes), self.distance(no));
        debug_assert!(jt <= REACH + 1 && jf <= REACH + 1);
        self.write(Insn {
            code,
            jt: u8::try_from(jt).unwrap_or(u8::MAX),
            jf: u8::try_from(jf).unwrap_or(u8::MAX),
            k: value,
        })
    }

    /// The program that begins at `start`, in order.
    pub(super) fn finish(mut self, start: Goal) -> Vec<Insn> {
        self.next(start);
        self.backwards.reverse();
        self.backwards
    }

    /// How many instructions there are.
    pub(super) fn len(&self) -> usize {
        self.backwards.len()
    }

    /// An instruction without jumps right before `then`.
    fn ahead(&mut self, code: u16, k: u32, then: Goal) -> Goal {
        self.next(then);
        self.write(Insn {
            code,
            jt: 0,
            jf: 0,
            k,
        })
    }

    /// Makes sure that what is written next goes on with `goal`.
    fn next(&mut self, goal: Goal) {
        match goal {
            Goal::At(place) if place + 1 == self.len() => {}
            Goal::At(place) => {
                self.jump(place);
            }
            Goal::Return(value) => {
                self.end(value);
            }
        }
    }

    /// A place within reach that leads to the goal.
    fn near(&mut self, goal: Goal) -> usize {
        match goal {
            Goal::At(place) if self.distance(place) <= REACH => place,
            Goal::At(place) => self.jump(place),
            Goal::Return(value) => {
                let known = self.returns.iter().find(|(known, _)| *known == value);
                match known.map(|(_, place)| *place) {
                    Some(place) if self.distance(place) <= REACH => place,
                    _ => self.end(value),
                }
            }
        }
    }

    fn jump(&mut self, place: usize) -> usize {
        let distance = u32::try_from(self.distance(place)).unwrap_or(u32::MAX);
        self.put(JUMP, distance)
    }

    fn end(&mut self, value: u32) -> usize {
        let place = self.put(RETURN, value);
        match self.returns.iter_mut().find(|(known, _)| *known == value) {
            Some(known) => known.1 = place,
            None => self.returns.push((value, place)),
        }
        place
    }

    fn put(&mut self, code: u16, k: u32) -> usize {
        self.backwards.push(Insn {
            code,
            jt: 0,
            jf: 0,
            k,
        });
        self.len() - 1
    }

    fn write(&mut self, insn: Insn) -> Goal {
        self.backwards.push(insn);
        Goal::At(self.len() - 1)
    }

    /// How many instructions the next one would have to skip.
    fn distance(&self, place: usize) -> usize {
        self.len() - 1 - place
    }
}
