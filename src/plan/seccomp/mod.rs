//! The seccomp filter: an OCI profile as a BPF program (config-linux.md, "Seccomp"; seccomp(2)).
//!
//! ```text
//! profile ─ rules ─▶ per architecture: number → outcome ─ ranges ─▶ per AUDIT_ARCH ─ compile ─▶ BPF
//! ```
//!
//! What a profile means where the specification is silent is said at the head of `rules` and `ranges`.
//! What this folder does *not* do: load the program, or carry a listener to its agent.

/// Architectures.
mod arch;

/// The table of syscalls.
mod names;

/// Actions.
mod verdict;

/// What the rules say of each syscall.
mod rules;

/// All numbers, in ranges.
mod ranges;

/// Names that are no syscall's.
mod unknown;

/// BPF, from its end to its beginning.
mod program;

/// Ranges as BPF.
mod compile;

/// A program run without a kernel.
#[cfg(test)]
mod verify;

use self::arch::Arch;
use self::names::Name;
use self::ranges::{Newer, Otherwise};
use self::rules::{Condition, Rule};
use super::annotations;
use super::facts::Facts;
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::{
    Arch as Word, LinuxSeccomp, LinuxSeccompAction as Action, LinuxSeccompArg,
    LinuxSeccompFilterFlag as Flag, LinuxSyscall, Spec,
};
use std::path::PathBuf;

/// One instruction: linux/filter.h, `struct sock_filter`.
pub use seccompiler::sock_filter as Insn;

/// What this program was built for.
pub const NATIVE: Word = arch::NATIVE;

/// `SECCOMP_FILTER_FLAG_*` of linux/seccomp.h.
pub const FLAG_TSYNC: u32 = 1;
/// Log what is not allowed.
pub const FLAG_LOG: u32 = 1 << 1;
/// Do without the mitigation of speculative store bypass.
pub const FLAG_SPEC_ALLOW: u32 = 1 << 2;
/// Answer with a descriptor for the agent.
pub const FLAG_NEW_LISTENER: u32 = 1 << 3;
/// With both `TSYNC` and `NEW_LISTENER`: an error is an error, and no thread's number.
pub const FLAG_TSYNC_ESRCH: u32 = 1 << 4;
/// While the agent works on a call, only a fatal signal interrupts it (Linux 5.19).
pub const FLAG_WAIT_KILLABLE_RECV: u32 = 1 << 5;

const DOING: &str = "read the seccomp rules";
const PLACE: &str = "/linux/seccomp";

/// What the kernel takes; linux/bpf_common.h, `BPF_MAXINSNS`.
const MOST_INSTRUCTIONS: usize = 4096;

/// A filter, ready to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The program, at most 4096 instructions.
    pub program: Vec<Insn>,
    /// `SECCOMP_FILTER_FLAG_*`; `NEW_LISTENER` where a rule notifies.
    pub flags: u32,
    /// Who is told of syscalls that a rule notifies of.
    pub listener: Option<Listener>,
    /// The default action, in the specification's word.
    pub default_action: &'static str,
    /// What the program returns for it.
    pub default_verdict: u32,
    /// The architectures, in the specification's words: the native one first.
    pub architectures: Vec<&'static str>,
    /// How many rules the profile has.
    pub rules: usize,
    /// `/linux/seccomp`.
    pub pointer: Pointer,
}

/// A seccomp agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The socket on which it waits.
    pub path: PathBuf,
    /// What it is to be told besides, as it is.
    pub metadata: String,
    /// `/linux/seccomp/listenerPath`.
    pub pointer: Pointer,
}

/// Plans `/linux/seccomp`; `None` where there is none. `warnings` takes what has no effect.
///
/// # Errors
/// A profile that contradicts itself, asks for what cannot be, or needs more than 4096 instructions.
pub fn plan(spec: &Spec, facts: &Facts, warnings: &mut Vec<String>) -> Result<Option<Filter>> {
    let Some(profile) = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.seccomp().as_ref())
    else {
        return Ok(None);
    };
    if annotations::asks(spec, annotations::KNOWN_SYSCALLS) {
        unknown::refuse(profile)?;
    }
    filter(profile, facts.architecture, warnings).map(Some)
}

/// The filter of a profile on a machine of this architecture.
fn filter(profile: &LinuxSeccomp, native: Word, warnings: &mut Vec<String>) -> Result<Filter> {
    let place = Pointer::from(PLACE);
    let default = default_verdict(profile, &place)?;
    let architectures = architectures(profile, native, warnings);
    let syscalls = profile.syscalls().as_deref().unwrap_or_default();
    let rules = rules(syscalls, &place.at("syscalls"))?;
    let notifies = syscalls
        .iter()
        .any(|rule| rule.action() == Action::ScmpActNotify);
    let listener = listener(profile, notifies, &place)?;

    let names: Vec<Option<Name>> = rules
        .iter()
        .flat_map(|rule| rule.names)
        .map(|name| Name::find(name))
        .collect();
    unknown::warn(syscalls, &names, profile.default_action(), warnings);
    let sides = architectures
        .iter()
        .map(|arch| (*arch, rules::sort(&rules, &names, default, *arch)));
    let otherwise = Otherwise {
        default,
        newer: newer(profile.default_action()),
    };
    let program = compile::compile(&ranges::groups(sides.collect(), otherwise), default);
    if program.len() > MOST_INSTRUCTIONS {
        let why = format!(
            "the filter has {} instructions, and the kernel takes {MOST_INSTRUCTIONS}",
            program.len()
        );
        return Err(Error::refused(DOING, place.at("syscalls"), why)
            .hint("leave some conditions out, or some architectures"));
    }
    Ok(Filter {
        program,
        flags: flags(profile, notifies, warnings),
        listener,
        default_action: verdict::word(profile.default_action()),
        default_verdict: default,
        architectures: architectures.iter().map(|arch| arch.name).collect(),
        rules: syscalls.len(),
        pointer: place,
    })
}

fn default_verdict(profile: &LinuxSeccomp, place: &Pointer) -> Result<u32> {
    if profile.default_action() == Action::ScmpActNotify {
        let why = "the agent would be asked about the very calls by which it is reached";
        return Err(Error::refused(DOING, place.at("defaultAction"), why)
            .hint("name the syscalls to notify of in /linux/seccomp/syscalls"));
    }
    let number = || place.at("defaultErrnoRet");
    verdict::of(
        profile.default_action(),
        profile.default_errno_ret(),
        number,
    )
}

/// A default action that lets syscalls through needs no ENOSYS; a tracer answers for itself.
fn newer(default: Action) -> Newer {
    match default {
        Action::ScmpActAllow | Action::ScmpActLog | Action::ScmpActTrace => Newer::Default,
        _ => Newer::Enosys,
    }
}

/// The native architecture, and those that are named; each once. Where the bytes of a word stand the other
/// way round no program of this machine can be: such an architecture is left out.
fn architectures(profile: &LinuxSeccomp, native: Word, warnings: &mut Vec<String>) -> Vec<Arch> {
    let own = Arch::of(native, native);
    let mut all = vec![own];
    for word in profile.architectures().iter().flatten() {
        let arch = Arch::of(*word, native);
        if arch.order != own.order {
            warnings.push(format!(
                "left {} out of /linux/seccomp/architectures: its byte order is not that of {}",
                arch.name, own.name
            ));
        } else if !all.contains(&arch) {
            all.push(arch);
        }
    }
    all
}

fn rules<'a>(syscalls: &'a [LinuxSyscall], place: &Pointer) -> Result<Vec<Rule<'a>>> {
    let all = syscalls.iter().enumerate();
    all.map(|(index, given)| rule(given, place, index))
        .collect()
}

fn rule<'a>(given: &'a LinuxSyscall, list: &Pointer, index: usize) -> Result<Rule<'a>> {
    // Made only for an error: there are hundreds of rules, and rarely one.
    let place = |part: &str| list.at(index).at(part);
    if given.names().is_empty() {
        return Err(
            Error::refused(DOING, place("names"), "it must name a syscall")
                .hint("leave the rule out"),
        );
    }
    let nameless = given.names().iter().position(String::is_empty);
    if let Some(at) = nameless {
        return Err(Error::refused(
            DOING,
            place("names").at(at),
            "no syscall has an empty name",
        ));
    }
    // The runtime itself writes to hand the listener over, with the filter in force.
    let writes = given.names().iter().position(|name| name == "write");
    if let (Action::ScmpActNotify, Some(at)) = (given.action(), writes) {
        let why =
            "SCMP_ACT_NOTIFY is not possible for write: the runtime needs it to reach the agent";
        return Err(Error::refused(DOING, place("names").at(at), why));
    }
    let args = given
        .args()
        .as_deref()
        .unwrap_or_default()
        .iter()
        .enumerate();
    let conditions = args.map(|(at, arg)| condition(arg, || place("args").at(at)));
    Ok(Rule {
        names: given.names(),
        verdict: verdict::of(given.action(), given.errno_ret(), || place("errnoRet"))?,
        conditions: conditions.collect::<Result<_>>()?,
    })
}

fn condition(arg: &LinuxSeccompArg, place: impl Fn() -> Pointer) -> Result<Condition> {
    match u8::try_from(arg.index()) {
        Ok(index @ 0..=5) => Ok(Condition::new(arg, index)),
        _ => Err(Error::refused(
            DOING,
            place().at("index"),
            "a syscall has six arguments, 0 to 5",
        )),
    }
}

/// Who is to be told. A path that no rule needs is not an error.
fn listener(profile: &LinuxSeccomp, notifies: bool, place: &Pointer) -> Result<Option<Listener>> {
    let path = profile
        .listener_path()
        .as_ref()
        .filter(|path| !path.as_os_str().is_empty());
    let metadata = profile.listener_metadata().clone().unwrap_or_default();
    let pointer = place.at("listenerPath");
    match path {
        None if notifies => Err(Error::refused(
            DOING,
            pointer,
            "it is required where a rule has SCMP_ACT_NOTIFY, and missing",
        )
        .hint("name the socket of the seccomp agent")),
        None if !metadata.is_empty() => Err(Error::refused(
            DOING,
            place.at("listenerMetadata"),
            "it must not be set without listenerPath",
        )
        .hint("leave it out, or name the socket of the seccomp agent in listenerPath")),
        Some(path) if notifies => Ok(Some(Listener {
            path: path.clone(),
            metadata,
            pointer,
        })),
        _ => Ok(None),
    }
}

/// `flags` that are not there at all mean speculation as usual, as with runc and crun; an empty list
/// means none.
fn flags(profile: &LinuxSeccomp, notifies: bool, warnings: &mut Vec<String>) -> u32 {
    let Some(asked) = profile.flags() else {
        return FLAG_SPEC_ALLOW | if notifies { FLAG_NEW_LISTENER } else { 0 };
    };
    let mut flags = asked.iter().fold(0, |flags, flag| flags | bit(*flag));
    if notifies {
        flags |= FLAG_NEW_LISTENER;
        if flags & FLAG_TSYNC != 0 {
            flags |= FLAG_TSYNC_ESRCH;
        }
    } else if flags & FLAG_WAIT_KILLABLE_RECV != 0 {
        // The kernel would refuse it: there is nobody to wait for.
        flags &= !FLAG_WAIT_KILLABLE_RECV;
        warnings.push("left SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV out of /linux/seccomp/flags: no rule has SCMP_ACT_NOTIFY".to_owned());
    }
    flags
}

fn bit(flag: Flag) -> u32 {
    match flag {
        Flag::SeccompFilterFlagLog => FLAG_LOG,
        Flag::SeccompFilterFlagTsync => FLAG_TSYNC,
        Flag::SeccompFilterFlagSpecAllow => FLAG_SPEC_ALLOW,
        Flag::SeccompFilterFlagWaitKillableRecv => FLAG_WAIT_KILLABLE_RECV,
    }
}

#[cfg(test)]
mod tests;
