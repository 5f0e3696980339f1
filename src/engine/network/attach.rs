//! The way into a network: reserve → write down → make → remember, all under the ledger's lock. What fails is undone.

/// What is nobody else's.
mod reserve;

/// Names in files.
mod files;

use super::carrier::{Carrier, Choice};
use super::ledger::{Endpoint, Ledger};
use super::names::{self, Loopback};
use super::networks;
use super::options::{Mode, Network, Wish};
use super::place::{self, Place};
use super::ports::Held;
use super::record::{Reach, Record};
use super::{
    Connected, Container, Namespace, Owner, Settings, c_path, carrier, detach, firewall,
    forwarding, ports, proxy, servant, wire,
};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::netns;
use crate::sys::proc::Proc;
use files::{all_names, files, hosts, told_files};
use reserve::{may_publish, reserve};
use std::os::fd::{AsFd, OwnedFd};

/// Gives a container its network, before the runtime creates it; writes its `hosts` and `resolv.conf`.
///
/// # Errors
/// An address, a port or a network that cannot be had; whatever the kernel refuses. Nothing is left then.
pub fn connect(network: &Network, container: &Container, settings: &Settings) -> Result<Connected> {
    let mut connected = match &network.mode {
        Mode::None => apart(network, container, settings, Namespace::New)?,
        Mode::Host => apart(network, container, settings, Namespace::Host)?,
        Mode::Namespace(path) => {
            apart(network, container, settings, Namespace::Path(path.clone()))?
        }
        Mode::Container(other) => of_another(other, settings)?,
        Mode::User(choice) => users(*choice, network, container, settings)?,
        Mode::Bridge(wishes) => bridged(network, wishes, container, settings)?,
    };
    connected.notes.splice(0..0, network.notes.iter().cloned());
    Ok(connected)
}

/// Connects the network namespace of the created container's process `pid`, where [`connect`] could not: a
/// user's, or one that belongs to a user namespace of the container's. For all others there is nothing to do.
///
/// # Errors
/// As [`connect`]; a process that is gone.
pub fn join(network: &Network, container: &Container, pid: i32, settings: &Settings) -> Result<()> {
    let mut ledger = match &network.mode {
        Mode::User(_) => Ledger::open(settings)?,
        Mode::Bridge(_) if container.namespace == Owner::Container => Ledger::open(settings)?,
        _ => return Ok(()),
    };
    let id = &container.id;
    let Some(end) = ledger.book.containers.get(id).cloned() else {
        return Err(Error::container(
            "connect the container",
            id,
            "nothing was reserved for it",
        ));
    };
    let done = if let Mode::User(choice) = network.mode {
        let place = Place {
            ports: &end.ports,
            pid,
            beside: place::beside(id, settings),
        };
        let begin = |carrier: Carrier| {
            let known = |process| remember(&mut ledger, id, process);
            carrier.start(&settings.gate, &place, known)
        };
        carrier::find(choice).and_then(begin)
    } else {
        let cannot = |fault| {
            Error::new(
                "find the container's network",
                Object::Process(pid),
                Cause::from(fault),
            )
        };
        let namespace = Proc::open().and_then(|proc| proc.namespace_of(pid, c"net"));
        let records = networks::list(settings)?;
        namespace
            .map_err(cannot)
            .and_then(|namespace| link(id, &end, &records, &namespace))
    };
    done.map_err(|error| error.also(detach::clear(id, &mut ledger, settings).err()))
}

/// No network, or one that is not ours.
fn apart(
    network: &Network,
    container: &Container,
    settings: &Settings,
    namespace: Namespace,
) -> Result<Connected> {
    let shared = namespace != Namespace::New;
    let loopback = if shared {
        Loopback::Reached
    } else {
        Loopback::NotReached
    };
    let host = std::fs::read_to_string(&settings.hosts).unwrap_or_default();
    let text = if shared {
        names::hosts_of_the_host(&host, &network.extra)
    } else {
        hosts(network, container, &[], None)?
    };
    let mut connected = files(network, container, settings, &text, loopback)?;
    connected.namespace = namespace;
    Ok(connected)
}

fn of_another(other: &str, settings: &Settings) -> Result<Connected> {
    let ledger = Ledger::open(settings)?;
    let files = ledger
        .book
        .containers
        .get(other)
        .and_then(|end| end.files.clone());
    Ok(Connected {
        namespace: Namespace::Of(other.to_owned()),
        addresses: Vec::new(),
        gateway: None,
        dns: Vec::new(),
        ports: Vec::new(),
        hosts: files.as_ref().map(|files| files.join("hosts")),
        resolv: files.map(|files| files.join("resolv.conf")),
        notes: Vec::new(),
    })
}

/// Reserves the ports of a user's container. Who carries its packets binds them, so here it is only seen whether they
/// are free.
fn users(
    choice: Choice,
    network: &Network,
    container: &Container,
    settings: &Settings,
) -> Result<Connected> {
    let carrier = carrier::find(choice)?;
    let mut ledger = Ledger::open(settings)?;
    vacant(&ledger, &container.id)?;
    let (ports, held) = ports::take(&network.publish, settings, &ledger.book)?;
    drop(held);
    let text = hosts(network, container, &[], carrier.host())?;
    let mut connected = files(network, container, settings, &text, Loopback::NotReached)?;
    if connected.dns.is_empty() {
        // The host's own name server listens on its loopback device only: the carrier asks it for the container.
        let text = format!("nameserver {}\n", carrier.name_server());
        names::write(&container.files, "resolv.conf", &text)?;
        connected.dns = carrier.name_server().parse().into_iter().collect();
        connected.notes.clear();
    }
    let end = Endpoint {
        names: all_names(container),
        ports: ports.clone(),
        files: Some(container.files.clone()),
        ..Endpoint::default()
    };
    ledger.book.containers.insert(container.id.clone(), end);
    ledger.save()?;
    connected.ports = ports;
    Ok(connected)
}

fn vacant(ledger: &Ledger, id: &str) -> Result<()> {
    if ledger.book.containers.contains_key(id) {
        return Err(Error::container(
            "connect the container",
            id,
            "it is connected already",
        ));
    }
    Ok(())
}

/// In networks of ours.
fn bridged(
    network: &Network,
    wishes: &[Wish],
    container: &Container,
    settings: &Settings,
) -> Result<Connected> {
    let mut ledger = Ledger::open(settings)?;
    vacant(&ledger, &container.id)?;
    let made = make(network, wishes, container, settings, &mut ledger);
    made.map_err(|error| error.also(detach::clear(&container.id, &mut ledger, settings).err()))
}

fn make(
    network: &Network,
    wishes: &[Wish],
    container: &Container,
    settings: &Settings,
    ledger: &mut Ledger,
) -> Result<Connected> {
    let id = &container.id;
    let mut records = Vec::new();
    let mut links = Vec::new();
    for wish in wishes {
        let record = networks::of_container(settings, &wish.network, ledger)?;
        let record = wire::bridge(settings, record, ledger)?;
        links.push(reserve(wish, &record, links.len(), ledger)?);
        records.push(record);
    }
    may_publish(network, &records)?;
    let (ports, held) = ports::take(&network.publish, settings, &ledger.book)?;
    let keeper = settings.state.join("network").join(format!("{id}.net"));
    let namespace = (container.namespace == Owner::Host).then_some(keeper);
    let end = Endpoint {
        names: all_names(container),
        links,
        ports,
        namespace: namespace.clone(),
        server: None,
        files: Some(container.files.clone()),
    };
    // From here on a crash leaves nothing that the ledger does not know.
    ledger.book.containers.insert(id.clone(), end.clone());
    ledger.save()?;
    let mut connected = told_files(network, container, settings, &end, &records)?;
    connected.notes.extend(host_settings(&records)?);
    if let Some(path) = &namespace {
        let kept = c_path(path)?;
        let made = netns::make(&kept)
            .map_err(|fault| Error::file("make the container's network namespace", path, fault))?;
        link(id, &end, &records, &made)?;
    }
    firewall::apply(&networks::list(settings)?, &ledger.book)?;
    serve(id, held, &end, settings, ledger)?;
    detach::tell_neighbours(ledger, &end);
    connected.notes.extend(firewall::obstacles());
    connected.namespace = namespace.map_or(Namespace::New, Namespace::Path);
    Ok(connected)
}

fn host_settings(records: &[Record]) -> Result<Vec<String>> {
    let outside: Vec<&Record> = records
        .iter()
        .filter(|record| record.reach == Reach::Outside)
        .collect();
    let six = outside
        .iter()
        .any(|record| record.ranges.iter().any(|range| range.gateway.is_ipv6()));
    match (outside.is_empty(), six) {
        (true, _) => Ok(Vec::new()),
        (_, true) => forwarding::ensure(forwarding::Kinds::Both),
        (_, false) => forwarding::ensure(forwarding::Kinds::Four),
    }
}

fn link(id: &str, end: &Endpoint, records: &[Record], namespace: &OwnedFd) -> Result<()> {
    for (at, link) in end.links.iter().enumerate() {
        if let Some(record) = records.iter().find(|record| record.name == link.network) {
            wire::link(id, link, at, record, namespace.as_fd())?;
        }
    }
    Ok(())
}

/// Hands the held ports to the process that serves them.
fn serve(
    id: &str,
    held: Vec<Held>,
    end: &Endpoint,
    settings: &Settings,
    ledger: &mut Ledger,
) -> Result<()> {
    if held.is_empty() {
        return Ok(());
    }
    let to = end
        .links
        .first()
        .map(|link| link.addresses.clone())
        .unwrap_or_default();
    let server = proxy::start(&settings.proxy, held, &to)?;
    remember(ledger, id, server.process)?;
    proxy::stay(&server)
}

fn remember(ledger: &mut Ledger, id: &str, process: crate::state::record::Process) -> Result<()> {
    if let Some(end) = ledger.book.containers.get_mut(id) {
        end.server = Some(process.into());
    }
    ledger
        .save()
        .map_err(|error| error.also(servant::stop(process).err()))
}
