//! The way out of a network, from the ledger alone; and the firewall made anew after somebody flushed it.

use super::ledger::{Endpoint, Ledger};
use super::{Settings, c_path, carrier, firewall, names, networks, servant, wire};
use crate::error::{Error, Result};
use crate::sys::netns;
use std::net::IpAddr;

/// Takes away all that a container has of networks. One that has nothing, or not any more, is not an error: after a
/// crash, and a second time, it does what is left to do.
///
/// # Errors
/// What could not be taken away; all the rest is gone then, and it can be tried again.
pub fn disconnect(id: &str, settings: &Settings) -> Result<()> {
    let mut ledger = Ledger::open(settings)?;
    if !ledger.book.containers.contains_key(id) && ledger.book.bridges.is_empty() {
        return Ok(());
    }
    clear(id, &mut ledger, settings)
}

/// The ids of all containers that have something of networks.
///
/// # Errors
/// A ledger that cannot be read.
pub fn connected(settings: &Settings) -> Result<Vec<String>> {
    let ledger = Ledger::open(settings)?;
    Ok(ledger.book.containers.keys().cloned().collect())
}

/// Puts the firewall into force again, after another program flushed it.
///
/// # Errors
/// As the kernel answers.
pub fn reload(settings: &Settings) -> Result<()> {
    let ledger = Ledger::open(settings)?;
    firewall::apply(&networks::list(settings)?, &ledger.book)
}

/// The same as [`disconnect`], under a lock that is held.
pub(super) fn clear(id: &str, ledger: &mut Ledger, settings: &Settings) -> Result<()> {
    let mut failed: Vec<Error> = Vec::new();
    let mut book = ledger.book.clone();
    let end = book.containers.remove(id).unwrap_or_default();
    // First nobody is sent to it any more, then it goes, then it is forgotten.
    let closed = networks::list(settings).and_then(|all| firewall::apply(&all, &book));
    failed.extend(closed.err().filter(|_| !end.links.is_empty()));
    if let Some(server) = end.server {
        failed.extend(servant::stop(server.into()).err());
    }
    carrier::sweep(id, settings);
    for link in &end.links {
        failed.extend(wire::remove(&link.outside).err());
    }
    if let Some(path) = &end.namespace {
        let gone = c_path(path).and_then(|kept| {
            netns::remove(&kept).map_err(|fault| {
                Error::file("remove the container's network namespace", path, fault)
            })
        });
        failed.extend(gone.err());
    }
    let mut failed = failed.into_iter();
    if let Some(first) = failed.next() {
        return Err(first.also(failed));
    }
    ledger.book = book;
    let unused = without_users(ledger);
    for (network, bridge) in unused {
        wire::remove(&bridge)?;
        ledger.book.bridges.remove(&network);
    }
    ledger.save()?;
    tell_neighbours(ledger, &end);
    Ok(())
}

/// The bridges that we made and that no container needs any more.
fn without_users(ledger: &Ledger) -> Vec<(String, String)> {
    let bridges = ledger.book.bridges.iter();
    let unused = bridges.filter(|(network, _)| ledger.users(network).is_empty());
    unused
        .map(|(network, bridge)| (network.clone(), bridge.clone()))
        .collect()
}

/// Writes into the `hosts` of all that share a network with `changed` who is there now.
pub(super) fn tell_neighbours(ledger: &Ledger, changed: &Endpoint) {
    let shares = |one: &Endpoint, other: &Endpoint| {
        let mut all = one.links.iter();
        all.any(|link| other.links.iter().any(|its| its.network == link.network))
    };
    for (id, end) in &ledger.book.containers {
        let Some(folder) = end.files.as_ref().filter(|_| shares(end, changed)) else {
            continue;
        };
        names::set_neighbours(folder, &neighbours(ledger, id, end));
    }
}

/// The others in the networks of a container, each with its address there.
fn neighbours(ledger: &Ledger, id: &str, of: &Endpoint) -> Vec<(IpAddr, String)> {
    let mut found = Vec::new();
    let others = ledger
        .book
        .containers
        .iter()
        .filter(|(other, _)| *other != id);
    for (_, end) in others {
        let shared = end
            .links
            .iter()
            .filter(|link| of.links.iter().any(|ours| ours.network == link.network));
        for ip in shared.flat_map(|link| &link.addresses) {
            found.push((*ip, end.names.join(" ")));
        }
    }
    found
}
