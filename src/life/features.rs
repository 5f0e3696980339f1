//! `orbital features`: what this build and this kernel can do (features.md).

use crate::backend;
use serde_json::Value;

/// The document, with the keys that the specification gives it.
#[must_use]
pub fn features() -> Value {
    backend::features::features()
}
