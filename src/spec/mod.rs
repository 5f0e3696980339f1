//! config.json as written: the ecosystem's own types, and the raw bytes to quote from.
//!
//! ```text
//! bytes ─▶ Spec                        the usual way: one pass, no copy
//!       └▶ Value ─▶ forgiven ─▶ Spec   when that fails: what the specification lets pass is taken
//!                             └▶ Error  out, and what is still wrong gets its JSON pointer
//! ```
//!
//! Nothing is decided here, and nothing is compared with the host: that is `plan/`.

/// What the types are stricter about than the specification, taken out of the way.
mod forgive;

/// From a byte of the text to the JSON pointer of the value around it.
pub mod pointer;

/// What is wrong on its face, whatever the host.
mod clauses;

/// Required members that the types make up where they are missing.
mod required;

/// Text that is not JSON at all.
mod syntax;

/// serde's words for a wrong value, in ours.
mod words;

/// What to write for a value of the wrong type.
mod advice;

/// Names that nobody knows, and one that was meant.
pub mod names;

/// Capabilities by their names.
pub mod capability;

/// The limits alone, as `update` reads them.
pub mod resources;

/// What `orbital spec` writes, and the specification's version that is implemented.
pub mod default;

use crate::error::{Cause, Error, Object, Result};
use crate::sys::dir;
use oci_spec::runtime::Spec;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The most bytes that config.json may have.
const LARGEST: u64 = 16 << 20;

/// A bundle, read.
#[derive(Debug)]
pub struct Bundle {
    /// Its directory, absolute and without links.
    pub path: PathBuf,
    /// config.json, typed.
    pub spec: Spec,
    /// config.json, byte for byte, without a byte order mark.
    pub raw: Vec<u8>,
    /// What was let pass although it cannot be done; `plan` hands it on.
    pub warnings: Vec<String>,
}

impl Bundle {
    /// An error about this config.json, with the value as it stands there, or with the misspelt name that stands for it.
    #[must_use]
    pub fn explain(&self, error: Error) -> Error {
        names::explained(error, &self.raw).quoting(&self.raw)
    }
}

/// Reads `path`/config.json.
///
/// # Errors
/// A missing directory or file, text that is not JSON, a value of the wrong type, a version of another major.
pub fn load(path: &Path) -> Result<Bundle> {
    let found = dir::real_path(path).map_err(|error| {
        let report = Error::io("find the bundle", path, "realpath", &error);
        match error.raw_os_error() {
            Some(NO_ENTRY) => report.hint("name the folder that holds config.json with --bundle"),
            _ => report,
        }
    })?;
    let raw = read(&found)?;
    from_bytes(raw, found)
}

/// The bundle in the directory `path`, of these bytes of its config.json.
///
/// # Errors
/// Text that is not JSON, a value of the wrong type, a version of another major.
pub fn from_bytes(mut raw: Vec<u8>, path: PathBuf) -> Result<Bundle> {
    if raw.starts_with(b"\xef\xbb\xbf") {
        raw.drain(..3);
    }
    let (spec, warnings) = parse(&raw, &path.join("config.json"))?;
    Ok(Bundle {
        path,
        spec,
        raw,
        warnings,
    })
}

/// The bytes of `file` in their types, and what was let pass.
fn parse(raw: &[u8], file: &Path) -> Result<(Spec, Vec<String>)> {
    let text = std::str::from_utf8(raw).map_err(|error| syntax::not_utf8(raw, file, &error))?;
    let (spec, warnings) = match serde_json::from_str::<Spec>(text) {
        // A list would do for serde, of its values in their order.
        Ok(spec) if raw.trim_ascii_start().starts_with(b"{") => (spec, Vec::new()),
        Ok(_) | Err(_) => forgiven(text, file)?,
    };
    clauses::check(&spec, text).map_err(|error| error.quoting(raw))?;
    Ok((spec, warnings))
}

/// The slower way, for what the types refused.
fn forgiven(text: &str, file: &Path) -> Result<(Spec, Vec<String>)> {
    let raw = text.as_bytes();
    let mut value: serde_json::Value =
        serde_json::from_slice(raw).map_err(|error| syntax::not_json(raw, file, &error))?;
    if !value.is_object() {
        return Err(syntax::not_an_object(file));
    }
    // Before the types, which would take a list as the members of an object in their order.
    clauses::objects(text).map_err(|error| error.quoting(raw))?;
    let warnings = forgive::what_the_specification_lets_pass(&mut value);
    let text = value.to_string();
    // From text here too: one more way of reading the types would be a quarter of a megabyte.
    match serde_json::from_str(&text) {
        Ok(spec) => Ok((spec, warnings)),
        Err(error) => Err(words::wrong_value(text.as_bytes(), &value, &error).quoting(raw)),
    }
}

const NO_ENTRY: i32 = 2;
const NO_DIRECTORY: i32 = 20;
const IS_DIRECTORY: &str = "it is a directory";

fn read(bundle: &Path) -> Result<Vec<u8>> {
    let path = bundle.join("config.json");
    let refuse = |why: &str| {
        Error::new(
            "read config.json",
            Object::File(path.clone()),
            Cause::Refused(why.to_owned()),
        )
    };
    let about = std::fs::metadata(&path).map_err(|error| missing(&path, &error))?;
    // Asked before it is opened: a fifo would hold us for ever.
    if about.is_dir() {
        return Err(refuse(IS_DIRECTORY));
    }
    if !about.is_file() {
        return Err(refuse("it is not a regular file"));
    }
    let file = std::fs::File::open(&path)
        .map_err(|error| Error::io("read config.json", &path, "open", &error))?;
    let mut raw = Vec::with_capacity(usize::try_from(about.len().min(LARGEST)).unwrap_or_default());
    let read = file.take(LARGEST + 1).read_to_end(&mut raw);
    read.map_err(|error| Error::io("read config.json", &path, "read", &error))?;
    if raw.len() as u64 > LARGEST {
        return Err(refuse("it is larger than 16 MiB"));
    }
    Ok(raw)
}

fn missing(path: &Path, error: &std::io::Error) -> Error {
    let report = Error::io("read config.json", path, "stat", error);
    match error.raw_os_error() {
        Some(NO_ENTRY) => report.hint(
            "name the bundle's folder with --bundle, or write a first one there with orbital spec",
        ),
        Some(NO_DIRECTORY) => {
            report.hint("name the folder that config.json is in with --bundle, not a file")
        }
        _ => report,
    }
}

#[cfg(test)]
mod tests;
