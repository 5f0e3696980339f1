//! The devices of a network: its bridge on the host, and a pair of veth for each container, one end in the bridge and
//! the other one made at once in the container's network namespace, where it gets its addresses and the default route.

use super::forwarding::set_six;
use super::ledger::{Ledger, Link};
use super::networks::choose_again;
use super::record::{By, Reach, Record, mac_of};
use super::subnet::Subnet;
use super::{Settings, room};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::netlink::links::Veth;
use crate::sys::netlink::{Netlink, State};
use crate::sys::{Fault, netns};
use std::ffi::CString;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

fn name_of(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}

fn about(doing: &str, device: &str, fault: Fault) -> Error {
    let mut cause = Cause::from(fault);
    if let Cause::Os { on, .. } = &mut cause {
        *on = Some(device.to_owned());
    }
    let error = Error::new(doing, Object::Nothing, cause);
    match fault.errno {
        libc::EPERM => error.hint(
            "networks need root; users have pasta or slirp4netns, or use --network none or host",
        ),
        libc::EOPNOTSUPP => error
            .hint("the kernel needs the modules bridge and veth; or use --network none or host"),
        _ => error,
    }
}

/// Brings the network's bridge into being, if it is not there, and returns the network as it is now: its range may have
/// been chosen anew.
pub(super) fn bridge(settings: &Settings, record: Record, ledger: &mut Ledger) -> Result<Record> {
    let doing = format!("make the bridge of the network {}", record.name);
    let told = |fault| about(&doing, &record.bridge, fault);
    let mut netlink = Netlink::open().map_err(told)?;
    let name = name_of(&record.bridge);
    if let Some(device) = netlink.find(&name).map_err(told)? {
        // Ours may be half made, by someone who died over it.
        if ledger.book.bridges.contains_key(&record.name) {
            furnish(&mut netlink, device.index, &record).map_err(told)?;
        } else {
            address(&mut netlink, device.index, &record).map_err(told)?;
        }
        return Ok(record);
    }
    let record = vacant(settings, record, ledger)?;
    let told = |fault| about(&doing, &record.bridge, fault);
    ledger
        .book
        .bridges
        .insert(record.name.clone(), record.bridge.clone());
    ledger.save()?;
    let first = record
        .ranges
        .first()
        .map_or([2, 0x4f, 0, 0, 0, 0], |range| mac_of(range.gateway));
    netlink.add_bridge(&name, first, record.mtu).map_err(told)?;
    let made = netlink.find(&name).map_err(told)?;
    let index = made.map(|device| device.index).unwrap_or_default();
    furnish(&mut netlink, index, &record).map_err(told)?;
    Ok(record)
}

/// Sees to it that the host uses the network's ranges for nothing else.
fn vacant(settings: &Settings, record: Record, ledger: &Ledger) -> Result<Record> {
    let taken = room::taken_on_the_host(&[])?;
    let clash = |subnet: Subnet| taken.iter().find(|other| other.overlaps(subnet));
    let Some((range, other)) = record
        .ranges
        .iter()
        .find_map(|range| Some((range, clash(range.subnet)?)))
    else {
        return Ok(record);
    };
    if range.chosen == By::Us && ledger.users(&record.name).is_empty() {
        return choose_again(settings, &record);
    }
    let why = format!(
        "the host has a route to {other} now, which lies in its range {}",
        range.subnet
    );
    let name = &record.name;
    Err(Error::new(
        "use a network",
        Object::Argument(format!("--network {name}")),
        Cause::Refused(why),
    )
    .hint(format!(
        "remove it and create it anew with another --subnet: orbital network rm {name}"
    )))
}

fn furnish(netlink: &mut Netlink, index: i32, record: &Record) -> std::result::Result<(), Fault> {
    set_six(&record.bridge, "accept_ra", "0")?;
    set_six(&record.bridge, "accept_dad", "0")?;
    address(netlink, index, record)
}

fn address(netlink: &mut Netlink, index: i32, record: &Record) -> std::result::Result<(), Fault> {
    for range in &record.ranges {
        match netlink.add_ip(index, range.gateway, range.subnet.prefix()) {
            Err(fault) if fault.errno == libc::EEXIST => {}
            other => other?,
        }
    }
    netlink.set_state(index, State::Up)
}

/// Makes the two ends of a container's device, and furnishes the one inside.
pub(super) fn link(
    id: &str,
    link: &Link,
    at: usize,
    record: &Record,
    namespace: BorrowedFd<'_>,
) -> Result<()> {
    let doing = format!("connect the container to the network {}", record.name);
    let told = |fault| about(&doing, &link.outside, fault);
    let mut netlink = Netlink::open().map_err(told)?;
    let bridge = netlink.find(&name_of(&record.bridge)).map_err(told)?;
    let veth = Veth {
        outside: &name_of(&link.outside),
        alias: &format!("orbital {id}"),
        bridge: bridge.map(|device| device.index).unwrap_or_default(),
        namespace,
        inside: &name_of(&link.inside),
        mac: link.mac,
        mtu: record.mtu,
    };
    netlink.add_veth(&veth).map_err(told)?;
    // It only carries: the bridge has the addresses.
    set_six(&link.outside, "disable_ipv6", "1").map_err(told)?;
    netns::within(namespace, || furnish_inside(link, at, record))
        .map_err(|fault| about(&doing, &link.inside, fault))
}

fn furnish_inside(link: &Link, at: usize, record: &Record) -> std::result::Result<(), Fault> {
    let six = link.addresses.iter().any(IpAddr::is_ipv6);
    set_six(&link.inside, "disable_ipv6", if six { "0" } else { "1" })?;
    set_six(&link.inside, "accept_ra", "0")?;
    set_six(&link.inside, "accept_dad", "0")?;
    let mut netlink = Netlink::open()?;
    let device = netlink.find(&name_of(&link.inside))?;
    let index = device.map(|device| device.index).unwrap_or_default();
    for ip in &link.addresses {
        if let Some(range) = record
            .ranges
            .iter()
            .find(|range| range.subnet.contains(*ip))
        {
            netlink.add_ip(index, *ip, range.subnet.prefix())?;
        }
    }
    netlink.set_state(index, State::Up)?;
    // The first network is the way to all others.
    if at == 0 && record.reach == Reach::Outside {
        for range in record
            .ranges
            .iter()
            .filter(|range| six || range.gateway.is_ipv4())
        {
            netlink.add_default_route(index, range.gateway)?;
        }
    }
    Ok(())
}

/// Removes a device of ours, if it is there.
pub(super) fn remove(device: &str) -> Result<()> {
    let told = |fault| about("remove a network device", device, fault);
    let mut netlink = Netlink::open().map_err(told)?;
    let Some(found) = netlink.find(&name_of(device)).map_err(told)? else {
        return Ok(());
    };
    match netlink.remove_link(found.index) {
        Err(fault) if fault.errno == libc::ENODEV => Ok(()),
        other => other.map_err(told),
    }
}
