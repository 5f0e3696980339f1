//! The process of a request, from its flags or its file, in the place of the container's first one; and
//! errors about it, in the words of whoever asked.

use crate::cli::{Changes, Exec};
use crate::error::{Cause, Error, Object, Result};
use crate::plan::second::{as_confined, changed, like_the_first};
use crate::spec::{self, Bundle};
use oci_spec::runtime::Process;
use serde_json::Value;
use std::path::Path;

/// Longest file of `--process`, in bytes.
const LARGEST: u64 = 16 << 20;

/// The container's bundle with the process in it.
///
/// # Errors
/// A file that cannot be read or describes no process.
pub(super) fn with_process(mut bundle: Bundle, request: &Exec) -> Result<Bundle> {
    let process = match &request.process {
        None => like_the_first(&bundle.spec, &request.command),
        Some(path) => {
            let given =
                described(path, &bundle).map_err(|error| placed(error, request, &bundle))?;
            Some(as_confined(&bundle.spec, given))
        }
    };
    let process = process.map(|process| changed(process, &request.changes));
    bundle.spec.set_process(process);
    Ok(bundle)
}

/// The process that a file describes.
fn described(path: &Path, bundle: &Bundle) -> Result<Process> {
    let bytes = read(path)?;
    let object = bytes.trim_ascii_start().starts_with(b"{");
    let text = std::str::from_utf8(&bytes).ok();
    match text.map(serde_json::from_str) {
        Some(Ok(process)) if object => Ok(process),
        _ => once_more(path, &bytes, bundle),
    }
}

/// The slower way, for what the types refused: as a member of config.json it gets a place and advice.
fn once_more(path: &Path, bytes: &[u8], bundle: &Bundle) -> Result<Process> {
    let doing = "read the process";
    let given: Value = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column, what) = (error.line(), error.column(), error.to_string());
        let what = what
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned();
        Error::new(
            doing,
            Object::File(path.to_owned()),
            Cause::Json { line, column, what },
        )
    })?;
    if !given.is_object() {
        let why = "it must hold one JSON object, as /process of config.json is".to_owned();
        return Err(Error::new(
            doing,
            Object::File(path.to_owned()),
            Cause::Refused(why),
        ));
    }
    let whole = replaced(&bundle.raw, given);
    let again = spec::from_bytes(whole.to_string().into_bytes(), bundle.path.clone())?;
    let process = again.spec.process().clone();
    process.ok_or_else(|| Error::refused(doing, "/process", "there is none"))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let told = |error: std::io::Error| Error::io("read the process", path, "open", &error);
    let file = std::fs::File::open(path).map_err(told)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(told)?;
    if bytes.len() as u64 > LARGEST {
        let why = "it is larger than 16 MiB".to_owned();
        let object = Object::File(path.to_owned());
        return Err(Error::new("read the process", object, Cause::Refused(why)));
    }
    Ok(bytes)
}

/// The text of config.json with the process that was decided on.
fn as_decided(bundle: &Bundle) -> String {
    let process = serde_json::to_value(bundle.spec.process()).unwrap_or_default();
    replaced(&bundle.raw, process).to_string()
}

fn replaced(raw: &[u8], process: Value) -> Value {
    let mut whole: Value = serde_json::from_slice(raw).unwrap_or_default();
    if let Some(members) = whole.as_object_mut() {
        members.insert("process".to_owned(), process);
    }
    whole
}

/// The flag that a member of the process was typed as, if it was.
fn flag_of(member: &str, changes: &Changes) -> Option<&'static str> {
    match member {
        "/cwd" if changes.cwd.is_some() => Some("cwd"),
        "/apparmorProfile" if changes.apparmor.is_some() => Some("apparmor"),
        "/selinuxLabel" if changes.label.is_some() => Some("process-label"),
        _ => None,
    }
}

/// An error about a member of the process points to where it was written: a file's member, a word of the
/// command. What the container's own configuration says stays where it is.
pub(super) fn placed(error: Error, request: &Exec, bundle: &Bundle) -> Error {
    let Object::Config { .. } = error.report().object else {
        return error;
    };
    let error = error.quoting(as_decided(bundle).as_bytes());
    let Object::Config { pointer, value } = &error.report().object else {
        return error;
    };
    let Some(member) = pointer.as_str().strip_prefix("/process") else {
        return error;
    };
    let quoted = |place: String| match value {
        Some(value) => format!("{place} = {value}"),
        None => place,
    };
    if let Some(flag) = flag_of(member, &request.changes) {
        let typed = value.as_deref().unwrap_or_default().trim_matches('"');
        let object = Object::Argument(format!("--{flag}={typed}"));
        return error.about(object);
    }
    let object = match (&request.process, member, value) {
        (Some(file), _, _) => Object::Argument(quoted(format!("{}#{member}", file.display()))),
        (None, member, Some(value)) if member.starts_with("/args") => {
            Object::Argument(value.clone())
        }
        _ => return error,
    };
    error.about(object)
}
