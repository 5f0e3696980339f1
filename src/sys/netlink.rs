//! Network devices over rtnetlink(7): the five messages that moving one takes, encoded here. Every length
//! is checked before it is written (CVE-2021-43784), and no byte of an answer is taken that is not there.

use super::{At, Call, Fault};
#[cfg(feature = "engine")]
pub use message::Attributes;
use message::{Message, attributes, number, read};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// What is sent and received.
mod message;

/// Devices, addresses and routes that are made, and what there is of them.
#[cfg(feature = "engine")]
pub mod links;

/// Tables of nftables, exchanged in one transaction.
#[cfg(feature = "engine")]
pub mod filter;

/// Message types of linux/rtnetlink.h.
const GETLINK: u16 = 18;
const SETLINK: u16 = 19;
const NEWADDR: u16 = 20;
const GETADDR: u16 = 22;

/// Request flags: every one is a request and is acknowledged; some create, some list.
const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
const DUMP: u16 = 0x300;
const CREATE_ONLY: u16 = 0x600;

/// Attributes of linux/if_link.h and linux/if_addr.h.
const IFLA_IFNAME: u16 = 3;
const IFLA_NET_NS_FD: u16 = 28;
const IFA_FLAGS: u16 = 8;

/// Attributes of an address that are its own: IFA_ADDRESS, LOCAL, BROADCAST, RT_PRIORITY, PROTO. Not its
/// label, which holds the device's name, nor what the kernel counts.
const KEPT: [u16; 5] = [1, 2, 4, 9, 11];

/// `IFA_F_*` that are asked for, not reported: NODAD, HOMEADDRESS, MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN.
const ASKED: u32 = 0x02 | 0x10 | 0x100 | 0x200 | 0x400;
const PERMANENT: u32 = 0x80;
const UP: u32 = 1;

/// Room for one datagram of answers; the kernel sends at most 32 KiB.
const ROOM: usize = 64 * 1024;

/// A device, as its namespace knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its number.
    pub index: i32,
    /// Whether it is up.
    pub state: State,
}

/// Up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It sends and receives.
    Up,
    /// It does not.
    Down,
}

/// A permanent address of global scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    family: u8,
    prefix: u8,
    flags: u32,
    attributes: Vec<(u16, Vec<u8>)>,
}

/// A conversation with one network namespace: that of the moment in which it was opened.
#[derive(Debug)]
pub struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

impl Netlink {
    /// Opens it in this process's network namespace; netlink(7).
    ///
    /// # Errors
    /// EPROTONOSUPPORT in a kernel without networking.
    pub fn open() -> Result<Netlink, Fault> {
        // NETLINK_ROUTE is protocol 0.
        Netlink::speaking(None)
    }

    fn speaking(protocol: Option<rustix::net::Protocol>) -> Result<Netlink, Fault> {
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            protocol,
        )
        .at(Call::Socket)?;
        Ok(Netlink {
            socket,
            sequence: 0,
        })
    }

    /// The device of this name, if there is one.
    ///
    /// # Errors
    /// As the kernel answers, without ENODEV.
    pub fn find(&mut self, name: &CStr) -> Result<Option<Device>, Fault> {
        let mut message = Message::about_link(GETLINK, REQUEST, 0, 0, 0);
        message.attribute(IFLA_IFNAME, name.to_bytes_with_nul())?;
        let found = match self.ask(message, Call::RtmGetlink) {
            Err(fault) if fault.errno == libc::ENODEV => return Ok(None),
            other => other?,
        };
        let device = found.first().and_then(|answer| {
            let state = if number(answer, 8)? & UP == 0 {
                State::Down
            } else {
                State::Up
            };
            let index = number(answer, 4)?.cast_signed();
            Some(Device { index, state })
        });
        device.map(Some).ok_or(Fault {
            call: Call::RtmGetlink,
            errno: libc::EBADMSG,
        })
    }

    /// The permanent addresses of global scope of the device `index`.
    ///
    /// # Errors
    /// As the kernel answers.
    pub fn addresses(&mut self, index: i32) -> Result<Vec<Address>, Fault> {
        let mut message = Message::new(GETADDR, REQUEST | DUMP);
        message.bytes.extend([0; 8]);
        let all = self.ask(message, Call::RtmGetaddr)?;
        Ok(all
            .iter()
            .filter_map(|answer| address(answer, index))
            .collect())
    }

    /// Adds an address to the device `index`.
    ///
    /// # Errors
    /// EEXIST where it has it, EACCES where IPv6 is turned off.
    pub fn add_address(&mut self, index: i32, address: &Address) -> Result<(), Fault> {
        let mut message = Message::new(NEWADDR, REQUEST | ACKNOWLEDGE | CREATE_ONLY);
        message.bytes.extend([address.family, address.prefix, 0, 0]);
        message.bytes.extend(index.to_ne_bytes());
        message.attribute(IFA_FLAGS, &(address.flags & ASKED).to_ne_bytes())?;
        for (kind, value) in &address.attributes {
            message.attribute(*kind, value)?;
        }
        self.ask(message, Call::RtmNewaddr).map(drop)
    }

    /// Turns the device `index` on or off.
    ///
    /// # Errors
    /// As the kernel answers.
    pub fn set_state(&mut self, index: i32, state: State) -> Result<(), Fault> {
        let flags = match state {
            State::Up => UP,
            State::Down => 0,
        };
        let message = Message::about_link(SETLINK, REQUEST | ACKNOWLEDGE, index, flags, UP);
        self.ask(message, Call::RtmSetlink).map(drop)
    }

    /// Moves the device `index` into a network namespace, where it is called `name`.
    ///
    /// # Errors
    /// EEXIST where that name is taken there, EINVAL for a device that cannot leave its namespace.
    pub fn give(&mut self, index: i32, to: BorrowedFd<'_>, name: &CStr) -> Result<(), Fault> {
        let mut message = Message::about_link(SETLINK, REQUEST | ACKNOWLEDGE, index, 0, 0);
        message.attribute(IFLA_NET_NS_FD, &to.as_raw_fd().to_ne_bytes())?;
        message.attribute(IFLA_IFNAME, name.to_bytes_with_nul())?;
        self.ask(message, Call::RtmSetlink).map(drop)
    }

    /// Sends a request and collects the bodies of its answers.
    fn ask(&mut self, message: Message, call: Call) -> Result<Vec<Vec<u8>>, Fault> {
        self.sequence += 1;
        let request = message.sealed(self.sequence)?;
        rustix::net::send(&self.socket, &request, SendFlags::empty()).at(call)?;
        let mut answers = Vec::new();
        let mut buffer = vec![0; ROOM];
        loop {
            let received = rustix::io::retry_on_intr(|| {
                rustix::net::recvfrom(&self.socket, &mut *buffer, RecvFlags::TRUNC)
            });
            let (_, length, sender) = received.at(call)?;
            let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
            // Only the kernel is listened to: its port is 0.
            if sender.is_none_or(|sender| sender.pid() != 0) {
                continue;
            }
            let datagram = buffer.get(..length).ok_or(Fault {
                call,
                errno: libc::EMSGSIZE,
            })?;
            match read(datagram, self.sequence, &mut answers) {
                Some(Ok(())) => return Ok(answers),
                Some(Err(errno)) => return Err(Fault { call, errno }),
                None if message_is_single(&request) && !answers.is_empty() => return Ok(answers),
                None => {}
            }
        }
    }
}

/// A request for one thing, which is answered by that thing alone.
fn message_is_single(request: &[u8]) -> bool {
    request.get(6..8) == Some(&REQUEST.to_ne_bytes())
}

/// The address in the body of an answer, if it is one to be kept of this device.
fn address(body: &[u8], index: i32) -> Option<Address> {
    let [family, prefix, short_flags, scope] = *body.first_chunk::<4>()?;
    // Scope 0 is RT_SCOPE_UNIVERSE.
    if number(body, 4)?.cast_signed() != index || scope != 0 {
        return None;
    }
    let attributes = attributes(body.get(8..)?);
    let long_flags = attributes
        .iter()
        .find(|(kind, _)| *kind == IFA_FLAGS)
        .and_then(|(_, value)| number(value, 0));
    let flags = long_flags.unwrap_or(u32::from(short_flags));
    if flags & PERMANENT == 0 {
        return None;
    }
    let kept = |(kind, _): &(u16, Vec<u8>)| KEPT.contains(kind);
    Some(Address {
        family,
        prefix,
        flags,
        attributes: attributes.into_iter().filter(kept).collect(),
    })
}

#[cfg(test)]
mod tests;
