//! The network of containers: what was typed → what is decided → what is made, and all of it taken away again.
//!
//! ```text
//!  flags ─options─▶ Network ─connect─▶ networks, ledger ─▶ wire, firewall, proxy, names
//!                              join ─▶ the same, or pasta or slirp4netns, when the container's process is there
//!                        disconnect ─▶ back, from the ledger alone
//! ```
//!
//! A container of root's gets a namespace that the engine makes and keeps by a file, and that config.json joins by its
//! path: its addresses are known before the bundle is written, its hooks find the network ready, and what it has can be
//! taken away without any process of it. Where the namespace must belong to the container's own user namespace, or to a
//! user, it is the one that the runtime makes: `join` connects it between `create` and `start`.
//!
//! What it does not do: answer questions about names (the peers of a network are in each other's `hosts`), talk to
//! firewalld, or change any table of nftables but its own.

/// What was typed, checked.
pub mod options;

/// `-p`.
pub mod publish;

/// What a network is.
pub mod record;

/// The networks that there are.
pub mod networks;

/// Ranges of addresses.
pub mod subnet;

/// Ranges that are free.
mod room;

/// Who has which address, port and device.
pub mod ledger;

/// Ports of the host, taken and held.
mod ports;

/// Bridges, pairs of veth, addresses, routes.
mod wire;

/// Settings of the host that packets need.
mod forwarding;

/// One table of nftables.
pub mod firewall;

/// Processes that outlive the engine.
mod servant;

/// The process that holds published ports.
pub mod proxy;

/// Where other programs wait until they are written down.
pub mod gate;

/// `/etc/hosts` and `/etc/resolv.conf`.
pub mod names;

/// What a carrier connects, and its files.
pub mod place;

/// Who carries a user's packets.
pub mod carrier;

/// pasta, which does it best.
pub mod pasta;

/// slirp4netns, which does it too.
pub mod slirp;

/// The way of a container into its network.
mod attach;

/// The way out, and what is made anew.
mod detach;

pub use attach::{connect, join};
pub use detach::{connected, disconnect, reload};
pub use options::{Mode, Network, Options, plan};

use super::places::{Places, Who, who};
use crate::error::{Cause, Error, Object, Result};
use ledger::Port;
use std::ffi::{CString, OsString};
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use subnet::Subnet;

/// Where things are kept, and what the user has set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What outlasts a reboot: networks.
    pub store: PathBuf,
    /// What does not: who has what.
    pub state: PathBuf,
    /// For whom.
    pub who: Who,
    /// The program that runs [`proxy::serve`], and its arguments.
    pub proxy: Vec<OsString>,
    /// The program that runs [`gate::pass`], and its arguments.
    pub gate: Vec<OsString>,
    /// At which address a port is published that names none; at all where there is none.
    pub publish_ip: Option<IpAddr>,
    /// From which blocks networks get their ranges.
    pub pool: Vec<Subnet>,
    /// The host's `resolv.conf`.
    pub resolv: PathBuf,
    /// The host's `hosts`.
    pub hosts: PathBuf,
}

impl Settings {
    /// The usual ones.
    #[must_use]
    pub fn new(places: &Places) -> Settings {
        Settings {
            store: places.store.clone(),
            state: places.state.clone(),
            who: who(),
            proxy: vec!["/proc/self/exe".into(), proxy::VERB.into()],
            gate: vec!["/proc/self/exe".into(), gate::VERB.into()],
            publish_ip: None,
            pool: room::default_pool(),
            resolv: "/etc/resolv.conf".into(),
            hosts: "/etc/hosts".into(),
        }
    }
}

/// The container that is connected.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Its host name.
    pub host_name: String,
    /// Its other names for its neighbours: `--name`, `--network-alias`.
    pub names: Vec<String>,
    /// A folder of its own, out of its reach: `hosts` and `resolv.conf` are written there, to be mounted.
    pub files: PathBuf,
    /// Whose its network namespace is to be.
    pub namespace: Owner,
}

/// To whose user namespace the network namespace belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The host's: the container has no user namespace of its own.
    Host,
    /// The container's own.
    Container,
}

/// What config.json says about the network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// `{"type": "network", "path": …}`.
    Path(PathBuf),
    /// `{"type": "network"}`; for networks of ours and for a user's, [`join`] follows.
    New,
    /// No entry: the host's.
    Host,
    /// That of the process of this container.
    Of(String),
}

/// What a container has.
#[derive(Clone, Debug)]
pub struct Connected {
    /// For config.json.
    pub namespace: Namespace,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Where its packets go.
    pub gateway: Option<IpAddr>,
    /// Its name servers.
    pub dns: Vec<IpAddr>,
    /// Its published ports, with the host's number of each.
    pub ports: Vec<Port>,
    /// Its `hosts`, to be mounted at /etc/hosts; none where the other container's is to be mounted.
    pub hosts: Option<PathBuf>,
    /// Its `resolv.conf`, to be mounted at /etc/resolv.conf.
    pub resolv: Option<PathBuf>,
    /// What the user should know, in words.
    pub notes: Vec<String>,
}

/// A path for the kernel.
fn c_path(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| told("use a path", path, "it holds a zero byte"))
}

/// A refusal about a file.
fn told(doing: &str, path: &Path, why: impl Into<String>) -> Error {
    Error::new(
        doing,
        Object::File(path.to_owned()),
        Cause::Refused(why.into()),
    )
}

#[cfg(test)]
mod trial;
