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
    value["owner"] = match &record.job {
        Some(job) => json!(job.owner),
        None => json!(owner(record.owner)),
    };
    value
}

/// The owner's name as /etc/passwd has it, else `#` and the number. Other services that know names may answer
/// slowly, and are not asked; for root nothing is.
fn owner(uid: u32) -> String {
    if uid == 0 {
        return "root".to_owned();
    }
    let text = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_in(&text, uid).unwrap_or_else(|| format!("#{uid}"))
}

/// The name of the user with this id in a text of passwd(5).
fn name_in(passwd: &str, uid: u32) -> Option<String> {
    let user = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    };
    passwd.lines().find_map(user)
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn owners_by_name() {
        let text =
            "root:x:0:0:root:/root:/bin/sh\nme:x:1000:100::/home/me:\nodd\ntwin:x:1000:1::/:\n";
        assert_eq!(name_in(text, 1000).as_deref(), Some("me"));
        assert_eq!(name_in(text, 100), None);
        assert_eq!(name_in("", 1), None);
    }
}
