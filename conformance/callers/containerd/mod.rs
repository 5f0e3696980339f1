//! containerd with its own command, `ctr`, and its shim for runc.
//!
//! Each runtime has a containerd of its own, which finds the runtime as `runc`, first in PATH; cases that name another
//! program say so. `ctr` in a script reaches it; `$box` is the image. What this does *not* do: ask for what the shim
//! writes to the runtime; the suite's `callers/` has that.

use std::fs;

use crate::case::Caller;
use crate::check::Outcome;
use crate::daemon::Daemon;
use crate::image;
use crate::place::{Place, Who, at_a_terminal};
use crate::said::Said;

/// run: streams, statuses, what the process is given, limits.
mod run;

/// The life of a task: exec, signals, pause, figures.
mod task;

pub(crate) const CALLER: Caller = Caller {
    name: "containerd",
    program: "ctr",
    version: "containerd --version",
    cases: &[run::CASES, task::CASES],
    sweep,
    leave,
};

/// containerd's namespace for all cases.
const NAMESPACE: &str = "callers";

/// A runtime's own containerd.
#[derive(Debug)]
pub(crate) struct Containerd<'p> {
    daemon: Daemon<'p>,
}

impl<'p> Containerd<'p> {
    /// It, with the image loaded.
    pub(crate) fn ready(place: &'p Place<'p>) -> Outcome<Self> {
        let containerd = Containerd::of(place);
        if !containerd.daemon.is_there() {
            containerd.begin()?;
            let loaded = containerd.ask("ctr image import $image >/dev/null")?;
            loaded.ended(0)?;
        }
        Ok(containerd)
    }

    fn of(place: &'p Place<'p>) -> Self {
        Containerd {
            daemon: Daemon {
                place,
                name: "containerd",
            },
        }
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> String {
        self.daemon.home().join("socket").display().to_string()
    }

    fn begin(&self) -> Outcome {
        let home = self.daemon.home();
        fs::create_dir_all(&home)?;
        // No pods are asked for, and what serves them takes long to begin.
        let configuration = format!(
            "version = 2\nroot = \"{0}/root\"\nstate = \"{0}/state\"\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = \"{1}\"\n",
            home.display(),
            self.socket()
        );
        let file = home.join("config.toml");
        fs::write(&file, configuration)?;
        let command = format!("containerd -l warn -c {}", file.display());
        self.daemon
            .begin(&self.variables(), &command, "ctr version")
    }

    fn variables(&self) -> [String; 3] {
        [
            format!("CONTAINERD_ADDRESS={}", self.socket()),
            format!("CONTAINERD_NAMESPACE={NAMESPACE}"),
            format!("box={}", image::NAME),
        ]
    }

    /// What comes of a script. `end NAME` in it ends a task and removes its container; `pid NAME` is its process;
    /// `state NAME` what the runtime itself says of it.
    fn ask(&self, script: &str) -> Outcome<Said> {
        let words = format!(
            "end() {{ ctr task rm -f $1 2>/dev/null; ctr container rm $1; }}
            pid() {{ ctr task ls | awk -v id=$1 '$1 == id {{ print $2 }}'; }}
            state() {{ $runtime --root /run/containerd/runc/{NAMESPACE} state $1; }}
            {script}"
        );
        self.daemon
            .place
            .shell_as(Who::Root, &self.variables(), &words)
    }

    /// What is typed at a terminal, in it; its streams are one.
    fn type_in(&self, line: &str) -> Outcome<Said> {
        self.ask(&at_a_terminal(line))
    }
}

fn sweep(place: &Place<'_>) {
    let containerd = Containerd::of(place);
    if containerd.daemon.is_there() {
        let _ = containerd.ask("for id in $(ctr container ls -q); do end $id; done");
    }
}

fn leave(place: &Place<'_>) {
    let containerd = Containerd::of(place);
    if containerd.daemon.is_there() {
        containerd.daemon.end("TERM");
    }
}
