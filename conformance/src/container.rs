//! One container in a case's hands.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::bundle::Bundle;
use crate::check::{Outcome, ensure, eventually};
use crate::lab::Lab;
use crate::probe;
use crate::runtime::Call;

/// A container that was created, and where its output goes.
#[derive(Debug)]
pub(crate) struct Container<'l> {
    lab: &'l Lab,
    pub(crate) id: String,
    pub(crate) bundle: Bundle,
    pub(crate) pid: i32,
    out: PathBuf,
}

impl<'l> Container<'l> {
    /// `create`, and reads the pid file.
    pub(crate) fn create(lab: &'l Lab, bundle: &Bundle, id: &str) -> Outcome<Self> {
        Self::create_with(lab, bundle, id, &[])
    }

    /// `create` with more flags.
    pub(crate) fn create_with(
        lab: &'l Lab,
        bundle: &Bundle,
        id: &str,
        flags: &[&str],
    ) -> Outcome<Self> {
        Self::create_after(lab, bundle, id, &[], flags)
    }

    /// `create` with flags before the verb and after it.
    pub(crate) fn create_after(
        lab: &'l Lab,
        bundle: &Bundle,
        id: &str,
        before: &[&str],
        flags: &[&str],
    ) -> Outcome<Self> {
        let pid_file = lab.scratch("pid");
        let pid_arg = pid_file.to_string_lossy();
        let mut args = before.to_vec();
        args.extend(["create", "--bundle", bundle.arg(), "--pid-file", &pid_arg]);
        args.extend(flags);
        args.push(id);
        let said = lab.call(&args).ok()?;
        let pid = fs::read_to_string(&pid_file)?.trim().parse()?;
        Ok(Container {
            lab,
            id: id.to_owned(),
            bundle: bundle.clone(),
            pid,
            out: said.file,
        })
    }

    /// One that the case has made in a way of its own.
    pub(crate) fn known(lab: &'l Lab, bundle: &Bundle, id: &str, pid: i32, out: PathBuf) -> Self {
        Container {
            lab,
            id: id.to_owned(),
            bundle: bundle.clone(),
            pid,
            out,
        }
    }

    /// `start`.
    pub(crate) fn start(&self) -> Outcome {
        self.lab.call(&["start", &self.id]).ok().map(drop)
    }

    /// The state document.
    pub(crate) fn state(&self) -> Outcome<Value> {
        let said = self.lab.call(&["state", &self.id]).ok()?;
        serde_json::from_str(&said.out)
            .map_err(|error| format!("state is not JSON: {error}: {said}").into())
    }

    /// The status in the state document.
    pub(crate) fn status(&self) -> Outcome<String> {
        Ok(self.state()?["status"]
            .as_str()
            .unwrap_or("(none)")
            .to_owned())
    }

    /// Waits, at most 10 s, until the status is `status`.
    pub(crate) fn until(&self, status: &str) -> Outcome {
        let what = format!("status of {} becomes {status}", self.id);
        eventually(&what, Duration::from_secs(10), || {
            Ok(self.status()? == status)
        })
    }

    /// `kill` with this signal.
    pub(crate) fn kill(&self, signal: &str) -> Outcome {
        self.lab.call(&["kill", &self.id, signal]).ok().map(drop)
    }

    /// Kills the container and waits until it has stopped.
    pub(crate) fn stop(&self) -> Outcome {
        self.kill("KILL")?;
        self.until("stopped")
    }

    /// `exec` of a command with these flags, to be called.
    pub(crate) fn exec(&self, flags: &[&str], command: &[&str]) -> Call<'l> {
        let args = [&["exec"], flags, &[self.id.as_str()], command].concat();
        self.lab.call(&args)
    }

    /// A call with the lab's `--root`.
    pub(crate) fn call(&self, args: &[&str]) -> Call<'l> {
        self.lab.call(args)
    }

    /// What a shell script prints that is executed with these flags; anything but exit 0 fails the case.
    pub(crate) fn inside(&self, flags: &[&str], script: &str) -> Outcome<String> {
        let said = self.exec(flags, &["/bin/sh", "-c", script]).ok()?;
        Ok(said.out)
    }

    /// `delete`.
    pub(crate) fn delete(&self) -> Outcome {
        self.lab.call(&["delete", &self.id]).ok().map(drop)
    }

    /// `delete --force`: the end of most cases.
    pub(crate) fn end(&self) -> Outcome {
        self.lab
            .call(&["delete", "--force", &self.id])
            .ok()
            .map(drop)
    }

    /// Waits until the program has ended by itself, then deletes; gives its output.
    pub(crate) fn finish(&self) -> Outcome<String> {
        self.until("stopped")?;
        let output = self.output()?;
        self.delete()?;
        Ok(output)
    }

    /// What the program has written so far.
    pub(crate) fn output(&self) -> Outcome<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.out)?).into_owned())
    }

    /// Waits, at most 10 s, until the program has written `text`.
    pub(crate) fn wrote(&self, text: &str) -> Outcome {
        let result = eventually(
            &format!("output contains {text:?}"),
            Duration::from_secs(10),
            || Ok(self.output()?.contains(text)),
        );
        result.map_err(|error| {
            format!("{error}; it is {:?}", self.output().unwrap_or_default()).into()
        })
    }

    /// The processes in the container's cgroup.
    pub(crate) fn processes(&self) -> Outcome<Vec<i32>> {
        let file = probe::cgroup_dir(self.pid)?.join("cgroup.procs");
        let text = fs::read_to_string(&file)?;
        let pids: Vec<i32> = text.lines().filter_map(|line| line.parse().ok()).collect();
        ensure!(!pids.is_empty(), "no process in {}", file.display());
        Ok(pids)
    }
}
