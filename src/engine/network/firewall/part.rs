//! One condition or action of a rule: as nft would print it, and as the kernel takes it; linux/netfilter/nf_tables.h.

use crate::engine::network::ledger::name;
use crate::engine::network::subnet::Subnet;
use crate::sys::netlink::Attributes;
use crate::sys::netlink::links::octets;
use crate::sys::port::Protocol;
use std::fmt;
use std::net::IpAddr;

/// Which of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// It is that.
    That,
    /// It is another.
    Not,
}

/// A condition, or what is done with a packet that meets all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// It came from this device.
    From(Is, String),
    /// It goes to this device.
    To(Is, String),
    /// Its source is in this range.
    Source(Subnet),
    /// Its destination is in this range.
    Destination(Is, Subnet),
    /// It is of the kind of this address, whichever that is.
    Like(IpAddr),
    /// Its destination is an address of the host's.
    Local,
    /// It is sent to one of these ports, both ends included.
    Ports(Protocol, u16, u16),
    /// It belongs to a connection that was let through, or to one that such a connection announced.
    Known,
    /// It was sent to a published port.
    Published,
    /// It goes on.
    Accept,
    /// It ends here.
    Drop,
    /// The rules of this chain decide.
    Jump(String),
    /// It leaves under the address of the device that it leaves by.
    Masquerade,
    /// It goes to this address, and to this port where there is one.
    Translate(IpAddr, Option<u16>),
}

/// Keys, operators and bases of nf_tables.h.
const META_IIFNAME: u32 = 6;
const META_OIFNAME: u32 = 7;
const META_NFPROTO: u32 = 15;
const META_L4PROTO: u32 = 16;
const EQUAL: u32 = 0;
const UNEQUAL: u32 = 1;
const AT_MOST: u32 = 3;
const AT_LEAST: u32 = 5;
const NETWORK: u32 = 1;
const TRANSPORT: u32 = 2;
const CT_STATE: u32 = 0;
const CT_STATUS: u32 = 2;

/// The first and second general register.
const ONE: u32 = 1;
const TWO: u32 = 2;

impl Part {
    /// Appends its expressions to those of a rule.
    #[must_use]
    pub fn encode(&self, rule: Attributes) -> Attributes {
        match self {
            Part::From(is, device) => compare(meta(rule, META_IIFNAME), *is, &padded(device)),
            Part::To(is, device) => compare(meta(rule, META_OIFNAME), *is, &padded(device)),
            Part::Source(range) => address(rule, Is::That, *range, [12, 8]),
            Part::Destination(is, range) => address(rule, *is, *range, [16, 24]),
            Part::Like(ip) => family(rule, *ip),
            Part::Local => local(rule),
            Part::Ports(protocol, first, last) => ports(rule, *protocol, *first, *last),
            // IP_CT_ESTABLISHED and IP_CT_RELATED as bits.
            Part::Known => bits(rule, CT_STATE, 2 | 4),
            // IPS_DST_NAT.
            Part::Published => bits(rule, CT_STATUS, 1 << 5),
            Part::Drop => verdict(rule, 0, None),
            Part::Accept => verdict(rule, 1, None),
            // NFT_JUMP is -3.
            Part::Jump(chain) => verdict(rule, (-3i32).cast_unsigned(), Some(chain)),
            Part::Masquerade => expression(rule, "masq", &Attributes::default()),
            Part::Translate(to, port) => translate(rule, *to, *port),
        }
    }
}

/// NFTA_LIST_ELEM with NFTA_EXPR_NAME and NFTA_EXPR_DATA.
fn expression(rule: Attributes, name: &str, data: &Attributes) -> Attributes {
    let whole = Attributes::default().text(1, name).nested(2, data);
    rule.nested(1, &whole)
}

fn value(bytes: &[u8]) -> Attributes {
    Attributes::default().with(1, bytes)
}

fn meta(rule: Attributes, key: u32) -> Attributes {
    let data = Attributes::default().big(1, ONE).big(2, key);
    expression(rule, "meta", &data)
}

fn compare(rule: Attributes, is: Is, with: &[u8]) -> Attributes {
    match is {
        Is::That => ordered(rule, EQUAL, with),
        Is::Not => ordered(rule, UNEQUAL, with),
    }
}

fn ordered(rule: Attributes, operator: u32, with: &[u8]) -> Attributes {
    let data = Attributes::default().big(1, ONE).big(2, operator);
    expression(rule, "cmp", &data.nested(3, &value(with)))
}

/// A device's name fills its field.
fn padded(device: &str) -> [u8; 16] {
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().zip(device.bytes().take(15)) {
        *to = from;
    }
    name
}

fn payload(rule: Attributes, base: u32, offset: u32, length: u32) -> Attributes {
    let data = Attributes::default()
        .big(1, ONE)
        .big(2, base)
        .big(3, offset)
        .big(4, length);
    expression(rule, "payload", &data)
}

fn masked(rule: Attributes, mask: &[u8]) -> Attributes {
    let length = u32::try_from(mask.len()).unwrap_or_default();
    let nothing = vec![0; mask.len()];
    let data = Attributes::default().big(1, ONE).big(2, ONE).big(3, length);
    let data = data.nested(4, &value(mask)).nested(5, &value(&nothing));
    expression(rule, "bitwise", &data)
}

/// `offsets` are those of IPv4's and of IPv6's header.
fn address(rule: Attributes, is: Is, range: Subnet, offsets: [u32; 2]) -> Attributes {
    let first = octets(range.first());
    let (offset, whole) = if first.len() == 4 {
        (offsets[0], 32)
    } else {
        (offsets[1], 128)
    };
    let length = u32::try_from(first.len()).unwrap_or_default();
    let rule = payload(family(rule, range.first()), NETWORK, offset, length);
    let rule = if range.prefix() < whole {
        masked(rule, &range.mask())
    } else {
        rule
    };
    compare(rule, is, &first)
}

/// NFPROTO_IPV4 or NFPROTO_IPV6: the table sees both.
fn family(rule: Attributes, ip: IpAddr) -> Attributes {
    ordered(meta(rule, META_NFPROTO), EQUAL, &[family_number(ip)])
}

const fn family_number(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 2 } else { 10 }
}

fn ports(rule: Attributes, protocol: Protocol, first: u16, last: u16) -> Attributes {
    let number = match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
    };
    let rule = ordered(meta(rule, META_L4PROTO), EQUAL, &[number]);
    let rule = payload(rule, TRANSPORT, 2, 2);
    if first == last {
        return ordered(rule, EQUAL, &first.to_be_bytes());
    }
    let rule = ordered(rule, AT_LEAST, &first.to_be_bytes());
    ordered(rule, AT_MOST, &last.to_be_bytes())
}

/// NFTA_FIB_DREG, RESULT (the type of the address), FLAGS (of the destination); RTN_LOCAL is 2.
fn local(rule: Attributes) -> Attributes {
    let data = Attributes::default().big(1, ONE).big(2, 3).big(3, 2);
    ordered(expression(rule, "fib", &data), EQUAL, &2u32.to_ne_bytes())
}

fn bits(rule: Attributes, key: u32, wanted: u32) -> Attributes {
    let data = Attributes::default().big(1, ONE).big(2, key);
    let rule = masked(expression(rule, "ct", &data), &wanted.to_ne_bytes());
    ordered(rule, UNEQUAL, &0u32.to_ne_bytes())
}

/// An immediate into the verdict's register: NFTA_DATA_VERDICT with NFTA_VERDICT_CODE and CHAIN.
fn verdict(rule: Attributes, code: u32, chain: Option<&str>) -> Attributes {
    let said = Attributes::default().big(1, code);
    let said = match chain {
        Some(chain) => said.text(2, chain),
        None => said,
    };
    let data = Attributes::default().nested(2, &said);
    expression(
        rule,
        "immediate",
        &Attributes::default().big(1, 0).nested(2, &data),
    )
}

fn load(rule: Attributes, register: u32, bytes: &[u8]) -> Attributes {
    let data = Attributes::default()
        .big(1, register)
        .nested(2, &value(bytes));
    expression(rule, "immediate", &data)
}

/// NFTA_NAT_TYPE (1: destination), FAMILY, REG_ADDR_MIN, REG_PROTO_MIN.
fn translate(rule: Attributes, to: IpAddr, port: Option<u16>) -> Attributes {
    let rule = load(rule, ONE, &octets(to));
    let data = Attributes::default()
        .big(1, 1)
        .big(2, family_number(to).into())
        .big(3, ONE);
    match port {
        None => expression(rule, "nat", &data),
        Some(port) => {
            let rule = load(rule, TWO, &port.to_be_bytes());
            expression(rule, "nat", &data.big(5, TWO))
        }
    }
}

impl fmt::Display for Is {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Is::That => "",
            Is::Not => "!= ",
        })
    }
}

/// An address alone where the range is one.
fn written(range: Subnet) -> String {
    let whole = if range.first().is_ipv4() { 32 } else { 128 };
    if range.prefix() == whole {
        range.first().to_string()
    } else {
        range.to_string()
    }
}

const fn header(ip: IpAddr) -> &'static str {
    if ip.is_ipv4() { "ip" } else { "ip6" }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::From(is, device) => write!(f, "iifname {is}\"{device}\""),
            Part::To(is, device) => write!(f, "oifname {is}\"{device}\""),
            Part::Source(range) => write!(f, "{} saddr {}", header(range.first()), written(*range)),
            Part::Destination(is, range) => {
                write!(f, "{} daddr {is}{}", header(range.first()), written(*range))
            }
            Part::Like(ip) => write!(f, "meta nfproto ipv{}", if ip.is_ipv4() { 4 } else { 6 }),
            Part::Local => f.write_str("fib daddr type local"),
            Part::Ports(protocol, first, last) if first == last => {
                write!(f, "{} dport {first}", name(*protocol))
            }
            Part::Ports(protocol, first, last) => {
                write!(f, "{} dport {first}-{last}", name(*protocol))
            }
            Part::Known => f.write_str("ct state established,related"),
            Part::Published => f.write_str("ct status dnat"),
            Part::Accept => f.write_str("accept"),
            Part::Drop => f.write_str("drop"),
            Part::Jump(chain) => write!(f, "jump {chain}"),
            Part::Masquerade => f.write_str("masquerade"),
            Part::Translate(to, None) => write!(f, "dnat {} to {to}", header(*to)),
            Part::Translate(IpAddr::V4(to), Some(port)) => write!(f, "dnat ip to {to}:{port}"),
            Part::Translate(IpAddr::V6(to), Some(port)) => write!(f, "dnat ip6 to [{to}]:{port}"),
        }
    }
}
