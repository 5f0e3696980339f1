use super::verify::{Call, check, run};
use super::*;
use serde_json::{Value, json};

const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;
const KILL: u32 = 0;

fn profile(value: Value) -> LinuxSeccomp {
    serde_json::from_value(value).unwrap()
}

fn compiled(value: Value) -> Filter {
    let filter = filter(&profile(value), Word::ScmpArchX86_64, &mut Vec::new()).unwrap();
    check(&filter.program);
    filter
}

fn verdict(filter: &Filter, audit: u32, number: u32, args: [u64; 6]) -> u32 {
    run(
        &filter.program,
        &Call {
            audit,
            number,
            args,
        },
    )
}

#[test]
fn a_list_of_what_is_allowed() {
    let filter = compiled(json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "syscalls": [{"names": ["read", "write", "exit_group"], "action": "SCMP_ACT_ALLOW"}],
    }));
    for (audit, number, expected) in [
        (X86_64, 0, ALLOW),
        (X86_64, 1, ALLOW),
        (X86_64, 2, EPERM),
        (X86_64, 230, EPERM),
        (X86_64, 231, ALLOW),
        (X86_64, 232, ENOSYS),
        (X86_64, 0x4000_0000, KILL),
        (X86_64, u32::MAX, EPERM),
        (I386, 3, KILL),
    ] {
        assert_eq!(
            verdict(&filter, audit, number, [0; 6]),
            expected,
            "{audit:#x} {number:#x}"
        );
    }
}
