//! The state document (runtime.md, "State").

use super::record::Record;
use super::status::Status;
use serde_json::{Value, json};

/// What hooks read on their standard input.
#[must_use]
pub fn document(record: &Record, pid: i32, status: &str) -> Value {
    let mut value = json!({
        "ociVersion": record.oci_version,
        "id": record.id,
        "status": status,
        "pid": pid,
        "bundle": record.bundle,
    });
    if !record.annotations.is_empty() {
        value["annotations"] = json!(record.annotations);
    }
    value
}

/// What `state` and `list` print: the document, and what callers of runc expect beside it.
#[must_use]
pub fn state(record: &Record, status: Status) -> Value {
    let pid = match status {
        Status::Stopped => 0,
        _ => record.process.map_or(0, |process| process.pid),
    };
    let mut value = document(record, pid, status.word());
    value["rootfs"] = json!(record.rootfs);
    value["created"] = json!(record.created);
    value["owner"] = json!(owner(record.owner));
    value
}

/// The owner's name is a look-up that hosts may answer slowly: root is known, others are numbers.
fn owner(uid: u32) -> String {
    if uid == 0 {
        "root".to_owned()
    } else {
        uid.to_string()
    }
}
