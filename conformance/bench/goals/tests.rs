use std::time::Duration;

use super::*;
use crate::bundle::Linkage;
use crate::program::Kind;
use crate::weight::Trace;

fn program(name: &str) -> Program {
    Program {
        place: 0,
        name: name.to_owned(),
        path: "/p".into(),
        kind: Kind::Runtime { root: "/s".into() },
        bundle: "/b".into(),
        version: String::new(),
        linkage: Linkage::Static,
    }
}

fn series(times: &[(&str, Act, u64)]) -> Series {
    let mut series = Series::new("paused");
    for (name, act, ms) in times {
        series.add(name, *act, Duration::from_millis(*ms));
    }
    series
}

fn weight(bytes: u64, kib: Result<u64, String>) -> Weight {
    Weight {
        program: SUBJECT.to_owned(),
        bytes,
        peak_exec: kib.clone(),
        peak_create: kib,
        peak_run: Ok(0),
        trace: Ok(Trace {
            syscalls: 1,
            tasks: 1,
        }),
    }
}

const FAST: [(&str, Act, u64); 10] = [
    (FLOOR, Act::Run, 20),
    (FLOOR, Act::Create, 10),
    (FLOOR, Act::State, 2),
    (SUBJECT, Act::Run, 30),
    (SUBJECT, Act::Create, 15),
    (SUBJECT, Act::State, 4),
    ("crun-new", Act::Run, 31),
    (FLOOR, Act::Exec, 4),
    (SUBJECT, Act::Exec, 6),
    ("crun-new", Act::Exec, 7),
];

fn verdicts(times: &[(&str, Act, u64)], weight: Weight) -> Vec<bool> {
    let programs = [program(SUBJECT), program("crun-old"), program("crun-new")];
    judge(&programs, &series(times), &[weight])
        .iter()
        .map(Goal::holds)
        .collect()
}

#[test]
fn the_limits_themselves_hold() {
    let mut times = FAST.to_vec();
    times.push(("crun-new", Act::Create, 16));
    times.push(("crun-old", Act::Create, 99));
    assert_eq!(verdicts(&times, weight(3_000_000, Ok(2929))), [true; 10]);
}

#[test]
fn each_goal_can_be_missed() {
    let mut times = FAST.map(|(name, act, ms)| (name, act, ms + u64::from(name == SUBJECT)));
    assert_eq!(
        verdicts(&times, weight(3_000_001, Ok(2930))),
        [false; 10],
        "one unit too much, and no crun in create"
    );
    times[6].2 = 40;
    assert!(verdicts(&times, weight(1, Err("no".to_owned())))[1]);
}

#[test]
fn every_crun_must_be_slower() {
    let mut times = FAST.to_vec();
    times.push(("crun-old", Act::Run, 30));
    assert!(
        !verdicts(&times, weight(1, Ok(1)))[1],
        "as fast is not faster"
    );
}
