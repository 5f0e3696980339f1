//! The programs that take part, and what each must be told for each act.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Field;
use crate::args::Args;
use crate::bundle::{Bundle, Linkage, linkage};
use crate::floor::{Floor, first_line};
use crate::place::{CGROUPS, Scratch};

/// What is timed, in the order of a container's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    Run,
    Create,
    State,
    /// Into the created container: its process waits, so that all have the same.
    Exec,
    Start,
    Delete,
}

impl Act {
    pub(crate) const ALL: [Act; 6] = [
        Act::Run,
        Act::Create,
        Act::State,
        Act::Exec,
        Act::Start,
        Act::Delete,
    ];

    /// The verb, as it is typed.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Act::Run => "run",
            Act::Create => "create",
            Act::State => "state",
            Act::Exec => "exec",
            Act::Start => "start",
            Act::Delete => "delete",
        }
    }
}

/// How a program is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// runc's command line, with a state directory of its own.
    Runtime { root: PathBuf },
    /// floor.c: no state, no start, no delete.
    Floor { rootfs: PathBuf },
}

/// One program of the field.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its line in the tables.
    pub(crate) place: usize,
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    /// The bundle whose time counts.
    pub(crate) bundle: PathBuf,
    /// The first line of `--version`.
    pub(crate) version: String,
    pub(crate) linkage: Linkage,
}

/// The name of the program under test.
pub(crate) const SUBJECT: &str = "orbital";
/// The name of the floor.
pub(crate) const FLOOR: &str = "floor";
/// The name of the driver over libcontainer.
const REFERENCE: &str = "reference";
/// What every crun's name begins with.
pub(crate) const CRUN: &str = "crun";

impl Program {
    pub(crate) fn is_subject(&self) -> bool {
        self.name == SUBJECT
    }

    pub(crate) fn is_floor(&self) -> bool {
        self.name == FLOOR
    }

    pub(crate) fn is_crun(&self) -> bool {
        self.name.starts_with(CRUN)
    }

    /// The command for one act on one container, or nothing if the program has no such act.
    pub(crate) fn command(&self, act: Act, id: &str) -> Option<Vec<OsString>> {
        match &self.kind {
            // libcontainer executes only in running containers.
            Kind::Runtime { .. } if act == Act::Exec && self.name == REFERENCE => None,
            Kind::Runtime { root } => Some(self.runtime_command(root, act, &self.bundle, id)),
            Kind::Floor { rootfs } => {
                let cgroup = Path::new(CGROUPS).join(id).into_os_string();
                let rest = match act {
                    Act::Run | Act::Create => {
                        vec![act.word().into(), rootfs.clone().into(), cgroup]
                    }
                    Act::Exec => vec!["exec".into(), cgroup],
                    Act::State => vec!["empty".into()],
                    Act::Start | Act::Delete => return None,
                };
                Some(with(&self.path, rest))
            }
        }
    }

    /// As `command`, with another bundle; the floor has its bundle written into it.
    pub(crate) fn run_bundle(&self, bundle: &Path, id: &str) -> Option<Vec<OsString>> {
        match &self.kind {
            Kind::Runtime { root } => Some(self.runtime_command(root, Act::Run, bundle, id)),
            Kind::Floor { .. } => None,
        }
    }

    /// What removes a container in whatever state it is.
    pub(crate) fn removal(&self, id: &str) -> Vec<OsString> {
        let words: Vec<OsString> = match &self.kind {
            Kind::Runtime { root } => vec![
                "--root".into(),
                root.clone().into(),
                "delete".into(),
                "--force".into(),
                id.into(),
            ],
            Kind::Floor { .. } => vec!["kill".into(), Path::new(CGROUPS).join(id).into()],
        };
        with(&self.path, words)
    }

    fn runtime_command(&self, root: &Path, act: Act, bundle: &Path, id: &str) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["--root".into(), root.into(), act.word().into()];
        if matches!(act, Act::Run | Act::Create) {
            words.extend(["--bundle".into(), bundle.into()]);
        }
        words.push(id.into());
        if act == Act::Exec {
            words.push("/bin/true".into());
        }
        with(&self.path, words)
    }
}

fn with(path: &Path, rest: Vec<OsString>) -> Vec<OsString> {
    let mut words = vec![path.into()];
    words.extend(rest);
    words
}

/// The floor, orbital, the reference driver if it is built, the peers that are named, and the
/// installed ones that are not.
pub(crate) fn gather(
    args: &Args,
    floor: &Floor,
    bundle: &Bundle,
    scratch: &Scratch,
) -> Result<Field, String> {
    let mut named = vec![(SUBJECT.to_owned(), args.orbital.clone())];
    named.extend(args.peers.iter().cloned());
    for name in [CRUN, "runc"] {
        if named.iter().all(|(other, _)| other != name) {
            named.extend(installed(name).map(|path| (name.to_owned(), path)));
        }
    }
    let reference = floor.path.with_file_name(REFERENCE);
    if reference.exists() {
        named.push((REFERENCE.to_owned(), reference));
    }

    let mut field = Field::default();
    field.running.push(Program {
        place: 0,
        name: FLOOR.to_owned(),
        path: floor.path.clone(),
        kind: Kind::Floor {
            rootfs: bundle.rootfs.clone(),
        },
        bundle: bundle.timed.clone(),
        version: format!("floor.c, {}", floor.made_with),
        linkage: linkage(&floor.path),
    });
    for (place, (name, path)) in (1..).zip(named) {
        let root = scratch.folder(&format!("state-{name}"))?;
        field.running.push(Program {
            place,
            version: version(&path),
            linkage: linkage(&path),
            kind: Kind::Runtime { root },
            bundle: bundle.timed.clone(),
            name,
            path,
        });
    }
    Ok(field)
}

/// The program of that name on PATH, or in the places of system programs.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
        .and_then(|file| file.canonicalize().ok())
}

fn version(path: &Path) -> String {
    Command::new(path)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map(|done| first_line(&done.stdout, "says no version"))
        .unwrap_or_else(|e| e.to_string())
}

#[cfg(test)]
mod tests;
