//! The container's network, by `engine/network`: reserved before config.json is written, joined when the process
//! is there, taken back at the end.

use super::holder::{self, Holder};
use crate::engine::container::record::Record;
use crate::engine::container::shelf::Shelf;
use crate::engine::container::wish::{self, Switch};
use crate::engine::network::{
    self, Connected, Container, Mode, Namespace, Network, Options, Owner, Settings, place,
};
use crate::engine::places::Who;
use crate::error::{Error, Result};
use crate::sys::process::own_pid;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The network of one container.
#[derive(Debug)]
pub(super) struct Net {
    network: Network,
    container: Container,
    settings: Settings,
    connected: Connected,
    holder: Option<Holder>,
}

/// What was typed, as the network's own options.
pub(crate) fn options(wish: &wish::Wish) -> Options {
    let typed = &wish.network;
    let some = |word: &String| Some(word.clone()).filter(|word| !word.is_empty());
    let all = wish.has(Switch::PublishAll);
    Options {
        network: typed.mode.clone(),
        publish: typed.publish.clone(),
        publish_all: typed.expose.iter().filter(|_| all).cloned().collect(),
        ip: some(&typed.ip),
        ip6: some(&typed.ip6),
        mac_address: some(&typed.mac),
        dns: typed.dns.clone(),
        dns_search: typed.dns_search.clone(),
        dns_option: typed.dns_option.clone(),
        add_host: typed.add_host.clone(),
    }
}

impl Net {
    /// Reserves addresses and ports, and makes the namespace where that is the engine's to do.
    ///
    /// # Errors
    /// As [`network::plan`] and [`network::connect`].
    pub(super) fn connect(shelf: &Shelf, record: &Record) -> Result<Net> {
        let settings = Settings::new(&shelf.places);
        let mut options = options(&record.wish);
        for mode in &mut options.network {
            if let Some(other) = mode.strip_prefix("container:") {
                *mode = format!("container:{}", shelf.find(other)?.id);
            }
        }
        let network = network::plan(&options, &settings)?;
        let host_name = match record.wish.hostname.as_str() {
            "" => record.short().to_owned(),
            given => given.to_owned(),
        };
        let container = Container {
            id: record.id.clone(),
            host_name,
            names: vec![record.name.clone()],
            files: shelf.run_folder(&record.id),
            // A user's is made before, by the holder.
            namespace: match !record.ids.is_hosts() && settings.who == Who::Root {
                true => Owner::Container,
                false => Owner::Host,
            },
        };
        // What an earlier life left after a crash, ignored where there is nothing.
        let _ = network::disconnect(&record.id, &settings);
        let connected = network::connect(&network, &container, &settings)?;
        let mut net = Net {
            network,
            container,
            settings,
            connected,
            holder: None,
        };
        if matches!(net.network.mode, Mode::User(_)) {
            let beside = place::beside(&record.id, &net.settings);
            let holder = Holder::start(place::held(&beside))?;
            network::join(&net.network, &net.container, own_pid(), &net.settings)?;
            holder::enter(&holder.namespace())?;
            holder::await_address();
            net.connected.namespace = Namespace::Path(holder.namespace());
            net.holder = Some(holder);
        }
        Ok(net)
    }

    /// Connects the created container's process, where its namespace is the runtime's to make.
    ///
    /// # Errors
    /// As [`network::join`].
    pub(super) fn join(&self, pid: i32) -> Result<()> {
        match self.container.namespace {
            Owner::Host => Ok(()),
            Owner::Container => network::join(&self.network, &self.container, pid, &self.settings),
        }
    }

    /// The container is in its namespace: nobody else needs to hold it.
    pub(super) fn release(&mut self) {
        self.holder = None;
    }

    /// The namespace for config.json: none for the host's, an empty path for a new one.
    ///
    /// # Errors
    /// Another container that does not run.
    pub(super) fn namespace(&self, shelf: &Shelf) -> Result<Option<PathBuf>> {
        Ok(match &self.connected.namespace {
            Namespace::Host => None,
            Namespace::New => Some(PathBuf::new()),
            Namespace::Path(path) => Some(path.clone()),
            Namespace::Of(id) => {
                let other = shelf.get(id)?;
                let process = other.running().ok_or_else(|| {
                    Error::container("share a network", &other.name, "it does not run")
                        .hint(format!("start it first: orbital start {}", other.name))
                })?;
                Some(format!("/proc/{}/ns/net", process.pid).into())
            }
        })
    }

    /// Files to be mounted over the container's.
    pub(super) fn files(&self) -> impl Iterator<Item = (PathBuf, &'static str)> {
        let files = [
            (&self.connected.hosts, "/etc/hosts"),
            (&self.connected.resolv, "/etc/resolv.conf"),
        ];
        files
            .into_iter()
            .filter_map(|(file, target)| file.clone().map(|file| (file, target)))
    }

    /// What the user should know.
    pub(super) fn notes(&self) -> &[String] {
        &self.connected.notes
    }

    /// For the record, in words that `ps`, `port` and `inspect` show.
    pub(super) fn told(&self) -> Value {
        let port = |port: &network::ledger::Port| {
            json!({
                "host_ip": port.ip.map(|ip| ip.to_string()).unwrap_or_default(),
                "host_port": port.host,
                "container_port": port.container,
                "protocol": network::ledger::name(port.protocol),
            })
        };
        let addresses: Vec<String> = self
            .connected
            .addresses
            .iter()
            .map(ToString::to_string)
            .collect();
        json!({
            "IPAddress": addresses.first(),
            "Addresses": addresses,
            "Gateway": self.connected.gateway.map(|ip| ip.to_string()),
            "DNS": self.connected.dns.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "ports": self.connected.ports.iter().map(port).collect::<Vec<_>>(),
        })
    }
}

/// Takes it all back; nothing is left where nothing was.
pub(super) fn disconnect(shelf: &Shelf, id: &str) {
    // What cannot be taken back now is found again by the next one's connect, ignored.
    let _ = network::disconnect(id, &Settings::new(&shelf.places));
}
