//! The network of a user's containers: pasta carries packets between the container's namespace and sockets of the user,
//! so that no right of root's is needed; passt's pasta(1). It is started between `create` and `start`, when the
//! container's process shows the namespaces that it is to enter.

use super::ledger::{Port, name};
use super::told;
use crate::error::{Cause, Error, Object, Result};
use crate::linux::look;
use crate::state::record::Process;
use crate::sys::port::Protocol;
use crate::sys::proc::Proc;
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the container asks for names when the host's name server is on its loopback device; link-local, so that it is
/// nobody else's.
pub const NAME_SERVER: &str = "169.254.1.1";

/// Where the container finds the host, with a pasta that can do that.
pub const HOST: &str = "169.254.1.2";

/// What the pasta of this host can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pasta {
    program: PathBuf,
    maps_the_host: MapsTheHost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MapsTheHost {
    Yes,
    No,
}

impl Pasta {
    /// The program at this path; it is asked what it can do.
    #[must_use]
    pub fn at(program: PathBuf) -> Pasta {
        let help = Command::new(&program)
            .arg("--help")
            .stdin(Stdio::null())
            .output();
        let knows = help.is_ok_and(|help| {
            let text = [help.stdout, help.stderr].concat();
            String::from_utf8_lossy(&text).contains("--map-guest-addr")
        });
        let maps_the_host = if knows {
            MapsTheHost::Yes
        } else {
            MapsTheHost::No
        };
        Pasta {
            program,
            maps_the_host,
        }
    }

    /// The host's address for the container, if it has one.
    #[must_use]
    pub fn host(&self) -> Option<IpAddr> {
        let ip = HOST.parse().ok();
        ip.filter(|_| self.maps_the_host == MapsTheHost::Yes)
    }

    /// Its arguments: ports of the host's forwarded, none of the container's, and never to the host's loopback device.
    fn arguments(&self, ports: &[Port], pid: i32, pid_file: &Path) -> Vec<OsString> {
        let mut all: Vec<String> = [
            "--config-net",
            "--quiet",
            "--no-map-gw",
            "-T",
            "none",
            "-U",
            "none",
        ]
        .map(str::to_owned)
        .to_vec();
        if self.maps_the_host == MapsTheHost::Yes {
            all.extend(["--map-guest-addr".to_owned(), HOST.to_owned()]);
        }
        all.extend(["--dns-forward".to_owned(), NAME_SERVER.to_owned()]);
        for (flag, protocol) in [("-t", Protocol::Tcp), ("-u", Protocol::Udp)] {
            let before = all.len();
            for port in ports.iter().filter(|port| port.protocol == protocol) {
                let at = port.ip.filter(|ip| !ip.is_unspecified());
                let at = at.map(|ip| format!("{ip}/")).unwrap_or_default();
                all.extend([
                    flag.to_owned(),
                    format!("{at}{}:{}", port.host, port.container),
                ]);
            }
            if all.len() == before {
                all.extend([flag.to_owned(), "none".to_owned()]);
            }
        }
        let mut all: Vec<OsString> = all.into_iter().map(OsString::from).collect();
        all.extend(["--pid".into(), pid_file.into(), pid.to_string().into()]);
        all
    }

    /// Connects the namespaces of process `pid`; it goes on in the background.
    ///
    /// # Errors
    /// What pasta itself says last.
    pub fn start(&self, ports: &[Port], pid: i32, pid_file: &Path) -> Result<Process> {
        let doing = "connect the container by pasta";
        let mut arguments = self.arguments(ports, pid, pid_file);
        let held = held(pid_file);
        if held.exists() {
            // In the user namespace that pasta is in already, and by a file: it may look into no process there.
            arguments.pop();
            // The file goes when the container is in the namespace; pasta stays until it is ended.
            arguments.extend(["--no-netns-quit".into(), "--netns".into(), held.into()]);
        }
        let output = Command::new(&self.program)
            .args(arguments)
            .stdin(Stdio::null())
            .output();
        let output = output.map_err(|error| Error::io(doing, &self.program, "execve", &error))?;
        if !output.status.success() {
            return Err(failed(doing, &output, ports));
        }
        let text = std::fs::read_to_string(pid_file)
            .map_err(|error| Error::io(doing, pid_file, "read", &error))?;
        let pid = text
            .trim()
            .parse()
            .map_err(|_| told(doing, pid_file, "it holds no pid"))?;
        let proc = Proc::open().map_err(|fault| Error::file(doing, "/proc", fault))?;
        look::identify(&proc, pid)
    }
}

/// The file that keeps a network namespace for pasta, beside the file for its pid.
#[must_use]
pub fn held(pid_file: &Path) -> PathBuf {
    pid_file.with_extension("netns")
}

fn failed(doing: &str, output: &std::process::Output, ports: &[Port]) -> Error {
    let said = String::from_utf8_lossy(&output.stderr);
    // An older one complains that there is no system log.
    let said = said
        .lines()
        .rfind(|line| !line.trim().is_empty() && !line.contains("to syslog"));
    let cause = Cause::Exited {
        status: output.status.code().unwrap_or_default(),
        last_line: said.map(str::to_owned),
    };
    if said.is_some_and(|said| said.contains("tun socket")) {
        return Error::new(doing, Object::Nothing, cause)
            .hint("let users open the device: chmod 0666 /dev/net/tun, as udev does");
    }
    let error = Error::new(doing, Object::Nothing, cause);
    match ports.first() {
        Some(port) => error.hint(format!(
            "see whether a program has {}/{} or another of its ports",
            port.host,
            name(port.protocol)
        )),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::{MapsTheHost, Pasta, Port};
    use crate::sys::port::Protocol;
    use std::path::Path;

    #[test]
    fn nothing_is_forwarded_that_was_not_asked_for() {
        let pasta = Pasta {
            program: "/usr/bin/pasta".into(),
            maps_the_host: MapsTheHost::No,
        };
        let port = |protocol, ip: Option<&str>, host| Port {
            protocol,
            ip: ip.map(|ip| ip.parse().unwrap()),
            host,
            container: 80,
        };
        let line = |ports: &[Port]| {
            let all = pasta.arguments(ports, 7, Path::new("/run/p"));
            let words: Vec<String> = all
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            words.join(" ")
        };
        let begin = "--config-net --quiet --no-map-gw -T none -U none --dns-forward 169.254.1.1";
        assert_eq!(line(&[]), format!("{begin} -t none -u none --pid /run/p 7"));
        let ports = [
            port(Protocol::Tcp, None, 8080),
            port(Protocol::Tcp, Some("127.0.0.1"), 81),
        ];
        assert_eq!(
            line(&ports),
            format!("{begin} -t 8080:80 -t 127.0.0.1/81:80 -u none --pid /run/p 7")
        );
        assert!(line(&[port(Protocol::Udp, Some("0.0.0.0"), 53)]).contains("-t none -u 53:80 "));
    }
}
