use super::*;

/// All that a network could leave behind, but the settings that were said to be changed.
fn traces(world: &World) -> String {
    let ledger = ledger::Ledger::open(&world.settings).unwrap();
    let files = std::fs::read_dir(world.settings.state.join("network")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    files.sort();
    let seen = sh("ip link; ip addr | grep -v valid_lft; ip route; ip -6 route; nft list ruleset");
    format!(
        "{seen}{:?}{:?}{files:?}",
        ledger.book.containers, ledger.book.bridges
    )
}

#[test]
fn nothing_is_left_after_disconnect() {
    on_a_host(&["nft"], |world| {
        sh("nft add table inet mine
            nft 'add chain inet mine own { type filter hook input priority 0; }'
            nft add rule inet mine own tcp dport 1 drop");
        // Its bookkeeping is there from the first time on.
        world.connect("first", &Options::default());
        world.disconnect("first");
        let before = traces(world);
        let web = world.connect("web", &published(&["8080:80", "53:53/udp"]));
        answer(&web.namespace, 80);
        let Namespace::Path(kept) = &web.connected.namespace else {
            panic!()
        };
        assert!(sh("nft list tables").contains("table inet mine"));
        assert_ne!(traces(world), before);
        world.disconnect("web");
        assert_eq!(traces(world), before);
        assert!(!kept.exists());
        TcpListener::bind("0.0.0.0:8080").unwrap();
        UdpSocket::bind("0.0.0.0:53").unwrap();
        world.disconnect("web");
        world.disconnect("never-there");
        assert_eq!(traces(world), before);
    });
}

#[test]
fn a_neighbour_keeps_what_it_has() {
    on_a_host(&[], |world| {
        let one = world.connect("one", &published(&["8080:80"]));
        let two = world.connect("two", &published(&["8081:80"]));
        answer(&one.namespace, 80);
        answer(&two.namespace, 80);
        world.disconnect("one");
        assert!(call(&world.outside, (HOST, 8080)).is_err());
        assert_eq!(call(&world.outside, (HOST, 8081)).unwrap(), OUTSIDE);
        assert_eq!(call(&here(), ("127.0.0.1", 8081)).unwrap(), "10.77.0.1");
    });
}

/// Who dies between two steps leaves some of them done: here each of them is undone by hand in turn.
#[test]
fn a_crash_leaves_nothing_that_disconnect_does_not_find() {
    on_a_host(&["nft"], |world| {
        world.connect("first", &Options::default());
        world.disconnect("first");
        let before = traces(world);
        let state = world.settings.state.join("network");
        for broken in [
            "ip link del $(ip -o link show type veth | grep -o 'ov[0-9a-f]*')".to_owned(),
            "ip link del orbital0".to_owned(),
            format!("umount {0}/web.net; rm {0}/web.net", state.display()),
            format!("umount {0}/web.net", state.display()),
            "nft delete table inet orbital".to_owned(),
            "nft flush ruleset; ip link del orbital0".to_owned(),
            format!(
                "kill -9 $(grep -o '\"pid\":[0-9]*' {0}/ledger.json | cut -d: -f2)",
                state.display()
            ),
        ] {
            world.connect("web", &published(&["8080:80"]));
            sh(&broken);
            world.disconnect("web");
            assert_eq!(traces(world), before, "{broken}");
        }
        // It was written down, and then nothing more was done.
        let mut ledger = ledger::Ledger::open(&world.settings).unwrap();
        let end: ledger::Endpoint = serde_json::from_str(
            r#"{"names":["web"],"links":[{"network":"bridge","outside":"ov1","inside":"eth0","mac":[2,0,0,0,0,1],"addresses":["10.77.0.9"]}],
                "ports":[{"protocol":"tcp","host":8080,"container":80}],"server":{"pid":1,"start_time":1}}"#,
        )
        .unwrap();
        ledger.book.containers.insert("web".into(), end);
        ledger.save().unwrap();
        drop(ledger);
        world.disconnect("web");
        assert_eq!(traces(world), before);
    });
}

#[test]
fn what_cannot_be_finished_is_undone() {
    on_a_host(&["nft"], |world| {
        world.connect("first", &Options::default());
        world.disconnect("first");
        let before = traces(world);
        let mut broken = world.settings.clone();
        broken.proxy = vec!["/bin/false".into()];
        let network = plan(&published(&["8080:80"]), &broken).unwrap();
        let message = connect(&network, &world.container("web"), &broken)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("cannot start the process that holds the published ports"),
            "{message}"
        );
        assert_eq!(traces(world), before);
        TcpListener::bind("0.0.0.0:8080").unwrap();
    });
}
