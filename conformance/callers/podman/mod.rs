//! podman: each case is a few lines that one would type, as root or as a user, with systemd's groups unless the
//! case says otherwise.
//!
//! `podman` in a script is a wrapper that names the runtime, and an image store of the place's own with the image
//! `box`. What this does *not* do: judge podman. A case that fails for every runtime says nothing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::case::Caller;
use crate::check::Outcome;
use crate::image;
use crate::place::{Place, USER, Who};
use crate::said::Said;

/// run: streams, statuses, process.
mod run;

/// exec.
mod exec;

/// stop, kill, pause, restart.
mod life;

/// Capabilities, seccomp, devices, namespaces.
mod confine;

/// Limits.
mod limits;

/// Mounts, and files to and fro.
mod volumes;

/// What cannot be; hooks.
mod errors;

/// Pods and joined namespaces.
mod pods;

/// checkpoint and restore.
mod checkpoint;

/// As an ordinary user.
mod rootless;

pub(crate) const CALLER: Caller = Caller {
    name: "podman",
    program: "podman",
    version: "podman --version",
    cases: &[
        run::CASES,
        exec::CASES,
        life::CASES,
        confine::CASES,
        limits::CASES,
        volumes::CASES,
        errors::CASES,
        pods::CASES,
        checkpoint::CASES,
        rootless::CASES,
    ],
    sweep,
    leave,
};

/// Somebody's podman, with a store of its own for each runtime.
#[derive(Debug)]
struct Podman<'p> {
    place: &'p Place<'p>,
    who: Who,
}

impl<'p> Podman<'p> {
    /// Root's.
    fn root(place: &'p Place<'p>) -> Outcome<Self> {
        Podman {
            place,
            who: Who::Root,
        }
        .ready()
    }

    /// The machine's user's.
    fn user(place: &'p Place<'p>) -> Outcome<Self> {
        Podman {
            place,
            who: Who::User,
        }
        .ready()
    }

    /// Where it keeps everything.
    fn home(&self) -> PathBuf {
        self.place.home.join(match self.who {
            Who::Root => "podman",
            Who::User => "podman-user",
        })
    }

    /// Every container's id is in this file from its beginning.
    fn events(&self) -> PathBuf {
        self.home().join("events.log")
    }

    /// Loads the image, the first time.
    fn ready(self) -> Outcome<Self> {
        let home = self.home();
        self.place.follow(&self.events());
        if !home.join("loaded").exists() {
            let _ = fs::remove_dir_all(&home);
            fs::create_dir_all(home.join("bin"))?;
            self.configure()?;
            if self.who == Who::User {
                self.place
                    .shell(&format!(
                        "chown -R {}:{} {}",
                        USER.1,
                        USER.1,
                        home.display()
                    ))?
                    .ended(0)?;
            }
            self.ask("podman load -q -i $image")?
                .ended(0)?
                .has(image::NAME)?;
            fs::write(self.events(), "")?; // the image's id is no container's
            fs::write(home.join("loaded"), "")?;
        }
        Ok(self)
    }

    /// What a user of this runtime has in containers.conf, and the wrapper.
    fn configure(&self) -> Outcome {
        let (home, runtime) = (self.home(), self.place.runtime);
        let (home, name, path) = (home.display(), &runtime.name, runtime.path.display());
        // podman's default limit would keep a container from beginning where there is no controller for it.
        let controllers = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers")?;
        let pids = match controllers.contains("pids") {
            true => "",
            false => "pids_limit = 0\n",
        };
        let configuration = format!(
            "[containers]\nlog_driver = \"k8s-file\"\nnetns = \"none\"\n{pids}[engine]\nruntime = \"{name}\"\nevents_logger = \"file\"\n\
             events_logfile_path = \"{}\"\nruntime_supports_json = [\"orbital\", \"crun\", \"runc\"]\n\
             runtime_supports_nocgroup = [\"orbital\", \"crun\"]\n[engine.runtimes]\n{name} = [\"{path}\"]\n",
            self.events().display()
        );
        fs::write(self.home().join("containers.conf"), configuration)?;
        let groups = match Path::new("/run/systemd/private").exists() {
            true => "systemd",
            false => "cgroupfs",
        };
        let wrapper = format!(
            "#!/bin/sh\nexec /usr/bin/podman --root {home}/storage --runroot {home}/run --tmpdir {home}/tmp \
             --storage-driver overlay --log-level ${{level:-error}} --cgroup-manager ${{groups:-{groups}}} \"$@\"\n"
        );
        let file = self.home().join("bin/podman");
        fs::write(&file, wrapper)?;
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        Ok(())
    }

    /// What comes of a script in which `podman` is this one.
    fn ask(&self, script: &str) -> Outcome<Said> {
        let variables = [
            format!(
                "CONTAINERS_CONF={}",
                self.home().join("containers.conf").display()
            ),
            format!(
                "PATH={}:/usr/sbin:/usr/bin:/sbin:/bin",
                self.home().join("bin").display()
            ),
        ];
        self.place.shell_as(self.who, &variables, script)
    }
}

/// The podmans that this place has used.
fn used<'p>(place: &'p Place<'p>) -> impl Iterator<Item = Podman<'p>> {
    let both = [Who::Root, Who::User].map(|who| Podman { place, who });
    both.into_iter()
        .filter(|podman| podman.home().join("loaded").exists())
}

fn sweep(place: &Place<'_>) {
    for podman in used(place) {
        let _ = podman.ask("podman pod rm -fa -t 0; podman rm -fa -t 0; podman volume rm -fa");
    }
}

/// A user's podman leaves a process that keeps its namespaces.
fn leave(place: &Place<'_>) {
    for podman in used(place).filter(|podman| podman.who == Who::User) {
        let file = podman.home().join("tmp/pause.pid");
        let _ = podman.ask(&format!("kill $(cat {})", file.display()));
    }
}

/// Root types `script`, whose first failure ends it, and sees exactly `out`.
fn shows(place: &Place<'_>, script: &str, out: &str) -> Outcome {
    Podman::root(place)?
        .ask(&format!("set -e\n{script}"))?
        .ended(0)?
        .printed(out)?;
    Ok(())
}

/// The same, typed by the machine's user.
fn shows_user(place: &Place<'_>, script: &str, out: &str) -> Outcome {
    Podman::user(place)?
        .ask(&format!("set -e\n{script}"))?
        .ended(0)?
        .printed(out)?;
    Ok(())
}
