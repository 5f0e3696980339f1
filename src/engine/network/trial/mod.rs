//! Trials of whole networks, each on a host of its own: a network namespace with an uplink to another one, "outside",
//! and a mount namespace that goes with it. Who calls is a socket in one of them, so what is told is what was seen.
//! Root and iproute2 are needed, and nft to look at the tables from outside; without them a trial says so and passes.

/// Who reaches whom.
mod reach;

/// Who must not reach whom.
mod walls;

/// The same by IPv6.
mod six;

/// Addresses, ports, many at once.
mod shares;

/// What is left afterwards.
mod gone;

/// A user's container.
mod user;

use super::record::Reach;
use super::*;
use crate::sys::{mount, netns};
use std::ffi::CString;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::time::Duration;

/// The host's address and that of who is outside.
const HOST: &str = "192.0.2.1";
const OUTSIDE: &str = "192.0.2.9";
const HOST_SIX: &str = "2001:db8::1";
const OUTSIDE_SIX: &str = "2001:db8::9";

/// How long a call waits for an answer: one attempt of TCP may be lost on a busy machine.
const PATIENCE: Duration = Duration::from_millis(1600);

struct World {
    settings: Settings,
    outside: OwnedFd,
    folder: tempfile::TempDir,
}

/// Runs a trial on a host of its own; `needs` are programs that it looks with.
fn on_a_host(needs: &[&str], trial: impl FnOnce(&World) + Send) {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: it needs root");
    }
    for program in ["ip"].iter().chain(needs) {
        if Command::new(program).arg("-V").output().is_err() {
            return eprintln!("skipped: it needs {program}");
        }
    }
    let ended = std::thread::scope(|scope| scope.spawn(|| trial(&world())).join());
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// The uplink's ends have different numbers: the kernel takes its time to see the carrier of one whose ends have not.
fn world() -> World {
    use nix::sched::{CloneFlags, unshare};
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).unwrap();
    mount::set_root_propagation(mount::Depth::Tree, libc::MS_PRIVATE).unwrap();
    std::fs::create_dir_all("/run/netns").unwrap();
    sh("mount -t tmpfs none /run/netns");
    sh(&format!(
        "ip netns add outside
        ip link set lo up
        echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
        ip link add up0 index 20 type veth peer name eth0 netns outside
        ip addr add {HOST}/24 dev up0
        ip addr add {HOST_SIX}/64 dev up0 nodad
        ip link set up0 up
        ip -n outside addr add {OUTSIDE}/24 dev eth0
        ip -n outside addr add {OUTSIDE_SIX}/64 dev eth0 nodad
        ip -n outside link set eth0 up
        ip -n outside link set lo up
        ip route add default via {OUTSIDE}
        ip -6 route add default via {OUTSIDE_SIX}"
    ));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("resolv.conf"),
        "nameserver 127.0.0.53\nnameserver 192.0.2.53\n",
    )
    .unwrap();
    let places = Places {
        store: folder.path().join("store"),
        state: folder.path().join("state"),
    };
    let settings = Settings {
        who: Who::Root,
        proxy: own("port_server"),
        gate: own("gate_keeper"),
        resolv: folder.path().join("resolv.conf"),
        ..Settings::new(&places)
    };
    let outside = netns::open(c"/run/netns/outside").unwrap();
    World {
        settings,
        outside,
        folder,
    }
}

/// This program, to do one thing that the engine's own does when it is called for it.
fn own(what: &str) -> Vec<OsString> {
    let test = format!("engine::network::trial::{what}");
    let words = ["--exact", &test, "--ignored", "--nocapture"].map(Into::into);
    let own = std::env::current_exe().unwrap().into_os_string();
    std::iter::once(own).chain(words).collect()
}

#[test]
#[ignore = "the other trials start it as a process of its own"]
fn port_server() {
    proxy::serve().unwrap();
}

#[test]
#[ignore = "the other trials start it as a process of its own"]
fn gate_keeper() {
    gate::pass().unwrap();
}

/// Runs lines of commands on this host, and returns what they print.
fn sh(lines: &str) -> String {
    let output = Command::new("sh").args(["-ec", lines]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{lines}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A container that is connected, with its namespace.
struct Inside {
    connected: Connected,
    namespace: OwnedFd,
}

impl Inside {
    fn ip(&self) -> IpAddr {
        self.connected.addresses[0]
    }

    fn port(&self) -> u16 {
        self.connected.ports[0].host
    }
}

impl World {
    fn try_connect(&self, id: &str, options: &Options) -> crate::error::Result<Connected> {
        connect(
            &plan(options, &self.settings)?,
            &self.container(id),
            &self.settings,
        )
    }

    fn connect(&self, id: &str, options: &Options) -> Inside {
        let connected = self
            .try_connect(id, options)
            .unwrap_or_else(|error| panic!("{error}"));
        let Namespace::Path(path) = &connected.namespace else {
            panic!("no path: {:?}", connected.namespace);
        };
        let path = CString::new(path.as_os_str().as_bytes()).unwrap();
        let namespace = netns::open(&path).unwrap();
        Inside {
            connected,
            namespace,
        }
    }

    fn disconnect(&self, id: &str) {
        disconnect(id, &self.settings).unwrap_or_else(|error| panic!("{error}"));
    }

    fn container(&self, id: &str) -> Container {
        let files = self.folder.path().join(id);
        std::fs::create_dir_all(&files).unwrap();
        Container {
            id: id.to_owned(),
            host_name: format!("{id}-host"),
            names: vec![id.to_owned()],
            files,
            namespace: Owner::Host,
        }
    }

    fn create(&self, name: &str, six: networks::Six, reach: Reach) {
        let wanted = networks::Wanted {
            name: name.to_owned(),
            six,
            reach,
            ..Default::default()
        };
        networks::create(&self.settings, &wanted).unwrap();
    }
}

fn published(ports: &[&str]) -> Options {
    Options {
        publish: ports.iter().map(|port| (*port).to_owned()).collect(),
        ..Options::default()
    }
}

fn in_networks(names: &[&str]) -> Options {
    Options {
        network: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Options::default()
    }
}

/// Answers every call at `port` in a namespace with the caller's address, as long as this process lives.
fn answer(namespace: &OwnedFd, port: u16) {
    let listener = within(namespace, || {
        TcpListener::bind(("::", port)).or_else(|_| TcpListener::bind(("0.0.0.0", port)))
    });
    let listener = listener.unwrap();
    std::thread::spawn(move || {
        while let Ok((mut caller, from)) = listener.accept() {
            // An old pasta loses what is said before the caller has spoken.
            let _ = caller.set_read_timeout(Some(PATIENCE));
            let _ = caller.read_exact(&mut [0]);
            let _ = write!(caller, "{}", from.ip().to_canonical());
        }
    });
}

/// The same by UDP.
fn answer_udp(namespace: &OwnedFd, port: u16) {
    let socket = within(namespace, || UdpSocket::bind(("0.0.0.0", port))).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok((_, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(from.ip().to_string().as_bytes(), from);
        }
    });
}

fn within<T: Send>(namespace: &OwnedFd, act: impl FnOnce() -> T + Send) -> T {
    netns::within(namespace.as_fd(), || Ok(act())).unwrap()
}

fn here() -> OwnedFd {
    netns::current().unwrap()
}

/// Calls from a namespace; what the other side answers, which is the address that it saw.
fn call(from: &OwnedFd, to: impl ToSocketAddrs) -> std::io::Result<String> {
    let to: SocketAddr = to.to_socket_addrs()?.next().unwrap();
    within(from, || {
        let mut called = TcpStream::connect_timeout(&to, PATIENCE)?;
        called.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut text = String::new();
        called.write_all(b"?")?;
        called.read_to_string(&mut text)?;
        // Who hangs up without a word has not answered.
        if text.is_empty() {
            Err(std::io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(text)
        }
    })
}

fn call_udp(from: &OwnedFd, to: impl ToSocketAddrs) -> std::io::Result<String> {
    let to: SocketAddr = to.to_socket_addrs()?.next().unwrap();
    within(from, || {
        let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.connect(to)?;
        socket.send(b"who am I")?;
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer)?;
        Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
    })
}
