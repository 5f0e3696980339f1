//! What a bridge network is made of: the bridge, pairs of veth, addresses, a default route; rtnetlink(7).
//! And what the host has already: its routes.

use super::message::{Attributes, Message, half};
use super::{
    ACKNOWLEDGE, Address, CREATE_ONLY, Call, DUMP, Fault, IFLA_IFNAME, IFLA_NET_NS_FD, Netlink,
    REQUEST, attributes, number,
};
use std::ffi::CStr;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Message types of linux/rtnetlink.h.
const NEWLINK: u16 = 16;
const DELLINK: u16 = 17;
const NEWROUTE: u16 = 24;
const GETROUTE: u16 = 26;

/// Attributes of linux/if_link.h, linux/veth.h and linux/rtnetlink.h.
const IFLA_ADDRESS: u16 = 1;
const IFLA_MTU: u16 = 4;
const IFLA_MASTER: u16 = 10;
const IFLA_PROTINFO: u16 = 12;
const IFLA_BRPORT_MODE: u16 = 4;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;

/// `IFA_ADDRESS` and `IFA_LOCAL` of linux/if_addr.h, and the flag by which IPv6 is used without asking around.
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_F_NODAD: u32 = 2;

/// `struct ifinfomsg`'s IFF_UP; where its family stands, and the family of bridges' ports.
const UP: u32 = 1;
const FAMILY: usize = 16;
const PF_BRIDGE: u8 = 7;

/// A pair of devices, whose second end is made in another namespace at once.
#[derive(Debug)]
pub struct Veth<'a> {
    /// The name of our end, at most 15 bytes.
    pub outside: &'a CStr,
    /// What `ip link` shows beside it.
    pub alias: &'a str,
    /// The number of the bridge that our end belongs to.
    pub bridge: i32,
    /// The namespace of the other end.
    pub namespace: BorrowedFd<'a>,
    /// The name of the other end.
    pub inside: &'a CStr,
    /// The hardware address of the other end.
    pub mac: [u8; 6],
    /// Largest packet of both ends, in bytes; the kernel's 1500 where there is none.
    pub mtu: Option<u32>,
}

/// A way that the host has to a range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The first address of the range.
    pub to: IpAddr,
    /// How many bits of it the range shares.
    pub prefix: u8,
    /// The number of the device that it leads to, if it is one.
    pub device: Option<i32>,
}

impl Netlink {
    /// Makes a bridge, down.
    ///
    /// # Errors
    /// EEXIST where the name is taken, EOPNOTSUPP in a kernel without bridges, EPERM.
    pub fn add_bridge(&mut self, name: &CStr, mac: [u8; 6], mtu: Option<u32>) -> Result<(), Fault> {
        let kind = Attributes::default().with(IFLA_INFO_KIND, b"bridge");
        let mut all = Attributes::default()
            .with(IFLA_IFNAME, name.to_bytes_with_nul())
            .with(IFLA_ADDRESS, &mac)
            .nested(IFLA_LINKINFO, &kind);
        if let Some(mtu) = mtu {
            all = all.with(IFLA_MTU, &mtu.to_ne_bytes());
        }
        self.make_link(&all)
    }

    /// Makes a pair of devices: ours up and in the bridge, the other one down.
    ///
    /// # Errors
    /// EEXIST where a name is taken, EOPNOTSUPP in a kernel without veth, EPERM.
    pub fn add_veth(&mut self, veth: &Veth<'_>) -> Result<(), Fault> {
        let mtu = |attributes: Attributes| match veth.mtu {
            Some(mtu) => attributes.with(IFLA_MTU, &mtu.to_ne_bytes()),
            None => attributes,
        };
        let other = mtu(Attributes::default()
            .with(IFLA_IFNAME, veth.inside.to_bytes_with_nul())
            .with(IFLA_ADDRESS, &veth.mac)
            .with(IFLA_NET_NS_FD, &veth.namespace.as_raw_fd().to_ne_bytes()));
        // The other end is told of as a message of its own: struct ifinfomsg first.
        let peer = [&[0; 16][..], &other.checked()?.bytes].concat();
        let data = Attributes::default().with(VETH_INFO_PEER, &peer);
        let info = Attributes::default()
            .with(IFLA_INFO_KIND, b"veth")
            .nested(IFLA_INFO_DATA, &data);
        let all = mtu(Attributes::default()
            .with(IFLA_IFNAME, veth.outside.to_bytes_with_nul())
            .with(IFLA_MASTER, &veth.bridge.to_ne_bytes())
            .nested(IFLA_LINKINFO, &info));
        self.make_link(&all)?;
        let Some(ours) = self.find(veth.outside)? else {
            return Ok(());
        };
        let mut alias =
            Message::about_link(super::SETLINK, REQUEST | ACKNOWLEDGE, ours.index, UP, UP);
        alias.attribute(IFLA_IFALIAS, veth.alias.as_bytes())?;
        self.ask(alias, Call::RtmSetlink)?;
        self.reflect(ours.index)
    }

    /// Lets a bridge send packets back by the port that they came from: so they go where a translation of their
    /// destination is done in the bridge already (br_netfilter).
    fn reflect(&mut self, port: i32) -> Result<(), Fault> {
        let mut message = Message::about_link(super::SETLINK, REQUEST | ACKNOWLEDGE, port, 0, 0);
        if let Some(family) = message.bytes.get_mut(FAMILY) {
            *family = PF_BRIDGE;
        }
        let mode = Attributes::default().with(IFLA_BRPORT_MODE, &[1]);
        message.attributes(&Attributes::default().nested(IFLA_PROTINFO, &mode));
        self.ask(message, Call::RtmSetlink).map(drop)
    }

    fn make_link(&mut self, all: &Attributes) -> Result<(), Fault> {
        let flags = REQUEST | ACKNOWLEDGE | CREATE_ONLY;
        let mut message = Message::about_link(NEWLINK, flags, 0, 0, 0);
        message.attributes(all.checked()?);
        self.ask(message, Call::RtmNewlink).map(drop)
    }

    /// Removes a device, and with one end of a veth the other.
    ///
    /// # Errors
    /// ENODEV where it is gone, EOPNOTSUPP for one that is real.
    pub fn remove_link(&mut self, index: i32) -> Result<(), Fault> {
        let message = Message::about_link(DELLINK, REQUEST | ACKNOWLEDGE, index, 0, 0);
        self.ask(message, Call::RtmDellink).map(drop)
    }

    /// Gives a device an address that counts from this moment on.
    ///
    /// # Errors
    /// EEXIST where it has it, EACCES where IPv6 is turned off.
    pub fn add_ip(&mut self, index: i32, ip: IpAddr, prefix: u8) -> Result<(), Fault> {
        let bytes = octets(ip);
        self.add_address(
            index,
            &Address {
                family: family(ip),
                prefix,
                flags: if ip.is_ipv6() { IFA_F_NODAD } else { 0 },
                attributes: vec![(IFA_LOCAL, bytes.clone()), (IFA_ADDRESS, bytes)],
            },
        )
    }

    /// Sends what has no other way to `gateway`, over a device.
    ///
    /// # Errors
    /// EEXIST where there is such a route, ENETUNREACH where the gateway is in none of the device's ranges.
    pub fn add_default_route(&mut self, index: i32, gateway: IpAddr) -> Result<(), Fault> {
        let mut message = Message::new(NEWROUTE, REQUEST | ACKNOWLEDGE | CREATE_ONLY);
        // struct rtmsg: RT_TABLE_MAIN, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST.
        message
            .bytes
            .extend([family(gateway), 0, 0, 0, 254, 4, 0, 1]);
        message.bytes.extend([0; 4]);
        message.attribute(RTA_GATEWAY, &octets(gateway))?;
        message.attribute(RTA_OIF, &index.to_ne_bytes())?;
        self.ask(message, Call::RtmNewroute).map(drop)
    }

    /// All routes of the namespace, but default ones, of one family (AF_INET, AF_INET6) or of both (0).
    ///
    /// # Errors
    /// As the kernel answers.
    pub fn routes(&mut self) -> Result<Vec<Route>, Fault> {
        let mut message = Message::new(GETROUTE, REQUEST | DUMP);
        message.bytes.extend([0; 12]);
        let all = self.ask(message, Call::RtmGetroute)?;
        Ok(all.iter().filter_map(|answer| route(answer)).collect())
    }
}

/// The route in the body of an answer; none where it is a default one.
fn route(body: &[u8]) -> Option<Route> {
    let [_, prefix] = half(body, 0)?.to_ne_bytes();
    let attributes = attributes(body.get(12..)?);
    let value = |wanted| attributes.iter().find(|(kind, _)| *kind == wanted);
    let to = &value(RTA_DST)?.1;
    let to = match to.len() {
        4 => IpAddr::from(*to.first_chunk::<4>()?),
        16 => IpAddr::from(*to.first_chunk::<16>()?),
        _ => return None,
    };
    let device = value(RTA_OIF).and_then(|(_, index)| number(index, 0));
    Some(Route {
        to,
        prefix,
        device: device.map(u32::cast_signed),
    })
}

fn family(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(_) => 2,
        IpAddr::V6(_) => 10,
    }
}

/// An address in network order.
#[must_use]
pub fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}
