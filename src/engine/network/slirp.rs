//! The network of a user's containers where there is no pasta: slirp4netns(1), IPv4 alone. It is a process of its own
//! that ends when it is ended; ports are forwarded by words to the socket that it listens at ("API socket").

use super::gate::Waiting;
use super::ledger::{Port, name};
use super::place::{Place, held};
use super::told;
use crate::error::{Cause, Error, Object, Result};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Shutdown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where it answers questions about names.
pub const NAME_SERVER: &str = "10.0.2.3";

/// The container's address there.
const GUEST: &str = "10.0.2.100";

pub(super) const DOING: &str = "connect the container by slirp4netns";

/// How long it has to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The slirp4netns of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slirp {
    program: PathBuf,
}

impl Slirp {
    /// The program at this path.
    #[must_use]
    pub fn at(program: PathBuf) -> Slirp {
        Slirp { program }
    }

    /// Its arguments. Its standard input is where it says that it is ready; it never reaches the host's loopback device.
    fn arguments(pid: i32, held: &Path, api: &Path) -> Vec<OsString> {
        let all = "--configure --mtu=65520 --disable-host-loopback --enable-sandbox --enable-seccomp --ready-fd=0";
        let mut all: Vec<OsString> = all.split(' ').map(OsString::from).collect();
        all.extend(["--api-socket".into(), api.into()]);
        if held.exists() {
            all.extend(["--netns-type=path".into(), held.into()]);
        } else {
            all.push(pid.to_string().into());
        }
        all.push("tap0".into());
        all
    }

    /// Lets `waiting` become it, and waits until it carries packets.
    ///
    /// # Errors
    /// What it says last; a port that it cannot forward.
    pub(super) fn serve(&self, waiting: Waiting, place: &Place<'_>) -> Result<()> {
        let api = socket_path(&place.beside);
        // Of one that was killed, ignored where there was none.
        let _ = fs::remove_file(&api);
        let arguments = Slirp::arguments(place.pid, &held(&place.beside), &api);
        waiting.open(&self.program, &arguments)?;
        if !waiting.says(&waiting.servant.ours)? {
            return Err(waiting.failed(|_| true, None));
        }
        let mut ports = place.ports.iter();
        let served = ports.try_for_each(|port| forward(&api, port));
        // Nothing more is to be said to it, ignored where it never listened.
        let _ = fs::remove_file(&api);
        served
    }
}

/// Where it takes orders; short, as the address of a socket holds 108 bytes.
pub(super) fn socket_path(beside: &Path) -> PathBuf {
    let name = beside.file_name().unwrap_or_default().to_string_lossy();
    let short: String = name.chars().take(12).collect();
    beside.with_file_name(format!("{short}.api"))
}

/// What it is told for a port.
fn wish(port: &Port) -> Result<Value> {
    let any = IpAddr::from([0, 0, 0, 0]);
    let at = port.ip.filter(|ip| !ip.is_unspecified()).unwrap_or(any);
    if at.is_ipv6() {
        let why = Cause::Refused("slirp4netns forwards ports of IPv4 only".to_owned());
        let object = Object::Argument(format!("-p [{at}]:{}:{}", port.host, port.container));
        return Err(Error::new(DOING, object, why).hint("install pasta, of the package passt"));
    }
    Ok(json!({
        "execute": "add_hostfwd",
        "arguments": {
            "proto": name(port.protocol),
            "host_addr": at.to_string(),
            "host_port": port.host,
            "guest_addr": GUEST,
            "guest_port": port.container,
        },
    }))
}

fn forward(api: &Path, port: &Port) -> Result<()> {
    let wish = wish(port)?.to_string();
    let ask = || -> std::io::Result<String> {
        let mut socket = UnixStream::connect(api)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.write_all(wish.as_bytes())?;
        socket.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|error| Error::io(DOING, api, "connect", &error))?;
    let told_back: Value = serde_json::from_str(&answer).unwrap_or_default();
    if told_back.get("return").is_some() {
        return Ok(());
    }
    let why = told_back
        .pointer("/error/desc")
        .and_then(Value::as_str)
        .unwrap_or("it does not answer")
        .to_owned();
    Err(told(DOING, api, why).hint(format!(
        "see whether a program has {}/{} or another of its ports",
        port.host,
        name(port.protocol)
    )))
}

#[cfg(test)]
mod tests {
    use super::{Port, Slirp, socket_path, wish};
    use crate::sys::port::Protocol;
    use std::path::Path;

    #[test]
    fn a_port_is_asked_for_as_it_was_given() {
        let port = |ip: Option<&str>| Port {
            protocol: Protocol::Udp,
            ip: ip.map(|ip| ip.parse().unwrap()),
            host: 53,
            container: 5353,
        };
        let asked = wish(&port(Some("127.0.0.1"))).unwrap().to_string();
        assert_eq!(
            asked,
            r#"{"arguments":{"guest_addr":"10.0.2.100","guest_port":5353,"host_addr":"127.0.0.1","host_port":53,"proto":"udp"},"execute":"add_hostfwd"}"#
        );
        let any = wish(&port(None)).unwrap().to_string();
        assert!(any.contains(r#""host_addr":"0.0.0.0""#), "{any}");
        assert!(wish(&port(Some("::1"))).is_err());
    }

    #[test]
    fn its_socket_has_a_short_name_and_its_namespace_is_a_process_s_where_no_file_keeps_it() {
        let id = "0123456789abcdef".repeat(4);
        let file = Path::new("/run/n").join(format!("{id}."));
        let api = socket_path(&file);
        assert_eq!(api, Path::new("/run/n/0123456789ab.api"));
        let words = Slirp::arguments(7, Path::new("/nowhere/at/all"), &api);
        assert_eq!(words.last().unwrap(), "tap0");
        assert_eq!(words.iter().rev().nth(1).unwrap(), "7");
    }
}
