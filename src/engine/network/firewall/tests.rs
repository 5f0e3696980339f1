use super::rules::{Rule, table};
use crate::engine::network::ledger::{Book, Endpoint, Link, Port};
use crate::engine::network::networks::{By, Range, Reach, Record};
use crate::sys::port::Protocol::{Tcp, Udp};

fn network(name: &str, bridge: &str, subnets: &[&str], reach: Reach) -> Record {
    let ranges = subnets.iter().map(|text| {
        let subnet: crate::engine::network::subnet::Subnet = text.parse().unwrap();
        Range { subnet, gateway: subnet.nth(1).unwrap(), chosen: By::Us }
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
    Endpoint { links: vec![link], ports, ..Endpoint::default() }
}

fn port(ip: Option<&str>, host: u16, container: u16) -> Port {
    Port { protocol: Tcp, ip: ip.map(|ip| ip.parse().unwrap()), host, container }
}

fn lines(networks: &[Record], book: &Book) -> String {
    let table = table(networks, book).unwrap();
    let lines: Vec<String> = table.rules.iter().map(Rule::to_string).collect();
    lines.join("\n")
}

#[test]
fn without_containers_there_is_no_table() {
    let networks = [network("bridge", "orbital0", &["10.77.0.0/24"], Reach::Outside)];
    assert_eq!(table(&networks, &Book::default()), None);
}

#[test]
fn the_whole_table_of_two_networks() {
    let networks = [
        network("bridge", "orbital0", &["10.77.0.0/24", "fd01::/64"], Reach::Outside),
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
    ports.push(Port { protocol: Udp, ..port(Some("0.0.0.0"), 53, 53) });
    let mut book = Book::default();
    book.containers.insert("web".into(), end("bridge", &["10.77.0.2", "fd01::2"], ports));
    book.containers.insert("db".into(), end("deep", &["10.77.1.2"], Vec::new()));
    insta::assert_snapshot!(lines(&networks, &book), @"");
}
