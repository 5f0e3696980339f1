use super::*;
use std::collections::BTreeSet;

fn with_ip(ip: &str) -> Options {
    Options {
        ip: Some(ip.into()),
        ..Options::default()
    }
}

fn told(result: crate::error::Result<Connected>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_static_address_is_one_container_s() {
    on_a_host(&[], |world| {
        let mac = Some("02:00:00:00:00:2a".to_owned());
        let one = world.connect(
            "one",
            &Options {
                mac_address: mac,
                ..with_ip("10.77.0.42")
            },
        );
        let seen = within(&one.namespace, || sh("ip addr show dev eth0"));
        assert!(
            seen.contains("inet 10.77.0.42/24") && seen.contains("02:00:00:00:00:2a"),
            "{seen}"
        );
        for (ip, why) in [
            ("10.77.0.42", "the container one has it"),
            ("10.77.0.1", "the network's gateway"),
            ("10.77.0.0", "stands for the whole range"),
            ("10.77.0.255", "stands for the whole range"),
            ("10.99.0.5", "has the range 10.77.0.0/24"),
        ] {
            let message = told(world.try_connect("two", &with_ip(ip)));
            assert!(message.contains(why), "{ip}: {message}");
        }
        world.disconnect("one");
        assert_eq!(
            world
                .connect("two", &with_ip("10.77.0.42"))
                .ip()
                .to_string(),
            "10.77.0.42"
        );
    });
}

#[test]
fn twenty_at_once_get_an_address_each() {
    on_a_host(&[], |world| {
        let addresses: Vec<IpAddr> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..20)
                .map(|n| scope.spawn(move || world.connect(&format!("c{n}"), &published(&["80"]))))
                .collect();
            all.into_iter()
                .map(|one| one.join().unwrap())
                .map(|inside| {
                    answer(&inside.namespace, 80);
                    assert_eq!(
                        call(&world.outside, (HOST, inside.port())).unwrap(),
                        OUTSIDE
                    );
                    inside.ip()
                })
                .collect()
        });
        assert_eq!(
            addresses.iter().collect::<BTreeSet<_>>().len(),
            20,
            "{addresses:?}"
        );
        std::thread::scope(|scope| {
            for n in 0..20 {
                scope.spawn(move || world.disconnect(&format!("c{n}")));
            }
        });
        assert!(!sh("ip link").contains("orbital"));
    });
}

#[test]
fn a_port_is_one_container_s_and_no_program_s() {
    on_a_host(&[], |world| {
        let web = world.connect("web", &published(&["8080:80"]));
        answer(&web.namespace, 80);
        let message = told(world.try_connect("two", &published(&["8080:80"])));
        assert!(
            message.contains("the container web has the port 8080/tcp"),
            "{message}"
        );
        let message = told(world.try_connect("two", &published(&["127.0.0.1:8080:80"])));
        assert!(message.contains("the container web has"), "{message}");
        // A program of the host cannot take it either.
        let taken = TcpListener::bind("0.0.0.0:8080").unwrap_err();
        assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
        let program = TcpListener::bind("127.0.0.1:8081").unwrap();
        let message = told(world.try_connect("two", &published(&["8081:80"])));
        assert!(
            message.contains("a program of this host has 0.0.0.0:8081/tcp")
                && message.contains("ss -ltnp"),
            "{message}"
        );
        drop(program);
        let datagrams = UdpSocket::bind("0.0.0.0:8081").unwrap();
        world.connect("tcp-is-not-udp", &published(&["8081:80"]));
        let message = told(world.try_connect("two", &published(&["8081:80/udp"])));
        assert!(message.contains("8081/udp already"), "{message}");
        drop(datagrams);
        let message = told(world.try_connect("two", &published(&["198.51.100.7:90:80"])));
        assert!(
            message.contains("198.51.100.7 is no address of this host"),
            "{message}"
        );
        let message = told(world.try_connect("two", &published(&["91:80", "91:81"])));
        assert!(message.contains("published twice"), "{message}");
        // Of a range the first free one, and after all that nothing of "two" is left.
        let two = world.connect("two", &published(&["8080-8082:80"]));
        assert_eq!(two.port(), 8082);
        assert_eq!(call(&world.outside, (HOST, 8080)).unwrap(), OUTSIDE);
    });
}

#[test]
fn ranges_of_the_host_are_left_alone() {
    on_a_host(&[], |world| {
        sh("ip route add 10.77.0.0/16 via 192.0.2.9");
        let web = world.connect("web", &Options::default());
        assert_eq!(web.ip().to_string(), "10.78.0.2");
        world.disconnect("web");
        // Chosen anew where the host took it meanwhile, as nobody uses it.
        sh("ip route add 10.78.0.0/24 via 192.0.2.9");
        assert_eq!(
            world.connect("web", &Options::default()).ip().to_string(),
            "10.78.1.2"
        );
        let wanted = networks::Wanted {
            name: "mine".into(),
            subnets: vec!["10.77.5.0/24".into()],
            ..Default::default()
        };
        let message = networks::create(&world.settings, &wanted)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("10.77.0.0/16 is in use on this host"),
            "{message}"
        );
    });
}

#[test]
fn a_network_is_made_as_it_is_asked_for() {
    on_a_host(&[], |world| {
        let wanted = networks::Wanted {
            name: "mine".into(),
            subnets: vec!["10.200.7.1/28".into(), "fd12::/64".into()],
            gateways: vec!["10.200.7.14".into()],
            bridge: Some("br-mine".into()),
            mtu: Some(1400),
            ..Default::default()
        };
        networks::create(&world.settings, &wanted).unwrap();
        let one = world.connect("one", &in_networks(&["mine"]));
        let seen = sh("ip addr show dev br-mine");
        assert!(
            seen.contains("inet 10.200.7.14/28") && seen.contains("inet6 fd12::1/64"),
            "{seen}"
        );
        assert!(within(&one.namespace, || sh("ip link show dev eth0")).contains("mtu 1400"));
        let message = networks::remove(&world.settings, "mine")
            .unwrap_err()
            .to_string();
        assert!(message.contains("such as one"), "{message}");
        // 16 addresses: two with a meaning, the gateway, 13 containers.
        for n in 2..=13 {
            world.connect(&format!("n{n}"), &in_networks(&["mine"]));
        }
        let message = told(world.try_connect("n14", &in_networks(&["mine"])));
        assert!(
            message.contains("all addresses of 10.200.7.0/28 are taken"),
            "{message}"
        );
        for id in std::iter::once("one".to_owned()).chain((2..=13).map(|n| format!("n{n}"))) {
            world.disconnect(&id);
        }
        assert_eq!(networks::prune(&world.settings).unwrap(), ["mine"]);
        let message = told(world.try_connect("one", &in_networks(&["mine"])));
        assert!(message.contains("no network of this name"), "{message}");
    });
}
