//! The seccomp filter in force: one system call after the other, and what the kernel answers.
//!
//! The calls are made by conformance/seccomp/call.c, a static program, so that no C library stands between.

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, same};
use crate::lab::Lab;
use crate::probe;
use crate::spec::Spec;

const NEEDS: &[Need] = &[Need::Root, Need::Program("gcc")];

pub(super) const CASES: &[Case] = &[
    Case::new("the-kernel-says-that-there-is-a-filter", mode),
    Case::new("without-a-profile-there-is-none", none),
    Case::new("a-user-without-no-new-privileges-has-it-too", user),
    Case::new("an-errno-is-returned", errno).needs(NEEDS),
    Case::new(
        "a-rule-with-the-default-action-says-nothing",
        default_action,
    )
    .needs(NEEDS),
    Case::new("a-condition-decides", condition).needs(NEEDS),
    Case::new("all-64-bits-are-compared", whole).needs(NEEDS),
    Case::new("all-conditions-of-a-rule-must-hold", both).needs(NEEDS),
    Case::new("two-conditions-on-one-argument-are-alternatives", either).needs(NEEDS),
    Case::new("a-rule-without-conditions-beats-those-with", beats).needs(NEEDS),
    Case::new("kill-and-trap-end-it-with-sigsys", killed).needs(NEEDS),
    Case::new("log-lets-it-through", logged).needs(NEEDS),
    Case::new("a-name-of-no-kernel-is-ignored", unknown_name).needs(NEEDS),
    Case::new("a-name-that-stops-nothing-is-warned-of", misspelt)
        .needs(&[Need::Root, Need::OrbitalOnly]),
    Case::new("a-newer-syscall-is-enosys", newer)
        .needs(NEEDS)
        .deviates(&[("crun", "it has the default action for newer syscalls too")]),
    Case::new("another-architecture-is-killed", foreign).needs(NEEDS),
    Case::new("a-named-architecture-has-the-rules", named).needs(NEEDS),
    Case::new("flags-are-taken", flags)
        .deviates(&[("runc", "1.1.5 knows no flags; later ones do")]),
];

/// The profile, and the program that makes the calls.
fn with(lab: &Lab, profile: Value) -> Outcome<impl FnOnce(&mut Spec)> {
    let source = lab.file("call.c", include_str!("../seccomp/call.c"))?;
    let program = lab.scratch("call");
    let (source, program) = (
        source.to_string_lossy().into_owned(),
        program.to_string_lossy().into_owned(),
    );
    lab.host(&["gcc", "-O1", "-static", "-o", &program, "-x", "c", &source])?;
    Ok(move |spec: &mut Spec| {
        spec.bind(&program, "/call", &["bind", "ro"]);
        spec.set("/linux/seccomp", profile);
    })
}

/// What each of these calls answers under a filter that otherwise lets everything through.
fn answers(lab: &Lab, rules: Value, calls: &[(&str, &str)]) -> Outcome {
    profile_answers(
        lab,
        json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}),
        calls,
    )
}

fn profile_answers(lab: &Lab, profile: Value, calls: &[(&str, &str)]) -> Outcome {
    // A program that a signal ends has said nothing, and 128 + 31 is its status: SIGSYS.
    let script: Vec<String> = calls
        .iter()
        .map(|(call, _)| format!("/call {call} 2>/dev/null || echo status $?"))
        .collect();
    let said = lab.look(&script.join("\n"), with(lab, profile)?)?;
    let found: Vec<&str> = said.lines().collect();
    let expected: Vec<&str> = calls.iter().map(|(_, answer)| *answer).collect();
    same(&format!("{calls:?}"), found, expected)
}

fn rule(name: &str, action: &str, args: Value) -> Value {
    json!({"names": [name], "action": format!("SCMP_ACT_{action}"), "args": args})
}

fn arg(index: u64, op: &str, value: u64, two: u64) -> Value {
    json!({"index": index, "op": format!("SCMP_CMP_{op}"), "value": value, "valueTwo": two})
}

/// What the kernel says of the process.
fn status(lab: &Lab, edit: impl FnOnce(&mut Spec)) -> Outcome<String> {
    let status = lab.look("cat /proc/self/status", edit)?;
    probe::field(&status, "Seccomp")
}

fn mode(lab: &Lab) -> Outcome {
    let found = status(lab, |spec| {
        let rules = json!([rule("sethostname", "ERRNO", json!([]))]);
        spec.set(
            "/linux/seccomp",
            json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}),
        );
    })?;
    same("Seccomp", found.as_str(), "2")
}

fn none(lab: &Lab) -> Outcome {
    let own = std::fs::read_to_string("/proc/self/status")?;
    let found = status(lab, |spec| {
        spec.remove("/linux/seccomp");
    })?;
    same("Seccomp", found, probe::field(&own, "Seccomp")?)
}

/// Loading a filter then needs CAP_SYS_ADMIN: it must happen before the capabilities go.
fn user(lab: &Lab) -> Outcome {
    let found = status(lab, |spec| {
        spec.set("/process/user", json!({"uid": 1000, "gid": 1000}));
        spec.set("/process/noNewPrivileges", json!(false));
        let rules = json!([rule("sethostname", "ERRNO", json!([]))]);
        spec.set(
            "/linux/seccomp",
            json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}),
        );
    })?;
    same("Seccomp", found.as_str(), "2")
}

fn errno(lab: &Lab) -> Outcome {
    let rules = json!([
        {"names": ["getpriority"], "action": "SCMP_ACT_ERRNO"},
        {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95},
    ]);
    let calls = [
        ("getpriority", "errno 1"),
        ("personality 0xffffffff", "errno 95"),
        ("getpid", "ok"),
    ];
    answers(lab, rules, &calls)
}

fn default_action(lab: &Lab) -> Outcome {
    let rules = json!([
        rule("getpriority", "ALLOW", json!([])),
        rule("getpriority", "ERRNO", json!([]))
    ]);
    answers(lab, rules, &[("getpriority", "errno 1")])
}

fn condition(lab: &Lab) -> Outcome {
    for (op, value, two, holds, not) in [
        ("EQ", 8, 0, 8, 0),
        ("NE", 8, 0, 0, 8),
        ("LT", 8, 0, 0, 8),
        ("LE", 0, 0, 0, 8),
        ("GT", 7, 0, 8, 0),
        ("GE", 8, 0, 8, 0),
        ("MASKED_EQ", 0xc, 8, 8, 0),
    ] {
        let rules = json!([rule(
            "personality",
            "ERRNO",
            json!([arg(0, op, value, two)])
        )]);
        let (holds, not) = (format!("personality {holds}"), format!("personality {not}"));
        answers(
            lab,
            rules,
            &[(holds.as_str(), "errno 1"), (not.as_str(), "ok")],
        )?;
    }
    Ok(())
}

fn whole(lab: &Lab) -> Outcome {
    let rules = json!([rule(
        "getpriority",
        "ERRNO",
        json!([arg(1, "GE", 1 << 32, 0)])
    )]);
    let calls = [
        ("getpriority 0 0x100000000", "errno 1"),
        ("getpriority 0 0x200000000", "errno 1"),
        ("getpriority 0 0", "ok"),
    ];
    answers(lab, rules, &calls)
}

fn both(lab: &Lab) -> Outcome {
    let conditions = json!([arg(2, "EQ", 7, 0), arg(3, "EQ", 9, 0)]);
    let calls = [
        ("getpriority 0 0 7 9", "errno 1"),
        ("getpriority 0 0 7 8", "ok"),
        ("getpriority 0 0 6 9", "ok"),
    ];
    answers(
        lab,
        json!([rule("getpriority", "ERRNO", conditions)]),
        &calls,
    )
}

fn either(lab: &Lab) -> Outcome {
    let conditions = json!([arg(2, "EQ", 7, 0), arg(2, "EQ", 9, 0)]);
    let calls = [
        ("getpriority 0 0 7", "errno 1"),
        ("getpriority 0 0 9", "errno 1"),
        ("getpriority 0 0 8", "ok"),
    ];
    answers(
        lab,
        json!([rule("getpriority", "ERRNO", conditions)]),
        &calls,
    )
}

fn beats(lab: &Lab) -> Outcome {
    let rules = json!([
        rule("getpriority", "KILL", json!([arg(2, "EQ", 7, 0)])),
        rule("getpriority", "ERRNO", json!([])),
    ]);
    let calls = [
        ("getpriority 0 0 7", "errno 1"),
        ("getpriority 0 0 8", "errno 1"),
    ];
    answers(lab, rules, &calls)
}

fn killed(lab: &Lab) -> Outcome {
    for action in ["KILL", "KILL_THREAD", "KILL_PROCESS", "TRAP"] {
        let rules = json!([rule("getpriority", action, json!([]))]);
        answers(
            lab,
            rules,
            &[("getpriority", "status 159"), ("getpid", "ok")],
        )
        .map_err(|error| format!("{action}: {error}"))?;
    }
    Ok(())
}

fn logged(lab: &Lab) -> Outcome {
    let rules = json!([rule("getpriority", "LOG", json!([]))]);
    answers(lab, rules, &[("getpriority", "ok")])
}

fn unknown_name(lab: &Lab) -> Outcome {
    let rules =
        json!([{"names": ["of_a_kernel_to_come", "getpriority"], "action": "SCMP_ACT_ERRNO"}]);
    answers(lab, rules, &[("getpriority", "errno 1")])
}

/// A rule that was to deny a call, and denies none: the container runs, and whoever wrote it hears of it.
fn misspelt(lab: &Lab) -> Outcome {
    let said = lab.run(|spec| {
        spec.args(&["true"]).set(
            "/linux/seccomp",
            json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["unshar"], "action": "SCMP_ACT_ERRNO"}]}),
        );
    })?;
    same("status", said.code(), 0)?;
    contains("the warning", &said.err, "did you mean \"unshare\"?")
}

/// What a program of this size, its shell and the runtime's last steps need.
const USUAL: &str = "access arch_prctl brk capget capset chdir clock_gettime clone clone3 close close_range dup dup2 dup3 \
    epoll_create1 epoll_ctl epoll_pwait execve exit exit_group faccessat faccessat2 fchdir fcntl fork fstat fstatfs futex \
    getcwd getdents64 getegid geteuid getgid getpgrp getpid getppid getrandom gettid getuid ioctl keyctl kill lseek lstat madvise \
    mmap mprotect munmap nanosleep newfstatat open openat pipe pipe2 poll ppoll prctl pread64 prlimit64 read readlink readlinkat \
    recvfrom recvmsg rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield sendmsg sendto set_robust_list \
    set_tid_address setgid setgroups setresgid setresuid setuid sigaltstack socketpair stat statfs statx tgkill umask uname \
    vfork wait4 waitid write writev accept4 restart_syscall setsid openat2 fstatat64 setpgid";

/// A C library that meets EPERM gives up; at ENOSYS it falls back.
fn newer(lab: &Lab) -> Outcome {
    let names: Vec<&str> = USUAL.split_whitespace().collect();
    // Older versions of runc do this for architectures that are named, and only for those.
    let native = match cfg!(target_arch = "aarch64") {
        true => "SCMP_ARCH_AARCH64",
        false => "SCMP_ARCH_X86_64",
    };
    let profile = json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "architectures": [native],
        "syscalls": [{"names": names, "action": "SCMP_ACT_ALLOW"}],
    });
    let calls = [
        ("getpid", "ok"),
        ("personality 0xffffffff", "errno 1"),
        ("9999", "errno 38"),
    ];
    profile_answers(lab, profile, &calls)
}

/// 20 is getpid for programs of 32 bits, 96 getpriority; x32's getpid is 39 and a bit.
fn foreign(lab: &Lab) -> Outcome {
    if !cfg!(target_arch = "x86_64") {
        return Ok(());
    }
    let rules = json!([rule("getpriority", "ERRNO", json!([]))]);
    let calls = [("20@i386", "status 159"), ("0x40000027", "status 159")];
    answers(lab, rules, &calls)
}

fn named(lab: &Lab) -> Outcome {
    if !cfg!(target_arch = "x86_64") {
        return Ok(());
    }
    let profile = json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86"],
        "syscalls": [rule("getpriority", "ERRNO", json!([]))],
    });
    let calls = [
        ("20@i386", "ok"),
        ("96@i386", "errno 1"),
        // The native one is always named.
        ("getpriority", "errno 1"),
    ];
    profile_answers(lab, profile, &calls)
}

fn flags(lab: &Lab) -> Outcome {
    for flags in [
        json!([]),
        json!(["SECCOMP_FILTER_FLAG_LOG"]),
        json!([
            "SECCOMP_FILTER_FLAG_TSYNC",
            "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
        ]),
    ] {
        let found = status(lab, |spec| {
            spec.set(
                "/linux/seccomp",
                json!({"defaultAction": "SCMP_ACT_ALLOW", "flags": flags}),
            );
        })?;
        same("Seccomp", found.as_str(), "2")?;
    }
    Ok(())
}
