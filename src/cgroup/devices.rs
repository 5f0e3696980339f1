//! The device filter: rules compiled to eBPF, loaded and attached to the group.
//!
//! The kernel asks the program for each open and mknod of a device, with a set of accesses. Each
//! access is decided by itself, by the last rule that names the device and it, as the device list
//! of cgroup v1 did; the program answers 1 only if all are allowed. What no rule names is denied.

use super::{Cgroup, in_first_user_namespace};
use crate::error::{Cause, Error, Object, Result};
use crate::plan::cgroup::{DeviceKind, DeviceRule, Verdict};
use crate::sys::bpf::{self, Insn};
use crate::sys::proc::Proc;
use crate::sys::{Call, Fault};
use std::os::fd::AsFd;

#[cfg(test)]
mod tests;

/// Every access: mknod, read, write.
const ALL: u8 = 7;

/// Loads the filter and attaches it. No rules, no filter. In a user namespace, where nobody may load
/// one and the mknod of a device is forbidden anyway, it is left out.
///
/// # Errors
/// As bpf(2).
pub fn attach(cgroup: &Cgroup, rules: &[DeviceRule], proc: &Proc) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let attached = bpf::load_device_filter(&compile(rules))
        .and_then(|program| bpf::attach_device_filter(cgroup.dir.as_fd(), program.as_fd()));
    match attached {
        Ok(()) => Ok(()),
        Err(Fault {
            errno: libc::EPERM, ..
        }) if !in_first_user_namespace(proc) => {
            tracing::debug!("no device filter can be loaded in a user namespace, ignored");
            Ok(())
        }
        Err(fault) => Err(refused(cgroup, fault)),
    }
}

fn refused(cgroup: &Cgroup, fault: Fault) -> Error {
    let on = Some(cgroup.path.display().to_string());
    let cause = Cause::Os {
        call: Call::Bpf.name(),
        errno: fault.errno,
        on,
    };
    let object = Object::config("/linux/resources/devices");
    let error = Error::new("limit access to devices", object, cause);
    match fault.errno {
        libc::EPERM => error.hint(
            "run orbital with CAP_SYS_ADMIN, and where a seccomp filter confines it, allow bpf there",
        ),
        libc::ENOSYS | libc::EINVAL => {
            error.hint("use a kernel with CONFIG_CGROUP_BPF: device rules of cgroup v2 are eBPF")
        }
        libc::E2BIG => error.hint("give fewer rules in /linux/resources/devices"),
        _ => error,
    }
}

// Registers and codes; linux/bpf.h and Documentation/bpf/standardization/instruction-set.rst.
const ANSWER: u8 = 0;
const CONTEXT: u8 = 1;
/// The accesses that are asked for and not decided yet.
const OPEN: u8 = 2;
const KIND: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;
/// Both numbers in one, as the kernel's `dev_t` has them: one comparison instead of two.
const DEVICE: u8 = 6;
const SCRATCH: u8 = 7;

const LOAD_WORD: u8 = 0x61;
const COPY: u8 = 0xbc;
const SET: u8 = 0xb4;
const AND: u8 = 0x54;
const OR: u8 = 0x4c;
const SHIFT_LEFT: u8 = 0x64;
const SHIFT_RIGHT: u8 = 0x74;
const JUMP: u8 = 0x05;
const JUMP_IF_EQUAL: u8 = 0x16;
const JUMP_UNLESS_EQUAL: u8 = 0x56;
const EXIT: u8 = 0x95;

/// Bits of a minor number, and the largest of each; include/linux/kdev_t.h.
const MINOR_BITS: u32 = 20;
const LAST_MINOR: u32 = (1 << MINOR_BITS) - 1;
const LAST_MAJOR: u32 = (1 << (32 - MINOR_BITS)) - 1;

/// Tests before one decision: far below the 32767 instructions that a jump can pass over.
const LONGEST_GROUP: usize = 1000;

const fn insn(code: u8, to: u8, from: u8, offset: i16, immediate: i32) -> Insn {
    Insn {
        code,
        registers: to | (from << 4),
        offset,
        immediate,
    }
}

const fn number(code: u8, to: u8, immediate: u32) -> Insn {
    insn(code, to, 0, 0, immediate.cast_signed())
}

/// The program for `rules`, of which the last that names a device and an access decides about it.
///
/// It is short, because the kernel verifies each instruction at each load (three microseconds
/// apiece): rules that decide nothing are left out, and neighbours that say the same share their end.
#[must_use]
pub fn compile(rules: &[DeviceRule]) -> Vec<Insn> {
    let mut program = vec![
        // struct bpf_cgroup_dev_ctx { access << 16 | kind, major, minor }
        insn(LOAD_WORD, KIND, CONTEXT, 0, 0),
        insn(COPY, OPEN, KIND, 0, 0),
        number(AND, KIND, 0xffff),
        number(SHIFT_RIGHT, OPEN, 16),
        insn(LOAD_WORD, MAJOR, CONTEXT, 4, 0),
        insn(LOAD_WORD, MINOR, CONTEXT, 8, 0),
        insn(COPY, DEVICE, MAJOR, 0, 0),
        number(SHIFT_LEFT, DEVICE, MINOR_BITS),
        insn(OR, DEVICE, MINOR, 0, 0),
    ];
    let (deciding, verdict) = deciding(rules);
    for alike in deciding
        .chunk_by(|a, b| (a.verdict, a.kind, a.access & ALL) == (b.verdict, b.kind, b.access & ALL))
    {
        for group in alike.chunks(LONGEST_GROUP) {
            append(&mut program, group);
        }
    }
    end(&mut program, verdict);
    program
}

/// The rules that decide something, last first, and what holds for whatever they do not decide.
fn deciding(rules: &[DeviceRule]) -> (Vec<DeviceRule>, Verdict) {
    let mut kept: Vec<DeviceRule> = Vec::new();
    for rule in rules
        .iter()
        .rev()
        .filter(|rule| rule.access & ALL != 0 && is_possible(rule))
    {
        if !kept.iter().any(|later| covers(later, rule)) {
            kept.push(*rule);
        }
    }
    let verdict = match kept.last() {
        Some(first) if decides_all(first) => first.verdict,
        _ => Verdict::Deny,
    };
    while kept.last().is_some_and(|first| first.verdict == verdict) {
        kept.pop();
    }
    (kept, verdict)
}

/// Whether there can be a device of these numbers.
fn is_possible(rule: &DeviceRule) -> bool {
    rule.major.is_none_or(|major| major <= LAST_MAJOR)
        && rule.minor.is_none_or(|minor| minor <= LAST_MINOR)
}

fn covers(later: &DeviceRule, rule: &DeviceRule) -> bool {
    (later.kind == DeviceKind::All || later.kind == rule.kind)
        && (later.major.is_none() || later.major == rule.major)
        && (later.minor.is_none() || later.minor == rule.minor)
        && rule.access & ALL & !later.access == 0
}

fn decides_all(rule: &DeviceRule) -> bool {
    let any = rule.kind == DeviceKind::All && rule.major.is_none() && rule.minor.is_none();
    any && rule.access & ALL == ALL
}

/// Rules of one kind, verdict and access: past them for another kind, to their common decision at
/// the first that names the device.
fn append(program: &mut Vec<Insn>, group: &[DeviceRule]) {
    let Some(first) = group.first() else { return };
    let decision = decision(first);
    let mut tests: Vec<(u8, u32)> = Vec::new();
    for rule in group {
        match (rule.major, rule.minor) {
            (Some(major), Some(minor)) => tests.push((DEVICE, major << MINOR_BITS | minor)),
            (Some(major), None) => tests.push((MAJOR, major)),
            (None, Some(minor)) => tests.push((MINOR, minor)),
            (None, None) => {
                tests.clear();
                break;
            }
        }
    }
    let all = group
        .iter()
        .any(|rule| rule.major.is_none() && rule.minor.is_none());
    // The tests, and the jump behind them that passes over the decision.
    let before = if all { 0 } else { tests.len() + 1 };
    let kind = match first.kind {
        DeviceKind::All => None,
        DeviceKind::Block => Some(1),
        DeviceKind::Character => Some(2),
    };
    if let Some(kind) = kind {
        program.push(insn(
            JUMP_UNLESS_EQUAL,
            KIND,
            0,
            far(before + decision.len()),
            kind,
        ));
    }
    for (index, (register, value)) in tests.iter().enumerate() {
        let over = far(tests.len() - index);
        program.push(insn(JUMP_IF_EQUAL, *register, 0, over, value.cast_signed()));
    }
    if !all {
        program.push(insn(JUMP, 0, 0, far(decision.len()), 0));
    }
    program.extend(decision);
}

/// A group has at most [`LONGEST_GROUP`] tests and a decision of at most five instructions.
fn far(instructions: usize) -> i16 {
    i16::try_from(instructions).unwrap_or(i16::MAX)
}

/// Takes the rule's accesses out of the open ones; answers when nothing is left to be decided.
fn decision(rule: &DeviceRule) -> Vec<Insn> {
    let access = u32::from(rule.access & ALL);
    let mut decision = Vec::new();
    match rule.verdict {
        _ if access == u32::from(ALL) => {}
        Verdict::Allow => {
            decision.push(number(AND, OPEN, u32::from(ALL) & !access));
            decision.push(insn(JUMP_UNLESS_EQUAL, OPEN, 0, 2, 0));
        }
        Verdict::Deny => {
            decision.push(insn(COPY, SCRATCH, OPEN, 0, 0));
            decision.push(number(AND, SCRATCH, access));
            decision.push(insn(JUMP_IF_EQUAL, SCRATCH, 0, 2, 0));
        }
    }
    end(&mut decision, rule.verdict);
    decision
}

fn end(program: &mut Vec<Insn>, verdict: Verdict) {
    program.push(number(SET, ANSWER, u32::from(verdict == Verdict::Allow)));
    program.push(insn(EXIT, 0, 0, 0, 0));
}
