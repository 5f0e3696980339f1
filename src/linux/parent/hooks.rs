//! Hooks of the runtime's namespaces (config.md, "POSIX-platform Hooks").

use crate::error::{Cause, Error, Object, Pointer, Result};
use crate::linux::birth::Born;
use crate::linux::explain;
use crate::linux::hook::{self, Files, ReadyHook, Streams};
use crate::plan::Plan;
use crate::plan::annotations::{HOOKS_STDERR, HOOKS_STDOUT};
use crate::plan::hooks::{Hook, Outputs};
use crate::sys::file;
use rustix::fs::{CWD, OFlags};
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Writes the state document for a status.
pub type Document<'a> = dyn Fn(&str) -> Vec<u8> + 'a;

/// Fills what the hooks inside the container will read, now that the pid is known.
///
/// # Errors
/// As write(2) and fcntl(2).
pub fn fill_documents(born: &Born, document: &Document<'_>) -> Result<()> {
    let Some(documents) = &born.documents else {
        return Ok(());
    };
    for (fd, status) in [
        (&documents.creating, "creating"),
        (&documents.created, "created"),
    ] {
        let filled = file::fill_and_seal(fd.as_fd(), &document(status));
        filled.map_err(|fault| {
            Error::new(
                "write the state for the hooks",
                Object::Nothing,
                fault.into(),
            )
        })?;
    }
    Ok(())
}

/// Runs the hooks of one kind, in order; the first that fails ends it.
///
/// # Errors
/// The hook by its pointer, with how it ended and the last line it printed.
pub fn run(hooks: &[Hook], kind: &str, plan: &Plan, document: &[u8]) -> Result<()> {
    run_in(hooks, kind, &plan.bundle, document, &plan.hooks.outputs)
}

/// The same for hooks of a container that is only remembered.
///
/// # Errors
/// As [`run`].
pub fn run_in(
    hooks: &[Hook],
    kind: &str,
    bundle: &Path,
    document: &[u8],
    outputs: &Outputs,
) -> Result<()> {
    if hooks.is_empty() {
        return Ok(());
    }
    let file = |name| {
        file::memory(name)
            .map_err(|fault| Error::new("prepare the hooks", Object::Nothing, Cause::from(fault)))
    };
    let (input, output) = (file(c"state")?, file(c"output")?);
    let files = open_outputs(outputs)?;
    file::fill_and_seal(input.as_fd(), document)
        .map_err(|fault| Error::new("prepare the hooks", Object::Nothing, fault.into()))?;
    // A bundle that is gone (delete after a crash) must not keep its poststop hooks from running.
    let directory = if bundle.is_dir() {
        bundle
    } else {
        Path::new("/")
    };
    let directory = CString::new(directory.as_os_str().as_bytes()).unwrap_or_default();
    for each in hooks {
        let told = String::from_utf8_lossy(document);
        tracing::debug!(
            "running the {kind} hook {} with {told}",
            each.path.to_string_lossy()
        );
        let streams = Streams {
            document: input.as_fd(),
            output: output.as_fd(),
            files: &files,
        };
        let ended = hook::run(&ReadyHook::new(each), &directory, &streams);
        ended.map_err(|fault| explain::hooks::told(each, kind, fault, Some(output.as_fd())))?;
    }
    Ok(())
}

/// Opens the files that take the hooks' output, at their end; one that is missing is made.
///
/// # Errors
/// As openat(2).
pub fn open_outputs(outputs: &Outputs) -> Result<Files> {
    let open = |path: &Option<CString>, name: &str| -> Result<Option<OwnedFd>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND;
        let opened = path.as_ref().map(|path| file::open(CWD, path, flags));
        opened.transpose().map_err(|fault| {
            let at = Pointer::from("/annotations").at(name);
            Error::new(
                "open the file for the hooks' output",
                Object::config(at),
                fault.into(),
            )
        })
    };
    Ok(Files {
        stdout: open(&outputs.stdout, HOOKS_STDOUT)?,
        stderr: open(&outputs.stderr, HOOKS_STDERR)?,
    })
}
