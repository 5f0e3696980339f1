//! docker: a daemon for each runtime, on top of that runtime's containerd.
//!
//! The runtime is known to the daemon as `--add-runtime NAME=PATH` and is its default; what builds images with BuildKit
//! takes `runc` from PATH, which is the runtime as well. `docker` in a script reaches that daemon, `$run` is
//! `docker run` without a network. What this does *not* do: networks but one; no image is ever fetched.

use std::path::PathBuf;

use crate::case::Caller;
use crate::check::Outcome;
use crate::containerd::Containerd;
use crate::daemon::Daemon;
use crate::image;
use crate::place::{Place, Who, at_a_terminal};
use crate::said::Said;

/// run: streams, statuses, what the process is given, limits, namespaces.
mod run;

/// The life of a container: exec, stop, pause, update, restart, files.
mod life;

/// Images: both builders, and commit.
mod build;

pub(crate) const CALLER: Caller = Caller {
    name: "docker",
    program: "docker",
    version: "dockerd --version",
    cases: &[run::CASES, life::CASES, build::CASES],
    sweep,
    leave,
};

/// A runtime's own docker.
#[derive(Debug)]
struct Docker<'p> {
    daemon: Daemon<'p>,
    flags: &'static str,
}

impl<'p> Docker<'p> {
    /// It, with the image loaded.
    fn ready(place: &'p Place<'p>) -> Outcome<Self> {
        Docker::of(place).begun()
    }

    /// Another one, with more flags, for one case: [`Docker::end`] it.
    fn another(place: &'p Place<'p>, name: &'static str, flags: &'static str) -> Outcome<Self> {
        let daemon = Daemon { place, name };
        Docker { daemon, flags }.begun()
    }

    fn of(place: &'p Place<'p>) -> Self {
        let daemon = Daemon {
            place,
            name: "docker",
        };
        Docker {
            daemon,
            flags: "--experimental",
        }
    }

    fn begun(self) -> Outcome<Self> {
        self.daemon.place.follow(&self.events());
        if !self.daemon.is_there() {
            self.begin()?;
            let loaded = self.ask(
                "docker load -q -i $image && docker tag localhost/box:latest box
                cd $home; setsid docker events --filter type=container --format '{{.ID}}' >>events 2>/dev/null &
                echo $! >$home/events.pid",
            )?;
            loaded.ended(0)?.has(image::NAME)?;
        }
        Ok(self)
    }

    /// Every container's id is in this file from its beginning.
    fn events(&self) -> PathBuf {
        self.daemon.home().join("events")
    }

    fn begin(&self) -> Outcome {
        let containerd = Containerd::ready(self.daemon.place)?;
        let runtime = self.daemon.place.runtime;
        let name = match runtime.name.as_str() {
            "runc" => "the-runc", // docker's own name for its default
            name => name,
        };
        let command = format!(
            "dockerd -l warn --data-root $PWD/data --exec-root $PWD/run -p $PWD/dockerd.pid -H unix://$PWD/socket \
             --containerd {} --containerd-namespace callers-{1} --containerd-plugins-namespace callers-{1}-plugins \
             --iptables=false --ip6tables=false --bridge=none --add-runtime {name}={2} --default-runtime {name} {3}",
            containerd.socket(),
            self.daemon.name,
            runtime.path.display(),
            self.flags
        );
        self.daemon
            .begin(&self.variables(), &command, "docker version")
    }

    fn variables(&self) -> [String; 4] {
        let home = self.daemon.home();
        [
            format!("home={}", home.display()),
            format!("DOCKER_HOST=unix://{}/socket", home.display()),
            format!("DOCKER_CONFIG={}/settings", home.display()),
            "run=docker run --network none".to_owned(),
        ]
    }

    /// What comes of a script. `state NAME` in it is what docker knows of that container, in words of its template.
    fn ask(&self, script: &str) -> Outcome<Said> {
        let words = format!(
            "state() {{ docker inspect -f \"{{{{.State.$2}}}}\" $1; }}
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

    fn end(&self) {
        let _ = self.ask("kill $(cat $home/events.pid)");
        self.daemon.end("TERM");
    }
}

fn sweep(place: &Place<'_>) {
    let docker = Docker::of(place);
    if docker.daemon.is_there() {
        let _ = docker.ask("docker rm -f $(docker ps -aq)");
    }
}

fn leave(place: &Place<'_>) {
    let docker = Docker::of(place);
    if docker.daemon.is_there() {
        docker.end();
    }
}
