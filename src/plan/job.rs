//! config.json as decided for a Job Object: a process with its lifetime and its resources.
//!
//! What this is *not*: isolation. A job shows its processes the machine's own files, network and registry. What
//! config.json asks for that only the Host Compute Service or Hyper-V could give is therefore refused, never
//! let pass. It is made on every host, so that a bundle for Windows can be looked at on Linux.

/// Arguments and environment, as CreateProcess takes them.
pub mod command;

/// Resources as limits of the job.
pub mod limits;

/// What a job cannot be.
mod refused;

/// The plan in words or as JSON.
pub mod told;

use super::hooks::{Hooks, plan_by};
use crate::cli::Create;
use crate::error::{Error, Pointer, Result};
use crate::spec::Bundle;
use oci_spec::runtime::{Process as Given, Spec};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The host, as far as planning needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How many processors it has, 1 at least.
    pub processors: u32,
}

/// A container on a Job Object, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The container's id.
    pub id: String,
    /// The bundle directory, absolute.
    pub bundle: PathBuf,
    /// `/ociVersion`, for the state document.
    pub oci_version: String,
    /// `/annotations`, in order of their keys.
    pub annotations: BTreeMap<String, String>,
    /// The first process.
    pub process: Process,
    /// What all processes of the job may use together.
    pub limits: limits::Limits,
    /// Programs to run at points of the life.
    pub hooks: Hooks,
    /// Things that the specification says to warn of.
    pub warnings: Vec<String>,
}

/// A process of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The whole command line, quoted.
    pub command_line: String,
    /// The program as it stands there, still to be looked for.
    pub program: String,
    /// Where the program was named: `/process/args/0` or `/process/commandLine`.
    pub pointer: Pointer,
    /// Absolute working directory.
    pub cwd: String,
    /// Environment, `NAME=VALUE`: of duplicates the last one, in the place of the first.
    pub env: Vec<String>,
    /// Its terminal, or none.
    pub terminal: Option<Size>,
    /// Whose rights it has.
    pub user: User,
}

/// A terminal's size in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How wide.
    pub columns: i16,
    /// How high.
    pub rows: i16,
}

/// Whose rights a process has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// The caller's.
    Caller,
    /// Those of an account that logs on without a password, where the caller may let it: SYSTEM's services.
    Service(Service),
    /// Those of the account of this name, which must turn out to be the caller's.
    Named(String),
}

/// Accounts for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Few rights here, none elsewhere.
    Local,
    /// Few rights here, the machine's elsewhere.
    Network,
}

impl Service {
    /// Its name below `NT AUTHORITY`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Service::Local => "LocalService",
            Service::Network => "NetworkService",
        }
    }
}

const DOING: &str = "execute the process";

/// Decides everything that can be decided before the container exists.
///
/// # Errors
/// The first thing in config.json that is invalid, or that a Job Object cannot give, with its pointer.
pub fn plan(bundle: &Bundle, facts: &Facts, request: &Create) -> Result<Job> {
    decide(bundle, *facts, request).map_err(|error| bundle.explain(error))
}

fn decide(bundle: &Bundle, facts: Facts, request: &Create) -> Result<Job> {
    let spec = &bundle.spec;
    refused::check(spec, &bundle.raw)?;
    let Some(given) = spec.process() else {
        return Err(Error::refused(DOING, "/process", "there is none")
            .hint("add \"process\" with at least \"cwd\" and \"args\""));
    };
    let mut warnings = bundle.warnings.clone();
    Ok(Job {
        id: request.id.clone(),
        bundle: bundle.path.clone(),
        oci_version: spec.version().clone(),
        annotations: spec.annotations().clone().into_iter().flatten().collect(),
        process: process(given)?,
        limits: limits::plan(spec, &bundle.raw, facts, &mut warnings)?,
        hooks: hooks(spec)?,
        warnings,
    })
}

/// The hooks. Their paths are those of Windows, on whatever host this is planned.
///
/// # Errors
/// As [`super::hooks::plan`].
pub fn hooks(spec: &Spec) -> Result<Hooks> {
    plan_by(spec, &[], command::hook)
}

/// One process: the first, or one of `exec`.
///
/// # Errors
/// As [`plan`].
pub fn process(given: &Given) -> Result<Process> {
    refused::of_posix(given)?;
    let place = Pointer::from("/process");
    let (command_line, program, pointer) = command::line(given, &place)?;
    Ok(Process {
        command_line,
        program,
        pointer,
        cwd: command::cwd(&given.cwd().to_string_lossy(), &place)?,
        env: command::environment(given.env().as_deref().unwrap_or_default(), &place)?,
        terminal: terminal(given)?,
        user: user(given.user().username().as_deref().unwrap_or_default()),
    })
}

/// A terminal of an unknown size has the one that consoles have had since they were cards.
const USUAL: Size = Size {
    columns: 80,
    rows: 25,
};

fn terminal(given: &Given) -> Result<Option<Size>> {
    if given.terminal() != Some(true) {
        return Ok(None);
    }
    let Some(size) = given.console_size() else {
        return Ok(Some(USUAL));
    };
    let side = |length: u64, name: &str| match i16::try_from(length) {
        Ok(length) if length > 0 => Ok(length),
        _ => Err(Error::refused(
            "size the terminal",
            format!("/process/consoleSize/{name}"),
            "a side has 1 to 32767 characters",
        )),
    };
    Ok(Some(Size {
        columns: side(size.width(), "width")?,
        rows: side(size.height(), "height")?,
    }))
}

/// config.md, "User": on Windows a name. Names do not tell small letters from capital ones.
fn user(name: &str) -> User {
    let bare = name.to_ascii_lowercase();
    let bare = bare
        .strip_prefix("nt authority\\")
        .unwrap_or(&bare)
        .replace(' ', "");
    match bare.as_str() {
        "" => User::Caller,
        "localservice" => User::Service(Service::Local),
        "networkservice" => User::Service(Service::Network),
        _ => User::Named(name.to_owned()),
    }
}

#[cfg(test)]
mod tests;
