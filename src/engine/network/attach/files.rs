//! The container's `hosts` and `resolv.conf`, written, and what is told of them.

use crate::engine::network::ledger::Endpoint;
use crate::engine::network::names::{self, Hosts, Loopback};
use crate::engine::network::options::{Mode, Network};
use crate::engine::network::record::{Reach, Record};
use crate::engine::network::{Connected, Container, Namespace, Settings};
use crate::error::{Cause, Error, Object, Result};
use std::net::IpAddr;

pub(super) fn all_names(container: &Container) -> Vec<String> {
    let mut all = vec![container.host_name.clone()];
    for name in &container.names {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}

pub(super) fn hosts(
    network: &Network,
    container: &Container,
    own: &[IpAddr],
    host: Option<IpAddr>,
) -> Result<String> {
    let names = all_names(container);
    let of = Hosts {
        own,
        names: &names,
        host,
        extra: &network.extra,
    };
    names::hosts(&of).map_err(|why| {
        let object = Object::Argument("--add-host".to_owned());
        Error::new("write the container's names", object, Cause::Refused(why))
    })
}

pub(super) fn told_files(
    network: &Network,
    container: &Container,
    settings: &Settings,
    end: &Endpoint,
    records: &[Record],
) -> Result<Connected> {
    let own: Vec<IpAddr> = end
        .links
        .iter()
        .flat_map(|link| link.addresses.clone())
        .collect();
    let gateway = records
        .first()
        .and_then(|record| record.ranges.first())
        .map(|range| range.gateway);
    let text = hosts(network, container, &own, gateway)?;
    let mut connected = files(network, container, settings, &text, Loopback::NotReached)?;
    let outside = records
        .first()
        .is_some_and(|record| record.reach == Reach::Outside);
    connected.gateway = gateway.filter(|_| outside);
    connected.addresses = own;
    connected.ports.clone_from(&end.ports);
    Ok(connected)
}

/// Writes both files.
pub(super) fn files(
    network: &Network,
    container: &Container,
    settings: &Settings,
    hosts: &str,
    loopback: Loopback,
) -> Result<Connected> {
    let folder = &container.files;
    let of_host = names::resolv_of_the_host(&settings.resolv, loopback);
    let (resolv, dns) = names::resolv(&of_host, &network.resolver, loopback);
    names::write(folder, "hosts", hosts)?;
    names::write(folder, "resolv.conf", &resolv)?;
    let mut notes = Vec::new();
    if dns.is_empty() && network.mode != Mode::None {
        notes.push(
            "the host has no name server that the container could ask; name one with --dns"
                .to_owned(),
        );
    }
    Ok(Connected {
        namespace: Namespace::New,
        addresses: Vec::new(),
        gateway: None,
        dns,
        ports: Vec::new(),
        hosts: Some(folder.join("hosts")),
        resolv: Some(folder.join("resolv.conf")),
        notes,
    })
}
