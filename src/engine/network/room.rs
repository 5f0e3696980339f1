//! Ranges that are free: not the host's, not another network's.

use super::subnet::Subnet;
use crate::error::{Cause, Error, Object, Result};
use crate::sys::netlink::Netlink;
use std::net::{IpAddr, Ipv6Addr};

/// How many bits a network's range of IPv4 shares where nobody said it: 253 containers.
const BITS: u8 = 24;

/// The blocks from which networks get their ranges: below those of podman (10.88.0.0/16 and up), above nerdctl's
/// (10.4.0.0/16), away from docker's (172.17.0.0/16 and up, 192.168.0.0/16).
#[must_use]
pub(super) fn default_pool() -> Vec<Subnet> {
    (77..88)
        .map(|second| Subnet::around(IpAddr::from([10, second, 0, 0]), 16))
        .collect()
}

/// The ranges that the host has a way to, but those that lead to `own` devices.
///
/// # Errors
/// As the kernel answers.
pub(super) fn taken_on_the_host(own: &[i32]) -> Result<Vec<Subnet>> {
    let routes = Netlink::open().and_then(|mut netlink| netlink.routes());
    let routes = routes
        .map_err(|fault| Error::new("list the host's routes", Object::Nothing, fault.into()))?;
    let foreign = routes.into_iter().filter(|route| {
        let multicast = route.to.is_multicast();
        route.prefix > 0 && !multicast && route.device.is_none_or(|device| !own.contains(&device))
    });
    Ok(foreign
        .map(|route| Subnet::around(route.to, route.prefix))
        .collect())
}

/// The first part of the pool that overlaps nothing.
pub(super) fn free_range(pool: &[Subnet], taken: &[Subnet]) -> Result<Subnet> {
    let candidates = pool
        .iter()
        .flat_map(|block| block.parts(BITS.max(block.prefix())));
    let mut free = candidates.filter(|part| !taken.iter().any(|other| other.overlaps(*part)));
    free.next().ok_or_else(|| {
        let blocks: Vec<String> = pool.iter().map(ToString::to_string).collect();
        let why = format!("this host uses all of {}", blocks.join(", "));
        Error::new(
            "choose a range of addresses",
            Object::Nothing,
            Cause::Refused(why),
        )
        .hint("name a free one: orbital network create --subnet 10.200.0.0/24 NAME")
    })
}

/// A random range of 64 bits from fd00::/8; RFC 4193.
pub(super) fn unique_range(taken: &[Subnet]) -> Result<Subnet> {
    loop {
        let mut bytes = [0; 16];
        let source = "/dev/urandom";
        let read = std::fs::File::open(source).and_then(|mut file| {
            use std::io::Read;
            // 8 bits that say what it is, 40 of chance, the 16 of its part, and no host.
            file.read_exact(&mut bytes[1..6])
        });
        read.map_err(|error| Error::io("choose a range of addresses", source, "read", &error))?;
        bytes[0] = 0xfd;
        let subnet = Subnet::around(Ipv6Addr::from(bytes).into(), 64);
        if !taken.iter().any(|other| other.overlaps(subnet)) {
            return Ok(subnet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{default_pool, free_range};
    use crate::engine::network::subnet::Subnet;

    #[test]
    fn the_first_free_part_is_taken() {
        for (taken, expected) in [
            (&[][..], "10.77.0.0/24"),
            (&["10.77.0.0/24"], "10.77.1.0/24"),
            (&["10.77.0.0/16", "10.78.0.0/25"], "10.78.1.0/24"),
            (&["10.64.0.0/12"], "10.80.0.0/24"),
            (&["fd00::/8", "192.168.0.0/16"], "10.77.0.0/24"),
        ] {
            let taken: Vec<Subnet> = taken.iter().map(|text| text.parse().unwrap()).collect();
            let free = free_range(&default_pool(), &taken).unwrap();
            assert_eq!(free.to_string(), expected);
        }
        let all = ["10.0.0.0/8".parse().unwrap()];
        let told = free_range(&default_pool(), &all).unwrap_err().to_string();
        assert!(told.contains("uses all of 10.77.0.0/16"), "{told}");
    }
}
