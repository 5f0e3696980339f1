//! What the types are stricter about than the specification, taken out of the way.
//!
//! Runs only when a config.json did not fit its types. Three things may pass: capabilities that nobody
//! knows (config.md, "Linux Process": a warning), a process without `user` (its ids are 0), and
//! members that are null (as if they were absent); two flags of the scheduler are respelt. Properties that stand twice are gone already: the
//! last one counts, as for every other reader.

use oci_spec::runtime::Capability;
use serde_json::{Map, Value, json};

/// Takes them out, and says in words what a reader may miss.
pub(super) fn what_the_specification_lets_pass(document: &mut Value) -> Vec<String> {
    drop_nulls(document);
    let Some(process) = document.get_mut("process").and_then(Value::as_object_mut) else {
        return Vec::new();
    };
    process.entry("user").or_insert_with(|| json!({}));
    scheduling(process);
    let Some(sets) = process
        .get_mut("capabilities")
        .and_then(Value::as_object_mut)
    else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    for (set, names) in sets {
        let Some(names) = names.as_array_mut() else {
            continue;
        };
        names.retain(|name| {
            // Anything but a string is the types' business.
            let unknown =
                name.is_string() && serde_json::from_value::<Capability>(name.clone()).is_err();
            if unknown {
                warnings.push(format!(
                    "left {name} out of /process/capabilities/{set}: there is no such capability"
                ));
            }
            !unknown
        });
    }
    warnings
}

/// Words that the types spell in another way, and an empty list of CPUs.
fn scheduling(process: &mut Map<String, Value>) {
    let flags = process
        .get_mut("scheduler")
        .and_then(|scheduler| scheduler.get_mut("flags"));
    for flag in flags.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some((_, theirs)) = SCHEDULER_FLAGS.iter().find(|(ours, _)| flag == ours) {
            *flag = json!(theirs);
        }
    }
    if let Some(cpus) = process
        .get_mut("execCPUAffinity")
        .and_then(Value::as_object_mut)
    {
        cpus.retain(|_, list| list != "");
    }
}

/// The specification's words (config.md, `scheduler`), and those of the types.
pub(super) const SCHEDULER_FLAGS: [(&str, &str); 2] = [
    ("SCHED_FLAG_RESET_ON_FORK", "SCHED_RESET_ON_FORK"),
    ("SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_D_L_OVERRUN"),
];

/// A member that is null is as if it were absent.
pub(super) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
