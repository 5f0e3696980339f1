//! Hooks (config.md, "POSIX-platform Hooks"): programs to run at points of the life.

use super::annotations::{HOOKS_STDERR, HOOKS_STDOUT};
use super::cstrings;
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::Spec;
use std::ffi::CString;
use std::path::Path;

/// One program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Absolute path; in the runtime's namespaces, for startContainer in the container's.
    pub path: CString,
    /// Arguments; the path itself when none are given.
    pub argv: Vec<CString>,
    /// Environment: exactly as given, else empty; startContainer alone falls back to the process's.
    pub envp: Vec<CString>,
    /// Seconds until it is killed; `None` waits for ever.
    pub timeout: Option<u32>,
    /// `/hooks/KIND/N`.
    pub pointer: Pointer,
}

/// Files of the host that take what hooks write; else the runtime keeps it, to quote a hook that fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// For their standard output, absolute.
    pub stdout: Option<CString>,
    /// For their standard error, absolute.
    pub stderr: Option<CString>,
}

/// All of them, each list in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Before createRuntime, in the runtime's namespaces; deprecated.
    pub prestart: Vec<Hook>,
    /// When the mounts are made, before the pivot, in the runtime's namespaces.
    pub create_runtime: Vec<Hook>,
    /// The same moment, in the container's namespaces.
    pub create_container: Vec<Hook>,
    /// When start was called, before the process, in the container.
    pub start_container: Vec<Hook>,
    /// When the process runs, in the runtime's namespaces.
    pub poststart: Vec<Hook>,
    /// When the container is deleted, in the runtime's namespaces.
    pub poststop: Vec<Hook>,
    /// Where they write.
    pub outputs: Outputs,
}

impl Hooks {
    /// Whether the runtime has any to call when the mounts are made: else the container's process need not tell of it.
    #[must_use]
    pub fn follow_the_mounts(&self) -> bool {
        !self.prestart.is_empty() || !self.create_runtime.is_empty()
    }
}

/// Plans `/hooks`. `process` is the container process's environment: a startContainer hook is a program
/// of the container and may have it; all others are the host's, and must never see it (CVE-2025-23266:
/// `LD_PRELOAD` from an image).
///
/// # Errors
/// A relative path, a time limit of no time, a NUL.
pub fn plan(spec: &Spec, process: &[CString]) -> Result<Hooks> {
    plan_by(spec, process, cstrings::absolute)
}

/// The path as a C string, if it is absolute where the hook is run; words for "cannot …", and its pointer.
type Absolute = fn(&Path, &str, &Pointer) -> Result<CString>;

/// The same, where other paths are absolute.
///
/// # Errors
/// As [`plan`].
pub(super) fn plan_by(spec: &Spec, process: &[CString], absolute: Absolute) -> Result<Hooks> {
    let Some(hooks) = spec.hooks() else {
        return Ok(Hooks::default());
    };
    #[allow(
        deprecated,
        reason = "the specification still has it, and callers still send it"
    )]
    let prestart = hooks.prestart();
    let list = |kind, given, otherwise| list(kind, given, otherwise, absolute);
    Ok(Hooks {
        prestart: list("prestart", prestart, &[])?,
        create_runtime: list("createRuntime", hooks.create_runtime(), &[])?,
        create_container: list("createContainer", hooks.create_container(), &[])?,
        start_container: list("startContainer", hooks.start_container(), process)?,
        poststart: list("poststart", hooks.poststart(), &[])?,
        poststop: list("poststop", hooks.poststop(), &[])?,
        outputs: outputs(|name| spec.annotations().as_ref()?.get(name))?,
    })
}

/// What two of the annotations name.
///
/// # Errors
/// A relative path, a NUL.
pub fn outputs<'a>(annotation: impl Fn(&str) -> Option<&'a String>) -> Result<Outputs> {
    let file = |name: &str| {
        let at = Pointer::from("/annotations").at(name);
        let path = annotation(name).map(Path::new);
        path.map(|path| cstrings::absolute(path, "find the file for the hooks' output", &at))
            .transpose()
    };
    Ok(Outputs {
        stdout: file(HOOKS_STDOUT)?,
        stderr: file(HOOKS_STDERR)?,
    })
}

type Given = oci_spec::runtime::Hook;

fn list(
    kind: &str,
    given: &Option<Vec<Given>>,
    otherwise: &[CString],
    absolute: Absolute,
) -> Result<Vec<Hook>> {
    let pointer = Pointer::from("/hooks").at(kind);
    let doing = format!("prepare the {kind} hook");
    let given = given.as_deref().unwrap_or_default().iter().enumerate();
    given
        .map(|(index, one)| {
            let pointer = pointer.at(index);
            let path = absolute(one.path(), &doing, &pointer.at("path"))?;
            hook(one, path, &doing, pointer, otherwise)
        })
        .collect()
}

fn hook(
    given: &Given,
    path: CString,
    doing: &str,
    pointer: Pointer,
    otherwise: &[CString],
) -> Result<Hook> {
    let argv = match given.args().as_deref() {
        None | Some([]) => vec![path.clone()],
        Some(args) => cstrings::list(args, doing, &pointer.at("args"))?,
    };
    let envp = match given.env() {
        Some(env) => cstrings::list(env, doing, &pointer.at("env"))?,
        None => otherwise.to_vec(),
    };
    let timeout = given.timeout().map(|seconds| match u32::try_from(seconds) {
        Ok(0) | Err(_) => Err(Error::refused(
            doing,
            pointer.at("timeout"),
            "a hook needs between 1 and 4294967295 seconds",
        )),
        Ok(seconds) => Ok(seconds),
    });
    Ok(Hook {
        path,
        argv,
        envp,
        timeout: timeout.transpose()?,
        pointer,
    })
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
