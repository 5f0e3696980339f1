//! Masked and read-only paths (config-linux.md, "Masked Paths", "Readonly Paths").

use super::root::below;
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::Spec;
use std::ffi::CString;
use std::path::Path;

/// A path to cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Path below the root, without a leading slash.
    pub path: CString,
    /// Where it stands in config.json.
    pub pointer: Pointer,
}

/// Both lists, in order. A path that does not exist is skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// Unreadable: an empty read-only directory or the null device is laid over them.
    pub masked: Vec<Covered>,
    /// Read-only, with all mounts below.
    pub read_only: Vec<Covered>,
}

/// Decides what is covered.
///
/// # Errors
/// A relative path, or the root itself.
pub fn plan(spec: &Spec) -> Result<Masks> {
    let Some(linux) = spec.linux() else {
        return Ok(Masks::default());
    };
    Ok(Masks {
        masked: list("mask a path", linux.masked_paths(), "/linux/maskedPaths")?,
        read_only: list(
            "make a path read-only",
            linux.readonly_paths(),
            "/linux/readonlyPaths",
        )?,
    })
}

fn list(doing: &str, paths: &Option<Vec<String>>, pointer: &str) -> Result<Vec<Covered>> {
    let paths = paths.as_deref().unwrap_or_default();
    let numbered = paths.iter().enumerate();
    numbered
        .map(|(number, path)| one(doing, path, Pointer::from(pointer).at(number)))
        .collect()
}

fn one(doing: &str, path: &str, pointer: Pointer) -> Result<Covered> {
    if !path.starts_with('/') {
        let hint = format!("use /{path}");
        return Err(Error::refused(doing, pointer, "the path must be absolute").hint(hint));
    }
    let path = below(doing, Path::new(path), &pointer)?;
    if path.is_empty() {
        let hint = "to make all of it read-only, set /root/readonly";
        return Err(Error::refused(doing, pointer, "it is the container's root").hint(hint));
    }
    Ok(Covered { path, pointer })
}

#[cfg(test)]
mod tests;
