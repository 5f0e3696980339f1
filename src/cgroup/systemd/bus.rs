//! A connection to systemd: at its own socket if it has one for us, else through the message bus.
//!
//! At its own socket nobody is between: no greeting, no subscription, every signal comes. It is what
//! systemctl uses, and leaves the bus of a busy machine alone. Either end learns the caller's user from
//! the kernel (SO_PEERCRED): a uid that the caller names, as D-Bus libraries do, is refused where it is
//! that of a user namespace.

use super::wire::{Body, Bytes, Call, FIXED, Kind, Message, rest};
use crate::error::{Cause, Error, Object, Result};
use crate::plan::facts::Instance;
use crate::sys::{At, Call as SysCall, Fault};
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long an answer, or the end of a job, may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

const DOING: &str = "speak to systemd";

/// The one who answers our calls.
pub(super) const SYSTEMD: &str = "org.freedesktop.systemd1";

const BUS: &str = "org.freedesktop.DBus";

/// A connection.
#[derive(Debug)]
pub struct Bus {
    stream: UnixStream,
    place: Place,
    serial: u32,
    buffer: Vec<u8>,
    /// Jobs that have ended, with their results.
    ended: Vec<(String, String)>,
}

/// What a call was answered.
pub(super) enum Answer {
    /// Its first value, where that is a text.
    Done(String),
    /// An error's name and its words.
    Refused(String, String),
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    /// systemd itself.
    Systemd,
    /// The message bus.
    Bus,
}

/// A socket to try.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    peer: Peer,
    address: Address,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Path(PathBuf),
    Abstract(String),
}

impl Bus {
    /// Connects to the systemd of this machine or of this user.
    ///
    /// # Errors
    /// Nobody there: the first of the sockets that was tried, and what came of it.
    pub fn connect(instance: Instance) -> Result<Bus> {
        let places = match instance {
            Instance::System => of_system(|name| std::env::var(name).ok()),
            Instance::User => of_user(|name| std::env::var(name).ok()),
        };
        let mut first = None;
        for place in places {
            match Bus::at(&place) {
                Ok(bus) => return Ok(bus),
                Err(error) => first = first.or(Some(error)),
            }
        }
        let error = first.unwrap_or_else(|| {
            let why = "XDG_RUNTIME_DIR is not set, and no bus is named".to_owned();
            Error::new(DOING, Object::Nothing, Cause::Refused(why))
        });
        Err(error.hint(match instance {
            Instance::System => "boot the machine with systemd, or use --cgroup-manager cgroupfs",
            Instance::User => {
                "log in as this user, or have loginctl enable-linger keep its systemd; or use --cgroup-manager cgroupfs"
            }
        }))
    }

    fn at(place: &Place) -> Result<Bus> {
        let told = |fault| place.fault(fault);
        let stream = match &place.address {
            Address::Path(path) => UnixStream::connect(path),
            Address::Abstract(name) => SocketAddr::from_abstract_name(name)
                .and_then(|name| UnixStream::connect_addr(&name)),
        };
        let stream = stream.at(SysCall::Connect).map_err(told)?;
        let patient = stream
            .set_read_timeout(Some(PATIENCE))
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        patient.at(SysCall::Connect).map_err(told)?;
        let mut bus = Bus {
            stream,
            place: place.clone(),
            serial: 0,
            buffer: Vec::new(),
            ended: Vec::new(),
        };
        bus.introduce()?;
        if place.peer == Peer::Bus {
            bus.subscribe()?;
        }
        Ok(bus)
    }

    /// D-Bus Specification, "Authentication Protocol". The empty DATA stands for "whoever the kernel says".
    /// All in one write, as systemd's own clients do: a call that comes together with BEGIN would lie in
    /// systemd's buffer until something else comes.
    fn introduce(&mut self) -> Result<()> {
        self.write(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")?;
        for expected in ["DATA", "OK "] {
            let line = self.line()?;
            if !line.starts_with(expected) {
                return Err(self.refused(format!("it does not know us: {line:?}")));
            }
        }
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\r\n") && line.len() < 1000 {
            let got = self.stream.read_exact(&mut byte).at(SysCall::Read);
            got.map_err(|fault| self.fault(fault))?;
            line.extend_from_slice(&byte);
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Through the bus only who asks for signals gets them.
    fn subscribe(&mut self) -> Result<()> {
        let rule = "type='signal',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'";
        let mut body = Body::default();
        body.text(rule);
        let calls = [
            (
                BUS,
                "/org/freedesktop/DBus",
                BUS,
                "Hello",
                "",
                Body::default(),
            ),
            (BUS, "/org/freedesktop/DBus", BUS, "AddMatch", "s", body),
        ];
        for (destination, path, interface, member, signature, body) in calls {
            let call = Call {
                destination,
                path,
                interface,
                member,
                signature,
                body,
            };
            self.ask(&call)?;
        }
        self.manager("Subscribe", "", Body::default()).map(drop)
    }

    fn ask(&mut self, call: &Call<'_>) -> Result<String> {
        match self.call(call)? {
            Answer::Done(text) => Ok(text),
            Answer::Refused(name, words) => {
                Err(self.refused(format!("{}: {name}: {words}", call.member)))
            }
        }
    }

    /// Calls a method of systemd's Manager; org.freedesktop.systemd1(5).
    ///
    /// # Errors
    /// What broke on the way; a refusal is an answer.
    pub(super) fn manager(&mut self, member: &str, signature: &str, body: Body) -> Result<Answer> {
        self.call(&Call {
            destination: SYSTEMD,
            path: "/org/freedesktop/systemd1",
            interface: "org.freedesktop.systemd1.Manager",
            member,
            signature,
            body,
        })
    }

    fn call(&mut self, call: &Call<'_>) -> Result<Answer> {
        self.serial += 1;
        let serial = self.serial;
        self.write(&call.bytes(serial))?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let heard = self.hear(|message| {
                let text = message.body.text().unwrap_or_default().to_owned();
                match message.kind {
                    Kind::Return if message.answers == serial => Some(Answer::Done(text)),
                    Kind::Error if message.answers == serial => {
                        Some(Answer::Refused(message.name.to_owned(), text))
                    }
                    _ => None,
                }
            })?;
            if let Some(answer) = heard {
                return Ok(answer);
            }
        }
        Err(self.refused(format!(
            "{} was not answered within {} s",
            call.member,
            PATIENCE.as_secs()
        )))
    }

    /// Waits for the end of a job, and returns its result: `done`, or why not.
    ///
    /// # Errors
    /// No end within thirty seconds.
    pub(super) fn wait_for(&mut self, job: &str) -> Result<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some((_, result)) = self.ended.iter().find(|(ended, _)| ended == job) {
                return Ok(result.clone());
            }
            if Instant::now() >= until {
                return Err(self.refused(format!(
                    "the job {job} did not end within {} s",
                    PATIENCE.as_secs()
                )));
            }
            self.hear(|_| None)?;
        }
    }

    /// Reads one message; jobs that have ended are kept whoever asks.
    fn hear(
        &mut self,
        answer: impl FnOnce(&mut Message<'_>) -> Option<Answer>,
    ) -> Result<Option<Answer>> {
        let told = |fault| self.place.fault(fault);
        self.buffer.resize(FIXED, 0);
        self.stream
            .read_exact(&mut self.buffer)
            .at(SysCall::Read)
            .map_err(told)?;
        let Some(more) = rest(&self.buffer) else {
            return Err(self.refused("what it says is no D-Bus message".to_owned()));
        };
        self.buffer.resize(FIXED + more, 0);
        let behind = self.buffer.get_mut(FIXED..).unwrap_or_default();
        self.stream
            .read_exact(behind)
            .at(SysCall::Read)
            .map_err(told)?;
        let Some(mut message) = Message::read(&self.buffer) else {
            return Ok(None);
        };
        if message.kind == Kind::Signal && message.name == "JobRemoved" {
            self.ended.extend(ended(message.body));
            return Ok(None);
        }
        Ok(answer(&mut message))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.stream.write_all(bytes).at(SysCall::Write);
        written.map_err(|fault| self.fault(fault))
    }

    fn fault(&self, fault: Fault) -> Error {
        self.place.fault(fault)
    }

    fn refused(&self, why: String) -> Error {
        Error::new(DOING, self.place.object(), Cause::Refused(why))
    }
}

/// JobRemoved(u id, o job, s unit, s result).
fn ended(mut body: Bytes<'_>) -> Option<(String, String)> {
    body.number()?;
    let job = body.text()?.to_owned();
    body.text()?;
    Some((job, body.text()?.to_owned()))
}

impl Place {
    fn object(&self) -> Object {
        match &self.address {
            Address::Path(path) => Object::File(path.clone()),
            Address::Abstract(name) => Object::File(format!("@{name}").into()),
        }
    }

    fn fault(&self, fault: Fault) -> Error {
        let cause = match fault.errno {
            libc::EAGAIN => Cause::Refused(format!("no answer within {} s", PATIENCE.as_secs())),
            _ => fault.into(),
        };
        Error::new(DOING, self.object(), cause)
    }
}

fn at_path(peer: Peer, path: impl Into<PathBuf>) -> Place {
    let address = Address::Path(path.into());
    Place { peer, address }
}

fn of_system(variable: impl Fn(&str) -> Option<String>) -> Vec<Place> {
    let mut places = vec![at_path(Peer::Systemd, "/run/systemd/private")];
    match variable("DBUS_SYSTEM_BUS_ADDRESS") {
        Some(addresses) => places.extend(addressed(&addresses)),
        None => places.push(at_path(Peer::Bus, "/run/dbus/system_bus_socket")),
    }
    places
}

fn of_user(variable: impl Fn(&str) -> Option<String>) -> Vec<Place> {
    let folder = variable("XDG_RUNTIME_DIR").filter(|folder| folder.starts_with('/'));
    let folder = folder.map(PathBuf::from);
    let mut places = Vec::new();
    places.extend(
        folder
            .iter()
            .map(|folder| at_path(Peer::Systemd, folder.join("systemd/private"))),
    );
    places.extend(
        variable("DBUS_SESSION_BUS_ADDRESS")
            .iter()
            .flat_map(|addresses| addressed(addresses)),
    );
    places.extend(
        folder
            .iter()
            .map(|folder| at_path(Peer::Bus, folder.join("bus"))),
    );
    places
}

/// `unix:path=/a,guid=b;unix:abstract=c`; D-Bus Specification, "Server Addresses".
fn addressed(addresses: &str) -> Vec<Place> {
    let of_one = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        let value = unescape(value)?;
        match key {
            "path" => Some(at_path(Peer::Bus, value)),
            "abstract" => Some(Place {
                peer: Peer::Bus,
                address: Address::Abstract(value),
            }),
            _ => None,
        }
    };
    let each = addresses
        .split(';')
        .filter_map(|address| address.strip_prefix("unix:"));
    each.filter_map(|address| address.split(',').find_map(of_one))
        .collect()
}

/// `%20` is a blank.
fn unescape(text: &str) -> Option<String> {
    let mut plain = Vec::new();
    let mut parts = text.split('%');
    plain.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        plain.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        plain.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(plain).ok()
}

#[cfg(test)]
mod tests;
