//! The default profile of podman or moby: how much program it makes, and how long that takes.

use super::*;
use crate::plan::seccomp::verify::{Call, run};
use std::time::{Duration, Instant};

/// As large as podman's: some 400 names, three architectures, the usual conditions.
fn large() -> Value {
    let names: Vec<&str> = Name::all()
        .filter(|name| *name != "personality" && *name != "socket")
        .step_by(5)
        .collect();
    let rest: Vec<&str> = Name::all()
        .filter(|name| !names.contains(name) && *name != "socket" && *name != "personality")
        .collect();
    let eq = |value: u64| json!({"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}]});
    json!({
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "syscalls": [
            {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
            {"names": rest, "action": "SCMP_ACT_ALLOW"},
            eq(0), eq(8), eq(131_072), eq(131_080), eq(4_294_967_295),
            {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 2, "value": 9, "op": "SCMP_CMP_NE"}]},
        ],
    })
}

/// Every fifth name apart is more scattered than any profile that people use: an upper bound.
#[test]
fn a_large_profile_is_searched_by_halves() {
    let filter = compiled(&large());
    assert!(
        filter.program.len() < 1000,
        "{} instructions",
        filter.program.len()
    );
    let longest = (0..500).map(|number| {
        let call = Call {
            audit: X86_64,
            number,
            args: [0; 6],
            order: Order::Little,
        };
        run(&filter.program, &call).1
    });
    assert!(
        longest.max() < Some(25),
        "a search by halves, not one by one"
    );
}

/// `cargo test --release --lib seccomp -- --ignored --nocapture how_long` prints the figures, for the
/// profile in SECCOMP_PROFILE or for the one above. Goal: less than 0.2 ms.
#[test]
#[ignore = "measures: only a release build on an idle machine says something"]
fn how_long() {
    let text = match std::env::var_os("SECCOMP_PROFILE") {
        Some(path) => std::fs::read_to_string(path).unwrap(),
        None => large().to_string(),
    };
    let best = |what: &mut dyn FnMut()| {
        let times = (0..200).map(|_| {
            let start = Instant::now();
            what();
            start.elapsed()
        });
        times.min().unwrap()
    };
    let parsed: LinuxSeccomp = serde_json::from_str(&text).unwrap();
    let parse = best(&mut || drop(serde_json::from_str::<LinuxSeccomp>(&text).unwrap()));
    let compile =
        best(&mut || drop(filter(&parsed, Word::ScmpArchX86_64, &mut Vec::new()).unwrap()));
    let length = filter(&parsed, Word::ScmpArchX86_64, &mut Vec::new())
        .unwrap()
        .program
        .len();
    println!("parse {parse:?}, compile {compile:?}, {length} instructions");
    assert!(compile < Duration::from_micros(200));
}
