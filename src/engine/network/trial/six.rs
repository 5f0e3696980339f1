use super::networks::Six;
use super::record::Reach;
use super::*;

#[test]
fn ipv6_goes_the_same_ways() {
    on_a_host(&[], |world| {
        world.create("six", Six::Unique, Reach::Outside);
        let options = Options {
            publish: vec!["8080:80".into()],
            ..in_networks(&["six"])
        };
        let web = world.connect("web", &options);
        answer(&web.namespace, 80);
        answer(&world.outside, 7000);
        let own = web.connected.addresses[1];
        assert!(own.to_string().starts_with("fd"), "{own}");
        assert_eq!(call(&web.namespace, (OUTSIDE_SIX, 7000)).unwrap(), HOST_SIX);
        assert_eq!(call(&world.outside, (HOST_SIX, 8080)).unwrap(), OUTSIDE_SIX);
        assert_eq!(call(&here(), (HOST_SIX, 8080)).unwrap(), HOST_SIX);
        let gateway = networks::inspect(&world.settings, "six").unwrap().ranges[1].gateway;
        assert_eq!(call(&here(), ("::1", 8080)).unwrap(), gateway.to_string());
        assert_eq!(
            call(&web.namespace, (HOST_SIX, 8080)).unwrap(),
            gateway.to_string()
        );
        // And the walls.
        sh(&format!(
            "ip -n outside -6 route add {own}/128 via {HOST_SIX}"
        ));
        assert!(call(&world.outside, (own, 80)).is_err());
        let notes = &web.connected.notes;
        assert!(
            notes
                .iter()
                .any(|note| note.contains("ipv6.conf.all.forwarding on")),
            "{notes:?}"
        );
        assert!(
            notes.iter().any(|note| note.contains("up0.accept_ra to 2")),
            "{notes:?}"
        );
        let addresses = within(&web.namespace, || sh("ip -6 addr show dev eth0"));
        assert!(
            !addresses.contains("tentative") && !addresses.contains("dadfailed"),
            "{addresses}"
        );
        let routers = within(&web.namespace, || {
            sh("cat /proc/sys/net/ipv6/conf/eth0/accept_ra")
        });
        assert_eq!(routers.trim(), "0");
    });
}

#[test]
fn without_a_range_there_is_no_ipv6() {
    on_a_host(&[], |world| {
        let web = world.connect("web", &Options::default());
        assert_eq!(
            within(&web.namespace, || sh("ip -6 addr show dev eth0")),
            ""
        );
        let forwarding = std::fs::read_to_string("/proc/sys/net/ipv6/conf/all/forwarding").unwrap();
        assert_eq!(forwarding.trim(), "0");
        let told = world.try_connect(
            "x",
            &Options {
                ip6: Some("fd00::2".into()),
                ..Options::default()
            },
        );
        let told = told.unwrap_err().to_string();
        assert!(told.contains("no range of this kind"), "{told}");
    });
}
