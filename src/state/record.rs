//! What is written down: only what the kernel cannot be asked again, and never a status.

use crate::error::Error;
use crate::plan::facts::Instance;
use crate::plan::hooks::{self, Hook, Outputs};
use crate::sys::mount_id::MountId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::path::PathBuf;

/// Version of this format; a later orbital reads it, an earlier one refuses a newer.
pub(crate) const VERSION: u32 = 1;

/// The record of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The format.
    pub orbital_version: u32,
    /// The id.
    pub id: String,
    /// `/ociVersion`.
    pub oci_version: String,
    /// The bundle directory.
    pub bundle: PathBuf,
    /// The root file system on the host.
    pub rootfs: PathBuf,
    /// When it was created, RFC 3339.
    pub created: String,
    /// User id of whoever created it.
    pub owner: u32,
    /// Its first process, once creating has succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// Whether there is anything to start.
    #[serde(default, skip_serializing_if = "Program::is_given")]
    pub program: Program,
    /// Its group in the cgroup tree, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<PathBuf>,
    /// The directories of the cgroup tree that were made for it, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cgroup_made: Vec<PathBuf>,
    /// The unit of systemd's that the group is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The groups of resctrl that were made for it, in the order in which to remove them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resctrl_made: Vec<PathBuf>,
    /// The mount that was laid over the root file system, in the creator's own mount namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub laid: Option<MountId>,
    /// The session keyring that was made for it, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyring: Option<String>,
    /// Whether it has gone on from images.
    #[serde(default, skip_serializing_if = "Came::is_usual")]
    pub came: Came,
    /// Its Job Object, on Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Job>,
    /// `/annotations`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Hooks that run after `start`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub poststart: Vec<Kept>,
    /// Hooks that run after `delete`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub poststop: Vec<Kept>,
}

/// Whether config.json had a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// It had.
    #[default]
    Given,
    /// It had none: the container can be created, and never started.
    Missing,
}

impl Program {
    fn is_given(&self) -> bool {
        *self == Program::Given
    }
}

/// A process that cannot be mistaken for another one of the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Its pid in the creator's pid namespace.
    pub pid: i32,
    /// When it was born: in clock ticks since boot (proc_pid_stat(5), field 22); on Windows in units of
    /// 100 ns since 1601 (GetProcessTimes).
    pub start_time: u64,
}

/// How its first process came to be its program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Came {
    /// By execve(2), when it was started.
    #[default]
    Started,
    /// As CRIU has put it together: it never executed anything.
    Restored,
}

impl Came {
    fn is_usual(&self) -> bool {
        *self == Came::Started
    }
}

/// A unit, and whose systemd knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// The machine's systemd or the user's.
    pub instance: Instance,
}

/// A container's Job Object, and what Windows cannot be asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its name, by which every invocation finds it.
    pub name: String,
    /// Who made it.
    pub owner: String,
    /// The first thread of its first process, which `start` resumes.
    pub thread: u32,
    /// How far it has come: a process that waits to be started and one that was paused look alike.
    pub phase: Phase,
}

/// How far a container on Windows has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It waits to be started.
    Created,
    /// It was started.
    Started,
    /// It was started and then paused.
    Paused,
}

/// A hook, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    path: String,
    args: Vec<String>,
    env: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<u32>,
    pointer: String,
}

impl Record {
    /// Where its hooks write.
    ///
    /// # Errors
    /// None of a record that `create` has written.
    pub fn hook_outputs(&self) -> Result<Outputs, Error> {
        hooks::outputs(|name| self.annotations.get(name))
    }

    /// The bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Reads the bytes of the file.
///
/// # Errors
/// Why they are no record that this version understands.
pub fn from_bytes(bytes: &[u8]) -> Result<Record, String> {
    let record: Record = serde_json::from_slice(bytes)
        .map_err(|error| format!("it is no record of orbital's: {error}"))?;
    match record.orbital_version {
        1..=VERSION => Ok(record),
        newer => Err(format!(
            "its format {newer} is newer than {VERSION}, the newest that this orbital knows"
        )),
    }
}

impl Kept {
    /// What there is to keep of a hook.
    #[must_use]
    pub fn new(hook: &Hook) -> Kept {
        let text = |s: &CString| s.to_string_lossy().into_owned();
        Kept {
            path: text(&hook.path),
            args: hook.argv.iter().map(text).collect(),
            env: hook.envp.iter().map(text).collect(),
            timeout: hook.timeout,
            pointer: hook.pointer.as_str().to_owned(),
        }
    }

    /// The hook again.
    #[must_use]
    pub fn hook(&self) -> Hook {
        let c = |s: &String| CString::new(s.as_bytes()).unwrap_or_default();
        Hook {
            path: c(&self.path),
            argv: self.args.iter().map(c).collect(),
            envp: self.env.iter().map(c).collect(),
            timeout: self.timeout,
            pointer: self.pointer.as_str().into(),
        }
    }
}

/// What a container cannot do that stayed in its caller's group.
#[must_use]
pub fn without_group(word: &str, id: &str) -> Error {
    let why = "it has no cgroup of its own";
    Error::container(format!("{word} {id}"), id, why)
        .hint("create it where orbital may make one, without --cgroup-manager disabled")
}

#[cfg(test)]
mod tests {
    use super::from_bytes;

    #[test]
    fn other_files_are_refused_with_a_reason() {
        let runc = br#"{"id":"a","init_process_pid":7,"config":{}}"#;
        assert!(
            from_bytes(runc)
                .unwrap_err()
                .contains("no record of orbital's")
        );
        let newer = br#"{"orbitalVersion":99,"id":"a","ociVersion":"1.0.0","bundle":"/b","rootfs":"/r","created":"","owner":0}"#;
        assert!(from_bytes(newer).unwrap_err().contains("newer"));
        assert!(from_bytes(b"").is_err());
    }

    #[test]
    fn unknown_members_are_let_pass() {
        let later = br#"{"orbitalVersion":1,"id":"a","ociVersion":"1.0.0","bundle":"/b","rootfs":"/r","created":"","owner":0,"new":1}"#;
        assert_eq!(from_bytes(later).unwrap().id, "a");
    }
}
