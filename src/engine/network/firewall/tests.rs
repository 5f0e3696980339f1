use super::rules::{Rule, table};
use crate::engine::network::ledger::{Book, Endpoint, Link, Port};
use crate::engine::network::record::{By, Range, Reach, Record};
use crate::sys::port::Protocol::{Tcp, Udp};

fn network(name: &str, bridge: &str, subnets: &[&str], reach: Reach) -> Record {
    let ranges = subnets.iter().map(|text| {
        let subnet: crate::engine::network::subnet::Subnet = text.parse().unwrap();
        Range {
            subnet,
            gateway: subnet.nth(1).unwrap(),
            chosen: By::Us,
        }
    });
    Record {
        version: 1,
        name: name.to_owned(),
        bridge: bridge.to_owned(),
        ranges: ranges.collect(),
        reach,
        mtu: None,
        labels: Default::default(),
        created: String::new(),
    }
}

fn end(network: &str, addresses: &[&str], ports: Vec<Port>) -> Endpoint {
    let link = Link {
        network: network.to_owned(),
        outside: "ov1".into(),
        inside: "eth0".into(),
        mac: [2, 0, 0, 0, 0, 1],
        addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect(),
    };
    Endpoint {
        links: vec![link],
        ports,
        ..Endpoint::default()
    }
}

fn port(ip: Option<&str>, host: u16, container: u16) -> Port {
    Port {
        protocol: Tcp,
        ip: ip.map(|ip| ip.parse().unwrap()),
        host,
        container,
    }
}

fn lines(networks: &[Record], book: &Book) -> String {
    let table = table(networks, book).unwrap();
    let lines: Vec<String> = table.rules.iter().map(Rule::to_string).collect();
    lines.join("\n")
}

#[test]
fn without_containers_there_is_no_table() {
    let networks = [network(
        "bridge",
        "orbital0",
        &["10.77.0.0/24"],
        Reach::Outside,
    )];
    assert_eq!(table(&networks, &Book::default()), None);
}

/// Two networks with containers, one without.
fn two_networks() -> ([Record; 3], Book) {
    let networks = [
        network(
            "bridge",
            "orbital0",
            &["10.77.0.0/24", "fd01::/64"],
            Reach::Outside,
        ),
        network("deep", "orbital1", &["10.77.1.0/24"], Reach::Internal),
        network("unused", "orbital2", &["10.77.2.0/24"], Reach::Outside),
    ];
    let mut ports = vec![
        port(None, 8080, 80),
        port(Some("127.0.0.1"), 8081, 81),
        port(Some("192.0.2.1"), 443, 443),
        port(None, 9000, 9000),
        port(None, 9001, 9001),
        port(None, 7000, 70),
        port(None, 7001, 71),
    ];
    ports.push(Port {
        protocol: Udp,
        ..port(Some("0.0.0.0"), 53, 53)
    });
    let mut book = Book::default();
    book.containers.insert(
        "web".into(),
        end("bridge", &["10.77.0.2", "fd01::2"], ports),
    );
    book.containers
        .insert("db".into(), end("deep", &["10.77.1.2"], Vec::new()));
    (networks, book)
}

#[test]
fn the_whole_table_of_two_networks() {
    let (networks, book) = two_networks();
    insta::assert_snapshot!(lines(&networks, &book), @r#"
    prerouting: fib daddr type local jump published
    output: ip daddr != 127.0.0.0/8 fib daddr type local jump published
    output: ip6 daddr != ::1 fib daddr type local jump published
    raw: iifname != "lo" iifname != "orbital0" ip daddr 10.77.0.0/24 drop
    postrouting: ip saddr 10.77.0.0/24 ip daddr != 224.0.0.0/4 oifname != "orbital0" masquerade
    postrouting: oifname "orbital0" ip saddr 10.77.0.0/24 ip daddr 10.77.0.0/24 ct status dnat masquerade
    raw: iifname != "lo" iifname != "orbital0" ip6 daddr fd01::/64 drop
    postrouting: ip6 saddr fd01::/64 ip6 daddr != ff00::/8 oifname != "orbital0" masquerade
    postrouting: oifname "orbital0" ip6 saddr fd01::/64 ip6 daddr fd01::/64 ct status dnat masquerade
    forward: oifname "orbital0" jump to-orbital0
    to-orbital0: ct state established,related accept
    to-orbital0: iifname "orbital0" accept
    raw: iifname != "lo" iifname != "orbital1" ip daddr 10.77.1.0/24 drop
    postrouting: oifname "orbital1" ip saddr 10.77.1.0/24 ip daddr 10.77.1.0/24 ct status dnat masquerade
    forward: iifname "orbital1" oifname != "orbital1" drop
    forward: oifname "orbital1" jump to-orbital1
    to-orbital1: ct state established,related accept
    to-orbital1: iifname "orbital1" accept
    published: meta nfproto ipv4 tcp dport 8080 dnat ip to 10.77.0.2:80
    to-orbital0: ip daddr 10.77.0.2 tcp dport 80 ct status dnat accept
    published: meta nfproto ipv6 tcp dport 8080 dnat ip6 to [fd01::2]:80
    to-orbital0: ip6 daddr fd01::2 tcp dport 80 ct status dnat accept
    published: ip daddr 192.0.2.1 tcp dport 443 dnat ip to 10.77.0.2
    to-orbital0: ip daddr 10.77.0.2 tcp dport 443 ct status dnat accept
    published: meta nfproto ipv4 tcp dport 9000-9001 dnat ip to 10.77.0.2
    to-orbital0: ip daddr 10.77.0.2 tcp dport 9000-9001 ct status dnat accept
    published: meta nfproto ipv6 tcp dport 9000-9001 dnat ip6 to fd01::2
    to-orbital0: ip6 daddr fd01::2 tcp dport 9000-9001 ct status dnat accept
    published: meta nfproto ipv4 tcp dport 7000 dnat ip to 10.77.0.2:70
    published: meta nfproto ipv4 tcp dport 7001 dnat ip to 10.77.0.2:71
    to-orbital0: ip daddr 10.77.0.2 tcp dport 70-71 ct status dnat accept
    published: meta nfproto ipv6 tcp dport 7000 dnat ip6 to [fd01::2]:70
    published: meta nfproto ipv6 tcp dport 7001 dnat ip6 to [fd01::2]:71
    to-orbital0: ip6 daddr fd01::2 tcp dport 70-71 ct status dnat accept
    published: meta nfproto ipv4 udp dport 53 dnat ip to 10.77.0.2
    to-orbital0: ip daddr 10.77.0.2 udp dport 53 ct status dnat accept
    to-orbital0: drop
    to-orbital1: drop
    "#);
}
