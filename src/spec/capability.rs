//! Capabilities by their names, as capabilities(7) has them.

use oci_spec::runtime::Capability;
use serde::Deserialize;

/// A capability by its name, with or without `CAP_`, in any case.
#[must_use]
pub fn named(name: &str) -> Option<Capability> {
    let upper = name.to_ascii_uppercase();
    let full = format!("CAP_{}", upper.strip_prefix("CAP_").unwrap_or(&upper));
    let is_known = all().contains(&full);
    is_known
        .then(|| Capability::deserialize(serde_json::Value::String(full)).ok())
        .flatten()
}

/// The names of all of them.
#[cfg(target_os = "linux")]
#[must_use]
pub fn all() -> Vec<String> {
    caps::all().into_iter().map(|one| one.to_string()).collect()
}

/// There are none but Linux's.
#[cfg(windows)]
#[must_use]
pub const fn all() -> Vec<String> {
    Vec::new()
}
