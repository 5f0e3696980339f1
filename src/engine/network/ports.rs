//! Ports of the host, taken: in the ledger, so that no other container gets them, and by a bound socket, so that no
//! program of the host has them or gets them. The sockets go on to whoever serves them (`proxy`) without being closed.

use super::Settings;
use super::ledger::{Book, Port, name};
use super::publish::{Host, Publish};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::Fault;
use crate::sys::port::{self, Protocol};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

/// How often another random port is tried where the one of IPv4 is not free for IPv6.
const TRIES: usize = 64;

/// A bound socket, and what it is for.
#[derive(Debug)]
pub(super) struct Held {
    /// The socket.
    pub(super) socket: OwnedFd,
    /// Where it is bound.
    pub(super) at: SocketAddr,
    /// Which port of the container it leads to.
    pub(super) port: Port,
}

/// Takes all ports that are to be published, or none.
///
/// # Errors
/// A port that a container or a program of the host has, an address that is none of the host's.
pub(super) fn take(
    wanted: &[Publish],
    settings: &Settings,
    book: &Book,
) -> Result<(Vec<Port>, Vec<Held>)> {
    if !wanted.is_empty() {
        port::make_room();
    }
    let (mut ports, mut held) = (Vec::new(), Vec::new());
    for publish in wanted {
        let ip = publish.ip.or(settings.publish_ip);
        let taken = Taken { publish, ip, book };
        for n in 0..publish.count {
            let (port, sockets) = taken.one(n, &ports)?;
            ports.push(port);
            held.extend(sockets);
        }
    }
    Ok((ports, held))
}

struct Taken<'a> {
    publish: &'a Publish,
    ip: Option<IpAddr>,
    book: &'a Book,
}

impl Taken<'_> {
    /// The port `n` after the first one of the container.
    fn one(&self, n: u16, so_far: &[Port]) -> Result<(Port, Vec<Held>)> {
        let port = |host| Port {
            protocol: self.publish.protocol,
            ip: self.ip,
            host,
            container: self.publish.container + n,
        };
        match self.publish.host {
            Host::From(first) => self.exactly(port(first + n), so_far),
            Host::OneOf(first, last) => {
                for host in first..=last {
                    if let Ok(found) = self.exactly(port(host), so_far) {
                        return Ok(found);
                    }
                }
                Err(self.refused(format!(
                    "none of the ports {first} to {last} of the host is free"
                )))
            }
            Host::Any => self.any(port(0)),
        }
    }

    fn exactly(&self, port: Port, so_far: &[Port]) -> Result<(Port, Vec<Held>)> {
        let word = name(port.protocol);
        if so_far.iter().any(|other| clash(other, &port)) {
            return Err(self.refused(format!("the port {}/{word} is published twice", port.host)));
        }
        for (id, end) in &self.book.containers {
            if end.ports.iter().any(|other| clash(other, &port)) {
                let why = format!(
                    "the container {id} has the port {}/{word} of the host",
                    port.host
                );
                return Err(self.refused(why).hint(self.elsewhere()));
            }
        }
        let held = self
            .bind(port, None)
            .map_err(|(at, fault)| self.told(at, fault))?;
        Ok((port, held))
    }

    /// A free port for all addresses: what the kernel gives for the first one must be free for the others.
    fn any(&self, port: Port) -> Result<(Port, Vec<Held>)> {
        let mut last = None;
        for _ in 0..TRIES {
            let ip = addresses(self.ip)
                .first()
                .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |(ip, _)| *ip);
            let at = SocketAddr::new(ip, 0);
            let first = port::hold(port.protocol, at).and_then(|socket| {
                let host = port::number(&socket)?;
                Ok((socket, host))
            });
            let (socket, host) = first.map_err(|fault| self.told(at, fault))?;
            let port = Port { host, ..port };
            if self
                .book
                .containers
                .values()
                .any(|end| end.ports.iter().any(|other| clash(other, &port)))
            {
                continue;
            }
            match self.bind(port, Some(socket)) {
                Ok(held) => return Ok((port, held)),
                Err(failed) => last = Some(failed),
            }
        }
        match last {
            Some((at, fault)) => Err(self.told(at, fault)),
            None => Err(self.refused("no port of the host is free".to_owned())),
        }
    }

    /// Binds the port at all addresses; at the first one it may be bound already.
    fn bind(
        &self,
        port: Port,
        mut first: Option<OwnedFd>,
    ) -> std::result::Result<Vec<Held>, (SocketAddr, Fault)> {
        let mut held = Vec::new();
        for (ip, needed) in addresses(self.ip) {
            let at = SocketAddr::new(ip, port.host);
            match first
                .take()
                .map_or_else(|| port::hold(port.protocol, at), Ok)
            {
                Ok(socket) => held.push(Held { socket, at, port }),
                // A host without IPv6 has nobody who could call there.
                Err(fault)
                    if needed == Needed::IfThere
                        && [libc::EAFNOSUPPORT, libc::EADDRNOTAVAIL].contains(&fault.errno) => {}
                Err(fault) => return Err((at, fault)),
            }
        }
        Ok(held)
    }

    fn refused(&self, why: String) -> Error {
        let object = Object::Argument(format!("-p {}", self.publish.typed));
        Error::new("publish a port", object, Cause::Refused(why))
    }

    fn elsewhere(&self) -> String {
        let container = self.publish.container;
        format!("publish it at another port, or let one be chosen: -p {container}")
    }

    fn told(&self, at: SocketAddr, fault: Fault) -> Error {
        let (word, flag) = match self.publish.protocol {
            Protocol::Tcp => ("tcp", "-ltnp"),
            Protocol::Udp => ("udp", "-lunp"),
        };
        let port = at.port();
        match fault.errno {
            libc::EADDRINUSE => self
                .refused(format!("a program of this host has {at}/{word} already"))
                .hint(format!("ss {flag} 'sport = :{port}' shows it; {}", self.elsewhere())),
            libc::EADDRNOTAVAIL => self.refused(format!("{} is no address of this host", at.ip())),
            libc::EACCES => self
                .refused(format!("only root may take the port {port}"))
                .hint("take one from 1024 on, or lower the sysctl net.ipv4.ip_unprivileged_port_start"),
            _ => {
                let object = Object::Argument(format!("-p {}", self.publish.typed));
                Error::new("publish a port", object, fault.into())
            }
        }
    }
}

/// Whether the host must have an address of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needed {
    Always,
    IfThere,
}

fn addresses(ip: Option<IpAddr>) -> Vec<(IpAddr, Needed)> {
    match ip {
        Some(ip) => vec![(ip, Needed::Always)],
        None => vec![
            (Ipv4Addr::UNSPECIFIED.into(), Needed::Always),
            (Ipv6Addr::UNSPECIFIED.into(), Needed::IfThere),
        ],
    }
}

/// Whether both would be called by the same packet.
fn clash(one: &Port, other: &Port) -> bool {
    let all = |ip: Option<IpAddr>, like: Option<IpAddr>| match ip {
        None => true,
        Some(ip) => ip.is_unspecified() && like.is_none_or(|like| like.is_ipv4() == ip.is_ipv4()),
    };
    let same = one.ip == other.ip || all(one.ip, other.ip) || all(other.ip, one.ip);
    same && (one.protocol, one.host) == (other.protocol, other.host)
}

#[cfg(test)]
mod tests {
    use super::{Port, clash};
    use crate::sys::port::Protocol::{self, Tcp, Udp};

    fn port(protocol: Protocol, ip: Option<&str>, host: u16) -> Port {
        let ip = ip.map(|ip| ip.parse().unwrap());
        Port {
            protocol,
            ip,
            host,
            container: 80,
        }
    }

    #[test]
    fn ports_clash_where_one_packet_calls_both() {
        for (one, other, answer) in [
            (port(Tcp, None, 80), port(Tcp, None, 80), true),
            (port(Tcp, None, 80), port(Udp, None, 80), false),
            (port(Tcp, None, 80), port(Tcp, None, 81), false),
            (port(Tcp, None, 80), port(Tcp, Some("127.0.0.1"), 80), true),
            (port(Tcp, None, 80), port(Tcp, Some("::1"), 80), true),
            (
                port(Tcp, Some("0.0.0.0"), 80),
                port(Tcp, Some("::1"), 80),
                false,
            ),
            (
                port(Tcp, Some("0.0.0.0"), 80),
                port(Tcp, Some("10.0.0.1"), 80),
                true,
            ),
            (
                port(Tcp, Some("10.0.0.2"), 80),
                port(Tcp, Some("10.0.0.1"), 80),
                false,
            ),
        ] {
            assert_eq!(clash(&one, &other), answer, "{one:?} {other:?}");
            assert_eq!(clash(&other, &one), answer, "{other:?} {one:?}");
        }
    }
}
