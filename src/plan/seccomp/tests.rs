use super::arch::{COLUMNS, Order};
use super::verify::{Call, check, run};
use super::*;
use serde_json::{Value, json};

/// Arguments, and several rules together.
mod conditions;

/// Profiles made up by chance.
mod random;

/// How long the default profiles take.
mod speed;

const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const AARCH64: u32 = 0xc000_00b7;
const ALLOW: u32 = 0x7fff_0000;
const LOG: u32 = 0x7ffc_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;
const KILL: u32 = 0;

fn profile(value: &Value) -> LinuxSeccomp {
    serde_json::from_value(value.clone()).unwrap()
}

fn compiled(value: &Value) -> Filter {
    let filter = filter(&profile(value), Word::ScmpArchX86_64, &mut Vec::new()).unwrap();
    check(&filter.program);
    filter
}

fn verdict(filter: &Filter, audit: u32, number: u32, args: [u64; 6]) -> u32 {
    let order = Order::Little;
    run(
        &filter.program,
        &Call {
            audit,
            number,
            args,
            order,
        },
    )
    .0
}

fn allowing(names: &[&str], architectures: &[&str]) -> Value {
    json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "architectures": architectures,
        "syscalls": [{"names": names, "action": "SCMP_ACT_ALLOW"}],
    })
}

#[test]
fn numbers() {
    let native = allowing(&["read", "write", "exit_group", "of_a_kernel_to_come"], &[]);
    let with_x32 = allowing(&["read", "exit_group"], &["SCMP_ARCH_X32"]);
    let three = allowing(
        &["read", "socket", "semop"],
        &["SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"],
    );
    let killing = json!({"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": native["syscalls"]});
    let logging = json!({"defaultAction": "SCMP_ACT_LOG", "syscalls": native["syscalls"]});
    for (profile, audit, number, first, expected) in [
        (&native, X86_64, 0, 0, ALLOW),
        (&native, X86_64, 1, 0, ALLOW),
        (&native, X86_64, 2, 0, EPERM),
        (&native, X86_64, 231, 0, ALLOW),
        (&native, X86_64, 232, 0, ENOSYS),
        (&native, X86_64, 0x3fff_ffff, 0, ENOSYS),
        (&native, X86_64, 0x4000_0000, 0, KILL),
        // A tracer's way to skip a call.
        (&native, X86_64, u32::MAX, 0, EPERM),
        (&native, I386, 3, 0, KILL),
        (&with_x32, X86_64, 0x4000_0000, 0, ALLOW),
        (&with_x32, X86_64, 0x4000_0001, 0, EPERM),
        (&with_x32, X86_64, 0x4000_00e7, 0, ALLOW),
        (&with_x32, X86_64, 0x4000_00e8, 0, ENOSYS),
        (&three, X86_64, 41, 0, ALLOW),
        (&three, I386, 3, 0, ALLOW),
        (&three, I386, 4, 0, EPERM),
        (&three, I386, 359, 0, ALLOW),
        (&three, I386, 102, 1, ALLOW),
        (&three, I386, 102, 2, EPERM),
        // The upper half is not the kernel's there.
        (&three, I386, 102, 0x1_0000_0001, ALLOW),
        (&three, I386, 117, 1, ALLOW),
        (&three, I386, 360, 0, ENOSYS),
        (&three, AARCH64, 63, 0, ALLOW),
        (&three, AARCH64, 198, 0, ALLOW),
        (&three, AARCH64, 64, 0, EPERM),
        (&three, 0x4000_0028, 3, 0, KILL),
        (&killing, X86_64, 2, 0, 0x8000_0000),
        (&killing, X86_64, 232, 0, ENOSYS),
        (&logging, X86_64, 2, 0, LOG),
        (&logging, X86_64, 9999, 0, LOG),
    ] {
        let found = verdict(&compiled(profile), audit, number, [first, 0, 0, 0, 0, 0]);
        assert_eq!(
            found, expected,
            "{audit:#x} {number:#x} {first:#x}: {profile}"
        );
    }
}

#[test]
fn every_action_and_its_number() {
    for (action, number, expected) in [
        ("KILL", None, KILL),
        ("KILL_THREAD", None, KILL),
        ("KILL_PROCESS", None, 0x8000_0000),
        ("TRAP", None, 0x0003_0000),
        ("ERRNO", None, EPERM),
        ("ERRNO", Some(0), 0x0005_0000),
        ("ERRNO", Some(4095), 0x0005_0fff),
        ("TRACE", None, 0x7ff0_0001),
        ("TRACE", Some(65535), 0x7ff0_ffff),
        ("LOG", None, LOG),
        ("NOTIFY", None, 0x7fc0_0000),
    ] {
        let filter = compiled(&json!({
            "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent",
            "syscalls": [{"names": ["openat"], "action": format!("SCMP_ACT_{action}"), "errnoRet": number}],
        }));
        assert_eq!(
            verdict(&filter, X86_64, 257, [0; 6]),
            expected,
            "{action} {number:?}"
        );
        assert_eq!(verdict(&filter, X86_64, 258, [0; 6]), ALLOW);
        let listens = filter.flags & FLAG_NEW_LISTENER != 0;
        assert_eq!(
            (listens, filter.listener.is_some()),
            (action == "NOTIFY", action == "NOTIFY")
        );
    }
    let filter = compiled(&json!({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38}));
    assert_eq!(verdict(&filter, X86_64, 257, [0; 6]), ENOSYS);
}

#[test]
fn flags_as_given() {
    let notify = json!([{"names": ["openat"], "action": "SCMP_ACT_NOTIFY"}]);
    let all = json!([
        "SECCOMP_FILTER_FLAG_TSYNC",
        "SECCOMP_FILTER_FLAG_LOG",
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
    ]);
    for (given, syscalls, expected, warned) in [
        (json!(null), json!([]), 4, 0),
        (json!([]), json!([]), 0, 0),
        (json!(["SECCOMP_FILTER_FLAG_LOG"]), json!([]), 2, 0),
        (all.clone(), json!([]), 1 | 2 | 4, 1),
        (all, notify.clone(), 0x3f, 0),
        (json!(null), notify, 4 | 8, 0),
    ] {
        let profile = profile(&json!({
            "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent", "flags": given, "syscalls": syscalls,
        }));
        let mut warnings = Vec::new();
        let filter = filter(&profile, Word::ScmpArchX86_64, &mut warnings).unwrap();
        assert_eq!(
            (filter.flags, warnings.len()),
            (expected, warned),
            "{given}"
        );
    }
}

#[test]
fn a_misspelt_name_is_told_where_it_would_stop_nothing() {
    let told = |default: &str, action: &str| {
        let given = json!({"defaultAction": default,
            "syscalls": [{"names": ["mount", "unshar"], "action": action}]});
        let mut warnings = Vec::new();
        filter(&profile(&given), Word::ScmpArchX86_64, &mut warnings).unwrap();
        warnings.join("\n")
    };
    assert_eq!(
        told("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"),
        "left \"unshar\" out of /linux/seccomp/syscalls/0/names/1: there is no such syscall; did you mean \"unshare\"?"
    );
    assert_eq!(told("SCMP_ACT_ALLOW", "SCMP_ACT_LOG"), "");
    assert_eq!(told("SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW"), "");
    assert_eq!(told("SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS"), "");
}

#[test]
fn an_annotation_lets_no_unknown_name_pass() {
    let told = |name: &str, annotation: &str| {
        let given = json!({
            "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO",
                "syscalls": [{"names": ["mount", name], "action": "SCMP_ACT_ALLOW"}]}},
            "annotations": {annotations::KNOWN_SYSCALLS: annotation},
        });
        let facts = crate::plan::sample::root();
        plan(&crate::plan::sample::spec(given), &facts, &mut Vec::new())
            .map_err(|error| crate::plan::sample::told(&error))
    };
    let (place, line) = told("unshar", "1").unwrap_err();
    assert_eq!(place, "/linux/seccomp/syscalls/0/names/1");
    assert!(line.contains("did you mean \"unshare\"?"), "{line}");
    assert!(told("unshare", "1").is_ok());
    assert!(told("unshar", "0").is_ok());
}

#[test]
fn the_other_byte_order_is_left_out() {
    let given = allowing(&["read"], &["SCMP_ARCH_S390X", "SCMP_ARCH_X86"]);
    let mut warnings = Vec::new();
    let filter = filter(&profile(&given), Word::ScmpArchX86_64, &mut warnings).unwrap();
    assert_eq!(filter.architectures, ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]);
    assert!(
        warnings.len() == 1 && warnings[0].contains("SCMP_ARCH_S390X"),
        "{warnings:?}"
    );
    assert_eq!(verdict(&filter, 0x8000_0016, 3, [0; 6]), KILL);
}

#[test]
fn what_cannot_be() {
    let rule = |rule: Value| json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]});
    let arg = |index: u64| json!({"names": ["read"], "action": "SCMP_ACT_KILL", "args": [{"index": index, "op": "SCMP_CMP_EQ", "value": 0}]});
    for (given, place) in [
        (
            json!({"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/run/agent"}),
            "/defaultAction",
        ),
        (
            json!({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}),
            "/defaultErrnoRet",
        ),
        (
            json!({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096}),
            "/defaultErrnoRet",
        ),
        (
            json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}),
            "/listenerMetadata",
        ),
        (
            rule(json!({"names": ["read"], "action": "SCMP_ACT_NOTIFY"})),
            "/listenerPath",
        ),
        (
            rule(json!({"names": ["read", "write"], "action": "SCMP_ACT_NOTIFY"})),
            "/syscalls/0/names/1",
        ),
        (
            rule(json!({"names": ["read"], "action": "SCMP_ACT_KILL", "errnoRet": 1})),
            "/syscalls/0/errnoRet",
        ),
        (
            rule(json!({"names": ["read"], "action": "SCMP_ACT_TRACE", "errnoRet": 65536})),
            "/syscalls/0/errnoRet",
        ),
        (
            rule(json!({"names": [], "action": "SCMP_ACT_KILL"})),
            "/syscalls/0/names",
        ),
        (
            rule(json!({"names": ["read", ""], "action": "SCMP_ACT_KILL"})),
            "/syscalls/0/names/1",
        ),
        (rule(arg(6)), "/syscalls/0/args/0/index"),
        (rule(arg(1 << 40)), "/syscalls/0/args/0/index"),
    ] {
        let error = filter(&profile(&given), Word::ScmpArchX86_64, &mut Vec::new()).unwrap_err();
        let (found, line) = crate::plan::sample::told(&error);
        assert_eq!(found, format!("/linux/seccomp{place}"), "{line}");
    }
}

#[test]
fn far_jumps_and_too_many_instructions() {
    let conditions = |count: u64| {
        let rules = (0..count).map(|value| json!({"names": ["openat"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "op": "SCMP_CMP_EQ", "value": value}]}));
        json!({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": rules.collect::<Vec<_>>()})
    };
    let filter = compiled(&conditions(900));
    for (value, expected) in [(0, ALLOW), (450, ALLOW), (899, ALLOW), (900, EPERM)] {
        assert_eq!(
            verdict(&filter, X86_64, 257, [0, value, 0, 0, 0, 0]),
            expected
        );
    }
    assert_eq!(verdict(&filter, X86_64, 256, [0; 6]), EPERM);
    let error = super::filter(
        &profile(&conditions(2000)),
        Word::ScmpArchX86_64,
        &mut Vec::new(),
    );
    let (place, line) = crate::plan::sample::told(&error.unwrap_err());
    assert_eq!(place, "/linux/seccomp/syscalls");
    assert!(line.contains("the kernel takes 4096"), "{line}");
}

#[test]
fn the_table_is_sorted_and_knows_the_constants_of_this_machine() {
    let names: Vec<&str> = Name::all().collect();
    assert!(names.is_sorted() && names.len() > 480, "{}", names.len());
    for name in &names {
        assert!(Name::find(name).is_some(), "{name}");
    }
    assert_eq!(Name::find("open_at"), None);
    assert_eq!(Arch::of(Word::ScmpArchSh, NATIVE).column, COLUMNS - 1);
    // Numbers of the kernel, of the three architectures that people run, and arm's private ones.
    for (name, word, number) in [
        ("openat2", Word::ScmpArchX86_64, 437),
        ("rt_sigaction", Word::ScmpArchX32, 0x4000_0200),
        ("openat", Word::ScmpArchAarch64, 56),
        ("set_tls", Word::ScmpArchArm, 0xf0005),
        ("openat", Word::ScmpArchMips, 4288),
    ] {
        assert_eq!(
            Name::find(name).unwrap().number(Arch::of(word, NATIVE)),
            Some(number),
            "{name}"
        );
    }
}
