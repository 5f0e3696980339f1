use super::*;
use crate::plan::sample::{spec, told};
use serde_json::{Value, json};

fn planned(offsets: Value, source: Source) -> Result<Option<Clocks>> {
    let spec = spec(json!({"linux": {"timeOffsets": offsets}}));
    plan(spec.linux().as_ref().unwrap(), source)
}

#[test]
fn a_line_for_each_clock_that_is_given() {
    for (offsets, expected) in [
        (json!({"monotonic": {"secs": 7}}), "monotonic 7 0\n"),
        (
            json!({"boottime": {"secs": -7, "nanosecs": 999_999_999}, "monotonic": {"nanosecs": 5}}),
            "monotonic 0 5\nboottime -7 999999999\n",
        ),
        (json!({"monotonic": {}}), "monotonic 0 0\n"),
        (
            json!({"boottime": {"secs": 4_611_686_018_i64}}),
            "boottime 4611686018 0\n",
        ),
    ] {
        let clocks = planned(offsets, Source::New).unwrap().unwrap();
        assert_eq!(String::from_utf8(clocks.bytes).unwrap(), expected);
    }
    for source in [Source::New, Source::Inherited, Source::Joined] {
        assert_eq!(planned(json!({}), source).unwrap(), None);
    }
}

#[test]
fn what_no_clock_can_have() {
    for (offsets, source, place, words) in [
        (
            json!({"monotonic": {"secs": 1}}),
            Source::Inherited,
            "",
            "would be the host's",
        ),
        (
            json!({"monotonic": {"secs": 1}}),
            Source::Joined,
            "",
            "has its offsets already",
        ),
        (
            json!({"montonic": {"secs": 1}}),
            Source::New,
            "/montonic",
            "did you mean \"monotonic\"?",
        ),
        (
            json!({"realtime": {"secs": 1}}),
            Source::New,
            "/realtime",
            "the time of day is the same for all",
        ),
        (
            json!({"boottime": {"secs": -4_611_686_019_i64}}),
            Source::New,
            "/boottime/secs",
            "4611686018 s at most",
        ),
        (
            json!({"boottime": {"secs": i64::MIN}}),
            Source::New,
            "/boottime/secs",
            "4611686018 s at most",
        ),
        (
            json!({"boottime": {"nanosecs": 1_000_000_000}}),
            Source::New,
            "/boottime/nanosecs",
            "from 0 to 999999999",
        ),
    ] {
        let (pointer, line) = told(&planned(offsets, source).unwrap_err());
        assert_eq!(pointer, format!("/linux/timeOffsets{place}"));
        assert!(line.contains(words), "{line}");
    }
}
