//! `/etc/hosts` and `/etc/resolv.conf` of a container: texts, and the files that are mounted there.
//!
//! The files are written in place and never renamed: the container sees the inode that was mounted. Of `hosts` only the
//! lines between two marks change later, when neighbours come and go; whatever the container wrote beside them stays.

use crate::error::{Error, Result};
use std::fmt::Write as _;
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::IpAddr;
use std::path::Path;

/// The names by which a container calls the host.
const HOST: &str = "host.containers.internal host.docker.internal";

const BEGIN: &str = "# neighbours: these lines change when they come and go";
const END: &str = "# end of the neighbours";

/// Longest `hosts` that is kept when its neighbours change, in bytes: a container may have written it.
const LONGEST: u64 = 1 << 20;

/// Where `--add-host` leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// To this address.
    Ip(IpAddr),
    /// To the host, `host-gateway`.
    Host,
}

/// A line of `--add-host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    /// The name.
    pub name: String,
    /// Where it leads.
    pub to: Target,
}

/// Reads `NAME:IP`, `NAME=IP` or `NAME:host-gateway`.
///
/// # Errors
/// What is wrong with it.
pub fn extra(typed: &str) -> std::result::Result<Extra, String> {
    let wanted = "it is written as NAME:ADDRESS or NAME:host-gateway";
    let (name, to) = typed.split_once([':', '=']).ok_or(wanted)?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '#';
    if name.is_empty() || name.contains(odd) {
        return Err(wanted.to_owned());
    }
    let bare = to
        .strip_prefix('[')
        .and_then(|to| to.strip_suffix(']'))
        .unwrap_or(to);
    let to = match bare {
        "host-gateway" => Target::Host,
        ip => Target::Ip(
            ip.parse()
                .map_err(|_| format!("{ip} is no address: {wanted}"))?,
        ),
    };
    Ok(Extra {
        name: name.to_owned(),
        to,
    })
}

/// What `hosts` is made of.
#[derive(Clone, Debug, Default)]
pub struct Hosts<'a> {
    /// The container's own addresses.
    pub own: &'a [IpAddr],
    /// Its names, its host name first.
    pub names: &'a [String],
    /// The host, as the container reaches it.
    pub host: Option<IpAddr>,
    /// `--add-host`.
    pub extra: &'a [Extra],
}

/// The text of `hosts`.
///
/// # Errors
/// A name for the host where the container does not reach it.
pub fn hosts(of: &Hosts<'_>) -> std::result::Result<String, String> {
    let mut text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n".to_owned();
    for extra in of.extra {
        let ip = match (extra.to, of.host) {
            (Target::Ip(ip), _) | (Target::Host, Some(ip)) => ip,
            (Target::Host, None) => {
                return Err(format!(
                    "from this network {} cannot be the host: it is not reached",
                    extra.name
                ));
            }
        };
        line(&mut text, ip, &extra.name);
    }
    if let Some(host) = of.host {
        line(&mut text, host, HOST);
    }
    let names = of.names.join(" ");
    if !names.is_empty() {
        let alone = [IpAddr::from([127, 0, 0, 1])];
        for ip in if of.own.is_empty() { &alone } else { of.own } {
            line(&mut text, *ip, &names);
        }
    }
    Ok(text)
}

/// The host's own `hosts`, for a container that shares its network, with `--add-host`.
#[must_use]
pub fn hosts_of_the_host(host: &str, extra: &[Extra]) -> String {
    let mut text = host.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let here = IpAddr::from([127, 0, 0, 1]);
    for extra in extra {
        let ip = match extra.to {
            Target::Ip(ip) => ip,
            Target::Host => here,
        };
        line(&mut text, ip, &extra.name);
    }
    line(&mut text, here, HOST);
    text
}

fn line(text: &mut String, ip: IpAddr, names: &str) {
    let _ = writeln!(text, "{ip}\t{names}");
}

/// `text` with other neighbours: between the marks, or at the end where the marks are gone.
#[must_use]
pub fn with_neighbours(text: &str, neighbours: &[(IpAddr, String)]) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        match line {
            BEGIN => inside = true,
            END => inside = false,
            _ if inside => {}
            _ => kept = kept + line + "\n",
        }
    }
    if neighbours.is_empty() {
        return kept;
    }
    kept = kept + BEGIN + "\n";
    for (ip, names) in neighbours {
        line(&mut kept, *ip, names);
    }
    kept + END + "\n"
}

/// What `--dns`, `--dns-search` and `--dns-option` said; empty lists leave it to the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolver {
    /// Name servers.
    pub servers: Vec<IpAddr>,
    /// Domains to look in; `.` alone is none.
    pub search: Vec<String>,
    /// Options.
    pub options: Vec<String>,
}

/// Which name servers of the host's a container can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    /// Those of its loopback device too.
    Reached,
    /// Not those.
    NotReached,
}

/// The text of `resolv.conf`, and the name servers in it.
#[must_use]
pub fn resolv(host: &str, said: &Resolver, loopback: Loopback) -> (String, Vec<IpAddr>) {
    let words = |key: &str| -> Vec<String> {
        let lines = host
            .lines()
            .map(|line| line.split(['#', ';']).next().unwrap_or_default());
        let mut found = Vec::new();
        for line in lines {
            let mut words = line.split_whitespace();
            if words.next() != Some(key) {
                continue;
            }
            // Of several such lines resolv.conf(5) takes the last, but every name server.
            if key != "nameserver" {
                found.clear();
            }
            found.extend(words.map(str::to_owned));
        }
        found
    };
    let servers: Vec<IpAddr> = if said.servers.is_empty() {
        // An address may name its device, as fe80::1%eth0: that device is the host's.
        let all = words("nameserver");
        let all = all.iter().filter_map(|word| word.parse::<IpAddr>().ok());
        all.filter(|ip| loopback == Loopback::Reached || !ip.is_loopback())
            .collect()
    } else {
        said.servers.clone()
    };
    let of = |said: &[String], key: &str| {
        if said.is_empty() {
            words(key)
        } else {
            said.to_vec()
        }
    };
    let mut search = of(&said.search, "search");
    search.retain(|domain| domain != ".");
    let options = of(&said.options, "options");
    let mut text = String::new();
    for server in &servers {
        let _ = writeln!(text, "nameserver {server}");
    }
    for (key, words) in [("search", search), ("options", options)] {
        if !words.is_empty() {
            let _ = writeln!(text, "{key} {}", words.join(" "));
        }
    }
    (text, servers)
}

/// The host's own `resolv.conf`: where it names only itself, the one that systemd-resolved keeps for others.
#[must_use]
pub fn resolv_of_the_host(file: &Path, loopback: Loopback) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let behind = Path::new("/run/systemd/resolve/resolv.conf");
    if loopback == Loopback::NotReached
        && resolv(&text, &Resolver::default(), loopback).1.is_empty()
    {
        return std::fs::read_to_string(behind).unwrap_or(text);
    }
    text
}

/// Writes a file of the container's in place, in a folder that it cannot reach.
///
/// # Errors
/// As open(2) and write(2).
pub(super) fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    let put = || {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        // Shorter only at the end: a reader never sees an empty one.
        file.write_all(text.as_bytes())?;
        file.set_len(text.len() as u64)
    };
    put().map_err(|error| Error::io("write the container's names", &path, "write", &error))
}

/// Writes the neighbours anew into the `hosts` of a container; one that is gone is left.
pub(super) fn set_neighbours(folder: &Path, neighbours: &[(IpAddr, String)]) {
    let path = folder.join("hosts");
    let renew = || {
        let mut file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)?;
        let mut text = String::new();
        (&mut file).take(LONGEST).read_to_string(&mut text)?;
        let fresh = with_neighbours(&text, neighbours);
        if fresh != text {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(fresh.as_bytes())?;
            file.set_len(fresh.len() as u64)?;
        }
        std::io::Result::Ok(())
    };
    if let Err(error) = renew() {
        tracing::debug!(
            "cannot tell {} of its neighbours: {error}, ignored",
            path.display()
        );
    }
}

#[cfg(test)]
mod tests;
