//! The process (config.md, "Process"): arguments, environment, working directory, and where to look for its program.

use super::cstrings;
use crate::cli::{Create, Keyring};
use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::Spec;
use std::ffi::CString;

/// What is known of HOME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// `process.env` sets it.
    Given,
    /// To be read from the container's own /etc/passwd, `/` where that has no line for the user.
    FromPasswd,
}

/// The process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Arguments, the first of which names the program; none where config.json has no process, which only
    /// `start` needs (config.md, "Process").
    pub argv: Vec<CString>,
    /// Environment: of duplicates the last one, in the place of the first.
    pub envp: Vec<CString>,
    /// Whether HOME is among them.
    pub home: Home,
    /// Where the program may be, in the order to try: the argument itself if it has a slash, else below each PATH entry.
    pub candidates: Vec<CString>,
    /// Absolute working directory in the container.
    pub cwd: CString,
    /// `/process/args/0`.
    pub pointer: Pointer,
    /// Adjustment for the OOM killer, -1000 to 1000; `None` leaves the caller's.
    pub oom_score_adj: Option<i32>,
    /// Whether execve may still grant privileges.
    pub no_new_privs: NoNewPrivs,
    /// Descriptors from 3 on that the caller hands to the program.
    pub preserve_fds: u32,
    /// The name of the new session keyring; `None` keeps the caller's.
    pub keyring: Option<CString>,
}

/// `process.noNewPrivileges`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoNewPrivs {
    /// Set.
    Yes,
    /// Not touched.
    No,
}

const DOING: &str = "execute the process";

/// Plans `/process`, without its ids and rights.
///
/// # Errors
/// A process with nothing to run, a NUL, a variable without `=`, a relative working directory, an adjustment out of range, and a
/// program's bare name without a PATH to look for it.
pub fn plan(spec: &Spec, request: &Create) -> Result<Process> {
    let place = Pointer::from("/process");
    let preserve_fds = request.preserve_fds + request.inherited.listen_fds;
    let keyring = keyring(request)?;
    let Some(given) = spec.process() else {
        return Ok(Process {
            argv: Vec::new(),
            candidates: Vec::new(),
            envp: Vec::new(),
            home: Home::Given,
            cwd: c"/".to_owned(),
            pointer: place,
            oom_score_adj: None,
            no_new_privs: NoNewPrivs::No,
            preserve_fds,
            keyring,
        });
    };
    let args = given.args().as_deref().unwrap_or_default();
    let name_it = "name it: \"args\": [\"/bin/sh\"]";
    let Some(program) = args.first() else {
        let report = Error::refused(DOING, place.at("args"), "there is no program to execute");
        return Err(report.hint(name_it));
    };
    if program.is_empty() {
        // Callers look for these very words.
        let why = "exec: \"\": executable file not found in $PATH";
        return Err(Error::refused(DOING, place.at("args").at(0), why).hint(name_it));
    }
    let (envp, home) = environment(given.env().as_deref().unwrap_or_default(), &place.at("env"))?;
    let pointer = place.at("args").at(0);
    Ok(Process {
        argv: cstrings::list(args, DOING, &place.at("args"))?,
        candidates: candidates(program, &envp, &pointer)?,
        envp,
        home,
        cwd: cstrings::absolute(given.cwd(), "enter the working directory", &place.at("cwd"))?,
        pointer,
        oom_score_adj: given
            .oom_score_adj()
            .map(|score| oom_score(score, &place))
            .transpose()?,
        no_new_privs: if given.no_new_privileges() == Some(true) {
            NoNewPrivs::Yes
        } else {
            NoNewPrivs::No
        },
        preserve_fds,
        keyring,
    })
}

/// What `start` says of a container that was created without a process (runtime.md, "Start").
#[must_use]
pub fn missing() -> Error {
    Error::refused(DOING, "/process", "there is none")
        .hint("add \"process\" with at least \"cwd\" and \"args\"")
}

fn keyring(request: &Create) -> Result<Option<CString>> {
    match request.keyring {
        Keyring::New => {
            let name = format!("_ses.{}", request.id);
            cstrings::text(&name, "name the keyring", &Pointer::default()).map(Some)
        }
        Keyring::Inherit => Ok(None),
    }
}

/// Of variables that stand twice the last value counts, in the place of the first. An empty HOME is none.
fn environment(given: &[String], place: &Pointer) -> Result<(Vec<CString>, Home)> {
    let mut kept: Vec<(&str, CString)> = Vec::with_capacity(given.len());
    for (index, variable) in given.iter().enumerate() {
        let refuse = |why: &str| Error::refused("set the environment", place.at(index), why);
        let Some((name, _)) = variable.split_once('=') else {
            return Err(refuse("a variable is NAME=VALUE, and there is no =")
                .hint(format!("write {variable}= for an empty value")));
        };
        if name.is_empty() {
            return Err(refuse("the variable has no name"));
        }
        let text = cstrings::text(variable, "set the environment", &place.at(index))?;
        match kept.iter_mut().find(|(earlier, _)| *earlier == name) {
            Some((_, earlier)) => *earlier = text,
            None => kept.push((name, text)),
        }
    }
    kept.retain(|(name, text)| *name != "HOME" || text.as_bytes() != b"HOME=");
    let home = if kept.iter().any(|(name, _)| *name == "HOME") {
        Home::Given
    } else {
        Home::FromPasswd
    };
    Ok((kept.into_iter().map(|(_, text)| text).collect(), home))
}

/// Where the program may be. The container's PATH counts, not the caller's; relative entries of it do not, as
/// they would mean whatever directory the process happens to begin in.
fn candidates(program: &str, envp: &[CString], pointer: &Pointer) -> Result<Vec<CString>> {
    if program.contains('/') {
        return Ok(vec![cstrings::text(program, DOING, pointer)?]);
    }
    let path = envp
        .iter()
        .find_map(|variable| variable.to_str().ok()?.strip_prefix("PATH="));
    let folders = path
        .unwrap_or_default()
        .split(':')
        .filter(|folder| folder.starts_with('/'));
    let found: Result<Vec<CString>> = folders
        .map(|folder| {
            cstrings::text(
                &format!("{}/{program}", folder.trim_end_matches('/')),
                DOING,
                pointer,
            )
        })
        .collect();
    match found? {
        none if none.is_empty() => {
            // Callers look for these very words.
            let why = format!("exec: {program:?}: executable file not found in $PATH");
            let hint = "set PATH in /process/env, or give the program's whole path";
            Err(Error::refused(DOING, pointer, why).hint(hint))
        }
        some => Ok(some),
    }
}

fn oom_score(score: i32, place: &Pointer) -> Result<i32> {
    match score {
        -1000..=1000 => Ok(score),
        _ => Err(Error::refused(
            "set the OOM score",
            place.at("oomScoreAdj"),
            "it must be from -1000 to 1000",
        )),
    }
}

#[cfg(test)]
mod tests;
