//! The runtime, called by its command line, as podman would.

use super::container::shelf::Shelf;
use super::places::{Who, variable, who};
use super::{CANNOT_RUN, ENGINE_FAILED, Failed, NOT_FOUND};
use crate::error::{Cause, Error, Object, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program's name, and the variable that names another one.
const NAME: &str = "orbital";
const VARIABLE: &str = "ORBITAL_RUNTIME";

/// A runtime and where it remembers its containers.
#[derive(Clone, Debug)]
pub(crate) struct Runtime {
    program: PathBuf,
    root: PathBuf,
}

impl Runtime {
    /// The one named by `ORBITAL_RUNTIME`, else the one beside this program, else the one on PATH.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn find(shelf: &Shelf) -> Result<Runtime> {
        let named = variable(VARIABLE).map(PathBuf::from);
        let program = named
            .or_else(beside)
            .or_else(|| on_path(NAME))
            .ok_or_else(|| {
                let why = "it is neither beside orbital-engine nor on PATH".to_owned();
                Error::new(
                    "find the runtime orbital",
                    Object::Nothing,
                    Cause::Refused(why),
                )
                .hint(format!(
                    "install it, or name one by the variable {VARIABLE}"
                ))
            })?;
        Ok(Runtime {
            program,
            root: shelf.runtime_root(),
        })
    }

    /// A call with these words; input and output are the caller's own.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = self.bare();
        command.args(words);
        command
    }

    fn bare(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--root").arg(&self.root);
        if has_systemd() {
            command.arg("--systemd-cgroup");
        }
        command
    }

    /// The same with failures written to `log`.
    pub(crate) fn logged(&self, log: &Path, words: &[&str]) -> Command {
        // What an earlier call has written is not of this one, ignored.
        let _ = std::fs::remove_file(log);
        let mut command = self.bare();
        command
            .arg("--log")
            .arg(log)
            .args(["--log-format", "json"])
            .args(words);
        command
    }

    /// Calls it and gives what it printed.
    ///
    /// # Errors
    /// A runtime that cannot be executed, or its own refusal.
    pub(crate) fn ask(&self, words: &[&str]) -> Result<String> {
        let mut command = self.command(words);
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| self.not_started(&error))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("error: cannot "))
            .unwrap_or(&text);
        let cause = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("cause: "));
        let cause = cause.map_or_else(|| line.to_owned(), |cause| plain(cause).to_owned());
        Err(Error::new(
            line.trim(),
            Object::Nothing,
            Cause::Refused(cause),
        ))
    }

    /// What is told where the program itself cannot be executed.
    pub(crate) fn not_started(&self, error: &std::io::Error) -> Error {
        Error::io("start the runtime", &self.program, "execve", error)
    }
}

/// Whether a systemd of the user's own makes the groups of their containers: elsewhere a user has none in which limits
/// could be set, as the group that they are in themselves has processes.
pub(crate) fn has_systemd() -> bool {
    let folder = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    who() == Who::User && folder.is_some_and(|folder| folder.join("systemd/private").exists())
}

fn beside() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?.with_file_name(NAME);
    own.is_file().then_some(own)
}

/// A program on PATH; empty and relative parts of it are left out.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn plain(cause: &str) -> &str {
    cause.strip_prefix("refused: ").unwrap_or(cause)
}

/// The failure that the runtime has written to its log: with the status for it, as users of docker know it.
pub(crate) fn told(log: &Path, doing: &str) -> Failed {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let last = text
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str::<Value>(line).ok());
    let Some(last) = last else {
        let why = Cause::Refused("the runtime did not say why".to_owned());
        return Error::new(doing, Object::Nothing, why).into();
    };
    let word = |name: &str| last[name].as_str().unwrap_or_default().to_owned();
    let (at, cause, hint) = (word("at"), word("cause"), word("hint"));
    let message = word("msg");
    let act = message.split(": ").next().unwrap_or_default();
    let act = act.strip_prefix("cannot ").unwrap_or(doing).to_owned();
    let object = if at.is_empty() {
        Object::Nothing
    } else {
        Object::Argument(at.clone())
    };
    let status = status(&at, &cause);
    let mut error = Error::new(act, object, Cause::Refused(plain(&cause).to_owned()));
    if !hint.is_empty() {
        error = error.hint(hint);
    }
    Failed { status, error }
}

/// 127 where the program is not there, 126 where it cannot be run, 125 for everything else.
fn status(at: &str, cause: &str) -> u8 {
    if !at.starts_with("config.json#/process/args") && !at.contains("/args/0") {
        return ENGINE_FAILED;
    }
    let lower = cause.to_ascii_lowercase();
    let is_missing = ["no such file", "not found", "enoent"]
        .iter()
        .any(|words| lower.contains(words));
    if is_missing { NOT_FOUND } else { CANNOT_RUN }
}

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn dockers_three_numbers() {
        let args = "config.json#/process/args/0 = \"x\"";
        assert_eq!(
            status(
                args,
                "refused: exec: \"x\": executable file not found in $PATH"
            ),
            127
        );
        assert_eq!(
            status(
                args,
                "refused: exec: \"/x\": stat /x: no such file or directory"
            ),
            127
        );
        assert_eq!(
            status(args, "refused: exec: \"/etc\": permission denied"),
            126
        );
        assert_eq!(status(args, "ENOEXEC: exec format error, from execve"), 126);
        assert_eq!(
            status("config.json#/mounts/3", "ENOENT: no such file or directory"),
            125
        );
    }
}
