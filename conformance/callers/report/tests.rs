use std::collections::BTreeSet;

use super::*;
use crate::all::{CALLERS, chosen};

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

#[test]
fn a_run_of_some_cases_keeps_the_other_rows() {
    let all: Vec<Case> = chosen(&[]).into_iter().take(3).collect();
    let with = |cases: &[Case], cells: Vec<Vec<Verdict>>| Table {
        runtimes: vec!["crun".into(), "orbital".into()],
        versions: Vec::new(),
        cases: cases.to_vec(),
        cells: cells
            .into_iter()
            .map(|row| {
                let cell = |verdict| Cell {
                    verdict,
                    seconds: 2.0,
                };
                row.into_iter().map(|one| Some(cell(one))).collect()
            })
            .collect(),
        told: 0,
    };
    let passed = || vec![Verdict::Passed, Verdict::Passed];
    let whole = with(
        &all,
        vec![
            passed(),
            vec![Verdict::Passed, failed()],
            vec![skipped(), failed()],
        ],
    );
    let again = with(&all[1..2], vec![passed()]).with_rows_of(&all, &whole.document());
    let wanted = with(&all, vec![passed(), passed(), vec![skipped(), failed()]]);
    assert_eq!(again.document(), wanted.document());
    let alone = with(&all[1..2], vec![passed()]);
    let other = alone.document().replace("crun", "runc");
    assert_eq!(alone.with_rows_of(&all, &other).cases.len(), 1);
}
