//! `-p [[IP:][HOST]:]CONTAINER[/PROTOCOL]`, as docker and podman know it.

use crate::sys::port::Protocol;
use std::net::IpAddr;

/// Ports that are to be published together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// At which address of the host; at all where there is none.
    pub ip: Option<IpAddr>,
    /// At which ports of the host.
    pub host: Host,
    /// The first port of the container.
    pub container: u16,
    /// How many, at least 1; the others follow the first.
    pub count: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// As it was typed, for messages.
    pub typed: String,
}

/// Ports of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// Free ones, of the kernel's choice.
    Any,
    /// This one and those that follow it.
    From(u16),
    /// The first free one from the first to the last.
    OneOf(u16, u16),
}

/// Reads one `-p`.
///
/// # Errors
/// What is wrong with it.
pub fn parse(typed: &str) -> Result<Publish, String> {
    let (ports, protocol) = match typed.rsplit_once('/') {
        Some((ports, name)) => (ports, protocol(name)?),
        None => (typed, Protocol::Tcp),
    };
    let (ip, host, container) = parts(ports)?;
    let (first, last) = range(container)?;
    let count = last - first;
    let host = match host {
        "" => Host::Any,
        text => match range(text)? {
            (low, high) if high - low == count => Host::From(low),
            (low, high) if count == 0 => Host::OneOf(low, high),
            (low, high) => {
                let (ours, theirs) = (u32::from(high - low) + 1, u32::from(count) + 1);
                return Err(format!(
                    "{ours} ports of the host are not enough or too many for {theirs} of the container"
                ));
            }
        },
    };
    Ok(Publish {
        ip,
        host,
        container: first,
        count: count.checked_add(1).ok_or("there are 65535 ports")?,
        protocol,
        typed: typed.to_owned(),
    })
}

/// Reads a port that an image exposes, `80` or `53/udp` or a range, to be published at a free one.
///
/// # Errors
/// What is wrong with it.
pub fn parse_exposed(text: &str) -> Result<Publish, String> {
    if text.contains(':') {
        return Err("an exposed port is written as 80, 80/udp or 80-90/tcp".to_owned());
    }
    parse(text)
}

fn protocol(name: &str) -> Result<Protocol, String> {
    match name.to_ascii_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        _ => Err(format!("the protocol {name} is neither tcp nor udp")),
    }
}

/// The address, the host's ports and the container's. An address of IPv6 stands in brackets.
fn parts(text: &str) -> Result<(Option<IpAddr>, &str, &str), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (ip, rest) = rest
            .split_once("]:")
            .ok_or("after [ comes an address, ] and :")?;
        let ip: std::net::Ipv6Addr = ip
            .parse()
            .map_err(|_| format!("{ip} is no address of IPv6"))?;
        let (host, container) = rest.rsplit_once(':').unwrap_or(("", rest));
        return Ok((Some(ip.into()), host, container));
    }
    let words: Vec<&str> = text.split(':').collect();
    match words[..] {
        [container] => Ok((None, "", container)),
        [host, container] => Ok((None, host, container)),
        ["", host, container] => Ok((None, host, container)),
        [ip, host, container] => {
            let ip: std::net::Ipv4Addr = ip
                .parse()
                .map_err(|_| format!("{ip} is no address of IPv4"))?;
            Ok((Some(ip.into()), host, container))
        }
        _ => Err("an address of IPv6 stands in brackets: [::1]:8080:80".to_owned()),
    }
}

/// `80` or `80-90`, both ends included.
fn range(text: &str) -> Result<(u16, u16), String> {
    let number = |text: &str| match text.parse::<u16>() {
        Ok(number) if number > 0 && !text.starts_with('+') => Ok(number),
        _ if text.is_empty() => Err("the port is missing".to_owned()),
        _ => Err(format!("{text} is no port: those are 1 to 65535")),
    };
    match text.split_once('-') {
        None => number(text).map(|one| (one, one)),
        Some((low, high)) => {
            let (low, high) = (number(low)?, number(high)?);
            if low > high {
                return Err(format!("the range {text} ends before it begins"));
            }
            Ok((low, high))
        }
    }
}

#[cfg(test)]
mod tests;
