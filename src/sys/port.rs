//! Ports of the host that are held: bound and never let go until who serves them has them; ip(7), tcp(7), udp(7).

use super::{At, Call, Fault};
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

/// What is spoken at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Binds a socket to an address of the host; port 0 is a free one of the kernel's choice. An IPv6 socket leaves IPv4
/// alone. A TCP socket listens.
///
/// # Errors
/// EADDRINUSE where somebody listens there, EADDRNOTAVAIL for an address that is none of the host's, EACCES.
pub fn hold(protocol: Protocol, address: SocketAddr) -> Result<OwnedFd, Fault> {
    let family = match address.ip() {
        IpAddr::V4(_) => AddressFamily::INET,
        IpAddr::V6(_) => AddressFamily::INET6,
    };
    let (kind, number) = match protocol {
        Protocol::Tcp => (SocketType::STREAM, ipproto::TCP),
        Protocol::Udp => (SocketType::DGRAM, ipproto::UDP),
    };
    let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, Some(number))
        .at(Call::Socket)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true).at(Call::Setsockopt)?;
    }
    if protocol == Protocol::Tcp {
        // Old connections in TIME_WAIT are no reason to wait; a listener still is. With UDP it would share the port.
        sockopt::set_socket_reuseaddr(&socket, true).at(Call::Setsockopt)?;
    }
    rustix::net::bind(&socket, &address).at(Call::Bind)?;
    if protocol == Protocol::Tcp {
        rustix::net::listen(&socket, 128).at(Call::Listen)?;
    }
    Ok(socket)
}

/// Where a socket is bound.
///
/// # Errors
/// As getsockname(2).
pub fn number(socket: &OwnedFd) -> Result<u16, Fault> {
    let address = rustix::net::getsockname(socket).at(Call::Bind)?;
    SocketAddr::try_from(address)
        .at(Call::Bind)
        .map(|address| address.port())
}

/// Lets this process have as many descriptors as it may; setrlimit(2).
pub fn make_room() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: now.maximum,
        maximum: now.maximum,
    };
    // With fewer, a socket too many is refused with a reason.
    let _ = setrlimit(Resource::Nofile, most);
}
