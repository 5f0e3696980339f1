use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn extra_hosts_are_read_or_refused() {
    for (typed, name, to) in [
        ("db:10.0.0.5", "db", Target::Ip(ip("10.0.0.5"))),
        ("db=10.0.0.5", "db", Target::Ip(ip("10.0.0.5"))),
        ("six:fd00::1", "six", Target::Ip(ip("fd00::1"))),
        ("six:[fd00::1]", "six", Target::Ip(ip("fd00::1"))),
        ("h:host-gateway", "h", Target::Host),
    ] {
        assert_eq!(
            extra(typed),
            Ok(Extra {
                name: name.to_owned(),
                to
            }),
            "{typed}"
        );
    }
    for bad in [
        "db",
        ":10.0.0.1",
        "a b:10.0.0.1",
        "db:x",
        "a#:1.1.1.1",
        "x\n1.1.1.1 y:1.1.1.1",
    ] {
        assert!(extra(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn hosts_names_itself_and_the_host() {
    let names = ["web".to_owned(), "shop".to_owned()];
    let extras = [
        extra("db:10.0.0.5").unwrap(),
        extra("h:host-gateway").unwrap(),
    ];
    let own = [ip("10.77.0.2"), ip("fd01::2")];
    let of = Hosts {
        own: &own,
        names: &names,
        host: Some(ip("10.77.0.1")),
        extra: &extras,
    };
    assert_eq!(
        hosts(&of).unwrap(),
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\
         10.0.0.5\tdb\n10.77.0.1\th\n\
         10.77.0.1\thost.containers.internal host.docker.internal\n\
         10.77.0.2\tweb shop\nfd01::2\tweb shop\n"
    );
    let alone = Hosts {
        own: &[],
        host: None,
        extra: &[],
        ..of.clone()
    };
    assert!(hosts(&alone).unwrap().ends_with("127.0.0.1\tweb shop\n"));
    let lost = Hosts { host: None, ..of };
    assert!(hosts(&lost).unwrap_err().contains("h cannot be the host"));
}

#[test]
fn neighbours_change_and_the_rest_stays() {
    let own = "127.0.0.1\tlocalhost\n";
    let one = with_neighbours(own, &[(ip("10.77.0.3"), "db".to_owned())]);
    assert!(one.contains("\n10.77.0.3\tdb\n"), "{one}");
    let written = format!("{one}1.2.3.4\tmine\n");
    let other = with_neighbours(&written, &[(ip("10.77.0.4"), "web".to_owned())]);
    assert!(
        other.contains("10.77.0.4\tweb") && !other.contains("10.77.0.3"),
        "{other}"
    );
    assert!(other.contains("1.2.3.4\tmine"), "{other}");
    assert_eq!(with_neighbours(&one, &[]), own);
}

#[test]
fn resolv_leaves_out_what_cannot_be_reached() {
    let host = "# made by somebody\nnameserver 127.0.0.53\nnameserver 192.0.2.1 # ours\nnameserver fe80::1%eth0\nnameserver ::1\nsearch old\nsearch example.org lan\noptions edns0 trust-ad\n";
    let none = Resolver::default();
    let (text, servers) = resolv(host, &none, Loopback::NotReached);
    assert_eq!(servers, [ip("192.0.2.1")]);
    assert_eq!(
        text,
        "nameserver 192.0.2.1\nsearch example.org lan\noptions edns0 trust-ad\n"
    );
    let (_, servers) = resolv(host, &none, Loopback::Reached);
    assert_eq!(servers, [ip("127.0.0.53"), ip("192.0.2.1"), ip("::1")]);
    let said = Resolver {
        servers: vec![ip("9.9.9.9")],
        search: vec![".".to_owned()],
        options: vec!["ndots:2".to_owned()],
    };
    let (text, _) = resolv(host, &said, Loopback::NotReached);
    assert_eq!(text, "nameserver 9.9.9.9\noptions ndots:2\n");
    assert_eq!(resolv("", &none, Loopback::NotReached).0, "");
}
