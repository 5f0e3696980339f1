//! The network of a user's containers: pasta carries packets between the container's namespace and sockets of the user,
//! so that no right of root's is needed; passt's pasta(1). It is started between `create` and `start`, when the
//! container's process shows the namespaces that it is to enter.

use super::gate::Waiting;
use super::ledger::name;
use super::place::{Place, held};
use crate::error::{Error, Result};
use crate::sys::port::Protocol;
use std::ffi::OsString;
use std::fs::File;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the container asks for names when the host's name server is on its loopback device; link-local, so that it is
/// nobody else's.
pub const NAME_SERVER: &str = "169.254.1.1";

/// Where the container finds the host, with a pasta that can do that.
pub const HOST: &str = "169.254.1.2";

pub(super) const DOING: &str = "connect the container by pasta";

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
    fn arguments(&self, place: &Place<'_>) -> Vec<OsString> {
        let mut all: Vec<String> = [
            "--foreground",
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
            for port in place.ports.iter().filter(|port| port.protocol == protocol) {
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
        all.extend(["--pid".into(), ready(&place.beside).into()]);
        let held = held(&place.beside);
        if held.exists() {
            // In the user namespace that pasta is in already, and by a file: it may look into no process there. The file
            // goes when the container is in the namespace; pasta stays until it is ended.
            all.extend(["--no-netns-quit".into(), "--netns".into(), held.into()]);
        } else {
            all.push(place.pid.to_string().into());
        }
        all
    }

    /// Lets `waiting` become it, and waits until it carries packets.
    ///
    /// # Errors
    /// What pasta itself says last.
    pub(super) fn serve(&self, waiting: Waiting, place: &Place<'_>) -> Result<()> {
        let path = ready(&place.beside);
        // Of one that was killed, ignored where there was none.
        let _ = std::fs::remove_file(&path);
        let cannot = |call, error: &std::io::Error| Error::io(DOING, &path, call, error);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU)
            .map_err(|errno| cannot("mknodat", &errno.into()))?;
        let fifo = File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&path)
            .map_err(|error| cannot("openat", &error))?;
        waiting.open(&self.program, &self.arguments(place))?;
        let serves = waiting.says(&fifo)?;
        // It has served, ignored.
        let _ = std::fs::remove_file(&path);
        if serves {
            return Ok(());
        }
        let hint = place.ports.first().map(|port| {
            let (host, protocol) = (port.host, name(port.protocol));
            format!("see whether a program has {host}/{protocol} or another of its ports")
        });
        // An older one complains that there is no system log.
        Err(waiting.failed(|line| !line.contains("to syslog"), hint))
    }
}

/// A FIFO to which pasta writes its pid when it serves.
pub(super) fn ready(beside: &Path) -> PathBuf {
    beside.with_extension("pasta")
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Port;
    use super::{MapsTheHost, Pasta, Place};
    use crate::sys::port::Protocol;

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
            let beside = "/run/p".into();
            let all = pasta.arguments(&Place {
                ports,
                pid: 7,
                beside,
            });
            let words: Vec<String> = all
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            words.join(" ")
        };
        let begin = "--foreground --config-net --quiet --no-map-gw -T none -U none --dns-forward 169.254.1.1";
        assert_eq!(
            line(&[]),
            format!("{begin} -t none -u none --pid /run/p.pasta 7")
        );
        let ports = [
            port(Protocol::Tcp, None, 8080),
            port(Protocol::Tcp, Some("127.0.0.1"), 81),
        ];
        assert_eq!(
            line(&ports),
            format!("{begin} -t 8080:80 -t 127.0.0.1/81:80 -u none --pid /run/p.pasta 7")
        );
        assert!(line(&[port(Protocol::Udp, Some("0.0.0.0"), 53)]).contains("-t none -u 53:80 "));
    }
}
