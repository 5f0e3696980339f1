//! What callers find in the log.

use super::*;
use crate::error::{Cause, Object};

fn failure() -> Error {
    let cause = Cause::Os {
        call: "fsconfig (create)",
        errno: libc::EPERM,
        on: None,
    };
    let object = Object::Config {
        pointer: "/mounts/0".into(),
        value: Some(r#"{"type":"proc"}"#.into()),
    };
    Error::new("mount proc", object, cause)
        .in_step(10, 38)
        .hint("add a pid namespace")
}

fn global(path: &Path, format: LogFormat) -> Global {
    Global {
        log: Some(path.to_owned()),
        log_format: format,
        ..Global::default()
    }
}

#[test]
fn one_failure_is_one_json_object() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.json");
    Log::open(&global(&path, LogFormat::Json))
        .unwrap()
        .report(&failure());
    let written = std::fs::read_to_string(&path).unwrap();
    let record: Value = serde_json::from_str(&written).unwrap();
    assert!(written.ends_with("}\n") && written.matches('\n').count() == 1);
    assert_eq!(record["level"], "error");
    assert_eq!(
        record["msg"],
        "cannot mount proc: config.json#/mounts/0 = {\"type\":\"proc\"}: EPERM: operation not permitted, from fsconfig (create) (hint: add a pid namespace)"
    );
    assert_eq!(record["at"], "config.json#/mounts/0 = {\"type\":\"proc\"}");
    assert_eq!(record["step"], 10);
    assert_eq!(
        record["cause"],
        "EPERM: operation not permitted, from fsconfig (create)"
    );
    assert_eq!(record["hint"], "add a pid namespace");
    let time = record["time"].as_str().unwrap();
    assert!(
        time.len() == 30 && time.starts_with("20") && time.ends_with('Z'),
        "{time}"
    );
}

#[test]
fn text_is_one_line_whatever_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let error = Error::new(
        "run the hook",
        Object::Nothing,
        Cause::Exited {
            status: 1,
            last_line: Some("a\n\"b\"".into()),
        },
    );
    Log::open(&global(&path, LogFormat::Text))
        .unwrap()
        .report(&error);
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written.matches('\n').count(), 1, "{written}");
    let (time, rest) = written.split_once(' ').unwrap();
    assert!(
        time.starts_with("time=\"20") && time.ends_with("Z\""),
        "{time}"
    );
    assert!(
        rest.starts_with("level=error msg=\"cannot run the hook: it exited with 1;"),
        "{rest}"
    );
}

#[test]
fn a_log_is_added_to_and_never_cut() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let first = Log::open(&global(&path, LogFormat::Json)).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(
        mode & 0o133,
        0,
        "made before anything fails, writable by its owner alone: {mode:o}"
    );
    std::fs::write(&path, "before\n").unwrap();
    first.report(&failure());
    Log::open(&global(&path, LogFormat::Json))
        .unwrap()
        .warn("later");
    let written = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines[0], "before");
    let later: Value = serde_json::from_str(lines[2]).unwrap();
    assert_eq!(
        (later["level"].as_str(), later["msg"].as_str()),
        (Some("warning"), Some("later"))
    );
}

#[test]
fn a_log_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/log");
    let text = Log::open(&global(&path, LogFormat::Text))
        .unwrap_err()
        .one_line();
    assert!(
        text.starts_with("cannot open the log: ")
            && text.contains("no/log")
            && text.contains("ENOENT"),
        "{text}"
    );
}

#[test]
fn events_are_recorded_with_their_fields() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.json");
    let log = Log::open(&global(&path, LogFormat::Json)).unwrap();
    // For this thread only: `--debug` itself sets it for the whole process.
    tracing::subscriber::with_default(super::super::trace::Trace { log }, || {
        tracing::debug!(pid = 4711, name = "web", "cloned");
        tracing::warn!("left {} out", "CAP_X");
        tracing::trace!("too much");
    });
    let written = std::fs::read_to_string(&path).unwrap();
    let records: Vec<Value> = written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 2, "{written}");
    assert_eq!(records[0]["level"], "debug");
    assert_eq!(records[0]["msg"], "cloned");
    assert_eq!(
        (&records[0]["pid"], &records[0]["name"]),
        (&Value::from(4711), &Value::from("web"))
    );
    assert_eq!(
        (records[1]["level"].as_str(), records[1]["msg"].as_str()),
        (Some("warning"), Some("left CAP_X out"))
    );
}
