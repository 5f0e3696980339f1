use super::networks::Six;
use super::record::Reach;
use super::*;

#[test]
fn a_port_of_the_loopback_device_is_not_reached_from_outside() {
    on_a_host(&[], |world| {
        let web = world.connect("web", &published(&["127.0.0.1:8080:80", "[::1]:8081:80"]));
        answer(&web.namespace, 80);
        assert_eq!(call(&here(), ("127.0.0.1", 8080)).unwrap(), "10.77.0.1");
        assert_eq!(call(&here(), ("::1", 8081)).unwrap(), "10.77.0.1");
        assert!(call(&world.outside, (HOST, 8080)).is_err());
        assert!(call(&world.outside, (HOST_SIX, 8081)).is_err());
        assert!(call(&web.namespace, (HOST, 8080)).is_err());
        // A packet to 127.0.0.1 that comes by the uplink: its sender has no other loopback device for it.
        sh("ip -n outside addr del 127.0.0.1/8 dev lo
            ip -n outside route add 127.0.0.1/32 via 192.0.2.1");
        sh("ip netns exec outside sysctl -qw net.ipv4.conf.all.route_localnet=1");
        assert!(call(&world.outside, ("127.0.0.1", 8080)).is_err());
        let setting =
            std::fs::read_to_string("/proc/sys/net/ipv4/conf/all/route_localnet").unwrap();
        assert_eq!(setting.trim(), "0");
    });
}

#[test]
fn a_packet_straight_to_a_container_is_dropped() {
    on_a_host(&[], |world| {
        let web = world.connect("web", &published(&["8080:80", "127.0.0.1:8081:81"]));
        for port in [80, 81, 82] {
            answer(&web.namespace, port);
        }
        sh("ip -n outside route add 10.77.0.0/24 via 192.0.2.1");
        for port in [80, 81, 82] {
            let refused = call(&world.outside, (web.ip(), port)).unwrap_err();
            assert_eq!(
                refused.kind(),
                std::io::ErrorKind::TimedOut,
                "{port}: {refused}"
            );
        }
        assert!(call_udp(&world.outside, (web.ip(), 80)).is_err());
        // The rule that did it is the one that is meant, and not the lack of a way.
        assert_eq!(call(&world.outside, (HOST, 8080)).unwrap(), OUTSIDE);
    });
}

#[test]
fn networks_are_apart() {
    on_a_host(&[], |world| {
        world.create("front", Six::Without, Reach::Outside);
        world.create("back", Six::Without, Reach::Outside);
        let front = world.connect("front1", &in_networks(&["front"]));
        let back = world.connect(
            "back1",
            &Options {
                publish: vec!["8080:80".into()],
                ..in_networks(&["back"])
            },
        );
        let both = world.connect("both", &in_networks(&["front", "back"]));
        for inside in [&front, &back, &both] {
            answer(&inside.namespace, 80);
        }
        assert!(call(&front.namespace, (back.ip(), 80)).is_err());
        assert!(call(&back.namespace, (front.ip(), 80)).is_err());
        assert_eq!(both.connected.addresses.len(), 2);
        assert_eq!(
            call(&both.namespace, (back.ip(), 80)).unwrap(),
            both.connected.addresses[1].to_string()
        );
        assert_eq!(
            call(&both.namespace, (front.ip(), 80)).unwrap(),
            both.connected.addresses[0].to_string()
        );
        // What is published is for all, under the host's address.
        assert!(call(&front.namespace, (HOST, 8080)).is_ok());
        let hosts = std::fs::read_to_string(front.connected.hosts.as_ref().unwrap()).unwrap();
        assert!(
            hosts.contains("both-host") && !hosts.contains("back1-host"),
            "{hosts}"
        );
    });
}

#[test]
fn an_internal_network_stays_on_the_host() {
    on_a_host(&[], |world| {
        answer(&world.outside, 7000);
        world.create("deep", Six::Without, Reach::Internal);
        let one = world.connect("one", &in_networks(&["deep"]));
        let two = world.connect("two", &in_networks(&["deep"]));
        answer(&two.namespace, 80);
        assert_eq!(
            call(&one.namespace, (two.ip(), 80)).unwrap(),
            one.ip().to_string()
        );
        assert!(call(&one.namespace, (OUTSIDE, 7000)).is_err());
        assert_eq!(one.connected.gateway, None);
        let open = Options {
            publish: vec!["8080:80".into()],
            ..in_networks(&["deep"])
        };
        let told = world.try_connect("open", &open).unwrap_err().to_string();
        assert!(told.contains("nobody calls into it"), "{told}");
        // Even by a route of its own, which the host would follow for other networks.
        let other = world.connect("other", &Options::default());
        assert_eq!(call(&other.namespace, (OUTSIDE, 7000)).unwrap(), HOST);
        let gateway = networks::inspect(&world.settings, "deep").unwrap().ranges[0].gateway;
        within(&one.namespace, || {
            sh(&format!("ip route add default via {gateway}"))
        });
        assert!(call(&one.namespace, (OUTSIDE, 7000)).is_err());
    });
}

#[test]
fn the_host_s_own_walls_are_told_and_left() {
    on_a_host(&["nft"], |world| {
        sh("nft add table ip filter
            nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
            nft add rule ip filter FORWARD ip saddr 198.51.100.1 accept");
        let before = sh("nft list table ip filter");
        let web = world.connect("web", &Options::default());
        let notes = &web.connected.notes;
        assert!(
            notes
                .iter()
                .any(|note| note.contains("FORWARD of the host's table ip filter drops")),
            "{notes:?}"
        );
        assert_eq!(sh("nft list table ip filter"), before);
        world.disconnect("web");
        assert_eq!(sh("nft list ruleset"), before);
    });
}

#[test]
fn a_flushed_firewall_comes_back() {
    on_a_host(&["nft"], |world| {
        let web = world.connect("web", &published(&["8080:80"]));
        answer(&web.namespace, 80);
        let before = sh("nft list table inet orbital");
        sh("nft flush ruleset");
        reload(&world.settings).unwrap();
        assert_eq!(sh("nft list table inet orbital"), before);
        assert_eq!(call(&world.outside, (HOST, 8080)).unwrap(), OUTSIDE);
    });
}
