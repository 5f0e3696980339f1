//! The process that holds a container's published ports and serves what the firewall does not bring to the container:
//! calls from the host's loopback device, and IPv6 where the container has none. One small process per container, with
//! the sockets that `ports` bound; it ends when the container's network is taken away.
//!
//! What it does not do: see the other packets. Those are translated by the kernel and never reach its sockets.

use super::ledger::{Port, name};
use super::ports::Held;
use super::told;
use crate::error::{Cause, Error, Object, Result};
use crate::linux::look;
use crate::state::record::Process;
use crate::sys::port::Protocol;
use crate::sys::proc::Proc;
use crate::sys::{exec, pidfd, process, socket};
use rustix::event::{PollFd, PollFlags};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket,
};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The verb by which the engine calls itself.
pub const VERB: &str = "serve-ports";

/// How long the container has to accept a call, and a caller of UDP to say something more.
const PATIENCE: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(90);

/// How long the process has to say that it is ready, in seconds.
const READY_WITHIN: i64 = 20;

const GO: &[u8] = b"go";
const READY: &[u8] = b"ready";
const STAY: &[u8] = b"stay";

/// The process, while nobody knows of it yet: it ends with this.
#[derive(Debug)]
pub(super) struct Fresh {
    /// The process.
    pub(super) process: Process,
    ours: OwnedFd,
}

impl Fresh {
    /// Lets it stay, when it is written down.
    ///
    /// # Errors
    /// A process that is gone.
    pub(super) fn stay(self) -> Result<()> {
        let doing = "let the process that holds the published ports stay";
        let object = Object::Process(self.process.pid);
        socket::send(&self.ours, STAY).map_err(|fault| Error::new(doing, object, fault.into()))
    }
}

/// Starts the process that serves `held` from when it may [stay](Fresh::stay); `to` are the container's addresses.
///
/// # Errors
/// A program that cannot be started, or that does not say that it is ready.
pub(super) fn start(program: &[OsString], held: Vec<Held>, to: &[IpAddr]) -> Result<Fresh> {
    let doing = "start the process that holds the published ports";
    let Some((file, arguments)) = program.split_first() else {
        return Err(told(doing, Path::new(VERB), "no program is named for it"));
    };
    let cannot = |fault| Error::file(doing, file, fault);
    let (ours, theirs) = socket::pair().map_err(cannot)?;
    let child = Command::new(file)
        .args(arguments)
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let child = child.map_err(|error| Error::io(doing, file, "execve", &error))?;
    let pid = i32::try_from(child.id()).unwrap_or_default();
    let known = Proc::open()
        .map_err(cannot)
        .and_then(|proc| look::identify(&proc, pid))?;
    let served = hand_over(&ours, &held, to)
        .map_err(cannot)
        .and_then(|ready| {
            if ready {
                return Ok(known);
            }
            Err(Error::new(
                doing,
                Object::Process(pid),
                Cause::Protocol("it does not answer".to_owned()),
            ))
        });
    match served {
        Ok(process) => Ok(Fresh { process, ours }),
        Err(error) => Err(error.also(stop(known).err())),
    }
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
    if !socket::speaks_within(ours, READY_WITHIN)? {
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

/// Ends the process, if it is still the one that was started.
///
/// # Errors
/// EPERM; a process that does not end.
pub(super) fn stop(known: Process) -> Result<()> {
    let doing = "end the process that holds the published ports";
    let cannot = |fault| Error::new(doing, Object::Process(known.pid), Cause::from(fault));
    let proc = Proc::open().map_err(cannot)?;
    let descriptor = match pidfd::open(known.pid) {
        Err(fault) if fault.errno == libc::ESRCH => return Ok(()),
        other => other.map_err(cannot)?,
    };
    // Looked at after the descriptor was opened: the pid may have another owner since.
    if look::alive(&proc, known)?.is_some() {
        pidfd::signal(&descriptor, libc::SIGKILL).map_err(cannot)?;
        if !pidfd::has_ended_within(descriptor.as_fd(), 5000).map_err(cannot)? {
            let why = Cause::Refused("it does not end".to_owned());
            return Err(Error::new(doing, Object::Process(known.pid), why));
        }
    }
    // Its parent may be this very process; otherwise its new parent reaps it, and ECHILD says so.
    let _ = pidfd::wait(descriptor.as_fd());
    Ok(())
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
    // It outlives the terminal, the folder and the descriptors of whoever started it.
    let _ = process::new_session();
    process::set_name(c"orbital-ports");
    process::enter_root().map_err(cannot)?;
    exec::close_all_but(3, &mut []).map_err(cannot)?;
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
