//! Whatever the profile: the program says what a plain reading of the rules says.

use super::*;
use crate::plan::seccomp::verify::{Call, check, naive, run};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Some that are multiplexed, some that only a few architectures have, the first and the last.
const NAMES: [&str; 24] = [
    "read",
    "write",
    "open",
    "openat",
    "socket",
    "accept4",
    "send",
    "semop",
    "shmget",
    "msgctl",
    "socketcall",
    "ipc",
    "clone",
    "clone3",
    "personality",
    "mmap2",
    "_llseek",
    "rt_sigaction",
    "set_tls",
    "cacheflush",
    "mseal",
    "setxattrat",
    "nothing_known",
    "restart_syscall",
];
const ACTIONS: [&str; 8] = [
    "KILL",
    "KILL_THREAD",
    "KILL_PROCESS",
    "TRAP",
    "ERRNO",
    "TRACE",
    "LOG",
    "ALLOW",
];
const OPS: [&str; 7] = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
const VALUES: [u64; 12] = [
    0,
    1,
    2,
    16,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    0x1_0000_0002,
    0xf_0000_000f,
    1 << 63,
    u64::MAX,
];
const LITTLE: [(&str, Word); 7] = [
    ("X86_64", Word::ScmpArchX86_64),
    ("X86", Word::ScmpArchX86),
    ("X32", Word::ScmpArchX32),
    ("AARCH64", Word::ScmpArchAarch64),
    ("ARM", Word::ScmpArchArm),
    ("MIPSEL", Word::ScmpArchMipsel),
    ("RISCV64", Word::ScmpArchRiscv64),
];
const BIG: [(&str, Word); 4] = [
    ("S390X", Word::ScmpArchS390x),
    ("S390", Word::ScmpArchS390),
    ("PPC64", Word::ScmpArchPpc64),
    ("MIPS64N32", Word::ScmpArchMips64n32),
];

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![3 => select(&VALUES[..]), 1 => any::<u64>()]
}

fn action(kind: &'static str) -> impl Strategy<Value = Value> {
    let key = if kind == "action" {
        "errnoRet"
    } else {
        "defaultErrnoRet"
    };
    (select(&ACTIONS[..]), proptest::option::of(0u32..4096)).prop_map(move |(action, number)| {
        let number = number.filter(|_| matches!(action, "ERRNO" | "TRACE"));
        json!({kind: format!("SCMP_ACT_{action}"), key: number})
    })
}

fn rule() -> impl Strategy<Value = Value> {
    let arg = (
        0..6u64,
        value(),
        proptest::option::of(value()),
        select(&OPS[..]),
    );
    let arg = arg.prop_map(|(index, value, two, op)| json!({"index": index, "value": value, "valueTwo": two, "op": format!("SCMP_CMP_{op}")}));
    let names = proptest::collection::vec(select(&NAMES[..]), 1..5);
    let args = proptest::collection::vec(arg, 0..4);
    (names, action("action"), args).prop_map(|(names, mut rule, args)| {
        rule["names"] = json!(names);
        rule["args"] = json!(args);
        rule
    })
}

fn any_profile() -> impl Strategy<Value = (Value, Vec<Word>, Order)> {
    let little = proptest::sample::subsequence(&LITTLE[..], 1..=LITTLE.len());
    let big = proptest::sample::subsequence(&BIG[..], 1..=BIG.len());
    let machine = prop_oneof![
        3 => little.prop_map(|all| (all, Order::Little)),
        1 => big.prop_map(|all| (all, Order::Big)),
    ];
    let rules = proptest::collection::vec(rule(), 0..12);
    (action("defaultAction"), machine, rules).prop_map(|(mut profile, (all, order), rules)| {
        let names: Vec<String> = all
            .iter()
            .map(|(name, _)| format!("SCMP_ARCH_{name}"))
            .collect();
        profile["architectures"] = json!(names);
        profile["syscalls"] = json!(rules);
        (profile, all.iter().map(|(_, word)| *word).collect(), order)
    })
}

/// A number that some rule names, or one beside it, or any; on an architecture of the profile, or not.
fn number(arch: Arch, name: Index, beside: u8, any: u32) -> u32 {
    let name: &&str = name.get(&NAMES);
    let known = Name::find(name).and_then(|name| name.number(arch));
    match (known, beside) {
        (Some(number), 0..=5) => number,
        (Some(number), 6) => number.wrapping_add(1),
        (Some(number), 7) => number ^ 0x4000_0000,
        (_, 8) => u32::MAX,
        (_, 9) => 102 + any % 2 * 15,
        (_, 10) => any % 500,
        _ => any,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_the_rules_are_read(
        (profile, words, order) in any_profile(),
        calls in proptest::collection::vec((any::<Index>(), any::<Index>(), 0..12u8, any::<u32>(), proptest::array::uniform6(value())), 60),
    ) {
        let native = words[0];
        let typed = super::profile(&profile);
        let filter = filter(&typed, native, &mut Vec::new()).unwrap();
        check(&filter.program);
        for (which, name, beside, any, args) in calls {
            let foreign = Arch::of(Word::ScmpArchLoongarch64, native);
            let arch = match beside {
                11 => foreign,
                _ => Arch::of(*which.get(&words), native),
            };
            let call = Call { audit: arch.audit, number: number(arch, name, beside, any), args, order };
            let (found, _) = run(&filter.program, &call);
            prop_assert_eq!(found, naive(&typed, native, &call), "{:x?} {}", call, profile);
        }
    }
}
