//! Tables of nftables over NETLINK_NETFILTER: many messages that come into force together or not at all.
//! What is in the messages is the caller's business.

use super::message::{Message, half, number};
use super::{ACKNOWLEDGE, At, Call, DUMP, Fault, Netlink, REQUEST, ROOM};
use super::{Attributes, attributes};
use rustix::net::{RecvFlags, SendFlags};

/// The subsystem of linux/netfilter/nfnetlink.h, in the upper byte of each message's type.
const NFTABLES: u16 = 10;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const GETCHAIN: u16 = 4;

/// `NLM_F_CREATE` and `NLM_F_APPEND` of linux/netlink.h.
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;

/// The family of tables for IPv4 and IPv6 together; linux/netfilter.h, NFPROTO_INET.
pub const INET: u8 = 1;

/// What one message of a batch does; linux/netfilter/nf_tables.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Makes a table that may exist.
    AddTable,
    /// Removes a table and all that is in it.
    DeleteTable,
    /// Makes a chain.
    AddChain,
    /// Adds a rule at the end of a chain.
    AddRule,
}

impl Act {
    const fn number(self) -> u16 {
        match self {
            Act::AddTable => 0,
            Act::DeleteTable => 2,
            Act::AddChain => 3,
            Act::AddRule => 6,
        }
    }

    const fn flags(self) -> u16 {
        match self {
            Act::AddTable | Act::AddChain => CREATE,
            Act::DeleteTable => 0,
            Act::AddRule => CREATE | APPEND,
        }
    }

    const fn call(self) -> Call {
        match self {
            Act::AddTable | Act::DeleteTable => Call::NftTable,
            Act::AddChain => Call::NftChain,
            Act::AddRule => Call::NftRule,
        }
    }
}

/// A chain of any table that the kernel calls for each packet of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hooked {
    /// The family of its table: 1 inet, 2 ip, 10 ip6.
    pub family: u8,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Where: 0 prerouting, 1 input, 2 forward, 3 output, 4 postrouting.
    pub hook: u32,
    /// What becomes of a packet that no rule decided on: 0 dropped, 1 accepted.
    pub policy: u32,
}

/// Puts all of `acts` into force, or none.
///
/// # Errors
/// That of the first act that is refused; EPERM without CAP_NET_ADMIN, EPROTONOSUPPORT in a kernel without
/// nftables, ENOENT for a rule whose expression the kernel does not have.
pub fn commit(acts: &[(Act, Attributes)]) -> Result<(), Fault> {
    let mut netlink = Netlink::speaking(Some(rustix::net::netlink::NETFILTER))?;
    let mut bytes = boundary(BATCH_BEGIN).sealed(0)?;
    for (at, (act, attributes)) in acts.iter().enumerate() {
        let last = if at + 1 == acts.len() { ACKNOWLEDGE } else { 0 };
        let kind = NFTABLES << 8 | act.number();
        let mut message = Message::new(kind, REQUEST | act.flags() | last);
        message.bytes.extend([INET, 0, 0, 0]);
        message.attributes(attributes.checked()?);
        bytes.extend(message.sealed(position(at + 1)?)?);
    }
    bytes.extend(boundary(BATCH_END).sealed(position(acts.len() + 1)?)?);
    // The kernel takes a message only as far as the buffer goes; root may ask for more than others.
    let room = bytes.len() + ROOM;
    let _ = rustix::net::sockopt::set_socket_send_buffer_size_force(&netlink.socket, room);
    rustix::net::send(&netlink.socket, &bytes, SendFlags::empty()).at(Call::NftCommit)?;
    netlink.sequence = position(acts.len())?;
    netlink.outcome(acts)
}

fn position(at: usize) -> Result<u32, Fault> {
    u32::try_from(at).map_err(|_| super::message::TOO_LONG)
}

/// The first or last message: `struct nfgenmsg` names the subsystem, in network order.
fn boundary(kind: u16) -> Message {
    let mut message = Message::new(kind, REQUEST);
    message.bytes.extend([0, 0]);
    message.bytes.extend(NFTABLES.to_be_bytes());
    message
}

impl Netlink {
    /// Waits for the word on the last act; an earlier one's refusal comes before it.
    fn outcome(&mut self, acts: &[(Act, Attributes)]) -> Result<(), Fault> {
        let mut buffer = vec![0; ROOM];
        loop {
            let received = rustix::io::retry_on_intr(|| {
                rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::empty())
            });
            let (length, _) = received.at(Call::NftCommit)?;
            let mut rest = buffer.get(..length).unwrap_or_default();
            while let Some(size) = number(rest, 0).and_then(|size| usize::try_from(size).ok()) {
                let Some(errno) = half(rest, 4)
                    .filter(|kind| *kind == super::message::ERROR)
                    .and_then(|_| number(rest, 16))
                    .map(u32::cast_signed)
                else {
                    break;
                };
                let sequence = number(rest, 8).unwrap_or_default();
                if errno != 0 {
                    let refused = sequence.checked_sub(1).map(|at| at as usize);
                    let act = refused.and_then(|at| acts.get(at));
                    let call = act.map_or(Call::NftCommit, |(act, _)| act.call());
                    let errno = -errno;
                    return Err(Fault { call, errno });
                }
                if sequence == self.sequence {
                    return Ok(());
                }
                rest = rest.get(super::message::padded(size)..).unwrap_or_default();
            }
        }
    }
}

/// The chains of all tables of this namespace that are called for packets.
///
/// # Errors
/// As the kernel answers.
pub fn hooked() -> Result<Vec<Hooked>, Fault> {
    let mut netlink = Netlink::speaking(Some(rustix::net::netlink::NETFILTER))?;
    let mut message = Message::new(NFTABLES << 8 | GETCHAIN, REQUEST | DUMP);
    message.bytes.extend([0; 4]);
    let all = netlink.ask(message, Call::NftDump)?;
    Ok(all.iter().filter_map(|answer| chain(answer)).collect())
}

/// The chain in the body of an answer, if it is called for packets: NFTA_CHAIN_TABLE, NAME, HOOK, POLICY.
fn chain(body: &[u8]) -> Option<Hooked> {
    let attributes = attributes(body.get(4..)?);
    let value = |wanted: u16| find(&attributes, wanted);
    let hook = super::attributes(value(4)?);
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.trim_end_matches('\0').to_owned()
    };
    Some(Hooked {
        family: *body.first()?,
        table: text(value(1)?),
        name: text(value(3)?),
        // NFTA_HOOK_HOOKNUM.
        hook: big(find(&hook, 1)?)?,
        policy: value(5).and_then(big).unwrap_or(1),
    })
}

fn find(attributes: &[(u16, Vec<u8>)], wanted: u16) -> Option<&[u8]> {
    // Two bits say how the value is to be read.
    let found = attributes.iter().find(|(kind, _)| kind & 0x3fff == wanted);
    found.map(|(_, value)| value.as_slice())
}

fn big(bytes: &[u8]) -> Option<u32> {
    bytes
        .first_chunk::<4>()
        .map(|four| u32::from_be_bytes(*four))
}
