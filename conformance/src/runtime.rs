//! The binary under judgement: how it is called, and what it said.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::check::{Outcome, ensure};
use crate::lab::Lab;

/// A runtime: its path, and what its `--version` says.
#[derive(Clone, Debug)]
pub(crate) struct Runtime {
    pub(crate) path: PathBuf,
    /// The first word of the version, such as `runc`.
    pub(crate) name: String,
    /// The first line of the version.
    pub(crate) version: String,
}

impl Runtime {
    /// Asks the binary at `path` who it is.
    pub(crate) fn meet(path: &Path) -> Outcome<Self> {
        let path = fs::canonicalize(path)
            .map_err(|error| format!("cannot find {}: {error}", path.display()))?;
        let output = Command::new(&path).arg("--version").output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.lines().next().unwrap_or_default().to_owned();
        let name = version
            .split_whitespace()
            .next()
            .unwrap_or("unknown")
            .to_owned();
        Ok(Runtime {
            path,
            name,
            version,
        })
    }
}

/// One call of the runtime, to be made.
#[derive(Debug)]
pub(crate) struct Call<'l> {
    lab: &'l Lab,
    wrapper: Vec<OsString>,
    program: PathBuf,
    root: Option<PathBuf>,
    args: Vec<OsString>,
    stdin: Stdio,
    dir: Option<PathBuf>,
    env: Option<Vec<(String, String)>>,
    out: PathBuf,
}

/// What a finished call said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
    /// Where standard output went; a container that outlives the call still writes there.
    pub(crate) file: PathBuf,
}

impl<'l> Call<'l> {
    /// A call with the lab's `--root` before `args`.
    pub(crate) fn new(lab: &'l Lab, args: &[&str]) -> Self {
        Call {
            lab,
            wrapper: Vec::new(),
            program: lab.runtime.path.clone(),
            root: Some(lab.root()),
            args: args.iter().map(OsString::from).collect(),
            stdin: Stdio::null(),
            dir: None,
            env: None,
            out: lab.scratch("out"),
        }
    }

    /// No `--root`: the arguments are all there is.
    pub(crate) fn bare(mut self) -> Self {
        self.root = None;
        self
    }

    /// Another state directory than the lab's.
    pub(crate) fn root(mut self, root: &Path) -> Self {
        self.root = Some(root.to_path_buf());
        self
    }

    /// Runs in this working directory.
    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.dir = Some(dir.to_path_buf());
        self
    }

    /// Has only these environment variables.
    pub(crate) fn env(mut self, env: &[(&str, &str)]) -> Self {
        self.env = Some(
            env.iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        );
        self
    }

    /// Reads this file, pipe or terminal as standard input.
    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Another file to execute in the runtime's place, such as a link to it.
    pub(crate) fn program(mut self, path: &Path) -> Self {
        self.program = path.to_path_buf();
        self
    }

    /// Runs through another command, such as `setpriv --reuid 12345`; a second one within the first.
    pub(crate) fn through(mut self, wrapper: &[&str]) -> Self {
        self.wrapper.extend(wrapper.iter().map(OsString::from));
        self
    }

    /// Runs through `sh -c SCRIPT`, whose `"$@"` is the call.
    pub(crate) fn through_sh(self, script: &str) -> Self {
        self.through(&["sh", "-c", script, "sh"])
    }

    /// The command, with standard output and error to files of the lab.
    pub(crate) fn command(self) -> Outcome<(Command, PathBuf)> {
        let mut words = self.wrapper;
        words.push(self.program.into_os_string());
        if let Some(root) = self.root {
            words.push("--root".into());
            words.push(root.into_os_string());
        }
        words.extend(self.args);
        let mut command = Command::new(
            words
                .first()
                .map_or(OsStr::new("false"), OsString::as_os_str),
        );
        command
            .args(words.get(1..).unwrap_or_default())
            .stdin(self.stdin);
        command.stdout(File::create(&self.out)?);
        command.stderr(File::create(self.out.with_extension("err"))?);
        if let Some(dir) = self.dir {
            command.current_dir(dir);
        }
        if let Some(env) = self.env {
            command.env_clear().envs(env);
        }
        Ok((command, self.out))
    }

    /// Makes the call and waits for its end.
    pub(crate) fn say(self) -> Outcome<Said> {
        let lab = self.lab;
        let (mut command, file) = self.command()?;
        let mut child = lab.spawn(&mut command)?;
        let status = child.wait()?;
        Said::read(status, file)
    }

    /// Makes the call and demands success.
    pub(crate) fn ok(self) -> Outcome<Said> {
        let words = format!("{:?}", self.args);
        let said = self.say()?;
        ensure!(
            said.status.success(),
            "{words}: expected success, found {said}"
        );
        Ok(said)
    }

    /// Makes the call and demands a failure of the runtime's own: an exit, no signal, and a word about it.
    pub(crate) fn refused(self) -> Outcome<Said> {
        let words = format!("{:?}", self.args);
        let said = self.say()?;
        let code = said.status.code();
        ensure!(
            code.is_some_and(|code| code != 0),
            "{words}: expected a refusal, found {said}"
        );
        ensure!(
            !said.err.trim().is_empty(),
            "{words}: refused without a word"
        );
        ensure!(
            !said.err.contains("panicked at"),
            "{words}: panicked: {said}"
        );
        Ok(said)
    }
}

impl Said {
    /// Collects what a call with its output in `file` said.
    pub(crate) fn read(status: ExitStatus, file: PathBuf) -> Outcome<Self> {
        Ok(Said {
            status,
            out: String::from_utf8_lossy(&fs::read(&file)?).into_owned(),
            err: String::from_utf8_lossy(&fs::read(file.with_extension("err"))?).into_owned(),
            file,
        })
    }

    /// The exit code; −signal when a signal ended the call.
    pub(crate) fn code(&self) -> i32 {
        let signal = self.status.signal().unwrap_or_default();
        self.status.code().unwrap_or(-signal)
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, stdout {:?}, stderr {:?}",
            self.status, self.out, self.err
        )
    }
}
