//! What was typed about the network, checked: `--network -p -P --ip --ip6 --mac-address --dns… --add-host`.

use super::carrier::Choice;
use super::names::{self, Extra, Resolver};
use super::networks::{DEFAULT, check_name};
use super::publish::{self, Publish};
use super::{Settings, publish::parse_exposed};
use crate::engine::places::Who;
use crate::error::{Cause, Error, Object, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

/// The flags of `run` that are about the network, as they were typed. Empty lists and `None` are flags that were not.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--network`, each: a word, `container:ID`, `ns:PATH` or the name of a network.
    pub network: Vec<String>,
    /// `-p`, each.
    pub publish: Vec<String>,
    /// With `-P`, what the image and `--expose` name: `80/tcp` and the like. Without it, nothing.
    pub publish_all: Vec<String>,
    /// `--ip`.
    pub ip: Option<String>,
    /// `--ip6`.
    pub ip6: Option<String>,
    /// `--mac-address`.
    pub mac_address: Option<String>,
    /// `--dns`, each.
    pub dns: Vec<String>,
    /// `--dns-search`, each.
    pub dns_search: Vec<String>,
    /// `--dns-option`, each.
    pub dns_option: Vec<String>,
    /// `--add-host`, each.
    pub add_host: Vec<String>,
}

/// What a container's network is to be.
#[derive(Clone, Debug)]
pub struct Network {
    /// Which.
    pub mode: Mode,
    /// Ports to be published.
    pub publish: Vec<Publish>,
    /// What was said about name servers.
    pub resolver: Resolver,
    /// `--add-host`.
    pub extra: Vec<Extra>,
    /// What the user should know, in words.
    pub notes: Vec<String>,
}

/// Which network a container is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A namespace of its own with nothing in it but its loopback device.
    None,
    /// The host's.
    Host,
    /// That of another container, by its id or name.
    Container(String),
    /// That which a file keeps.
    Namespace(PathBuf),
    /// Networks of ours, the first one with the default route.
    Bridge(Vec<Wish>),
    /// The user's own sockets, by pasta or slirp4netns.
    User(Choice),
}

/// What a container wants of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Its name.
    pub network: String,
    /// A static address.
    pub ip: Option<Ipv4Addr>,
    /// A static address of IPv6.
    pub ip6: Option<Ipv6Addr>,
    /// A static hardware address.
    pub mac: Option<[u8; 6]>,
}

fn refused(flag: &str, value: &str, why: impl Into<String>) -> Error {
    let object = Object::Argument(format!("{flag} {value}"));
    Error::new(
        "plan the container's network",
        object,
        Cause::Refused(why.into()),
    )
}

/// Checks all of it against itself; the host is not asked.
///
/// # Errors
/// A value that cannot be read, flags that contradict each other.
pub fn plan(options: &Options, settings: &Settings) -> Result<Network> {
    let mut mode = mode(options, settings.who)?;
    wishes(options, &mut mode)?;
    let mut network = Network {
        publish: published(options)?,
        resolver: resolver(options)?,
        extra: extras(options)?,
        notes: Vec::new(),
        mode,
    };
    agree(options, &mut network)?;
    Ok(network)
}

fn mode(options: &Options, who: Who) -> Result<Mode> {
    let usual = if who == Who::Root {
        Mode::Bridge(vec![wish(DEFAULT)])
    } else {
        Mode::User(Choice::Any)
    };
    let [first, more @ ..] = &options.network[..] else {
        return Ok(usual);
    };
    let mode = match (first.as_str(), first.split_once(':')) {
        ("none", _) => Mode::None,
        ("host", _) => Mode::Host,
        ("default" | "private", _) => usual,
        ("bridge", _) if who == Who::User => usual,
        ("pasta", _) => Mode::User(Choice::Pasta),
        ("slirp4netns", _) => Mode::User(Choice::Slirp),
        (_, Some(("container", ""))) => {
            return Err(refused("--network", first, "the container is missing"));
        }
        (_, Some(("container", id))) => Mode::Container(id.to_owned()),
        (_, Some(("ns", path))) if path.starts_with('/') => Mode::Namespace(path.into()),
        (_, Some(("ns", _))) => {
            return Err(refused(
                "--network",
                first,
                "the path of the namespace begins with /",
            ));
        }
        _ => Mode::Bridge(Vec::new()),
    };
    let named = matches!(mode, Mode::Bridge(_)) && !matches!(first.as_str(), "default" | "private");
    if !named {
        if let Some(other) = more.first() {
            return Err(refused(
                "--network",
                other,
                format!("{first} is the only network then"),
            ));
        }
        return Ok(mode);
    }
    let mut all: Vec<Wish> = Vec::new();
    for name in &options.network {
        check_name("plan the container's network", name)?;
        if all.iter().any(|other| other.network == *name) {
            return Err(refused("--network", name, "it is named twice"));
        }
        all.push(wish(name));
    }
    if who == Who::User {
        return Err(refused("--network", first, "networks of ours need root")
            .hint("leave --network out: pasta or slirp4netns connects the container then"));
    }
    Ok(Mode::Bridge(all))
}

fn wish(name: &str) -> Wish {
    Wish {
        network: name.to_owned(),
        ip: None,
        ip6: None,
        mac: None,
    }
}

/// Static addresses are those of the first network.
fn wishes(options: &Options, mode: &mut Mode) -> Result<()> {
    let typed = [
        ("--ip", &options.ip),
        ("--ip6", &options.ip6),
        ("--mac-address", &options.mac_address),
    ];
    for (flag, value) in typed {
        let Some(value) = value else { continue };
        let Mode::Bridge(all) = mode else {
            let why = "only a container in a network of ours has an address of its own";
            return Err(refused(flag, value, why));
        };
        let Some(first) = all.first_mut() else {
            continue;
        };
        match flag {
            "--ip" => first.ip = Some(read(flag, value, "it is no address of IPv4")?),
            "--ip6" => first.ip6 = Some(read(flag, value, "it is no address of IPv6")?),
            _ => first.mac = Some(mac(value).map_err(|why| refused(flag, value, why))?),
        }
    }
    Ok(())
}

fn read<T: std::str::FromStr>(flag: &str, value: &str, why: &str) -> Result<T> {
    value.parse().map_err(|_| refused(flag, value, why))
}

fn mac(text: &str) -> std::result::Result<[u8; 6], &'static str> {
    let wanted = "it is written as 02:00:00:00:00:01";
    let parts: Vec<u8> = text
        .split([':', '-'])
        .map(
            |part| match part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()) {
                true => u8::from_str_radix(part, 16).map_err(|_| wanted),
                false => Err(wanted),
            },
        )
        .collect::<std::result::Result<_, _>>()?;
    let mac = <[u8; 6]>::try_from(parts).map_err(|_| wanted)?;
    if mac.first().is_some_and(|first| first & 1 == 1) {
        return Err("it means many devices at once: its first byte is odd");
    }
    if mac == [0; 6] {
        return Err("it means no device");
    }
    Ok(mac)
}

fn published(options: &Options) -> Result<Vec<Publish>> {
    let one = |text: &String| publish::parse(text).map_err(|why| refused("-p", text, why));
    let mut all: Vec<Publish> = options.publish.iter().map(one).collect::<Result<_>>()?;
    for text in &options.publish_all {
        let exposed = parse_exposed(text).map_err(|why| refused("--expose", text, why))?;
        // What is published by name is not published a second time.
        let known = |port: u16| {
            let same = |other: &Publish| {
                let range = other.container..=other.container.saturating_add(other.count - 1);
                other.protocol == exposed.protocol && range.contains(&port)
            };
            all.iter().any(same)
        };
        let free = (0..exposed.count).filter(|n| !known(exposed.container + n));
        let more: Vec<Publish> = free
            .map(|n| Publish {
                container: exposed.container + n,
                count: 1,
                ..exposed.clone()
            })
            .collect();
        all.extend(more);
    }
    Ok(all)
}

fn resolver(options: &Options) -> Result<Resolver> {
    let server = |text: &String| read::<IpAddr>("--dns", text, "it is no address");
    let word = |flag: &'static str| {
        move |text: &String| {
            if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return Err(refused(flag, text, "it is no single word"));
            }
            Ok(text.clone())
        }
    };
    Ok(Resolver {
        servers: options.dns.iter().map(server).collect::<Result<_>>()?,
        search: options
            .dns_search
            .iter()
            .map(word("--dns-search"))
            .collect::<Result<_>>()?,
        options: options
            .dns_option
            .iter()
            .map(word("--dns-option"))
            .collect::<Result<_>>()?,
    })
}

fn extras(options: &Options) -> Result<Vec<Extra>> {
    let one = |text: &String| names::extra(text).map_err(|why| refused("--add-host", text, why));
    options.add_host.iter().map(one).collect()
}

/// Flags that mean nothing together with this mode: refused where the user would be misled, said where they do no harm.
fn agree(options: &Options, network: &mut Network) -> Result<()> {
    let shared = match &network.mode {
        Mode::Bridge(_) | Mode::User(_) => return Ok(()),
        Mode::None | Mode::Host => None,
        Mode::Container(id) => Some(format!("the container {id}")),
        Mode::Namespace(path) => Some(format!("the namespace {}", path.display())),
    };
    if let (Some(owner), Some(port)) = (&shared, options.publish.first()) {
        return Err(refused(
            "-p",
            port,
            format!("the network is that of {owner}, and so are its ports"),
        ));
    }
    if let Mode::Container(id) = &network.mode {
        let why = format!("names are those of the container {id}");
        let typed = [
            ("--dns", &options.dns),
            ("--dns-search", &options.dns_search),
            ("--dns-option", &options.dns_option),
            ("--add-host", &options.add_host),
        ];
        for (flag, values) in typed {
            if let Some(value) = values.first() {
                return Err(refused(flag, value, why));
            }
        }
    }
    if !network.publish.is_empty() {
        let note = match network.mode {
            Mode::Host => "ports need not be published in the host's network: -p and -P do nothing",
            Mode::None => "without a network no port can be published: -p and -P do nothing",
            _ => "the network is another container's: -P does nothing",
        };
        network.notes.push(note.to_owned());
        network.publish.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
