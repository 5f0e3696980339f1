//! The ranges and the bridge of a new network: what was asked for, where it is free, or a free one.

use super::{DEFAULT, Six, Wanted, refused};
use crate::engine::network::record::{By, Range, Record};
use crate::engine::network::subnet::{Subnet, address_and_prefix};
use crate::engine::network::{Settings, room};
use crate::error::Result;
use std::net::IpAddr;

pub(super) fn bridge_name(wanted: &Wanted, all: &[Record]) -> Result<String> {
    let taken = |name: &str| all.iter().any(|other| other.bridge == name);
    if let Some(name) = &wanted.bridge {
        let bad = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
        if name.is_empty() || name.len() > 15 || name.contains(bad) || name == "." || name == ".." {
            let why = "a device's name is of 1 to 15 bytes, without / : and spaces";
            return Err(refused("create a network", name, why));
        }
        if taken(name) {
            let why = "another network has this bridge";
            return Err(refused("create a network", name, why));
        }
        return Ok(name.clone());
    }
    if wanted.name == DEFAULT && !taken("orbital0") {
        return Ok("orbital0".to_owned());
    }
    let names = (1..).map(|number: u32| format!("orbital{number}"));
    let free = names.into_iter().find(|name| !taken(name));
    Ok(free.unwrap_or_default())
}

pub(super) fn ranges(settings: &Settings, wanted: &Wanted, all: &[Record]) -> Result<Vec<Range>> {
    let doing = "create a network";
    let mut taken = room::taken_on_the_host(&[])?;
    taken.extend(
        all.iter()
            .flat_map(|other| other.ranges.iter().map(|range| range.subnet)),
    );
    let mut found: Vec<Range> = Vec::new();
    for typed in &wanted.subnets {
        let range = given(typed).map_err(|why| refused(doing, typed, why))?;
        if let Some(other) = taken.iter().find(|other| other.overlaps(range.subnet)) {
            let why = format!("{other} is in use on this host");
            return Err(
                refused(doing, typed, why).hint("choose a range that ip route does not show")
            );
        }
        if found
            .iter()
            .any(|other| other.gateway.is_ipv4() == range.gateway.is_ipv4())
        {
            return Err(refused(
                doing,
                typed,
                "a network has at most one range of each kind",
            ));
        }
        found.push(range);
    }
    if !found.iter().any(|range| range.gateway.is_ipv4()) {
        found.insert(0, ours(room::free_range(&settings.pool, &taken)?));
    }
    if wanted.six == Six::Unique && !found.iter().any(|range| range.gateway.is_ipv6()) {
        found.push(ours(room::unique_range(&taken)?));
    }
    for typed in &wanted.gateways {
        set_gateway(&mut found, typed).map_err(|why| refused(doing, typed, why))?;
    }
    Ok(found)
}

/// `10.0.0.0/24`, or the bridge's own address as `10.0.0.1/24`.
fn given(typed: &str) -> std::result::Result<Range, String> {
    let (ip, prefix) = address_and_prefix(typed)?;
    let subnet = Subnet::around(ip, prefix);
    let small = if ip.is_ipv4() { 30 } else { 126 };
    if prefix > small || prefix < 8 {
        return Err(format!("a range for containers shares 8 to {small} bits"));
    }
    let gateway = if ip == subnet.first() {
        subnet.nth(1).unwrap_or(ip)
    } else {
        ip
    };
    Ok(Range {
        subnet,
        gateway,
        chosen: By::User,
    })
}

pub(super) fn ours(subnet: Subnet) -> Range {
    let gateway = subnet.nth(1).unwrap_or(subnet.first());
    Range {
        subnet,
        gateway,
        chosen: By::Us,
    }
}

fn set_gateway(ranges: &mut [Range], typed: &str) -> std::result::Result<(), String> {
    let ip: IpAddr = typed.parse().map_err(|_| "it is no address".to_owned())?;
    let range = ranges.iter_mut().find(|range| range.subnet.contains(ip));
    let range = range.ok_or("it lies in none of the network's ranges")?;
    match range.subnet.position(ip) {
        Some(n) if n > 0 && n <= range.subnet.last() => range.gateway = ip,
        _ => return Err("it is the first or the last address of the range".to_owned()),
    }
    Ok(())
}
