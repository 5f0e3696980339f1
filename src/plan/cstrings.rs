//! Text of config.json as C strings: the one thing that JSON can say and C cannot is a NUL inside.

use crate::error::{Error, Pointer, Result};
use std::ffi::CString;
use std::path::Path;

/// The text at `pointer` as a C string; `doing` completes "cannot …".
///
/// # Errors
/// It holds a NUL.
pub fn text(
    value: &(impl AsRef<[u8]> + ?Sized),
    doing: &str,
    pointer: &Pointer,
) -> Result<CString> {
    CString::new(value.as_ref()).map_err(|_| {
        Error::refused(doing, pointer, "a C string cannot hold the character NUL")
            .hint("take \\u0000 out")
    })
}

/// The same for a path.
///
/// # Errors
/// It holds a NUL.
pub fn path(value: &Path, doing: &str, pointer: &Pointer) -> Result<CString> {
    text(value.as_os_str().as_encoded_bytes(), doing, pointer)
}

/// A path that must begin with `/`.
///
/// # Errors
/// It does not, or holds a NUL.
pub fn absolute(value: &Path, doing: &str, pointer: &Pointer) -> Result<CString> {
    if value.as_os_str().is_empty() {
        return Err(Error::refused(doing, pointer, "the path is empty")
            .hint("give an absolute path, that is, one that begins with /"));
    }
    if !value.has_root() {
        return Err(Error::refused(
            doing,
            pointer,
            "the path must be absolute, that is, begin with /",
        )
        .hint(format!("use /{}", value.display())));
    }
    path(value, doing, pointer)
}

/// A list of them, each with its own pointer.
///
/// # Errors
/// The first that holds a NUL.
pub fn list(values: &[String], doing: &str, pointer: &Pointer) -> Result<Vec<CString>> {
    values
        .iter()
        .enumerate()
        .map(|(index, value)| text(value, doing, &pointer.at(index)))
        .collect()
}
