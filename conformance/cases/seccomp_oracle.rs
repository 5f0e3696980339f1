//! The program of `orbital plan --json` beside libseccomp's for the same profile: every syscall number,
//! every architecture, arguments around those that the rules name. Neither is loaded: both are run by
//! `bpf.rs`. What libseccomp does not do, and runc adds, is expected here: ENOSYS for newer syscalls.
//!
//! Left out are two kinds of profile. Where several rules for one syscall have conditions and different
//! actions, libseccomp orders its tests by itself, and not as the profile does. And where several of them
//! compare one argument by size, it answers wrongly (2.5.4: "LE 0" and another condition, beside "GT
//! 0x100000001", kills for 17): it shares the test of the upper half between them. The unit tests of
//! `src/plan/seccomp` have both.

/// Profiles by chance.
mod made_up;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use made_up::{Dice, made_up};

use crate::bpf::{self, Call, Insn};
use crate::case::{Case, Need};
use crate::check::{Outcome, ensure};
use crate::lab::Lab;
use crate::oracle::{self, Answer, list};

const HEADER: Need = Need::File("/usr/include/seccomp.h");
const GCC: Need = Need::Program("gcc");
const PODMAN: &[Need] = &[Need::OrbitalOnly, HEADER, GCC, Need::Profile("podman")];
const MOBY: &[Need] = &[Need::OrbitalOnly, HEADER, GCC, Need::Profile("moby")];
const NEEDS: &[Need] = &[Need::OrbitalOnly, HEADER, GCC];

/// libseccomp's words are known here for one machine only.
pub(super) const CASES: &[Case] = if cfg!(target_arch = "x86_64") {
    &[
        Case::new("the-default-profile-of-podman", podman).needs(PODMAN),
        Case::new("the-default-profile-of-moby", moby).needs(MOBY),
        Case::new("profiles-made-up-by-chance", random).needs(NEEDS),
    ]
} else {
    &[]
};

/// Architectures: in the specification, in libseccomp, in the kernel; the bit in its numbers.
const ARCHITECTURES: [(&str, u32, u32, u32); 4] = [
    ("SCMP_ARCH_X86_64", 0xc000_003e, 0xc000_003e, 0),
    ("SCMP_ARCH_X32", 0x4000_003e, 0xc000_003e, 0x4000_0000),
    ("SCMP_ARCH_X86", 0x4000_0003, 0x4000_0003, 0),
    ("SCMP_ARCH_AARCH64", 0xc000_00b7, 0xc000_00b7, 0),
];

const ENOSYS: u32 = 0x0005_0026;

/// What containers have by default; the profiles differ by it.
const CAPABILITIES: [&str; 11] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

fn podman(lab: &Lab) -> Outcome {
    default_profile(lab, "podman")
}

fn moby(lab: &Lab) -> Outcome {
    default_profile(lab, "moby")
}

fn default_profile(lab: &Lab, name: &str) -> Outcome {
    let place = oracle::profile(name).ok_or("no such profile")?;
    let general: Value = serde_json::from_slice(&std::fs::read(place)?)?;
    let profile = for_this_machine(&general);
    ensure!(
        list(&profile["syscalls"]).len() > 5,
        "the profile of {name} has few rules"
    );
    compare(lab, vec![profile])
}

/// An engine's profile as it hands it to the runtime: for this machine and these capabilities.
fn for_this_machine(general: &Value) -> Value {
    let own = |entry: &&Value| entry["architecture"] == "SCMP_ARCH_X86_64";
    let entry = list(&general["archMap"]).iter().find(own);
    let subs = entry
        .map(|entry| list(&entry["subArchitectures"]))
        .unwrap_or_default();
    let mut architectures = vec![json!("SCMP_ARCH_X86_64")];
    architectures.extend(subs.iter().cloned());
    let within = |list: &[Value], known: &[&str]| {
        list.iter()
            .filter(|one| known.contains(&one.as_str().unwrap_or_default()))
            .count()
    };
    let applies = |rule: &&Value| {
        let (yes, no) = (&rule["includes"], &rule["excludes"]);
        let (arches, caps) = (list(&yes["arches"]), list(&yes["caps"]));
        (arches.is_empty() || within(arches, &["amd64"]) > 0)
            && within(caps, &CAPABILITIES) == caps.len()
            && within(list(&no["arches"]), &["amd64"]) == 0
            && within(list(&no["caps"]), &CAPABILITIES) == 0
    };
    let rules = list(&general["syscalls"]).iter().filter(applies).map(|rule| {
        json!({"names": rule["names"], "action": rule["action"], "errnoRet": rule["errnoRet"], "args": rule["args"]})
    });
    json!({
        "defaultAction": general["defaultAction"], "defaultErrnoRet": general["defaultErrnoRet"],
        "architectures": architectures, "syscalls": rules.collect::<Vec<_>>(),
    })
}

/// The profiles through both, and every verdict compared.
fn compare(lab: &Lab, profiles: Vec<Value>) -> Outcome {
    let program = oracle::build(lab, &lab.folder("oracle")?)?;
    let unknown: BTreeSet<String> = oracle::ask(lab, &program, &profiles)?
        .into_iter()
        .flat_map(|answer| answer.unknown)
        .collect();
    // A libseccomp that is older than the kernel's table knows fewer names: what it cannot say is not asked.
    let profiles: Vec<Value> = profiles
        .iter()
        .map(|profile| without(profile, &unknown))
        .collect();
    let answers = oracle::ask(lab, &program, &profiles)?;
    for (at, (profile, answer)) in profiles.iter().zip(&answers).enumerate() {
        ensure!(
            answer.refused.is_empty(),
            "libseccomp refuses {:?} of {profile}",
            answer.refused
        );
        let ours = planned(lab, profile)?;
        same_verdicts(profile, &ours, answer).map_err(|error| format!("profile {at}: {error}"))?;
    }
    Ok(())
}

fn without(profile: &Value, unknown: &BTreeSet<String>) -> Value {
    let mut profile = profile.clone();
    for rule in profile["syscalls"].as_array_mut().into_iter().flatten() {
        if let Some(names) = rule["names"].as_array_mut() {
            names.retain(|name| !unknown.contains(name.as_str().unwrap_or_default()));
        }
    }
    if let Some(rules) = profile["syscalls"].as_array_mut() {
        rules.retain(|rule| !list(&rule["names"]).is_empty());
    }
    profile
}

/// orbital's program for this profile.
fn planned(lab: &Lab, profile: &Value) -> Outcome<Vec<Insn>> {
    let bundle = lab.bundle(|spec| {
        spec.set("/linux/seccomp", profile.clone());
    })?;
    let said = lab.call(&["plan", "--json", bundle.arg()]).ok()?;
    let plan: Value = serde_json::from_str(&said.out)?;
    let lines = list(&plan["seccomp"]["program"]).iter();
    lines
        .map(|line| bpf::parse(line.as_str().unwrap_or_default()))
        .collect()
}

fn same_verdicts(profile: &Value, ours: &[Insn], answer: &Answer) -> Outcome {
    let values = values(profile);
    let lenient = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"];
    let strict = !lenient.contains(&profile["defaultAction"].as_str().unwrap_or_default());
    for (word, scmp, audit, bit) in ARCHITECTURES {
        let highest = answer.highest.get(&scmp).filter(|_| strict);
        let numbers = (0..480).chain([511, 512, 547, 548, 700, 0x3fff_ffff]);
        let numbers = numbers.map(|number| number | bit);
        // A tracer's -1, which is above all numbers of x32 and below none of x86_64.
        let skipped = Some(u32::MAX).filter(|_| word != "SCMP_ARCH_X86_64");
        for number in numbers.chain(skipped) {
            let newer = highest.is_some_and(|highest| i64::from(number) > *highest);
            for round in 0..6 {
                let args = std::array::from_fn(|at| pick(&values, number, round, at));
                let call = Call {
                    audit,
                    number,
                    args,
                };
                let theirs = match newer {
                    true => ENOSYS,
                    false => bpf::run(&answer.program, &call)?,
                };
                let found = bpf::run(ours, &call)?;
                ensure!(
                    found == theirs,
                    "{word} {number:#x} {args:x?}: {found:#x}, and {theirs:#x} by libseccomp; {profile}"
                );
            }
        }
    }
    Ok(())
}

/// Values of the rules' conditions, and those beside them.
fn values(profile: &Value) -> Vec<u64> {
    let rules = list(&profile["syscalls"]).iter();
    let args = rules.flat_map(|rule| list(&rule["args"]));
    let named = args.flat_map(|arg| [&arg["value"], &arg["valueTwo"]]);
    let around = |value: u64| {
        [
            value,
            value.wrapping_add(1),
            value.wrapping_sub(1),
            value ^ (1 << 32),
        ]
    };
    let mut values: Vec<u64> = named.filter_map(Value::as_u64).flat_map(around).collect();
    values.extend((0..25).chain([u64::MAX]));
    values.sort_unstable();
    values.dedup();
    values
}

fn pick(values: &[u64], number: u32, round: u64, at: usize) -> u64 {
    let mut dice = Dice(u64::from(number) << 8 | round << 4 | at as u64);
    dice.roll();
    dice.roll();
    *dice.of(values)
}

fn random(lab: &Lab) -> Outcome {
    let profiles = (1..=24).map(|seed| made_up(&mut Dice(seed))).collect();
    compare(lab, profiles)
}
