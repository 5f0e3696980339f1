//! The process that holds a container's published ports and serves what the firewall does not bring to the container:
//! calls from the host's loopback device, and IPv6 where the container has none. One small process per container, with
//! the sockets that `ports` bound; it ends when the container's network is taken away.
//!
//! What it does not do: see the other packets. Those are translated by the kernel and never reach its sockets.

use super::ledger::{Port, name};
use super::ports::Held;
use super::servant::{self, Servant};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::port::Protocol;
use crate::sys::{exec, process, socket};
use rustix::event::{PollFd, PollFlags};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket,
};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The verb by which the engine calls itself.
pub const VERB: &str = "serve-ports";

/// How long the container has to accept a call, and a caller of UDP to say something more.
const PATIENCE: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(90);

const GO: &[u8] = b"go";
const READY: &[u8] = b"ready";
const STAY: &[u8] = b"stay";

/// Lets the process stay, when it is written down.
///
/// # Errors
/// A process that is gone.
pub(super) fn stay(servant: &Servant) -> Result<()> {
    let doing = "let the process that holds the published ports stay";
    let object = Object::Process(servant.process.pid);
    socket::send(&servant.ours, STAY).map_err(|fault| Error::new(doing, object, fault.into()))
}

/// Starts the process that serves `held` from when it may [stay]; `to` are the container's addresses.
///
/// # Errors
/// A program that cannot be started, or that does not say that it is ready.
pub(super) fn start(program: &[OsString], held: Vec<Held>, to: &[IpAddr]) -> Result<Servant> {
    let doing = "start the process that holds the published ports";
    let servant = servant::start(doing, program, Stdio::null())?;
    let object = Object::Process(servant.process.pid);
    let served = match hand_over(&servant.ours, &held, to) {
        Ok(true) => return Ok(servant),
        Ok(false) => Cause::Protocol("it does not answer".to_owned()),
        Err(fault) => fault.into(),
    };
    let error = Error::new(doing, object, served);
    Err(error.also(servant::stop(servant.process).err()))
}

fn hand_over(
    ours: &OwnedFd,
    held: &[Held],
    to: &[IpAddr],
) -> std::result::Result<bool, crate::sys::Fault> {
    for one in held {
        let Some(target) = target(one.at.ip(), to, &one.port) else {
            continue;
        };
        let record = format!("{} {target}", name(one.port.protocol));
        socket::send_descriptor(ours, record.as_bytes(), one.socket.as_fd())?;
    }
    socket::send(ours, GO)?;
    let mut answer = [0; 16];
    if !socket::speaks_within(ours, servant::READY_WITHIN)? {
        return Ok(false);
    }
    let length = socket::receive(ours, &mut answer)?;
    Ok(answer.get(..length) == Some(READY))
}

/// The container's address of the same kind, or of the other one.
fn target(at: IpAddr, to: &[IpAddr], port: &Port) -> Option<SocketAddr> {
    let same = to.iter().find(|to| to.is_ipv4() == at.is_ipv4());
    let ip = same.or(to.first())?;
    Some(SocketAddr::new(*ip, port.container))
}

/// What the process does: takes its sockets from standard input, and serves them until it is ended.
///
/// # Errors
/// A parent that went away, a poll that fails.
pub fn serve() -> Result<()> {
    let cannot = |fault| {
        Error::new(
            "serve the published ports",
            Object::Nothing,
            Cause::from(fault),
        )
    };
    process::set_name(c"orbital-ports");
    servant::settle().map_err(cannot)?;
    crate::sys::port::make_room();
    let input = exec::stream(0);
    let mut doors = Vec::new();
    loop {
        let mut buffer = [0; 128];
        let (length, descriptor) =
            socket::receive_descriptor(input, &mut buffer).map_err(cannot)?;
        let record = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        match (descriptor, record.split_once(' ')) {
            (Some(socket), Some((word, to))) => doors.extend(Door::new(socket, word, to)),
            _ if record.as_bytes() == GO => break,
            _ => return Ok(()),
        }
    }
    socket::send(input, READY).map_err(cannot)?;
    // Whoever started it may be killed before it has written down whom to end.
    let mut buffer = [0; 16];
    let length = socket::receive(input, &mut buffer).map_err(cannot)?;
    if buffer.get(..length) != Some(STAY) {
        return Ok(());
    }
    if let Ok(null) = std::fs::File::open("/dev/null") {
        exec::lay_over(null, 0).map_err(cannot)?;
    }
    attend(&doors)
}

/// A socket that is called, and where its calls go.
enum Door {
    Tcp(TcpListener, SocketAddr),
    Udp(Arc<UdpSocket>, SocketAddr, Guests),
}

/// Callers of UDP, each with the socket that speaks to the container for it.
type Guests = Arc<Mutex<HashMap<SocketAddr, Arc<UdpSocket>>>>;

impl Door {
    fn new(socket: OwnedFd, word: &str, to: &str) -> Option<Door> {
        let to = to.parse().ok()?;
        if word == name(Protocol::Tcp) {
            let listener = TcpListener::from(socket);
            listener.set_nonblocking(true).ok()?;
            return Some(Door::Tcp(listener, to));
        }
        let socket = UdpSocket::from(socket);
        socket.set_nonblocking(true).ok()?;
        Some(Door::Udp(Arc::new(socket), to, Guests::default()))
    }

    fn open(&self) {
        match self {
            Door::Tcp(listener, to) => match listener.accept() {
                Ok((caller, _)) => {
                    let to = *to;
                    aside(move || converse(&caller, to));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // No descriptor is free: those of other calls will be.
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            },
            Door::Udp(socket, to, guests) => {
                let mut buffer = vec![0; 65536];
                if let Ok((length, caller)) = socket.recv_from(&mut buffer) {
                    forward(
                        socket,
                        *to,
                        guests,
                        caller,
                        buffer.get(..length).unwrap_or_default(),
                    );
                }
            }
        }
    }
}

fn aside(act: impl FnOnce() + Send + 'static) {
    // Where no thread can be had the caller hangs up, as at a port that is busy.
    let _ = std::thread::Builder::new()
        .stack_size(128 * 1024)
        .spawn(act);
}

fn attend(doors: &[Door]) -> Result<()> {
    loop {
        let mut polled: Vec<PollFd<'_>> = doors
            .iter()
            .map(|door| match door {
                Door::Tcp(listener, _) => PollFd::new(listener, PollFlags::IN),
                Door::Udp(socket, ..) => PollFd::new(&**socket, PollFlags::IN),
            })
            .collect();
        match rustix::event::poll(&mut polled, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => {
                let cause = Cause::Os {
                    call: "poll",
                    errno: errno.raw_os_error(),
                    on: None,
                };
                return Err(Error::new(
                    "serve the published ports",
                    Object::Nothing,
                    cause,
                ));
            }
        }
        let called = polled.iter().map(|one| !one.revents().is_empty());
        for (door, _) in doors.iter().zip(called).filter(|(_, called)| *called) {
            door.open();
        }
    }
}

/// Carries both directions of a call; each ends for itself, as TCP allows.
fn converse(caller: &TcpStream, to: SocketAddr) {
    let Ok(container) = TcpStream::connect_timeout(&to, PATIENCE) else {
        return;
    };
    let _ = caller.set_nonblocking(false);
    let _ = (caller.set_nodelay(true), container.set_nodelay(true));
    std::thread::scope(|scope| {
        let back = std::thread::Builder::new().stack_size(128 * 1024);
        let _ = back.spawn_scoped(scope, || carry(&container, caller));
        carry(caller, &container);
    });
}

fn carry(mut from: &TcpStream, mut to: &TcpStream) {
    // A break on either side ends this direction like its regular end.
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

/// Sends a caller's datagram on, under a socket of its own so that answers find their way back.
fn forward(
    door: &Arc<UdpSocket>,
    to: SocketAddr,
    guests: &Guests,
    caller: SocketAddr,
    datagram: &[u8],
) {
    let Ok(mut open) = guests.lock() else {
        return;
    };
    let known = open.get(&caller).cloned();
    let Some(speaker) = known.or_else(|| speaker(to)) else {
        return;
    };
    let _ = speaker.send(datagram);
    if open.insert(caller, Arc::clone(&speaker)).is_some() {
        return;
    }
    drop(open);
    let (door, guests) = (Arc::clone(door), Arc::clone(guests));
    aside(move || {
        let mut buffer = vec![0; 65536];
        while let Ok(length) = speaker.recv(&mut buffer) {
            let _ = door.send_to(buffer.get(..length).unwrap_or_default(), caller);
        }
        if let Ok(mut open) = guests.lock() {
            open.remove(&caller);
        }
    });
}

fn speaker(to: SocketAddr) -> Option<Arc<UdpSocket>> {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(to).ok()?;
    socket.set_read_timeout(Some(SILENCE)).ok()?;
    Some(Arc::new(socket))
}
