//! Who carries the packets of a user's containers: pasta, and where there is none slirp4netns, or the one that was named.

use super::pasta::{self, Pasta};
use super::place::{Place, beside, held};
use super::slirp::{self, Slirp};
use super::{Settings, gate};
use crate::engine::runtime::on_path;
use crate::error::{Cause, Error, Object, Result};
use crate::state::record::Process;
use std::ffi::OsString;
use std::net::IpAddr;

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

    /// Connects the namespaces; it goes on by itself. `note` writes it down, before it is anything.
    ///
    /// # Errors
    /// What it says last; as `note`.
    pub(super) fn start(
        &self,
        gate: &[OsString],
        place: &Place<'_>,
        note: impl FnOnce(Process) -> Result<()>,
    ) -> Result<()> {
        let doing = match self {
            Carrier::Pasta(_) => pasta::DOING,
            Carrier::Slirp(_) => slirp::DOING,
        };
        let waiting = gate::start(doing, gate)?;
        note(waiting.servant.process)?;
        match self {
            Carrier::Pasta(pasta) => pasta.serve(waiting, place),
            Carrier::Slirp(slirp) => slirp.serve(waiting, place),
        }
    }
}

/// Removes what a carrier, or who began it, left.
pub(super) fn sweep(id: &str, settings: &Settings) {
    let beside = beside(id, settings);
    for left in [
        held(&beside),
        pasta::ready(&beside),
        slirp::socket_path(&beside),
    ] {
        // It was not there, ignored.
        let _ = std::fs::remove_file(left);
    }
}
