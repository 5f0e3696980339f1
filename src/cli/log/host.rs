//! The host's own logs: journald's and syslog's. A record is one datagram to the socket where either listens; a field
//! of the journal may have any bytes, a message of syslog is one line.

use super::Level;
use crate::error::{Cause, Error, Object, Result};
use crate::sys::socket;
use rustix::net::SocketType;
use serde_json::{Map, Value};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::Arc;

/// systemd-journald.service(8), "Journal native protocol".
const JOURNAL: &str = "/run/systemd/journal/socket";

/// syslog(3).
const SYSLOG: &str = "/dev/log";

/// The facility of programs that serve others; syslog(3), LOG_DAEMON.
const FACILITY: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Journal,
    Syslog,
}

/// One of the two, open.
#[derive(Clone, Debug)]
pub(super) struct Host {
    kind: Kind,
    socket: Arc<OwnedFd>,
    name: String,
}

impl Host {
    /// `journald:NAME` or `syslog:NAME`; the records bear NAME, or `orbital` where it is empty. None for anything else.
    ///
    /// # Errors
    /// A host where nobody listens.
    pub(super) fn open(given: &str) -> Option<Result<Host>> {
        let (kind, at, name) = match given.split_once(':')? {
            ("journald", name) => (Kind::Journal, JOURNAL, name),
            ("syslog", name) => (Kind::Syslog, SYSLOG, name),
            _ => return None,
        };
        Some(Host::at(kind, Path::new(at), name))
    }

    fn at(kind: Kind, path: &Path, name: &str) -> Result<Host> {
        let socket = socket::connect(path, SocketType::DGRAM).map_err(|fault| {
            let (word, service) = match kind {
                Kind::Journal => ("journald", "journald"),
                Kind::Syslog => ("syslog", "a syslog service"),
            };
            let on = Some(path.display().to_string());
            let cause = Cause::Os {
                call: fault.call.name(),
                errno: fault.errno,
                on,
            };
            Error::new(
                "open the log",
                Object::Argument(format!("--log {word}:{name}")),
                cause,
            )
            .hint(format!(
                "start {service}, or name a file: --log /path/to/file"
            ))
        })?;
        let name = if name.is_empty() { "orbital" } else { name };
        Ok(Host {
            kind,
            socket: Arc::new(socket),
            name: name.to_owned(),
        })
    }

    /// Sends a record. There is nobody left to tell that it cannot be sent: a failure is ignored.
    pub(super) fn put(&self, level: Level, message: &str, keys: &Map<String, Value>) {
        let record = match self.kind {
            Kind::Journal => self.entry(level, message, keys),
            Kind::Syslog => self.line(level, message),
        };
        let _ = socket::send(self.socket.as_fd(), &record);
    }

    fn entry(&self, level: Level, message: &str, keys: &Map<String, Value>) -> Vec<u8> {
        let mut entry = Vec::new();
        field(&mut entry, "MESSAGE", message);
        field(&mut entry, "PRIORITY", &severity(level).to_string());
        field(&mut entry, "SYSLOG_IDENTIFIER", &self.name);
        for (key, value) in keys {
            let told = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            // The names of fields are capitals, digits and underscores.
            let name: String = key
                .chars()
                .filter(|one| one.is_ascii_alphanumeric() || *one == '_')
                .collect();
            field(
                &mut entry,
                &format!("ORBITAL_{}", name.to_ascii_uppercase()),
                &told,
            );
        }
        entry
    }

    /// Without a time: the service has its own.
    fn line(&self, level: Level, message: &str) -> Vec<u8> {
        let priority = FACILITY << 3 | severity(level);
        let message = message.replace('\n', " ");
        let pid = std::process::id();
        format!("<{priority}>{}[{pid}]: {message}", self.name).into_bytes()
    }
}

/// `NAME=value`, or where the value has lines the name, its length in 64 bits, lowest byte first, and the value.
fn field(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend(name.as_bytes());
    if value.contains('\n') {
        entry.push(b'\n');
        entry.extend((value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend(value.as_bytes());
    entry.push(b'\n');
}

/// syslog(3).
const fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warning => 4,
        Level::Info => 6,
        Level::Debug => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, Kind, Level};
    use serde_json::{Map, json};

    fn sent(kind: Kind, name: &str, message: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let service = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        let host = Host::at(kind, &path, name).unwrap();
        let keys = Map::from_iter([
            ("step".to_owned(), json!(3)),
            ("hint".to_owned(), json!("a\nb")),
        ]);
        host.put(Level::Error, message, &keys);
        let mut buffer = [0; 512];
        let length = service.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    #[test]
    fn the_journal_gets_fields() {
        let entry = sent(Kind::Journal, "c1", "no such file");
        let wanted = b"MESSAGE=no such file\nPRIORITY=3\nSYSLOG_IDENTIFIER=c1\n\
            ORBITAL_HINT\n\x03\0\0\0\0\0\0\0a\nb\nORBITAL_STEP=3\n";
        assert_eq!(entry, wanted);
    }

    #[test]
    fn syslog_gets_a_line() {
        let line = sent(Kind::Syslog, "", "one\ntwo");
        let pid = std::process::id();
        assert_eq!(
            String::from_utf8(line).unwrap(),
            format!("<27>orbital[{pid}]: one two")
        );
    }

    #[test]
    fn nobody_who_listens_is_told() {
        let error = Host::at(
            Kind::Journal,
            std::path::Path::new("/nonexistent/socket"),
            "c1",
        );
        let told = error.unwrap_err().to_string();
        assert!(
            told.contains("--log journald:c1") && told.contains("start journald"),
            "{told}"
        );
    }
}
