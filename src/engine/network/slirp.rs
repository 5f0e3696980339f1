//! The network of a user's containers where there is no pasta: slirp4netns(1), IPv4 alone. It is a process of its own
//! that ends when it is ended; ports are forwarded by words to the socket that it listens at ("API socket").

use super::ledger::{Port, name};
use super::{pasta, told};
use crate::error::{Cause, Error, Object, Result};
use crate::linux::look;
use crate::state::record::Process;
use crate::sys::proc::Proc;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{IpAddr, Shutdown};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Where it answers questions about names.
pub const NAME_SERVER: &str = "10.0.2.3";

/// The container's address there.
const GUEST: &str = "10.0.2.100";

const DOING: &str = "connect the container by slirp4netns";

/// How long it has to be ready, and to answer.
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

    /// Connects the namespace that is kept beside `pid_file`, or that of process `pid`.
    ///
    /// # Errors
    /// What it says last; a port that it cannot forward.
    pub fn start(&self, ports: &[Port], pid: i32, pid_file: &Path) -> Result<Process> {
        let api = socket_path(pid_file);
        // Of one that was killed, ignored where there was none.
        let _ = fs::remove_file(&api);
        let cannot = |call, error: &std::io::Error| Error::io(DOING, &self.program, call, error);
        let (ready, theirs) = UnixStream::pair().map_err(|error| cannot("socketpair", &error))?;
        let (mut words, copy) = unnamed(&pid_file.with_extension("words"))?;
        let child = Command::new(&self.program)
            .args(Slirp::arguments(pid, &pasta::held(pid_file), &api))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::from(copy))
            .spawn();
        let mut child = child.map_err(|error| cannot("execve", &error))?;
        let noted = fs::write(pid_file, format!("{}\n", child.id()))
            .map_err(|error| Error::io(DOING, pid_file, "write", &error));
        let begun = noted.and_then(|()| until_ready(&ready, &mut child, &mut words));
        let served = begun.and_then(|()| {
            let proc = Proc::open().map_err(|fault| Error::file(DOING, "/proc", fault))?;
            let known = look::identify(&proc, i32::try_from(child.id()).unwrap_or_default())?;
            ports
                .iter()
                .try_for_each(|port| forward(&api, port))
                .map(|()| known)
        });
        // Nothing more is to be said to it, ignored where it never listened.
        let _ = fs::remove_file(&api);
        served.inspect_err(|_| {
            // It may have ended of its own accord, ignored.
            let _ = child.kill();
            let _ = child.wait();
        })
    }
}

/// Beside the file for a pid, but short: the address of a socket holds 108 bytes.
pub(super) fn socket_path(pid_file: &Path) -> PathBuf {
    let name = pid_file.file_name().unwrap_or_default().to_string_lossy();
    let short: String = name.chars().take(12).collect();
    pid_file.with_file_name(format!("{short}.api"))
}

/// A file that goes with its descriptors: what is written to it later, and by whom, is nobody's business.
fn unnamed(path: &Path) -> Result<(File, File)> {
    let told = |call, error: &std::io::Error| Error::io(DOING, path, call, error);
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(true);
    let file = file.open(path).map_err(|error| told("openat", &error))?;
    fs::remove_file(path).map_err(|error| told("unlinkat", &error))?;
    let copy = file.try_clone().map_err(|error| told("fcntl", &error))?;
    Ok((file, copy))
}

fn until_ready(ready: &UnixStream, child: &mut Child, words: &mut File) -> Result<()> {
    // One that says nothing in all that time is as good as one that has ended.
    let _ = ready.set_read_timeout(Some(PATIENCE));
    let mut from = ready;
    if from.read_exact(&mut [0; 1]).is_ok() {
        return Ok(());
    }
    let _ = child.kill();
    let status = child
        .wait()
        .ok()
        .and_then(|status| status.code())
        .unwrap_or_default();
    let mut said = String::new();
    // Without its words the status must do, ignored.
    let _ = words
        .seek(SeekFrom::Start(0))
        .and_then(|_| words.read_to_string(&mut said));
    let tun = said.contains("/dev/net/tun");
    let last_line = said.lines().rfind(|line| !line.trim().is_empty());
    let last_line = last_line.map(str::to_owned);
    let error = Error::new(DOING, Object::Nothing, Cause::Exited { status, last_line });
    Err(match tun {
        true => error.hint("let users open the device: chmod 0666 /dev/net/tun, as udev does"),
        false => error,
    })
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
        let file = Path::new("/run/n").join(format!("{id}.pasta"));
        let api = socket_path(&file);
        assert_eq!(api, Path::new("/run/n/0123456789ab.api"));
        let words = Slirp::arguments(7, Path::new("/nowhere/at/all"), &api);
        assert_eq!(words.last().unwrap(), "tap0");
        assert_eq!(words.iter().rev().nth(1).unwrap(), "7");
    }
}
