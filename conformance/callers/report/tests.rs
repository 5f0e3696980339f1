use std::collections::BTreeSet;

use super::*;
use crate::case::{CALLERS, chosen};

/// What a table says whose first case went like this, runtime by runtime.
fn table(verdicts: &[Verdict]) -> Table {
    let names = (0..verdicts.len()).map(|number| format!("runtime{number}"));
    let cell = |verdict: &Verdict| Cell {
        verdict: verdict.clone(),
        seconds: 1.0,
    };
    Table {
        runtimes: names.collect(),
        versions: Vec::new(),
        cases: chosen(&[]).into_iter().take(1).collect(),
        cells: vec![verdicts.iter().map(|verdict| Some(cell(verdict))).collect()],
        told: verdicts.len(),
    }
}

fn failed() -> Verdict {
    Verdict::Failed("so".to_owned())
}

fn skipped() -> Verdict {
    Verdict::Skipped("so".to_owned())
}

#[test]
fn failing_what_a_peer_passes_is_a_failure() {
    let table = table(&[failed(), Verdict::Passed, failed()]);
    assert_eq!(table.counts(), "0 passed, 1 failed, 0 skipped");
    assert!(!table.is_good());
}

#[test]
fn failing_alone_is_a_failure() {
    assert_eq!(table(&[failed()]).counts(), "0 passed, 1 failed, 0 skipped");
    assert_eq!(
        table(&[skipped(), failed()]).counts(),
        "0 passed, 1 failed, 0 skipped"
    );
}

#[test]
fn failing_with_all_peers_proves_nothing() {
    let table = table(&[failed(), failed(), failed()]);
    assert_eq!(table.counts(), "0 passed, 0 failed, 1 skipped");
    assert!(!table.is_good(), "nothing has passed");
    assert!(table.document().contains("1 pass nowhere"));
}

#[test]
fn passing_is_passing_whatever_peers_do() {
    assert_eq!(
        table(&[failed(), Verdict::Passed]).counts(),
        "1 passed, 0 failed, 0 skipped"
    );
    assert_eq!(
        table(&[Verdict::Passed, skipped()]).counts(),
        "0 passed, 0 failed, 1 skipped"
    );
}

#[test]
fn names_are_different_and_begin_with_their_caller() {
    let all = chosen(&[]);
    let names: BTreeSet<&str> = all.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), all.len());
    for caller in CALLERS {
        for case in caller.cases.iter().copied().flatten() {
            assert!(
                case.name.starts_with(&format!("{}/", caller.name)),
                "{case}"
            );
        }
    }
}
