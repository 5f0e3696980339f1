//! A program run without a kernel, and a profile read without a compiler: what both say must be the same.

use super::Insn;
use super::arch::{Arch, Order, Width};
use super::names::Name;
use super::program::{AND, IF_ABOVE, IF_EQUAL, IF_NOT_BELOW, JUMP, LOAD, RETURN};
use oci_spec::runtime::{
    Arch as Word, LinuxSeccomp, LinuxSeccompAction as Action, LinuxSeccompArg,
    LinuxSeccompOperator as Op, LinuxSyscall,
};

/// `struct seccomp_data` of linux/seccomp.h, without the instruction pointer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub audit: u32,
    pub number: u32,
    pub args: [u64; 6],
    pub order: Order,
}

impl Call {
    /// The word at this offset.
    fn word(&self, offset: u32) -> u32 {
        match offset {
            0 => self.number,
            4 => self.audit,
            16..64 => {
                let value = self.args[(offset as usize - 16) / 8];
                let second = offset & 4 != 0;
                let upper = second == (self.order == Order::Little);
                let half = if upper {
                    value >> 32
                } else {
                    value & 0xffff_ffff
                };
                u32::try_from(half).unwrap()
            }
            _ => panic!("a load from {offset}"),
        }
    }
}

/// What the program returns, and after how many instructions.
pub(super) fn run(program: &[Insn], call: &Call) -> (u32, usize) {
    let (mut at, mut loaded) = (0, 0);
    for steps in 1.. {
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
            RETURN => return (insn.k, steps),
            other => panic!("instruction {other:#x}"),
        }
    }
    unreachable!("BPF goes forwards only")
}

/// What the kernel checks when a filter is loaded: known instructions, jumps that stay inside, a return
/// at the end, and not too many.
pub(super) fn check(program: &[Insn]) {
    let all = program.len();
    assert!((1..=4096).contains(&all), "{all} instructions");
    assert_eq!(program[all - 1].code, RETURN);
    for (at, insn) in program.iter().enumerate() {
        let farthest = match insn.code {
            LOAD => {
                assert!(insn.k < 64 && insn.k & 3 == 0, "a load from {}", insn.k);
                0
            }
            RETURN => continue,
            AND => 0,
            JUMP => insn.k as usize,
            IF_EQUAL | IF_ABOVE | IF_NOT_BELOW => usize::from(insn.jt.max(insn.jf)),
            other => panic!("instruction {other:#x}"),
        };
        assert!(at + 1 + farthest < all, "{at} of {all} jumps {farthest}");
    }
}

/// What the profile says of a call, read rule by rule as the head of `rules` has it.
pub(super) fn naive(profile: &LinuxSeccomp, native: Word, call: &Call) -> u32 {
    let default = verdict(profile.default_action(), profile.default_errno_ret());
    let named = profile.architectures().iter().flatten().copied();
    let words: Vec<Word> = [native].into_iter().chain(named).collect();
    let x32 = call.number >= 0x4000_0000;
    let split = call.audit == 0xc000_003e;
    let found = words.iter().map(|word| Arch::of(*word, native));
    let found = found.filter(|arch| arch.audit == call.audit);
    let Some(arch) = found.clone().find(|arch| !split || (arch.bit != 0) == x32) else {
        // Neither does a tracer's -1 count as x32's.
        let skipped = call.number == u32::MAX && found.count() > 0;
        return if skipped { default } else { 0 };
    };
    if newer(profile, arch, call.number) {
        return 0x0005_0000 | 38;
    }
    let rules = profile.syscalls().as_deref().unwrap_or_default();
    let mut conditional = None;
    for rule in rules {
        let verdict = verdict(rule.action(), rule.errno_ret());
        for name in rule.names().iter().filter(|_| verdict != default) {
            match meets(rule, name, arch, call) {
                Met::Always => return verdict,
                Met::Now => conditional = conditional.or(Some(verdict)),
                Met::Not => {}
            }
        }
    }
    // Only now: a rule without conditions beats those before it.
    conditional.unwrap_or(default)
}

enum Met {
    Always,
    Now,
    Not,
}

fn meets(rule: &LinuxSyscall, name: &str, arch: Arch, call: &Call) -> Met {
    let args = rule.args().as_deref().unwrap_or_default();
    let twice = args.iter().any(|one| {
        args.iter()
            .filter(|other| other.index() == one.index())
            .count()
            > 1
    });
    let name = Name::find(name);
    let direct = name.and_then(|name| name.number(arch)) == Some(call.number);
    let through = name
        .and_then(|name| name.multiplexed(arch))
        .filter(|(number, _)| *number == call.number);
    if !direct && through.is_none() {
        return Met::Not;
    }
    if let (false, Some((_, first))) = (direct, through) {
        // Which call it is, and then the multiplexer's other arguments.
        let rest = |arg: &&LinuxSeccompArg| arg.index() == 0 || holds(arg, arch.width, call);
        let met = if twice {
            args.iter().any(|arg| rest(&arg))
        } else {
            args.iter().all(|arg| rest(&arg))
        };
        let this = low(call.args[0], arch.width) == first;
        return if this && met { Met::Now } else { Met::Not };
    }
    let always = |arg: &LinuxSeccompArg| {
        arg.op() == Op::ScmpCmpMaskedEq && low(arg.value(), arch.width) == 0
    };
    let holds = |arg: &LinuxSeccompArg| holds(arg, arch.width, call);
    match twice {
        true if args.iter().any(always) => Met::Always,
        true if args.iter().any(holds) => Met::Now,
        false if args.iter().all(always) => Met::Always,
        false if args.iter().all(holds) => Met::Now,
        _ => Met::Not,
    }
}

fn holds(arg: &LinuxSeccompArg, width: Width, call: &Call) -> bool {
    let given = low(call.args[arg.index()], width);
    let value = low(arg.value(), width);
    match arg.op() {
        Op::ScmpCmpNe => given != value,
        Op::ScmpCmpLt => given < value,
        Op::ScmpCmpLe => given <= value,
        Op::ScmpCmpEq => given == value,
        Op::ScmpCmpGe => given >= value,
        Op::ScmpCmpGt => given > value,
        Op::ScmpCmpMaskedEq => given & value == arg.value_two().unwrap_or(0) & value,
    }
}

fn low(value: u64, width: Width) -> u64 {
    match width {
        Width::Half => value & 0xffff_ffff,
        Width::Whole => value,
    }
}

/// Whether a number is higher than all that the profile names.
fn newer(profile: &LinuxSeccomp, arch: Arch, number: u32) -> bool {
    let lenient = [
        Action::ScmpActAllow,
        Action::ScmpActLog,
        Action::ScmpActTrace,
    ];
    let rules = profile.syscalls().iter().flatten();
    let numbers = rules.flat_map(|rule| rule.names()).filter_map(|name| {
        let name = Name::find(name)?;
        let own = name.number(arch);
        own.max(name.multiplexed(arch).map(|(number, _)| number))
    });
    let highest = numbers.filter(|number| !arch.is_private(*number)).max();
    let hidden = arch.name.starts_with("SCMP_ARCH_S390") && number == 0;
    !lenient.contains(&profile.default_action())
        && highest.is_some_and(|highest| (number > highest && !arch.is_private(number)) || hidden)
}

fn verdict(action: Action, number: Option<u32>) -> u32 {
    let number = number.unwrap_or(1);
    match action {
        Action::ScmpActKill | Action::ScmpActKillThread => 0,
        Action::ScmpActKillProcess => 0x8000_0000,
        Action::ScmpActTrap => 0x0003_0000,
        Action::ScmpActErrno => 0x0005_0000 | number,
        Action::ScmpActNotify => 0x7fc0_0000,
        Action::ScmpActTrace => 0x7ff0_0000 | number,
        Action::ScmpActLog => 0x7ffc_0000,
        Action::ScmpActAllow => 0x7fff_0000,
    }
}
