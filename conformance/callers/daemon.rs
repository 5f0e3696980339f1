//! A daemon that serves all cases of a runtime: begun when the first wants it, ended after the last.

use std::fs;
use std::path::PathBuf;

use crate::check::Outcome;
use crate::place::Place;

/// A daemon by its name, with a folder of the place's own.
#[derive(Debug)]
pub(crate) struct Daemon<'p> {
    pub(crate) place: &'p Place<'p>,
    /// Its folder's name, and the first word of what goes wrong.
    pub(crate) name: &'static str,
}

impl Daemon<'_> {
    /// Its folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.place.home.join(self.name)
    }

    /// Its process, as long as it is wanted.
    pub(crate) fn pid_file(&self) -> PathBuf {
        self.home().join("daemon.pid")
    }

    /// Whether it has been begun and not been ended.
    pub(crate) fn is_there(&self) -> bool {
        self.pid_file().exists()
    }

    /// Begins `command` and waits until `ready`, a command as well, succeeds. A runtime of the name `runc` is the first
    /// in its PATH. It may use all processors, but only one at a time: see [`Place`].
    pub(crate) fn begin(&self, variables: &[String], command: &str, ready: &str) -> Outcome {
        let bin = self.home().join("bin");
        fs::create_dir_all(&bin)?;
        let link = bin.join("runc");
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(&self.place.runtime.path, link)?;
        let script = format!(
            "cd {home}; all=0-$(($(nproc --all) - 1))
            GOGC=100 GOMAXPROCS=1 PATH={bin}:$PATH setsid taskset -c $all {command} >>log 2>&1 &
            echo $! >{pid}
            for i in $(seq 500); do {ready} >/dev/null 2>&1 && exit; kill -0 $! || break; sleep 0.2; done
            echo '{name} does not answer' >&2; tail -n 20 log >&2; exit 1",
            home = self.home().display(),
            bin = bin.display(),
            pid = self.pid_file().display(),
            name = self.name,
        );
        let said = self
            .place
            .shell_as(crate::place::Who::Root, variables, &script)?;
        said.ended(0).map(drop)
    }

    /// Sends it `signal` and waits until it has gone.
    pub(crate) fn end(&self, signal: &str) {
        let file = self.pid_file();
        let pid = fs::read_to_string(&file).unwrap_or_default();
        let pid = pid.trim();
        let _ = self.place.shell(&format!(
            "kill -{signal} {pid}; for i in $(seq 150); do kill -0 {pid} 2>/dev/null || exit; sleep 0.2; done; kill -9 {pid}"
        ));
        let _ = fs::remove_file(file);
    }
}
