//! Ranges and cases as a BPF program.
//!
//! ```text
//! load arch ─ equal? ─▶ load nr ─ not below the middle? ─▶ … ─▶ return
//!                │                                        └──▶ load argument ─ equal? ─▶ … ─▶ return
//!                └ equal? ─▶ … └ kill
//! ```
//!
//! Numbers are searched by halves, so that a profile of 400 syscalls costs nine comparisons and not 400.
//! Outcomes that depend on the same cases share their instructions.

use super::arch::{Order, Width};
use super::program::{Goal, IF_ABOVE, IF_EQUAL, IF_NOT_BELOW, Program};
use super::ranges::Group;
use super::rules::{Case, Condition, Outcome};
use super::verdict::BAD_ARCHITECTURE;
use oci_spec::runtime::LinuxSeccompOperator as Op;
use seccompiler::sock_filter as Insn;

/// `struct seccomp_data` of linux/seccomp.h.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// The program. Architectures are asked for in the order of the groups.
pub(super) fn compile(groups: &[Group], default: u32) -> Vec<Insn> {
    let mut program = Program::default();
    let entries: Vec<(u32, Goal)> = groups
        .iter()
        .rev()
        .map(|group| (group.audit, section(&mut program, group, default)))
        .collect();
    let mut next = Goal::Return(BAD_ARCHITECTURE);
    for (audit, entry) in entries {
        next = program.branch(IF_EQUAL, audit, entry, next);
    }
    let start = program.load(ARCHITECTURE, next);
    program.finish(start)
}

/// One architecture.
fn section(program: &mut Program, group: &Group, default: u32) -> Goal {
    let mut shared: Vec<(&[usize], Goal)> = Vec::new();
    let mut goals: Vec<(u32, Goal)> = Vec::with_capacity(group.ranges.len());
    for (start, outcome) in &group.ranges {
        let goal = match outcome {
            Outcome::Always(verdict) => Goal::Return(*verdict),
            Outcome::Depends(cases) => match shared.iter().find(|(known, _)| known == cases) {
                Some((_, goal)) => *goal,
                None => {
                    let goal = depends(program, group, cases, default);
                    shared.push((cases, goal));
                    goal
                }
            },
        };
        goals.push((*start, goal));
    }
    match search(program, &goals) {
        // Whatever the number: it need not be loaded.
        Goal::Return(verdict) => Goal::Return(verdict),
        found => program.load(NUMBER, found),
    }
}

/// By halves.
fn search(program: &mut Program, ranges: &[(u32, Goal)]) -> Goal {
    let (below, rest) = ranges.split_at(ranges.len() / 2);
    match (below, rest) {
        ([], [.., (_, goal)]) => *goal,
        (below, [(start, _), ..]) => {
            let yes = search(program, rest);
            let no = search(program, below);
            program.branch(IF_NOT_BELOW, *start, yes, no)
        }
        (_, []) => Goal::Return(BAD_ARCHITECTURE),
    }
}

/// The first case that holds, or else the default.
fn depends(program: &mut Program, group: &Group, cases: &[usize], default: u32) -> Goal {
    let mut next = Goal::Return(default);
    for case in cases.iter().rev().filter_map(|case| group.cases.get(*case)) {
        next = one_case(program, group.order, case, next);
    }
    next
}

fn one_case(program: &mut Program, order: Order, case: &Case, otherwise: Goal) -> Goal {
    let mut goal = Goal::Return(case.verdict);
    for condition in case.conditions.iter().rev() {
        let offsets = offsets(condition, order);
        goal = match case.width {
            Width::Half => half(program, condition, offsets.0, goal, otherwise),
            Width::Whole => whole(program, condition, offsets, goal, otherwise),
        };
    }
    goal
}

/// Where the lower and the upper half of the argument are.
fn offsets(condition: &Condition, order: Order) -> (u32, u32) {
    let first = ARGUMENTS + 8 * u32::from(condition.index);
    match order {
        Order::Little => (first, first + 4),
        Order::Big => (first + 4, first),
    }
}

fn low(value: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    let low = value as u32;
    low
}

/// What a comparison comes down to: equal, above, not below; and whether its answer is turned round.
fn turned(op: Op, yes: Goal, no: Goal) -> (u16, Goal, Goal) {
    match op {
        Op::ScmpCmpEq | Op::ScmpCmpMaskedEq => (IF_EQUAL, yes, no),
        Op::ScmpCmpNe => (IF_EQUAL, no, yes),
        Op::ScmpCmpGt => (IF_ABOVE, yes, no),
        Op::ScmpCmpLe => (IF_ABOVE, no, yes),
        Op::ScmpCmpGe => (IF_NOT_BELOW, yes, no),
        Op::ScmpCmpLt => (IF_NOT_BELOW, no, yes),
    }
}

/// The lower 32 bits alone.
fn half(program: &mut Program, one: &Condition, offset: u32, yes: Goal, no: Goal) -> Goal {
    let (code, yes, no) = turned(one.op, yes, no);
    compared(program, (code, one.mask, one.value), offset, yes, no)
}

/// All 64 bits: the upper half decides, and the lower one where the upper halves are equal.
fn whole(program: &mut Program, one: &Condition, at: (u32, u32), yes: Goal, no: Goal) -> Goal {
    let (code, yes, no) = turned(one.op, yes, no);
    let lower = compared(program, (code, one.mask, one.value), at.0, yes, no);
    let (mask, value) = (one.mask >> 32, one.value >> 32);
    if code == IF_EQUAL {
        return compared(program, (code, mask, value), at.1, lower, no);
    }
    let equal = program.branch(IF_EQUAL, low(value), lower, no);
    let above = program.branch(IF_ABOVE, low(value), yes, equal);
    program.load(at.1, above)
}

/// Loads one half, masks it, compares it. A mask of nothing leaves nothing to compare.
fn compared(
    program: &mut Program,
    (code, mask, value): (u16, u64, u64),
    offset: u32,
    yes: Goal,
    no: Goal,
) -> Goal {
    if low(mask) == 0 {
        return yes;
    }
    let branch = program.branch(code, low(value), yes, no);
    let masked = program.and(low(mask), branch);
    program.load(offset, masked)
}
