//! What a container is to get of a network, none of it anybody else's.

use crate::engine::network::ledger::{Ledger, Link};
use crate::engine::network::options::{Network, Wish};
use crate::engine::network::record::{Reach, Record, mac_of};
use crate::error::{Cause, Error, Object, Result};
use std::net::IpAddr;

/// Ports lead to the first network, and into an internal one nobody comes.
pub(super) fn may_publish(network: &Network, records: &[Record]) -> Result<()> {
    let first = records
        .first()
        .filter(|record| record.reach == Reach::Internal);
    let (Some(record), Some(port)) = (first, network.publish.first()) else {
        return Ok(());
    };
    let why = format!(
        "the network {} is internal: nobody calls into it from outside",
        record.name
    );
    let object = Object::Argument(format!("-p {}", port.typed));
    Err(Error::new("publish a port", object, Cause::Refused(why))
        .hint("name a network first that is not internal: --network bridge"))
}

/// A device's name, hardware address and addresses, none of them anybody else's.
pub(super) fn reserve(
    wish: &Wish,
    record: &Record,
    at: usize,
    ledger: &mut Ledger,
) -> Result<Link> {
    let mut addresses = Vec::new();
    for (n, range) in record.ranges.iter().enumerate() {
        let wanted = match range.gateway {
            IpAddr::V4(_) => wish.ip.map(IpAddr::V4),
            IpAddr::V6(_) => wish.ip6.map(IpAddr::V6),
        };
        addresses.push(ledger.choose(record, n, wanted)?);
    }
    let lost = [
        ("--ip", wish.ip.map(IpAddr::V4)),
        ("--ip6", wish.ip6.map(IpAddr::V6)),
    ];
    let lost = lost
        .into_iter()
        .find_map(|(flag, ip)| ip.filter(|ip| !addresses.contains(ip)).map(|ip| (flag, ip)));
    if let Some((flag, ip)) = lost {
        let why = format!("the network {} has no range of this kind", record.name);
        let object = Object::Argument(format!("{flag} {ip}"));
        return Err(Error::new(
            "give the container this address",
            object,
            Cause::Refused(why),
        ));
    }
    let first = addresses.first().copied();
    Ok(Link {
        network: record.name.clone(),
        outside: device_name(ledger),
        inside: format!("eth{at}"),
        mac: wish
            .mac
            .or(first.map(mac_of))
            .unwrap_or([2, 0x4f, 0, 0, 0, 0]),
        addresses,
    })
}

/// A name for the host's end that no other one has: where it is counted from changes with the time.
fn device_name(ledger: &Ledger) -> String {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let names = (0..).map(|n: u128| format!("ov{:08x}", (since.as_nanos() + n) & 0xffff_ffff));
    let taken = |name: &str| {
        let mut all = ledger.book.containers.values().flat_map(|end| &end.links);
        all.any(|link| link.outside == name)
    };
    names
        .into_iter()
        .find(|name| !taken(name))
        .unwrap_or_default()
}
