//! Who has which address, port and device: one file, written anew and renamed while its lock is held. It lies in the
//! state directory, as the kernel forgets at a reboot what it tells of. What a container is to get is written down
//! before it is made, so that after a crash there is nothing that the file does not know.

use super::record::Record;
use super::{Settings, told};
use crate::error::{Cause, Error, Object, Result};
use crate::state::record::Process;
use crate::sys::port::Protocol;
use crate::sys::{At, Call};
use rustix::fs::{FlockOperation, Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Version of this format.
const VERSION: u32 = 1;

/// What is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// The format.
    pub version: u32,
    /// The bridges that we made, by the names of their networks.
    #[serde(default)]
    pub bridges: BTreeMap<String, String>,
    /// The address given last, per range: the next one is looked for after it, as neighbours and connections may
    /// still mean the old owner of a lower one.
    #[serde(default)]
    pub last: BTreeMap<String, IpAddr>,
    /// What each container has, by its id.
    #[serde(default)]
    pub containers: BTreeMap<String, Endpoint>,
}

/// What a container has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its names for its neighbours.
    pub names: Vec<String>,
    /// Its devices, in order; the first has the default route.
    pub links: Vec<Link>,
    /// Its published ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    /// The file that keeps its network namespace, if we made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<PathBuf>,
    /// The process that serves its ports: ours for those of the host's loopback device, or pasta or slirp4netns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Kept>,
    /// The folder of its `hosts` and `resolv.conf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<PathBuf>,
}

/// A process, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its pid.
    pub pid: i32,
    /// When it was born, in clock ticks since boot.
    pub start_time: u64,
}

impl From<Process> for Kept {
    fn from(process: Process) -> Kept {
        Kept {
            pid: process.pid,
            start_time: process.start_time,
        }
    }
}

impl From<Kept> for Process {
    fn from(kept: Kept) -> Process {
        Process {
            pid: kept.pid,
            start_time: kept.start_time,
        }
    }
}

/// A device of a container's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The network that it is in.
    pub network: String,
    /// The name of the host's end.
    pub outside: String,
    /// The name of the container's end.
    pub inside: String,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// Its addresses, at most one of each kind.
    pub addresses: Vec<IpAddr>,
}

/// A published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// TCP or UDP.
    #[serde(with = "spoken")]
    pub protocol: Protocol,
    /// At which address of the host; at all where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// The host's port.
    pub host: u16,
    /// The container's port.
    pub container: u16,
}

/// `tcp` and `udp` in the file.
mod spoken {
    use crate::sys::port::Protocol;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(protocol: &Protocol, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(super::name(*protocol))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Protocol, D::Error> {
        match String::deserialize(from)?.as_str() {
            "tcp" => Ok(Protocol::Tcp),
            "udp" => Ok(Protocol::Udp),
            other => Err(serde::de::Error::custom(format!("{other} is no protocol"))),
        }
    }
}

/// The word for a protocol.
#[must_use]
pub const fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    }
}

/// The file, with its lock held.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    _lock: OwnedFd,
    /// What it says.
    pub book: Book,
}

impl Ledger {
    /// Waits for the lock and reads the file; one that does not exist says nothing.
    ///
    /// # Errors
    /// A directory that cannot be made, a file that is none of ours.
    pub fn open(settings: &Settings) -> Result<Ledger> {
        let folder = settings.state.join("network");
        make_folder(&folder)?;
        let lock = lock(&folder.join("lock"))?;
        let path = folder.join("ledger.json");
        // Of one who was killed while writing, ignored where there is none.
        let _ = std::fs::remove_file(path.with_extension("new"));
        let doing = "read who has which address";
        let book = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Book::default(),
            other => {
                let bytes = other.map_err(|error| Error::io(doing, &path, "read", &error))?;
                serde_json::from_slice(&bytes)
                    .map_err(|error| told(doing, &path, error.to_string()))?
            }
        };
        if book.version > VERSION {
            return Err(told(doing, &path, "a newer orbital wrote it"));
        }
        Ok(Ledger {
            path,
            _lock: lock,
            book,
        })
    }

    /// Writes what it says now; all of it, or what was there before stays.
    ///
    /// # Errors
    /// No space, no right.
    pub fn save(&mut self) -> Result<()> {
        self.book.version = VERSION;
        let bytes = serde_json::to_vec(&self.book).unwrap_or_default();
        replace(&self.path, &bytes)
    }

    /// The ids of the containers in a network.
    #[must_use]
    pub fn users(&self, network: &str) -> Vec<&str> {
        let all = self.book.containers.iter();
        let users = all.filter(|(_, end)| end.links.iter().any(|link| link.network == network));
        users.map(|(id, _)| id.as_str()).collect()
    }

    /// Which container has the address in this network.
    #[must_use]
    pub fn owner(&self, network: &str, ip: IpAddr) -> Option<&str> {
        let mut all = self.book.containers.iter();
        let has = |link: &Link| link.network == network && link.addresses.contains(&ip);
        all.find(|(_, end)| end.links.iter().any(has))
            .map(|(id, _)| id.as_str())
    }

    /// A free address of each range of the network, after the one given last.
    pub(super) fn choose(
        &mut self,
        network: &Record,
        at: usize,
        wanted: Option<IpAddr>,
    ) -> Result<IpAddr> {
        let doing = format!("give the container an address in {}", network.name);
        let Some(range) = network.ranges.get(at) else {
            return Err(told(
                &doing,
                Path::new(&network.name),
                "it has no such range",
            ));
        };
        if let Some(ip) = wanted {
            return self.check(network, at, ip);
        }
        let key = range.subnet.to_string();
        let last = self
            .book
            .last
            .get(&key)
            .and_then(|ip| range.subnet.position(*ip))
            .unwrap_or(0);
        let end = range.subnet.last();
        let after = (last + 1..=end).chain(1..=last.min(end));
        let mut free = after
            .filter_map(|n| range.subnet.nth(n))
            .filter(|ip| *ip != range.gateway && self.owner(&network.name, *ip).is_none());
        let Some(ip) = free.next() else {
            let why = format!("all addresses of {} are taken", range.subnet);
            return Err(Error::new(doing, Object::Nothing, Cause::Refused(why))
                .hint("remove containers, or create a network with a wider --subnet"));
        };
        self.book.last.insert(key, ip);
        Ok(ip)
    }

    /// A static address: in the range, nobody's, and not one with a meaning of its own.
    fn check(&self, network: &Record, at: usize, ip: IpAddr) -> Result<IpAddr> {
        let flag = if ip.is_ipv4() { "--ip" } else { "--ip6" };
        let refused = |why: String| {
            let object = Object::Argument(format!("{flag} {ip}"));
            Error::new(
                "give the container this address",
                object,
                Cause::Refused(why),
            )
        };
        let Some(range) = network.ranges.get(at) else {
            return Err(refused(format!(
                "the network {} has no such range",
                network.name
            )));
        };
        match range.subnet.position(ip) {
            None => {
                let why = format!(
                    "the network {} has the range {}",
                    network.name, range.subnet
                );
                return Err(refused(why));
            }
            Some(n) if n == 0 || n > range.subnet.last() => {
                return Err(refused("it stands for the whole range".to_owned()));
            }
            Some(_) if ip == range.gateway => {
                return Err(refused("it is the network's gateway".to_owned()));
            }
            Some(_) => {}
        }
        match self.owner(&network.name, ip) {
            Some(owner) => Err(refused(format!("the container {owner} has it"))),
            None => Ok(ip),
        }
    }
}

fn make_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    made.map_err(|error| Error::io("make the directory of networks", folder, "mkdir", &error))
}

fn lock(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
    let taken = rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)).at(Call::Openat);
    let taken = taken.and_then(|fd| {
        let wait = || rustix::fs::flock(&fd, FlockOperation::LockExclusive);
        rustix::io::retry_on_intr(wait).at(Call::Flock)?;
        Ok(fd)
    });
    taken.map_err(|fault| Error::file("take the lock of the networks", path, fault))
}

/// Writes a file beside `path` and gives it that name: a reader sees the old one or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let fresh = path.with_extension("new");
    let write = || {
        use std::io::Write;
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(bytes)?;
        // After a power cut the name must not lead to a file without content.
        file.sync_data()?;
        std::fs::rename(&fresh, path)
    };
    write().map_err(|error| Error::io("write down what networks have", path, "write", &error))
}
