//! The numbers of one architecture as the kernel tells them apart, in ranges of equal outcome.
//!
//! A syscall that is newer than the profile gets ENOSYS rather than the default action, so that a C
//! library falls back to an older one instead of giving up; runc does the same. Newer is what has a
//! higher number than every syscall that the profile names for the architecture. A default action that
//! lets syscalls through needs none of this.

use super::arch::{ARM_PRIVATE, AUDIT_X86_64, Arch, Oddity, Order, X32_BIT};
use super::rules::{Case, Outcome, Sorted};
use super::verdict::{BAD_ARCHITECTURE, NO_SUCH_SYSCALL};

/// What happens to syscalls that no rule decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Otherwise {
    /// The default action.
    pub default: u32,
    /// What newer syscalls get.
    pub newer: Newer,
}

/// What newer syscalls get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Newer {
    Default,
    Enosys,
}

/// One architecture of linux/audit.h.
#[derive(Debug)]
pub(super) struct Group {
    pub audit: u32,
    pub order: Order,
    /// Where each range begins, ascending from 0; it ends where the next one begins.
    pub ranges: Vec<(u32, Outcome)>,
    /// The cases that outcomes depend on.
    pub cases: Vec<Case>,
}

/// All numbers of all architectures, in their order. x86_64 and x32 are one to the kernel.
pub(super) fn groups(sides: Vec<(Arch, Sorted)>, otherwise: Otherwise) -> Vec<Group> {
    let mut groups: Vec<Vec<(Arch, Sorted)>> = Vec::with_capacity(sides.len());
    for side in sides {
        match groups.iter_mut().find(|group| same(group, &side)) {
            Some(group) => group.push(side),
            None => groups.push(vec![side]),
        }
    }
    groups
        .into_iter()
        .filter_map(|sides| Some(group(sides.first()?.0, sides, otherwise)))
        .collect()
}

fn same(group: &[(Arch, Sorted)], side: &(Arch, Sorted)) -> bool {
    group.iter().any(|(arch, _)| arch.audit == side.0.audit)
}

fn group(arch: Arch, mut sides: Vec<(Arch, Sorted)>, otherwise: Otherwise) -> Group {
    sides.sort_by_key(|(arch, _)| arch.bit);
    let split = arch.audit == AUDIT_X86_64;
    let has = |bit: u32| sides.iter().any(|(arch, _)| arch.bit == bit);
    let (low, high) = (has(0), has(X32_BIT));
    let mut group = Group {
        audit: arch.audit,
        order: arch.order,
        ranges: Vec::new(),
        cases: Vec::new(),
    };
    if !low {
        group.push(0, Outcome::Always(BAD_ARCHITECTURE));
    }
    for (arch, sorted) in sides {
        group.lay(arch, sorted, otherwise);
    }
    if split && !high {
        group.push(X32_BIT, Outcome::Always(BAD_ARCHITECTURE));
        // A tracer skips a syscall by making it -1, which is no x32 number; seccomp(2).
        group.push(u32::MAX, Outcome::Always(otherwise.default));
    }
    group.ranges.dedup_by(|next, one| next.1 == one.1);
    group
}

impl Group {
    /// From here on, until the next; the later one holds where two begin at one number.
    fn push(&mut self, start: u32, outcome: Outcome) {
        match self.ranges.last_mut() {
            Some(last) if last.0 == start => last.1 = outcome,
            Some(last) if last.1 == outcome => {}
            _ => self.ranges.push((start, outcome)),
        }
    }

    /// The numbers of one architecture.
    fn lay(&mut self, arch: Arch, sorted: Sorted, otherwise: Otherwise) {
        let default = Outcome::Always(otherwise.default);
        let newest = match otherwise.newer {
            Newer::Default => None,
            Newer::Enosys => sorted.highest,
        };
        self.push(arch.bit, default.clone());
        if let (Some(_), Oddity::Hidden) = (newest, arch.oddity) {
            self.push(0, Outcome::Always(NO_SUCH_SYSCALL));
            self.push(1, default.clone());
        }
        let offset = self.cases.len();
        self.cases.extend(sorted.cases);
        let (private, usual): (Vec<_>, Vec<_>) = sorted
            .syscalls
            .into_iter()
            .partition(|(number, _)| arch.is_private(*number));
        let mut end = arch.bit;
        for (number, outcome) in usual {
            if number > end {
                self.push(end, default.clone());
            }
            self.push(number, outcome.moved(offset));
            end = number + 1;
        }
        self.push(end, default.clone());
        if let Some(newest) = newest {
            self.push(newest + 1, Outcome::Always(NO_SUCH_SYSCALL));
        }
        if arch.oddity == Oddity::Private {
            self.push(ARM_PRIVATE, default.clone());
        }
        for (number, outcome) in private {
            self.push(number, outcome.moved(offset));
            self.push(number + 1, default.clone());
        }
    }
}

impl Outcome {
    fn moved(self, offset: usize) -> Outcome {
        match self {
            Outcome::Depends(cases) => {
                Outcome::Depends(cases.into_iter().map(|case| case + offset).collect())
            }
            always => always,
        }
    }
}
