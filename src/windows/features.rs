//! What this build can do on Windows (features.md): the specification has words for Linux alone.

use crate::plan::job::limits::PROCESSES;
use crate::spec::default::VERSION;
use serde_json::{Value, json};

/// The document.
#[must_use]
pub fn features() -> Value {
    json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": VERSION,
        "hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
        "mountOptions": [],
        "annotations": {
            "org.opencontainers.runc.checkpoint.enabled": "false",
        },
        "potentiallyUnsafeConfigAnnotations": [PROCESSES],
    })
}
