use super::*;
use crate::engine::network::Settings;
use crate::engine::places::Places;

fn settings(who: Who) -> Settings {
    let places = Places {
        store: "/nowhere/store".into(),
        state: "/nowhere/state".into(),
    };
    Settings {
        who,
        ..Settings::new(&places)
    }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn in_network(names: &[&str]) -> Options {
    Options {
        network: words(names),
        ..Options::default()
    }
}

fn told(options: &Options, who: Who) -> String {
    plan(options, &settings(who)).unwrap_err().to_string()
}

#[test]
fn words_of_network_mean_what_they_do_elsewhere() {
    let bridge = |names: &[&str]| Mode::Bridge(names.iter().map(|name| wish(name)).collect());
    for (names, root, user) in [
        (&[][..], bridge(&["bridge"]), Some(Mode::User(Choice::Any))),
        (
            &["default"],
            bridge(&["bridge"]),
            Some(Mode::User(Choice::Any)),
        ),
        (
            &["bridge"],
            bridge(&["bridge"]),
            Some(Mode::User(Choice::Any)),
        ),
        (&["none"], Mode::None, Some(Mode::None)),
        (&["host"], Mode::Host, Some(Mode::Host)),
        (
            &["container:web"],
            Mode::Container("web".into()),
            Some(Mode::Container("web".into())),
        ),
        (
            &["ns:/run/netns/x"],
            Mode::Namespace("/run/netns/x".into()),
            Some(Mode::Namespace("/run/netns/x".into())),
        ),
        (
            &["pasta"],
            Mode::User(Choice::Pasta),
            Some(Mode::User(Choice::Pasta)),
        ),
        (
            &["slirp4netns"],
            Mode::User(Choice::Slirp),
            Some(Mode::User(Choice::Slirp)),
        ),
        (&["front", "back"], bridge(&["front", "back"]), None),
    ] {
        let options = in_network(names);
        assert_eq!(
            plan(&options, &settings(Who::Root)).unwrap().mode,
            root,
            "{names:?}"
        );
        assert_eq!(
            plan(&options, &settings(Who::User)).ok().map(|n| n.mode),
            user,
            "{names:?}"
        );
    }
}

#[test]
fn wrong_networks_are_refused_with_a_reason() {
    for (names, why) in [
        (&["container:"][..], "is missing"),
        (&["ns:netns"], "begins with /"),
        (&["none", "host"], "none is the only network"),
        (&["front", "host"], "meaning of its own"),
        (&["front", "front"], "named twice"),
        (&["-x"], "begins with a letter"),
        (&["a/b"], "begins with a letter"),
    ] {
        let message = told(&in_network(names), Who::Root);
        assert!(message.contains(why), "{names:?}: {message}");
    }
    assert!(told(&in_network(&["front"]), Who::User).contains("need root"));
}

#[test]
fn static_addresses_are_those_of_the_first_network() {
    let options = Options {
        ip: Some("10.77.0.9".into()),
        ip6: Some("fd00::9".into()),
        mac_address: Some("02-00-00-00-00-0a".into()),
        ..in_network(&["front", "back"])
    };
    let Mode::Bridge(all) = plan(&options, &settings(Who::Root)).unwrap().mode else {
        panic!("no bridge");
    };
    assert_eq!(all[0].ip, Some([10, 77, 0, 9].into()));
    assert_eq!(all[0].mac, Some([2, 0, 0, 0, 0, 10]));
    assert_eq!(all[1], wish("back"));
    for (ip, mac, why) in [
        (Some("x"), None, "no address of IPv4"),
        (None, Some("02:00:00:00:00"), "written as"),
        (None, Some("01:00:00:00:00:00"), "many devices"),
        (None, Some("00:00:00:00:00:00"), "no device"),
        (None, Some("02:00:00:00:00:+1"), "written as"),
    ] {
        let options = Options {
            ip: ip.map(Into::into),
            mac_address: mac.map(Into::into),
            ..Options::default()
        };
        assert!(told(&options, Who::Root).contains(why), "{ip:?} {mac:?}");
    }
    let host = Options {
        ip: Some("10.0.0.1".into()),
        ..in_network(&["host"])
    };
    assert!(told(&host, Who::Root).contains("network of ours"));
}

#[test]
fn flags_that_mean_nothing_are_refused_or_said() {
    let port = |names: &[&str]| Options {
        publish: words(&["80:80"]),
        ..in_network(names)
    };
    assert!(told(&port(&["container:web"]), Who::Root).contains("that of the container web"));
    assert!(told(&port(&["ns:/x"]), Who::Root).contains("that of the namespace /x"));
    let host = plan(&port(&["host"]), &settings(Who::Root)).unwrap();
    assert!(host.publish.is_empty() && host.notes[0].contains("need not be published"));
    let shared = Options {
        dns: words(&["9.9.9.9"]),
        ..in_network(&["container:web"])
    };
    assert!(told(&shared, Who::Root).contains("names are those of"));
    let split = Options {
        dns_search: words(&["a b"]),
        ..Options::default()
    };
    assert!(told(&split, Who::Root).contains("no single word"));
}

#[test]
fn all_that_is_exposed_is_published_once() {
    let options = Options {
        publish: words(&["8080:80"]),
        publish_all: words(&["80/tcp", "80/udp", "443"]),
        ..Options::default()
    };
    let all = plan(&options, &settings(Who::Root)).unwrap().publish;
    let ports: Vec<u16> = all.iter().map(|port| port.container).collect();
    assert_eq!(ports, [80, 80, 443]);
}
