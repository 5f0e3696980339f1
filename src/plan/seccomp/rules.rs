//! What a profile says of every syscall number: the rules, sorted out, before any instruction.
//!
//! The specification leaves open what several rules for one syscall mean together. Here, as with
//! libseccomp behind runc and crun:
//!
//! - a rule whose action is the default action says nothing, and is left out;
//! - a rule without conditions beats all that have some, wherever it stands; of two, the first holds;
//! - of rules with conditions, the first whose conditions all hold decides;
//! - conditions of one rule must all hold, unless two of them are about the same argument: then it is
//!   enough that any one of the rule's conditions holds (so runc and crun keep old profiles working);
//! - on architectures of 32 bits the lower half of a value is compared;
//! - where socketcall(2) or ipc(2) exist, a rule for `socket` is also one for `socketcall` with a first
//!   argument of 1. The true arguments are then in memory, out of a filter's reach: a condition about the
//!   first argument is dropped there, and others look at the multiplexer's own arguments.

use super::arch::{Arch, Width};
use super::names::Name;
use oci_spec::runtime::{LinuxSeccompArg, LinuxSeccompOperator as Op};

/// A rule, for one or several syscalls.
#[derive(Clone, Debug)]
pub(super) struct Rule<'a> {
    pub names: &'a [String],
    /// What the filter returns.
    pub verdict: u32,
    pub conditions: Vec<Condition>,
}

/// One comparison with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// 0 to 5.
    pub index: u8,
    pub op: Op,
    /// The mask of a masked comparison, all bits otherwise.
    pub mask: u64,
    pub value: u64,
}

/// All of these hold → this verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub conditions: Vec<Condition>,
    pub width: Width,
    pub verdict: u32,
}

/// What happens to a syscall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The same whatever its arguments.
    Always(u32),
    /// The first case that holds, or else the default; indices into [`Sorted::cases`].
    Depends(Vec<usize>),
}

/// A syscall in a case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    number: u32,
    /// An index into [`Sorted::cases`].
    case: usize,
}

/// The rules of one architecture.
#[derive(Debug)]
pub(super) struct Sorted {
    pub cases: Vec<Case>,
    /// In order of the numbers.
    pub syscalls: Vec<(u32, Outcome)>,
    /// The highest number that some rule names, whether or not it says anything; private ones do not count.
    pub highest: Option<u32>,
}

impl Condition {
    pub(super) fn new(arg: &LinuxSeccompArg, index: u8) -> Condition {
        match arg.op() {
            Op::ScmpCmpMaskedEq => Condition {
                index,
                op: arg.op(),
                mask: arg.value(),
                value: arg.value_two().unwrap_or(0) & arg.value(),
            },
            op => Condition {
                index,
                op,
                mask: u64::MAX,
                value: arg.value(),
            },
        }
    }

    /// Whether it holds for every value.
    fn says_nothing(&self, width: Width) -> bool {
        let mask = match width {
            Width::Half => self.mask & u64::from(u32::MAX),
            Width::Whole => self.mask,
        };
        self.op == Op::ScmpCmpMaskedEq && mask == 0
    }
}

/// Every way in which this rule can be met.
pub(super) fn ways(conditions: &[Condition]) -> Vec<Vec<Condition>> {
    let mut seen = [false; 256];
    let twice = conditions
        .iter()
        .any(|one| std::mem::replace(&mut seen[usize::from(one.index)], true));
    match twice {
        true => conditions.iter().map(|one| vec![*one]).collect(),
        false => vec![conditions.to_vec()],
    }
}

/// Sorts the rules out for one architecture. `names` are those of `rules`, found, in the same order.
pub(super) fn sort(rules: &[Rule<'_>], names: &[Option<Name>], default: u32, arch: Arch) -> Sorted {
    let mut sorted = Sorted {
        cases: Vec::new(),
        syscalls: Vec::new(),
        highest: None,
    };
    let mut uses: Vec<Use> = Vec::with_capacity(names.len());
    let mut known = names;
    for rule in rules {
        let first = sorted.cases.len();
        sorted.cases.extend(cases(rule, arch.width));
        let direct = first..sorted.cases.len();
        let these;
        (these, known) = known.split_at_checked(rule.names.len()).unwrap_or_default();
        for name in these.iter().flatten() {
            let number = name.number(arch);
            let through = name.multiplexed(arch);
            let public = number.filter(|number| !arch.is_private(*number));
            sorted.highest = sorted
                .highest
                .max(public)
                .max(through.map(|(number, _)| number));
            if rule.verdict == default {
                continue;
            }
            if let Some(number) = number {
                uses.extend(direct.clone().map(|case| Use { number, case }));
            }
            if let Some((number, call)) = through {
                let begin = sorted.cases.len();
                sorted.cases.extend(called(rule, call, arch.width));
                uses.extend((begin..sorted.cases.len()).map(|case| Use { number, case }));
            }
        }
    }
    uses.sort_unstable();
    uses.dedup();
    sorted.syscalls.reserve(uses.len());
    for same in uses.chunk_by(|one, other| one.number == other.number) {
        let outcome = outcome(&sorted.cases, same);
        let number = same.first().map(|one| one.number);
        sorted
            .syscalls
            .extend(number.map(|number| (number, outcome)));
    }
    sorted
}

/// A rule's cases where its syscalls have numbers of their own.
fn cases(rule: &Rule<'_>, width: Width) -> impl Iterator<Item = Case> {
    let verdict = rule.verdict;
    ways(&rule.conditions)
        .into_iter()
        .map(move |mut conditions| {
            conditions.retain(|one| !one.says_nothing(width));
            Case {
                conditions,
                width,
                verdict,
            }
        })
}

/// The same through a multiplexer, for which the first argument is the number of the call.
fn called(rule: &Rule<'_>, call: u64, width: Width) -> impl Iterator<Item = Case> {
    let number = Condition {
        index: 0,
        op: Op::ScmpCmpEq,
        mask: u64::MAX,
        value: call,
    };
    cases(rule, width).map(move |mut case| {
        case.conditions.retain(|one| one.index != 0);
        case.conditions.insert(0, number);
        case
    })
}

fn outcome(cases: &[Case], uses: &[Use]) -> Outcome {
    let mut always = uses.iter().filter_map(|one| cases.get(one.case));
    match always.find(|case| case.conditions.is_empty()) {
        Some(case) => Outcome::Always(case.verdict),
        None => Outcome::Depends(uses.iter().map(|one| one.case).collect()),
    }
}
