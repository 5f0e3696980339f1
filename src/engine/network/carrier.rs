//! Who carries the packets of a user's containers: pasta, and where there is none slirp4netns, or the one that was named.

use super::ledger::Port;
use super::pasta::{self, Pasta};
use super::slirp::{self, Slirp};
use super::{Settings, proxy};
use crate::engine::runtime::on_path;
use crate::error::{Cause, Error, Object, Result};
use crate::linux::look;
use crate::state::record::Process;
use crate::sys::proc::Proc;
use std::fs;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Which was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// None: pasta, else slirp4netns.
    Any,
    /// `--network pasta`.
    Pasta,
    /// `--network slirp4netns`.
    Slirp,
}

/// The one that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// passt's pasta(1).
    Pasta(Pasta),
    /// slirp4netns(1).
    Slirp(Slirp),
}

/// Finds it.
///
/// # Errors
/// That there is none, and where to get it.
pub fn find(choice: Choice) -> Result<Carrier> {
    let pasta = || on_path("pasta").map(|program| Carrier::Pasta(Pasta::at(program)));
    let slirp = || on_path("slirp4netns").map(|program| Carrier::Slirp(Slirp::at(program)));
    let (found, missing) = match choice {
        Choice::Any => (pasta().or_else(slirp), "neither pasta nor slirp4netns"),
        Choice::Pasta => (pasta(), "no pasta"),
        Choice::Slirp => (slirp(), "no slirp4netns"),
    };
    found.ok_or_else(|| {
        let why = Cause::Refused(format!("there is {missing} on PATH"));
        Error::new("connect the container", Object::Nothing, why).hint(
            "install pasta (the package passt of Debian, Fedora and others), or use --network none or host",
        )
    })
}

impl Carrier {
    /// The host's address for the container, if it has one.
    #[must_use]
    pub fn host(&self) -> Option<IpAddr> {
        match self {
            Carrier::Pasta(pasta) => pasta.host(),
            // What 10.0.2.2 leads to is the host's loopback device, which is closed.
            Carrier::Slirp(_) => None,
        }
    }

    /// Where the container asks for names when the host's name server is on its loopback device.
    #[must_use]
    pub fn name_server(&self) -> &'static str {
        match self {
            Carrier::Pasta(_) => pasta::NAME_SERVER,
            Carrier::Slirp(_) => slirp::NAME_SERVER,
        }
    }

    /// Connects the namespaces of process `pid`, or the one that [`held`](pasta::held) keeps beside `pid_file`; it goes
    /// on in the background.
    ///
    /// # Errors
    /// What it says last.
    pub fn start(&self, ports: &[Port], pid: i32, pid_file: &Path) -> Result<Process> {
        match self {
            Carrier::Pasta(pasta) => pasta.start(ports, pid, pid_file),
            Carrier::Slirp(slirp) => slirp.start(ports, pid, pid_file),
        }
    }
}

/// Where the pid of a container's carrier is written while it begins; the ledger has it afterwards.
#[must_use]
pub fn pid_file(id: &str, settings: &Settings) -> PathBuf {
    settings.state.join("network").join(format!("{id}.pasta"))
}

/// Ends a carrier that the ledger does not know, as whoever began it was killed meanwhile, and removes its files.
///
/// # Errors
/// A process that does not end.
pub(super) fn stop_forgotten(id: &str, settings: &Settings) -> Result<()> {
    let file = pid_file(id, settings);
    let text = fs::read_to_string(&file).unwrap_or_default();
    for left in [pasta::held(&file), slirp::socket_path(&file), file.clone()] {
        // It was not there, ignored.
        let _ = fs::remove_file(left);
    }
    let Ok(pid) = text.trim().parse::<i32>() else {
        return Ok(());
    };
    // The pid may be another's since. Both have a path of ours among their arguments.
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut words = words.split(|byte| *byte == 0);
    let folder = settings.state.join("network");
    if !words.any(|word| word.starts_with(folder.as_os_str().as_bytes())) {
        return Ok(());
    }
    let proc = Proc::open().map_err(|fault| Error::file("find a process", "/proc", fault))?;
    proxy::stop(look::identify(&proc, pid)?)
}
