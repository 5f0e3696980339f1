//! What a network is, as its file says it; the ledger and all that makes devices go by it.

use super::subnet::Subnet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

/// Version of this format.
pub(super) const VERSION: u32 = 1;

/// Where packets of a network may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// To wherever the host can send, under the host's address.
    #[default]
    Outside,
    /// Not beyond the host.
    Internal,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The format.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// The name of its bridge on the host.
    pub bridge: String,
    /// Its ranges: one, or one of each kind.
    pub ranges: Vec<Range>,
    /// Where its packets may go.
    #[serde(default)]
    pub reach: Reach,
    /// Largest packet, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// The user's own words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// When it was made, RFC 3339.
    pub created: String,
}

/// A range of a network's, and the bridge's own address in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The addresses.
    pub subnet: Subnet,
    /// The bridge's.
    pub gateway: IpAddr,
    /// Whether it was chosen for the user or by the user.
    pub chosen: By,
}

/// Who chose something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// orbital, which may choose again while nobody uses it.
    Us,
    /// The user.
    User,
}

/// The hardware address of a device, made from its address so that no neighbour remembers another one for it.
#[must_use]
pub fn mac_of(ip: IpAddr) -> [u8; 6] {
    let [a, b, c, d] = match ip {
        IpAddr::V4(ip) => ip.octets(),
        IpAddr::V6(ip) => last_four(ip),
    };
    // The 2 says that no maker of devices gave it away; the rest is 'O' for orbital.
    [0x02, 0x4f, a, b, c, d]
}

fn last_four(ip: Ipv6Addr) -> [u8; 4] {
    let octets = ip.octets();
    octets.last_chunk::<4>().copied().unwrap_or_default()
}
