//! What the table holds, decided from the records alone.

use super::part::{Is, Part};
use crate::engine::network::ledger::{Book, Endpoint, Link, Port};
use crate::engine::network::record::{Reach, Record};
use crate::engine::network::subnet::Subnet;
use crate::sys::port::Protocol;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Chains, and the rules in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Each before the rules that lead to it.
    pub chains: Vec<Chain>,
    /// In the order in which they are asked.
    pub rules: Vec<Rule>,
}

/// A chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Where packets come into it; none where only rules lead to it.
    pub hook: Option<Hook>,
}

/// A place on a packet's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// `filter` or `nat`.
    pub kind: &'static str,
    /// 0 prerouting, 2 forward, 3 output, 4 postrouting.
    pub number: u32,
    /// Lower ones are asked first.
    pub priority: i32,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its chain.
    pub chain: String,
    /// Its conditions, and what is done.
    pub parts: Vec<Part>,
    /// For whom it is.
    pub comment: String,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.parts.iter().map(ToString::to_string).collect();
        write!(f, "{}: {}", self.chain, parts.join(" "))
    }
}

/// The chains that the kernel calls, with its own names for the places and their priorities.
const HOOKED: [(&str, Hook); 5] = [
    (
        "raw",
        Hook {
            kind: "filter",
            number: 0,
            priority: -300,
        },
    ),
    (
        "prerouting",
        Hook {
            kind: "nat",
            number: 0,
            priority: -100,
        },
    ),
    (
        "output",
        Hook {
            kind: "nat",
            number: 3,
            priority: -100,
        },
    ),
    (
        "forward",
        Hook {
            kind: "filter",
            number: 2,
            priority: 0,
        },
    ),
    (
        "postrouting",
        Hook {
            kind: "nat",
            number: 4,
            priority: 100,
        },
    ),
];

const PUBLISHED: &str = "published";

/// The whole table; none where no container is in any network.
#[must_use]
pub fn table(networks: &[Record], book: &Book) -> Option<Table> {
    let used = |record: &&Record| {
        let mut ends = book.containers.values();
        ends.any(|end| end.links.iter().any(|link| link.network == record.name))
    };
    let used: Vec<&Record> = networks.iter().filter(used).collect();
    if used.is_empty() {
        return None;
    }
    let mut table = Table::default();
    let hooked = HOOKED.iter().map(|(name, hook)| (*name, Some(*hook)));
    for (name, hook) in hooked.chain([(PUBLISHED, None)]) {
        table.chains.push(Chain {
            name: name.to_owned(),
            hook,
        });
    }
    table.lead_to_published();
    for record in &used {
        table.network(record);
    }
    for (id, end) in &book.containers {
        // Its ports are those of its first device.
        let first = end.links.first();
        let of = first.and_then(|link| used.iter().find(|record| record.name == link.network));
        if let (Some(link), Some(record)) = (first, of) {
            table.ports(id, end, link, record);
        }
    }
    for record in &used {
        let closed = vec![Part::Drop];
        table.rule(&into(record), closed, &record.name);
    }
    Some(table)
}

/// The chain of what goes to a network's bridge.
fn into(record: &Record) -> String {
    format!("to-{}", record.bridge)
}

fn one(ip: IpAddr) -> Subnet {
    Subnet::around(ip, 128)
}

impl Table {
    fn rule(&mut self, chain: &str, parts: Vec<Part>, comment: &str) {
        self.rules.push(Rule {
            chain: chain.to_owned(),
            parts,
            comment: comment.to_owned(),
        });
    }

    /// Packets to the host's own addresses; but from the host itself not those to its loopback device, as such a packet
    /// cannot leave it.
    fn lead_to_published(&mut self) {
        let jump = || Part::Jump(PUBLISHED.to_owned());
        self.rule("prerouting", vec![Part::Local, jump()], "");
        let loopback = Subnet::around(Ipv4Addr::LOCALHOST.into(), 8);
        for range in [loopback, one(Ipv6Addr::LOCALHOST.into())] {
            let parts = vec![Part::Destination(Is::Not, range), Part::Local, jump()];
            self.rule("output", parts, "");
        }
    }

    fn network(&mut self, record: &Record) {
        let (bridge, chain) = (&record.bridge, into(record));
        let from = |is| Part::From(is, bridge.clone());
        let to = |is| Part::To(is, bridge.clone());
        for range in &record.ranges {
            let subnet = range.subnet;
            // What the host sends to its own address in the range comes by lo.
            let host = Part::From(Is::Not, "lo".to_owned());
            let straight = Part::Destination(Is::That, subnet);
            self.rule(
                "raw",
                vec![host, from(Is::Not), straight, Part::Drop],
                &record.name,
            );
            if record.reach == Reach::Outside {
                self.leave(record, subnet);
            }
            let own = Part::Destination(Is::That, subnet);
            let own = vec![
                to(Is::That),
                Part::Source(subnet),
                own,
                Part::Published,
                Part::Masquerade,
            ];
            self.rule("postrouting", own, &record.name);
        }
        self.chains.push(Chain {
            name: chain.clone(),
            hook: None,
        });
        if record.reach == Reach::Internal {
            let parts = vec![from(Is::That), to(Is::Not), Part::Drop];
            self.rule("forward", parts, &record.name);
        }
        let parts = vec![to(Is::That), Part::Jump(chain.clone())];
        self.rule("forward", parts, &record.name);
        self.rule(&chain, vec![Part::Known, Part::Accept], &record.name);
        self.rule(&chain, vec![from(Is::That), Part::Accept], &record.name);
    }

    /// Under the host's address, but to many at once (224.0.0.0/4, ff00::/8), whose routers want to know the sender.
    fn leave(&mut self, record: &Record, subnet: Subnet) {
        let many = match subnet.first() {
            IpAddr::V4(_) => Subnet::around(Ipv4Addr::new(224, 0, 0, 0).into(), 4),
            IpAddr::V6(_) => Subnet::around(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0).into(), 8),
        };
        let parts = vec![
            Part::Source(subnet),
            Part::Destination(Is::Not, many),
            Part::To(Is::Not, record.bridge.clone()),
            Part::Masquerade,
        ];
        self.rule("postrouting", parts, &record.name);
    }

    fn ports(&mut self, id: &str, end: &Endpoint, link: &Link, record: &Record) {
        for run in runs(&end.ports) {
            // The loopback device's are the proxy's alone.
            if run.ip.is_some_and(|ip| ip.is_loopback()) {
                continue;
            }
            for to in link
                .addresses
                .iter()
                .copied()
                .filter(|to| fits(run.ip, *to))
            {
                self.translate(id, &run, to);
                let inside = Part::Ports(run.protocol, run.container, run.container + run.more);
                let parts = vec![
                    Part::Destination(Is::That, one(to)),
                    inside,
                    Part::Published,
                    Part::Accept,
                ];
                self.rule(&into(record), parts, id);
            }
        }
    }

    fn translate(&mut self, id: &str, run: &Run, to: IpAddr) {
        let at = run.ip.filter(|ip| !ip.is_unspecified());
        let at = at.map(|ip| Part::Destination(Is::That, one(ip)));
        let at = at.unwrap_or(Part::Like(to));
        // Where the numbers are the same the port stays as it is, and one rule does for all.
        if run.host == run.container {
            let ports = Part::Ports(run.protocol, run.host, run.host + run.more);
            self.rule(PUBLISHED, vec![at, ports, Part::Translate(to, None)], id);
            return;
        }
        for n in 0..=run.more {
            let (host, inside) = (run.host + n, run.container + n);
            let ports = Part::Ports(run.protocol, host, host);
            let parts = vec![at.clone(), ports, Part::Translate(to, Some(inside))];
            self.rule(PUBLISHED, parts, id);
        }
    }
}

/// A packet keeps its kind on the way: an address of the host's leads to one of the same kind.
fn fits(host: Option<IpAddr>, to: IpAddr) -> bool {
    host.is_none_or(|host| host.is_ipv4() == to.is_ipv4())
}

/// Ports that follow each other on both sides.
struct Run {
    protocol: Protocol,
    ip: Option<IpAddr>,
    host: u16,
    container: u16,
    more: u16,
}

fn runs(ports: &[Port]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for port in ports {
        let follows = |run: &Run| {
            let next = |first: u16| {
                first
                    .checked_add(run.more)
                    .and_then(|last| last.checked_add(1))
            };
            (run.protocol, run.ip) == (port.protocol, port.ip)
                && next(run.host) == Some(port.host)
                && next(run.container) == Some(port.container)
        };
        match runs.last_mut().filter(|run| follows(run)) {
            Some(run) => run.more += 1,
            None => runs.push(Run {
                protocol: port.protocol,
                ip: port.ip,
                host: port.host,
                container: port.container,
                more: 0,
            }),
        }
    }
    runs
}
