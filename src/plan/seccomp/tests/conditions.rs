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

#[test]
fn several_rules_and_conditions() {
    let eq = |index: u64, value: u64| json!({"index": index, "op": "SCMP_CMP_EQ", "value": value});
    let rule = |action: &str, args: Value| json!({"names": ["openat"], "action": format!("SCMP_ACT_{action}"), "args": args});
    let trap = 0x0003_0000;
    for (what, rules, first, second, expected) in [
        (
            "both must hold",
            json!([rule("ALLOW", json!([eq(0, 1), eq(1, 2)]))]),
            1,
            2,
            ALLOW,
        ),
        (
            "both must hold",
            json!([rule("ALLOW", json!([eq(0, 1), eq(1, 2)]))]),
            1,
            3,
            EPERM,
        ),
        (
            "one argument twice: any",
            json!([rule("ALLOW", json!([eq(0, 1), eq(0, 5)]))]),
            5,
            0,
            ALLOW,
        ),
        (
            "even of another",
            json!([rule("ALLOW", json!([eq(0, 1), eq(0, 5), eq(1, 2)]))]),
            7,
            2,
            ALLOW,
        ),
        (
            "any of two rules",
            json!([
                rule("ALLOW", json!([eq(0, 1)])),
                rule("ALLOW", json!([eq(1, 2)]))
            ]),
            0,
            2,
            ALLOW,
        ),
        (
            "the first that holds",
            json!([
                rule("TRAP", json!([eq(0, 1)])),
                rule("ALLOW", json!([eq(1, 2)]))
            ]),
            1,
            2,
            trap,
        ),
        (
            "without conditions",
            json!([rule("TRAP", json!([eq(0, 1)])), rule("ALLOW", json!([]))]),
            1,
            2,
            ALLOW,
        ),
        (
            "the first without",
            json!([rule("ALLOW", json!(null)), rule("TRAP", json!([]))]),
            1,
            2,
            ALLOW,
        ),
        (
            "the default's own action says nothing",
            json!([rule("ERRNO", json!([])), rule("ALLOW", json!([]))]),
            1,
            2,
            ALLOW,
        ),
    ] {
        let filter = openat(&rules);
        let found = verdict(&filter, X86_64, 257, [first, second, 0, 0, 0, 0]);
        assert_eq!(found, expected, "{what}: {rules}");
    }
}
