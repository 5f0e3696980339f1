//! Conditions, one and several, in one rule and in several.

use super::*;

/// openat is 257 on x86_64.
fn openat(rules: &Value) -> Filter {
    compiled(&json!({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": rules}))
}

const BIG: u64 = 0x1_0000_0002;

/// An operation with its values, arguments for which it holds, and others.
type Comparison = (&'static str, u64, u64, &'static [u64], &'static [u64]);

const COMPARISONS: [Comparison; 11] = [
    ("EQ", BIG, 0, &[BIG], &[2, 0x1_0000_0003, 0x2_0000_0002]),
    ("NE", BIG, 0, &[2, 0x1_0000_0003, 0x2_0000_0002], &[BIG]),
    (
        "GT",
        BIG,
        0,
        &[BIG + 1, 0x2_0000_0000],
        &[BIG, 3, 0x1_0000_0001],
    ),
    (
        "GE",
        BIG,
        0,
        &[BIG, BIG + 1, 0x2_0000_0000],
        &[3, 0x1_0000_0001],
    ),
    ("LT", BIG, 0, &[3, 0x1_0000_0001, 0], &[BIG, u64::MAX]),
    ("LE", BIG, 0, &[3, BIG], &[BIG + 1, 0x2_0000_0000]),
    (
        "MASKED_EQ",
        0xf0,
        0x10,
        &[0x10, 0x1f, 0xf_0000_0010],
        &[0x20, 0, 0x30],
    ),
    (
        "MASKED_EQ",
        0xf_0000_000f,
        BIG,
        &[BIG, 0xa1_0000_00a2],
        &[2, 0x1_0000_0000],
    ),
    (
        "MASKED_EQ",
        0xf_0000_0000,
        BIG,
        &[0x1_0000_0000, BIG],
        &[2, 0x2_0000_0002],
    ),
    // What the mask leaves out of the second value is not compared.
    ("MASKED_EQ", 0xf0, 0x1f, &[0x10, 0x11], &[0x21]),
    ("MASKED_EQ", 0, 5, &[0, 5, u64::MAX], &[]),
];

#[test]
fn comparisons() {
    for (op, value, two, hold, not) in COMPARISONS {
        let arg =
            json!({"index": 2, "op": format!("SCMP_CMP_{op}"), "value": value, "valueTwo": two});
        let filter =
            openat(&json!([{"names": ["openat"], "action": "SCMP_ACT_ALLOW", "args": [arg]}]));
        for (values, expected) in [(hold, ALLOW), (not, EPERM)] {
            for &value in values {
                let found = verdict(&filter, X86_64, 257, [9, 9, value, 9, 9, 9]);
                assert_eq!(found, expected, "{value:#x} {arg}");
            }
        }
    }
}

fn eq(index: u64, value: u64) -> Value {
    json!({"index": index, "op": "SCMP_CMP_EQ", "value": value})
}

fn rule(action: &str, args: &[Value]) -> Value {
    json!({"names": ["openat"], "action": format!("SCMP_ACT_{action}"), "args": args})
}

/// What the rules say of openat with these two arguments.
fn said(rules: &[Value], first: u64, second: u64) -> u32 {
    let filter = openat(&json!(rules));
    verdict(&filter, X86_64, 257, [first, second, 0, 0, 0, 0])
}

#[test]
fn conditions_of_one_rule() {
    let both = rule("ALLOW", &[eq(0, 1), eq(1, 2)]);
    let twice = rule("ALLOW", &[eq(0, 1), eq(0, 5), eq(1, 2)]);
    for (what, rule, first, second, expected) in [
        ("both must hold", &both, 1, 2, ALLOW),
        ("both must hold", &both, 1, 3, EPERM),
        ("one argument twice: any", &twice, 5, 0, ALLOW),
        ("even of another", &twice, 7, 2, ALLOW),
        ("none", &twice, 7, 7, EPERM),
    ] {
        let rules = std::slice::from_ref(rule);
        assert_eq!(said(rules, first, second), expected, "{what}: {rule}");
    }
}

#[test]
fn several_rules() {
    let trap = 0x0003_0000;
    let (allow_first, trap_first) = (rule("ALLOW", &[eq(0, 1)]), rule("TRAP", &[eq(0, 1)]));
    let (allow_second, always) = (rule("ALLOW", &[eq(1, 2)]), rule("ALLOW", &[]));
    let (default, other) = (rule("ERRNO", &[]), rule("TRAP", &[]));
    for (what, rules, expected) in [
        ("any of two", [&allow_first, &allow_second], ALLOW),
        ("the first that holds", [&trap_first, &allow_second], trap),
        (
            "one without conditions beats it",
            [&trap_first, &always],
            ALLOW,
        ),
        ("the first without", [&always, &other], ALLOW),
        (
            "the default's own action says nothing",
            [&default, &always],
            ALLOW,
        ),
    ] {
        let rules = rules.map(Clone::clone);
        assert_eq!(said(&rules, 1, 2), expected, "{what}: {rules:?}");
    }
}
