use super::*;
use crate::plan::sample::{spec, told};
use serde_json::{Value, json};

fn planned(rlimits: Value) -> Result<Vec<Limit>> {
    plan(&spec(json!({"process": {"rlimits": rlimits}})))
}

#[test]
fn names_become_the_numbers_of_getrlimit() {
    for (name, number) in [
        ("RLIMIT_CPU", 0),
        ("RLIMIT_CORE", 4),
        ("RLIMIT_NOFILE", 7),
        ("RLIMIT_AS", 9),
        ("RLIMIT_RTTIME", 15),
    ] {
        let limits = planned(json!([{"type": name, "soft": 5, "hard": u64::MAX}])).unwrap();
        assert_eq!(
            (
                limits[0].resource,
                limits[0].name,
                limits[0].soft,
                limits[0].hard
            ),
            (number, name, 5, u64::MAX)
        );
    }
}

#[test]
fn refusals_name_the_limit() {
    let limit =
        |name: &str, soft: u64, hard: u64| json!({"type": name, "soft": soft, "hard": hard});
    for (given, place, words) in [
        (
            json!([limit("RLIMIT_CORE", 2, 1)]),
            "/process/rlimits/0",
            "above the hard one",
        ),
        (
            json!([
                limit("RLIMIT_CORE", 1, 1),
                limit("RLIMIT_CPU", 1, 1),
                limit("RLIMIT_CORE", 1, 1)
            ]),
            "/process/rlimits/2",
            "set already by /process/rlimits/0",
        ),
    ] {
        let (pointer, line) = told(&planned(given).unwrap_err());
        assert_eq!(pointer, place, "{line}");
        assert!(line.contains(words), "{line}");
    }
}
