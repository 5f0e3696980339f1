//! The twelve bytes that cross between the processes of a birth.
//!
//! Parent and child share the plan, so the child need only say which step, which call in it, which
//! item of the plan's list, and the errno; whoever owns the plan and the JSON can print the rest.

use super::step::Step;
use crate::sys::{Call, Fault};

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Gate A, to the child: the maps are written.
    Mapped = 1,
    /// Gate B, from the child: the mounts are made.
    Mounted = 2,
    /// Gate C, to the child: the runtime's hooks have run.
    Go = 3,
    /// Gate D, from the child: nothing is left but to be started.
    Ready = 4,
    /// The answer to gate D, to the child: the record is on disk.
    Remembered = 5,
    /// Gate E, to the child: start.
    Start = 6,
    /// From the child, instead of any gate: a step failed.
    Failed = 7,
    /// From the child, with `--debug`: a step passed.
    Passed = 8,
    /// From a helper: the pid of the child it made.
    Born = 9,
    /// From the child: its seccomp filter has a listener, the descriptor of this number.
    Listening = 10,
    /// The answer to `Listening`, to the child: the agent has it.
    Taken = 11,
    /// The other answer to `Listening`, to the child: send it.
    Hand = 12,
    /// From the child: a socket of its new network namespace is beside it.
    Network = 13,
}

/// Item of a step that has no list.
pub const NO_ITEM: u16 = u16::MAX;

/// One record; 12 bytes on the wire, in the machine's own byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it says.
    pub kind: Kind,
    /// A step's number, or 0.
    pub step: u8,
    /// A call's number.
    pub call: u8,
    /// Index in the step's list of the plan, or [`NO_ITEM`].
    pub item: u16,
    /// Index within the item (a mount's option), or [`NO_ITEM`].
    pub part: u16,
    /// An errno; for `Born` a pid, for `Listening` a descriptor's number.
    pub errno: i32,
}

impl Record {
    /// A record that only says that a gate is reached.
    #[must_use]
    pub const fn gate(kind: Kind) -> Record {
        Record {
            kind,
            step: 0,
            call: 0,
            item: NO_ITEM,
            part: NO_ITEM,
            errno: 0,
        }
    }

    /// The bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 12] {
        let [i0, i1] = self.item.to_ne_bytes();
        let [p0, p1] = self.part.to_ne_bytes();
        let [e0, e1, e2, e3] = self.errno.to_ne_bytes();
        [
            self.kind as u8,
            self.step,
            self.call,
            0,
            i0,
            i1,
            p0,
            p1,
            e0,
            e1,
            e2,
            e3,
        ]
    }

    /// The record in these bytes; `None` where they are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Record> {
        let [kind, step, call, _, i0, i1, p0, p1, e0, e1, e2, e3] =
            *<&[u8; 12]>::try_from(bytes).ok()?;
        let kind = match kind {
            1 => Kind::Mapped,
            2 => Kind::Mounted,
            3 => Kind::Go,
            4 => Kind::Ready,
            5 => Kind::Remembered,
            6 => Kind::Start,
            7 => Kind::Failed,
            8 => Kind::Passed,
            9 => Kind::Born,
            10 => Kind::Listening,
            11 => Kind::Taken,
            12 => Kind::Hand,
            13 => Kind::Network,
            _ => return None,
        };
        let (item, part) = (u16::from_ne_bytes([i0, i1]), u16::from_ne_bytes([p0, p1]));
        Some(Record {
            kind,
            step,
            call,
            item,
            part,
            errno: i32::from_ne_bytes([e0, e1, e2, e3]),
        })
    }
}

/// What a function of the child returns when it could not: which item, and the kernel's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miss {
    /// Index in the step's list of the plan, or [`NO_ITEM`].
    pub item: u16,
    /// Index within the item, or [`NO_ITEM`].
    pub part: u16,
    /// The kernel's answer.
    pub fault: Fault,
}

impl From<Fault> for Miss {
    fn from(fault: Fault) -> Miss {
        Miss {
            item: NO_ITEM,
            part: NO_ITEM,
            fault,
        }
    }
}

/// Names the item on the way up.
pub trait Of<T> {
    /// The failure is about item `index` of the step's list.
    fn of(self, index: usize) -> Result<T, Miss>;

    /// The failure is about part `part` of an item that the caller will name.
    fn part(self, part: u16) -> Result<T, Miss>;
}

impl<T, E: Into<Miss>> Of<T> for Result<T, E> {
    fn of(self, index: usize) -> Result<T, Miss> {
        self.map_err(|miss| Miss {
            item: u16::try_from(index).unwrap_or(NO_ITEM),
            ..miss.into()
        })
    }

    fn part(self, part: u16) -> Result<T, Miss> {
        self.map_err(|miss| Miss {
            part,
            ..miss.into()
        })
    }
}

/// A failed step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The step.
    pub step: Step,
    /// What went wrong in it.
    pub miss: Miss,
}

impl From<Failure> for Record {
    fn from(failure: Failure) -> Record {
        let Failure { step, miss } = failure;
        let (call, errno) = (miss.fault.call as u8, miss.fault.errno);
        Record {
            kind: Kind::Failed,
            step: step.number(),
            call,
            item: miss.item,
            part: miss.part,
            errno,
        }
    }
}

impl Failure {
    /// The failure in a record of kind `Failed`; `None` where its step does not exist.
    #[must_use]
    pub fn from_record(record: &Record) -> Option<Failure> {
        let step = Step::from_number(record.step)?;
        let fault = Fault {
            call: Call::from_number(record.call),
            errno: record.errno,
        };
        Some(Failure {
            step,
            miss: Miss {
                item: record.item,
                part: record.part,
                fault,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_survives_the_wire() {
        let fault = Fault {
            call: Call::MoveMount,
            errno: libc::EINVAL,
        };
        let failure = Failure {
            step: Step::Mount,
            miss: Miss {
                item: 3,
                part: 2,
                fault,
            },
        };
        let record = Record::from_bytes(&Record::from(failure).to_bytes());
        assert_eq!(record.and_then(|r| Failure::from_record(&r)), Some(failure));
    }

    #[test]
    fn other_bytes_are_no_record() {
        for bytes in [&[][..], &[1; 11], &[1; 13], &[0; 12], &[200; 12]] {
            assert_eq!(Record::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
