//! Ranges of addresses, of IPv4 and IPv6 alike.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses: the first one, and how many bits they share. Written as `10.77.0.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    first: IpAddr,
    prefix: u8,
}

/// The bits of an address of this kind, and its value.
fn value(ip: IpAddr) -> (u8, u128) {
    match ip {
        IpAddr::V4(ip) => (32, u128::from(u32::from(ip))),
        IpAddr::V6(ip) => (128, u128::from(ip)),
    }
}

fn address(bits: u8, value: u128) -> IpAddr {
    if bits == 32 {
        let [.., a, b, c, d] = value.to_be_bytes();
        Ipv4Addr::new(a, b, c, d).into()
    } else {
        Ipv6Addr::from(value).into()
    }
}

/// The bits of an address that are not the range's.
fn rest(bits: u8, prefix: u8) -> u128 {
    1u128
        .checked_shl(u32::from(bits.saturating_sub(prefix)))
        .map_or(u128::MAX, |size| size - 1)
}

impl Subnet {
    /// The range that shares `prefix` bits with `ip`, at most 32 or 128.
    #[must_use]
    pub fn around(ip: IpAddr, prefix: u8) -> Subnet {
        let (bits, value) = value(ip);
        let prefix = prefix.min(bits);
        Subnet {
            first: address(bits, value & !rest(bits, prefix)),
            prefix,
        }
    }

    /// The first address, which names the range.
    #[must_use]
    pub const fn first(self) -> IpAddr {
        self.first
    }

    /// How many bits are shared.
    #[must_use]
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// The address `n` after the first one, if the range goes so far.
    #[must_use]
    pub fn nth(self, n: u128) -> Option<IpAddr> {
        let (bits, value) = value(self.first);
        (n <= rest(bits, self.prefix)).then(|| address(bits, value | n))
    }

    /// How far an address of the range is from the first one.
    #[must_use]
    pub fn position(self, ip: IpAddr) -> Option<u128> {
        let (bits, value) = value(ip);
        self.contains(ip).then_some(value & rest(bits, self.prefix))
    }

    /// The last position that a container may have: IPv4's very last address is for all of the range.
    #[must_use]
    pub fn last(self) -> u128 {
        let (bits, _) = value(self.first);
        let last = rest(bits, self.prefix);
        if bits == 32 {
            last.saturating_sub(1)
        } else {
            last
        }
    }

    /// Whether the address is in the range.
    #[must_use]
    pub fn contains(self, ip: IpAddr) -> bool {
        ip.is_ipv4() == self.first.is_ipv4() && Subnet::around(ip, self.prefix).first == self.first
    }

    /// Whether both have an address in common.
    #[must_use]
    pub fn overlaps(self, other: Subnet) -> bool {
        self.contains(other.first) || other.contains(self.first)
    }

    /// The mask with the shared bits, in network order.
    #[must_use]
    pub fn mask(self) -> Vec<u8> {
        let (bits, _) = value(self.first);
        crate::sys::netlink::links::octets(address(bits, !rest(bits, self.prefix)))
    }

    /// The parts of this range that share `prefix` bits, in order.
    pub fn parts(self, prefix: u8) -> impl Iterator<Item = Subnet> {
        let (bits, value) = value(self.first);
        let step = rest(bits, prefix.max(self.prefix)).checked_add(1);
        let last = value | rest(bits, self.prefix);
        let firsts = std::iter::successors(Some(value), move |at| at.checked_add(step?));
        firsts
            .take_while(move |at| *at <= last)
            .map(move |at| Subnet::around(address(bits, at), prefix))
    }
}

/// An address with the bits of its range, as in `10.0.0.1/24`.
///
/// # Errors
/// What is wrong with the text.
pub fn address_and_prefix(text: &str) -> Result<(IpAddr, u8), String> {
    let wanted = || "an address and its bits are written as 10.0.0.0/24 or fd00::/64".to_owned();
    let (ip, prefix) = text.split_once('/').ok_or_else(wanted)?;
    let ip: IpAddr = ip.parse().map_err(|_| wanted())?;
    let most = value(ip).0;
    let prefix: u8 = prefix.parse().map_err(|_| wanted())?;
    if prefix > most {
        return Err(format!("an address of this kind has {most} bits"));
    }
    Ok((ip, prefix))
}

impl FromStr for Subnet {
    type Err = String;

    fn from_str(text: &str) -> Result<Subnet, String> {
        let (ip, prefix) = address_and_prefix(text)?;
        let subnet = Subnet::around(ip, prefix);
        if subnet.first != ip {
            return Err(format!("the range that {ip} lies in is {subnet}"));
        }
        Ok(subnet)
    }
}

impl TryFrom<String> for Subnet {
    type Error = String;

    fn try_from(text: String) -> Result<Subnet, String> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> String {
        subnet.to_string()
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::Subnet;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    #[test]
    fn texts_are_ranges_or_refused() {
        for good in [
            "10.77.0.0/24",
            "0.0.0.0/0",
            "10.0.0.1/32",
            "fd00::/64",
            "::/0",
            "::1/128",
        ] {
            assert_eq!(subnet(good).to_string(), good);
        }
        for (bad, why) in [
            ("10.77.0.1/24", "is 10.77.0.0/24"),
            ("10.77.0.0", "written as"),
            ("10.77.0.0/33", "32 bits"),
            ("fd00::/129", "128 bits"),
            ("x/8", "written as"),
            ("10.0.0.0/", "written as"),
        ] {
            let told = bad.parse::<Subnet>().unwrap_err();
            assert!(told.contains(why), "{bad}: {told}");
        }
    }

    #[test]
    fn addresses_are_counted_from_the_first() {
        let four = subnet("10.77.3.0/24");
        assert_eq!(four.nth(1).unwrap().to_string(), "10.77.3.1");
        assert_eq!(four.nth(256), None);
        assert_eq!(four.last(), 254);
        assert_eq!(four.position("10.77.3.9".parse().unwrap()), Some(9));
        assert_eq!(four.position("10.77.4.9".parse().unwrap()), None);
        let six = subnet("fd01:2::/64");
        assert_eq!(six.nth(0x1_0000).unwrap().to_string(), "fd01:2::1:0");
        assert_eq!(six.last(), u128::from(u64::MAX));
        assert_eq!(subnet("::/0").last(), u128::MAX);
    }

    #[test]
    fn ranges_overlap_or_not() {
        for (one, other, answer) in [
            ("10.0.0.0/8", "10.77.0.0/24", true),
            ("10.77.0.0/24", "10.77.1.0/24", false),
            ("10.77.0.0/23", "10.77.1.0/24", true),
            ("0.0.0.0/0", "fd00::/64", false),
            ("fd00::/8", "fd12::/64", true),
        ] {
            assert_eq!(subnet(one).overlaps(subnet(other)), answer, "{one} {other}");
            assert_eq!(subnet(other).overlaps(subnet(one)), answer, "{other} {one}");
        }
    }

    #[test]
    fn a_range_has_parts() {
        let parts: Vec<String> = subnet("10.0.0.0/22")
            .parts(24)
            .map(|p| p.to_string())
            .collect();
        assert_eq!(
            parts,
            ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]
        );
        assert_eq!(subnet("255.255.255.0/24").parts(24).count(), 1);
        assert_eq!(subnet("::/0").parts(0).count(), 1);
    }

    #[test]
    fn a_mask_is_in_network_order() {
        assert_eq!(subnet("10.0.0.0/12").mask(), [255, 240, 0, 0]);
        assert_eq!(subnet("0.0.0.0/0").mask(), [0; 4]);
    }
}
