use super::*;

#[test]
fn a_container_reaches_outside_under_the_host_s_address() {
    on_a_host(&[], |world| {
        answer(&world.outside, 7000);
        let web = world.connect("web", &Options::default());
        assert_eq!(call(&web.namespace, (OUTSIDE, 7000)).unwrap(), HOST);
        assert!(
            web.connected
                .notes
                .iter()
                .any(|note| note.contains("net.ipv4.ip_forward on")),
            "{:?}",
            web.connected.notes
        );
        assert_eq!(web.connected.gateway.unwrap().to_string(), "10.77.0.1");
        assert_eq!(web.connected.dns, ["192.0.2.53".parse::<IpAddr>().unwrap()]);
        let again = world.connect("again", &Options::default());
        assert!(
            !again
                .connected
                .notes
                .iter()
                .any(|note| note.contains("ip_forward"))
        );
    });
}

#[test]
fn everybody_reaches_a_published_port() {
    on_a_host(&[], |world| {
        let web = world.connect("web", &published(&["8080:80"]));
        answer(&web.namespace, 80);
        let host = here();
        // From outside the caller's own address is seen.
        assert_eq!(call(&world.outside, (HOST, 8080)).unwrap(), OUTSIDE);
        assert_eq!(call(&host, (HOST, 8080)).unwrap(), HOST);
        // The loopback device's by the proxy, which calls from the bridge.
        assert_eq!(call(&host, ("127.0.0.1", 8080)).unwrap(), "10.77.0.1");
        assert_eq!(call(&host, ("::1", 8080)).unwrap(), "10.77.0.1");
        assert_eq!(call(&host, (HOST_SIX, 8080)).unwrap(), "10.77.0.1");
        assert_eq!(call(&world.outside, (HOST_SIX, 8080)).unwrap(), "10.77.0.1");
        // The container itself, and a neighbour.
        assert_eq!(call(&web.namespace, (HOST, 8080)).unwrap(), "10.77.0.1");
        assert_eq!(
            call(&web.namespace, ("10.77.0.1", 8080)).unwrap(),
            "10.77.0.1"
        );
        let neighbour = world.connect("neighbour", &Options::default());
        assert_eq!(
            call(&neighbour.namespace, (HOST, 8080)).unwrap(),
            "10.77.0.1"
        );
        assert_eq!(
            call(&neighbour.namespace, (web.ip(), 80)).unwrap(),
            neighbour.ip().to_string()
        );
        // The host goes straight to the container.
        assert_eq!(call(&host, (web.ip(), 80)).unwrap(), "10.77.0.1");
    });
}

#[test]
fn udp_and_ranges_and_chosen_ports_are_published_too() {
    on_a_host(&[], |world| {
        let ports = [
            "5353:53/udp",
            "8000-8002:80-82",
            "9000-9001:9000-9001",
            "81",
        ];
        let web = world.connect("web", &published(&ports));
        answer_udp(&web.namespace, 53);
        for port in [80, 81, 82, 9000, 9001] {
            answer(&web.namespace, port);
        }
        assert_eq!(call_udp(&world.outside, (HOST, 5353)).unwrap(), OUTSIDE);
        assert_eq!(call_udp(&here(), ("127.0.0.1", 5353)).unwrap(), "10.77.0.1");
        assert_eq!(call_udp(&here(), ("::1", 5353)).unwrap(), "10.77.0.1");
        for port in [8000, 8001, 8002, 9000, 9001] {
            assert_eq!(
                call(&world.outside, (HOST, port)).unwrap(),
                OUTSIDE,
                "{port}"
            );
            assert_eq!(
                call(&here(), ("127.0.0.1", port)).unwrap(),
                "10.77.0.1",
                "{port}"
            );
        }
        let chosen = web.connected.ports.last().unwrap();
        assert_eq!(chosen.container, 81);
        assert_eq!(call(&world.outside, (HOST, chosen.host)).unwrap(), OUTSIDE);
        assert!(call(&world.outside, (HOST, 8003)).is_err());
    });
}

#[test]
fn a_long_answer_comes_whole_through_the_proxy() {
    on_a_host(&[], |world| {
        let web = world.connect("web", &published(&["127.0.0.1:8080:80"]));
        let listener = within(&web.namespace, || TcpListener::bind("0.0.0.0:80")).unwrap();
        std::thread::spawn(move || {
            while let Ok((mut caller, _)) = listener.accept() {
                // It answers when the caller has said all: the end of one direction must come through alone.
                let mut said = Vec::new();
                caller.read_to_end(&mut said).unwrap();
                caller.write_all(&said).unwrap();
            }
        });
        let long: Vec<u8> = (0..4_000_000u32).map(|n| n.to_le_bytes()[1]).collect();
        let mut called = TcpStream::connect("127.0.0.1:8080").unwrap();
        let mut writer = called.try_clone().unwrap();
        let said = long.clone();
        let speaker = std::thread::spawn(move || {
            writer.write_all(&said).unwrap();
            writer.shutdown(std::net::Shutdown::Write).unwrap();
        });
        let mut heard = Vec::new();
        called.read_to_end(&mut heard).unwrap();
        speaker.join().unwrap();
        assert!(
            heard == long,
            "{} of {} bytes came back",
            heard.len(),
            long.len()
        );
    });
}

#[test]
fn neighbours_know_each_other_by_name() {
    on_a_host(&[], |world| {
        let web = world.connect("web", &Options::default());
        let db = world.connect("db", &Options::default());
        let hosts =
            |id: &str| std::fs::read_to_string(world.folder.path().join(id).join("hosts")).unwrap();
        assert!(
            hosts("web").contains(&format!("{}\tdb-host db\n", db.ip())),
            "{}",
            hosts("web")
        );
        assert!(
            hosts("db").contains(&format!("{}\tweb-host web\n", web.ip())),
            "{}",
            hosts("db")
        );
        assert!(hosts("db").contains("10.77.0.1\thost.containers.internal host.docker.internal\n"));
        world.disconnect("db");
        assert!(!hosts("web").contains("db-host"), "{}", hosts("web"));
        assert!(hosts("web").contains("web-host web"), "{}", hosts("web"));
    });
}

#[test]
fn a_container_with_a_user_namespace_is_connected_when_its_process_is_there() {
    on_a_host(&[], |world| {
        answer(&world.outside, 7000);
        let network = plan(&published(&["8080:80"]), &world.settings).unwrap();
        let container = Container {
            namespace: Owner::Container,
            ..world.container("own")
        };
        let connected = connect(&network, &container, &world.settings).unwrap();
        assert_eq!(connected.namespace, Namespace::New);
        let mut process = Command::new("unshare")
            .args(["-Urn", "sleep", "60"])
            .spawn()
            .unwrap();
        let pid = i32::try_from(process.id()).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        join(&network, &container, pid, &world.settings).unwrap();
        let proc = crate::sys::proc::Proc::open().unwrap();
        let namespace = proc.namespace_of(pid, c"net").unwrap();
        answer(&namespace, 80);
        assert_eq!(call(&namespace, (OUTSIDE, 7000)).unwrap(), HOST);
        assert_eq!(call(&world.outside, (HOST, 8080)).unwrap(), OUTSIDE);
        world.disconnect("own");
        assert!(call(&world.outside, (HOST, 8080)).is_err());
        process.kill().unwrap();
        process.wait().unwrap();
    });
}
