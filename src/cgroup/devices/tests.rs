use super::*;
use proptest::prelude::*;

/// One question of the kernel's.
#[derive(Clone, Copy, Debug)]
struct Access {
    kind: u32,
    major: u32,
    minor: u32,
    bits: u8,
}

/// What the rules mean, said as plainly as possible: bit by bit, the last rule decides.
fn naive(rules: &[DeviceRule], access: Access) -> bool {
    [1, 2, 4]
        .into_iter()
        .filter(|bit| access.bits & bit != 0)
        .all(|bit| {
            let names = |rule: &&DeviceRule| {
                let kind = match rule.kind {
                    DeviceKind::All => true,
                    DeviceKind::Block => access.kind == 1,
                    DeviceKind::Character => access.kind == 2,
                };
                kind && rule.major.is_none_or(|major| major == access.major)
                    && rule.minor.is_none_or(|minor| minor == access.minor)
                    && rule.access & bit != 0
            };
            rules
                .iter()
                .rev()
                .find(names)
                .is_some_and(|rule| rule.verdict == Verdict::Allow)
        })
}

/// The kernel's machine, as far as these programs use it; forward jumps only.
fn run(program: &[Insn], access: Access) -> bool {
    let context = [
        u32::from(access.bits) << 16 | access.kind,
        access.major,
        access.minor,
    ];
    let mut registers = [0u32; 11];
    let mut at = 0;
    loop {
        let Insn {
            code,
            registers: names,
            offset,
            immediate,
        } = program[at];
        let (to, from) = (usize::from(names & 15), usize::from(names >> 4));
        let value = immediate.cast_unsigned();
        at += 1;
        let mut jump = |taken: bool| {
            assert!(offset >= 0, "a loop");
            at += if taken {
                usize::try_from(offset).unwrap()
            } else {
                0
            };
        };
        match code {
            LOAD_WORD => {
                assert_eq!(from, 1);
                registers[to] = context[usize::try_from(offset).unwrap() / 4];
            }
            COPY => registers[to] = registers[from],
            SET => registers[to] = value,
            AND => registers[to] &= value,
            OR => registers[to] |= registers[from],
            SHIFT_LEFT => registers[to] <<= value,
            JUMP => jump(true),
            SHIFT_RIGHT => registers[to] >>= value,
            JUMP_IF_EQUAL => jump(registers[to] == value),
            JUMP_UNLESS_EQUAL => jump(registers[to] != value),
            EXIT => return registers[0] == 1,
            other => panic!("no such instruction: {other:#x}"),
        }
    }
}

fn number() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![
        Just(None),
        (0u32..3).prop_map(Some),
        Just(Some(LAST_MAJOR)),
        Just(Some(u32::MAX))
    ]
}

fn rule() -> impl Strategy<Value = DeviceRule> {
    let verdict = prop_oneof![Just(Verdict::Allow), Just(Verdict::Deny)];
    let kind = prop_oneof![
        Just(DeviceKind::All),
        Just(DeviceKind::Block),
        Just(DeviceKind::Character)
    ];
    (
        verdict,
        kind,
        number(),
        number(),
        prop_oneof![Just(7u8), 0u8..8],
    )
        .prop_map(|(verdict, kind, major, minor, access)| DeviceRule {
            verdict,
            kind,
            major,
            minor,
            access,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every access to every device that the rules can tell apart.
    #[test]
    fn the_program_decides_as_the_rules_say(rules in prop::collection::vec(rule(), 0..9)) {
        let program = compile(&rules);
        for kind in [1, 2] {
            for major in [0, 1, 2, 3, LAST_MAJOR] {
                for minor in [0, 1, 2, LAST_MAJOR, LAST_MINOR] {
                    for bits in 1..8 {
                        let access = Access { kind, major, minor, bits };
                        prop_assert_eq!(run(&program, access), naive(&rules, access), "{:?}", access);
                    }
                }
            }
        }
    }
}

const DENY_ALL: DeviceRule = DeviceRule {
    verdict: Verdict::Deny,
    kind: DeviceKind::All,
    major: None,
    minor: None,
    access: 7,
};

#[test]
fn reading_and_writing_may_be_allowed_by_two_rules() {
    let read = DeviceRule {
        verdict: Verdict::Allow,
        kind: DeviceKind::Character,
        major: Some(9),
        minor: Some(9),
        access: 2,
    };
    let write = DeviceRule { access: 4, ..read };
    let program = compile(&[read, write]);
    let both = Access {
        kind: 2,
        major: 9,
        minor: 9,
        bits: 6,
    };
    assert!(run(&program, both));
    assert!(!run(&program, Access { bits: 7, ..both }));
}

#[test]
fn rules_that_decide_nothing_cost_nothing() {
    let allow = DeviceRule {
        verdict: Verdict::Allow,
        major: Some(1),
        ..DENY_ALL
    };
    let short = compile(&[allow]);
    assert_eq!(compile(&[DENY_ALL, allow]), short);
    assert_eq!(compile(&[allow, allow, DENY_ALL, DENY_ALL, allow]), short);
    assert_eq!(compile(&[DENY_ALL]), compile(&[]));
}

/// What a list of any length needs: jumps that reach.
#[test]
fn many_rules_are_decided_too() {
    let rules: Vec<DeviceRule> = (0..5000)
        .map(|minor| DeviceRule {
            verdict: Verdict::Allow,
            kind: DeviceKind::Block,
            major: Some(259),
            minor: Some(minor * 2),
            access: 6,
        })
        .collect();
    let program = compile(&rules);
    let ask = |minor, bits| {
        run(
            &program,
            Access {
                kind: 1,
                major: 259,
                minor,
                bits,
            },
        )
    };
    assert!(ask(0, 6) && ask(2000, 2) && ask(9998, 4));
    assert!(!ask(0, 1) && !ask(2001, 2) && !ask(10_000, 4));
}

#[test]
fn everything_may_be_allowed() {
    let program = compile(&[
        DENY_ALL,
        DeviceRule {
            verdict: Verdict::Allow,
            ..DENY_ALL
        },
    ]);
    assert!(run(
        &program,
        Access {
            kind: 1,
            major: 8,
            minor: 0,
            bits: 7
        }
    ));
    assert_eq!(program.len(), 11, "no tests: {program:?}");
}
