use super::{Host, Publish, parse, parse_exposed};
use crate::sys::port::Protocol::{self, Tcp, Udp};

fn good(typed: &str, ip: Option<&str>, host: Host, container: u16, count: u16, protocol: Protocol) {
    let expected = Publish {
        ip: ip.map(|ip| ip.parse().unwrap()),
        host,
        container,
        count,
        protocol,
        typed: typed.to_owned(),
    };
    assert_eq!(parse(typed), Ok(expected), "{typed}");
}

#[test]
fn every_form_that_docker_knows() {
    good("80", None, Host::Any, 80, 1, Tcp);
    good(":80", None, Host::Any, 80, 1, Tcp);
    good("8080:80", None, Host::From(8080), 80, 1, Tcp);
    good("8080:80/tcp", None, Host::From(8080), 80, 1, Tcp);
    good("53:53/UDP", None, Host::From(53), 53, 1, Udp);
    good(
        "127.0.0.1:8080:80",
        Some("127.0.0.1"),
        Host::From(8080),
        80,
        1,
        Tcp,
    );
    good("127.0.0.1::80", Some("127.0.0.1"), Host::Any, 80, 1, Tcp);
    good("0.0.0.0:80:80", Some("0.0.0.0"), Host::From(80), 80, 1, Tcp);
    good("[::1]:8080:80", Some("::1"), Host::From(8080), 80, 1, Tcp);
    good("[::]::80/udp", Some("::"), Host::Any, 80, 1, Udp);
    good("[::1]:80", Some("::1"), Host::Any, 80, 1, Tcp);
    good("80-82", None, Host::Any, 80, 3, Tcp);
    good("8080-8082:80-82", None, Host::From(8080), 80, 3, Tcp);
    good("8000-8010:80", None, Host::OneOf(8000, 8010), 80, 1, Tcp);
    good("1-65535:1-65535", None, Host::From(1), 1, 65535, Tcp);
    good("65535", None, Host::Any, 65535, 1, Tcp);
}

#[test]
fn what_is_wrong_is_said() {
    for (typed, why) in [
        ("", "missing"),
        ("0", "1 to 65535"),
        ("65536", "1 to 65535"),
        ("+80", "1 to 65535"),
        ("80:", "missing"),
        ("x:80", "x is no port"),
        ("80-70", "ends before it begins"),
        ("80-90:1-5", "11 ports of the host"),
        ("80/icmp", "neither tcp nor udp"),
        ("80/", "neither tcp nor udp"),
        ("300.1.1.1:80:80", "no address of IPv4"),
        ("::1:80:80", "in brackets"),
        ("[::1]", "after ["),
        ("[::x]:80:80", "no address of IPv6"),
        ("a:b:c:d", "in brackets"),
    ] {
        let told = parse(typed).unwrap_err();
        assert!(told.contains(why), "{typed}: {told}");
    }
}

#[test]
fn an_exposed_port_has_no_host() {
    assert_eq!(
        parse_exposed("53/udp").map(|p| (p.container, p.protocol, p.host)),
        Ok((53, Udp, Host::Any))
    );
    assert!(parse_exposed("80:80").is_err());
}
