use super::*;

fn words(places: Vec<Place>) -> Vec<String> {
    let word = |place: Place| {
        let address = match place.address {
            Address::Path(path) => path.display().to_string(),
            Address::Abstract(name) => format!("@{name}"),
        };
        format!("{:?} {address}", place.peer)
    };
    places.into_iter().map(word).collect()
}

#[test]
fn who_is_asked_in_which_order() {
    let none = |_: &str| None;
    assert_eq!(
        words(of_system(none)),
        [
            "Systemd /run/systemd/private",
            "Bus /run/dbus/system_bus_socket"
        ]
    );
    assert!(of_user(none).is_empty());
    let both = |name: &str| match name {
        "XDG_RUNTIME_DIR" => Some("/run/user/1000".to_owned()),
        "DBUS_SESSION_BUS_ADDRESS" => {
            Some("unix:abstract=/tmp/x,guid=1;tcp:host=a;unix:guid=2,path=/a%20b".to_owned())
        }
        _ => None,
    };
    assert_eq!(
        words(of_user(both)),
        [
            "Systemd /run/user/1000/systemd/private",
            "Bus @/tmp/x",
            "Bus /a b",
            "Bus /run/user/1000/bus"
        ]
    );
}
