//! The container's word that it is ready, handed on to whoever called orbital (sd_notify(3)).
//!
//! The socket in the container is ours and lives as long as `start` or `run` does: only `READY=1` is handed
//! on, with the pid that the service manager is to watch, as nothing else that a container says is its
//! business. `create` leaves nobody behind; so `start` waits for the word.

use crate::cli::Notify;
use crate::error::{Error, Result};
use crate::plan::inherited::SOCKET;
use crate::state::Seat;
use crate::state::dir::NOTIFY;
use crate::sys::{At, Call, Fault, file, pidfd, socket};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// How long a service manager may take to say that it has read everything; as systemd-notify(1).
const BARRIER_SECONDS: i64 = 30;

/// Both ends.
#[derive(Debug)]
pub struct Proxy {
    container: OwnedFd,
    host: OwnedFd,
}

impl Proxy {
    /// Connects to the caller's socket and listens for the container.
    ///
    /// # Errors
    /// A socket of the caller's where nobody listens; a folder that is not there.
    pub fn open(notify: &Notify) -> Result<Proxy> {
        let doing = "connect to NOTIFY_SOCKET";
        let host = match notify.host.as_bytes().strip_prefix(b"@") {
            Some(name) => socket::connect_abstract(name),
            None => socket::connect(Path::new(&notify.host), rustix::net::SocketType::DGRAM),
        };
        let host = host.map_err(|fault| {
            Error::file(doing, &notify.host, fault)
                .hint("unset NOTIFY_SOCKET where no service manager listens")
        })?;
        let path = notify.folder.join(SOCKET);
        let told = |fault| Error::file("listen for the container's word", &path, fault);
        // One that is left of a start that was killed.
        let _ = std::fs::remove_file(&path);
        let container = socket::bind_datagram(&path).map_err(told)?;
        // Whoever the process is in the container may write; nobody else comes by.
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&path, everybody)
            .at(Call::Fchmod)
            .map_err(told)?;
        Ok(Proxy { container, host })
    }

    /// The container's end, to be polled.
    pub fn container(&self) -> BorrowedFd<'_> {
        self.container.as_fd()
    }

    /// Takes one datagram of the container's; whether it says that it is ready.
    ///
    /// # Errors
    /// As recvmsg(2).
    pub fn hears_ready(&self) -> std::result::Result<bool, Fault> {
        let mut buffer = [0u8; 4096];
        let length = socket::receive(&self.container, &mut buffer)?;
        let said = buffer.get(..length).unwrap_or_default();
        Ok(said
            .split(|byte| *byte == b'\n')
            .any(|line| line == b"READY=1"))
    }

    /// Tells the host that the service is ready, and which process to watch.
    ///
    /// # Errors
    /// As sendmsg(2).
    pub fn hand_on(&self, pid: i32) -> std::result::Result<(), Fault> {
        socket::send(&self.host, format!("MAINPID={pid}\nREADY=1").as_bytes())
    }

    /// Waits until the container is ready or ends, hands its word on, and waits until that has been read: a
    /// service manager has to find the sender alive.
    ///
    /// # Errors
    /// As poll(2) and sendmsg(2).
    pub fn wait(&self, pid: i32) -> Result<()> {
        let waited = self.until_ready(pid).and_then(|ready| match ready {
            true => self.hand_on(pid).and_then(|()| self.barrier()),
            false => Ok(()),
        });
        waited.map_err(|fault| {
            let object = crate::error::Object::Process(pid);
            Error::new("hand the container's word on", object, fault.into())
        })
    }

    fn until_ready(&self, pid: i32) -> std::result::Result<bool, Fault> {
        let process = match pidfd::open(pid) {
            Err(fault) if fault.errno == libc::ESRCH => return Ok(false),
            other => other?,
        };
        loop {
            let mut fds = [
                PollFd::new(&self.container, PollFlags::IN),
                PollFd::new(&process, PollFlags::IN),
            ];
            rustix::io::retry_on_intr(|| poll(&mut fds, None)).at(Call::Poll)?;
            let [word, end] = fds.map(|fd| !fd.revents().is_empty());
            if word && self.hears_ready()? {
                return Ok(true);
            }
            if end && !word {
                return Ok(false);
            }
        }
    }

    /// The pipe's other end is closed by whoever has read all that came before it.
    fn barrier(&self) -> std::result::Result<(), Fault> {
        let (read, write) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).at(Call::Socketpair)?;
        socket::send_descriptor(&self.host, b"BARRIER=1", write.as_fd())?;
        drop(write);
        let limit = Timespec {
            tv_sec: BARRIER_SECONDS,
            tv_nsec: 0,
        };
        let mut fds = [PollFd::new(&read, PollFlags::IN)];
        match rustix::io::retry_on_intr(|| poll(&mut fds, Some(&limit))).at(Call::Poll)? {
            0 => tracing::debug!("the service manager did not answer the barrier, ignored"),
            _ => drop(file::read_once(&read, &mut [0u8; 1])),
        }
        Ok(())
    }
}

/// Both ends, for `start`: the caller's socket and the folder that `create` has made.
///
/// # Errors
/// As [`Proxy::open`].
pub fn of(seat: &Seat) -> Result<Option<Proxy>> {
    let folder = seat.path.join(NOTIFY);
    let host = std::env::var_os("NOTIFY_SOCKET").filter(|path| path != OsStr::new(""));
    let found = host
        .filter(|_| folder.is_dir())
        .map(|host| Notify { host, folder });
    found.as_ref().map(Proxy::open).transpose()
}
