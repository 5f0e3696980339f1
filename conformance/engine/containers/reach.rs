//! Addresses, ports, names: each test in a network namespace of its own, in the place of a host.

use super::ground::Ground;
use std::process::Command;

/// A shell script where `$E` is the program, on a host with nothing but a loopback device.
#[track_caller]
fn script(ground: &Ground, text: &str) -> String {
    let engine = ground.lab.command();
    let mut line = engine.get_program().to_string_lossy().into_owned();
    for word in engine.get_args() {
        line = format!("{line} {}", word.to_string_lossy());
    }
    let output = Command::new("unshare")
        .args([
            "-n",
            "sh",
            "-ec",
            &format!("ip link set lo up\nE='{line}'\n{text}"),
        ])
        .current_dir(ground.lab.path())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{err}");
    out.into_owned()
}

fn has_nft() -> bool {
    let found = Command::new("ip").arg("-V").output().is_ok();
    if !found {
        println!("skipped: there is no ip");
    }
    found
}

#[test]
fn a_published_port_is_reached_and_is_gone_with_the_container() {
    let Some(ground) = Ground::new() else { return };
    if !has_nft() {
        return;
    }
    let said = script(
        &ground,
        "$E run -d --name web -p 18080:80 ./root sh -c 'mkdir -p /tmp/w; echo it works > /tmp/w/index.html; exec busybox httpd -f -p 80 -h /tmp/w' >/dev/null
         for i in 1 2 3 4 5 6 7 8 9 10; do busybox wget -qO- http://127.0.0.1:18080/ && break; sleep 0.3; done
         $E port web
         ip=$($E inspect -f '{{.NetworkSettings.IPAddress}}' web)
         $E run --rm ./root wget -qO- http://$ip/
         $E run --rm --network container:web ./root wget -qO- http://127.0.0.1/
         $E exec web cat /etc/hosts | grep -c web
         $E rm -f web >/dev/null
         busybox wget -qO- http://127.0.0.1:18080/ 2>/dev/null || echo gone",
    );
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines,
        [
            "it works",
            "80/tcp -> 0.0.0.0:18080",
            "it works",
            "it works",
            "1",
            "gone"
        ],
        "{said}"
    );
    ground.nothing_is_left();
}

#[test]
fn the_seeds_bridge_and_its_range() {
    let Some(ground) = Ground::new() else { return };
    if !has_nft() {
        return;
    }
    let said = script(
        &ground,
        "$E run -d -name web -bridge seed0 -bridge-cidr 10.77.3.1/24 -publish 18081:80 ./root sh -c 'ip -4 addr show dev eth0 > /tmp/index.html; exec busybox httpd -f -p 80 -h /tmp' >/dev/null
         for i in 1 2 3 4 5 6 7 8 9 10; do busybox wget -qO- http://127.0.0.1:18081/ && break; sleep 0.3; done
         ip -4 addr show dev seed0
         $E rm -f web >/dev/null",
    );
    assert!(said.contains("inet 10.77.3.2/24"), "{said}");
    assert!(said.contains("inet 10.77.3.1/24"), "{said}");
}

#[test]
fn the_hosts_network_and_none() {
    let Some(ground) = Ground::new() else { return };
    let host = ground.lab.good(&[
        "run",
        "--rm",
        "--network",
        "host",
        "./root",
        "ls",
        "-l",
        "/proc/self/ns/net",
    ]);
    let ours = std::fs::read_link("/proc/self/ns/net")
        .unwrap()
        .display()
        .to_string();
    assert!(host.contains(&ours));
    let none = ground.sh(&[], "ip -4 addr");
    assert!(
        none.contains("127.0.0.1") && none.matches("inet").count() == 1,
        "{none}"
    );
}

#[test]
fn networks_are_made_listed_and_removed() {
    let Some(ground) = Ground::new() else { return };
    if !has_nft() {
        return;
    }
    let said = script(
        &ground,
        "$E network create --subnet 10.200.0.0/24 --label who=us blue
         $E network ls
         $E network inspect blue | tr -d ' \\n' | grep -o '\"subnet\":\"[^\"]*\"'
         $E run -d --name one --network blue ./root sleep 60 >/dev/null
         $E run --rm --cap-add NET_RAW --network blue ./root sh -c 'ip -4 addr show dev eth0; ping -c 1 -W 2 one >/dev/null && echo heard'
         $E network rm blue 2>&1 | grep cause || true
         $E rm -f one >/dev/null
         $E network reload
         $E network rm blue
         $E network rm -f blue
         $E network create --mtu small red 2>&1 | grep at: || true
         $E network ls -q | wc -l",
    );
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    assert_eq!(lines.first(), Some(&"blue"), "{said}");
    assert!(lines.contains(&"blue   bridge   10.200.0.0/24"), "{said}");
    assert!(lines.contains(&"\"subnet\":\"10.200.0.0/24\""), "{said}");
    assert!(said.contains("inet 10.200.0.3/24"), "{said}");
    assert!(lines.contains(&"heard"), "{said}");
    assert!(
        said.contains("cause: refused: 1 of its containers are there"),
        "{said}"
    );
    assert!(said.contains("--mtu=small"), "{said}");
    assert_eq!(lines.last(), Some(&"0"), "{said}");
    ground.nothing_is_left();
}
