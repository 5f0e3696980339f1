//! Terminals: a pair of our own for foreground runs, and the socket on which a runtime hands over
//! the one that it made.

use std::fs::File;
use std::io::{IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use crate::check::{Outcome, eventually};

/// The master's side of a terminal, and all that was read from it.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    master: Arc<File>,
    text: Arc<Mutex<String>>,
}

impl Screen {
    /// Reads the master until its end, in the background.
    pub(crate) fn watch(master: OwnedFd) -> Self {
        let screen = Screen {
            master: Arc::new(File::from(master)),
            text: Arc::default(),
        };
        let reader = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // EIO is how a terminal says that the last slave was closed.
            while let Ok(count @ 1..) = (&*reader.master).read(&mut bytes) {
                let seen =
                    String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()).into_owned();
                reader
                    .text
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&seen);
            }
        });
        screen
    }

    /// Everything read so far.
    pub(crate) fn text(&self) -> String {
        self.text
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Types.
    pub(crate) fn keys(&self, text: &str) -> Outcome {
        std::io::Write::write_all(&mut &*self.master, text.as_bytes())?;
        Ok(())
    }

    /// Changes the size: the terminal's foreground group gets SIGWINCH.
    pub(crate) fn resize(&self, rows: u16, columns: u16) -> Outcome {
        let size = rustix::termios::Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&*self.master, size)?;
        Ok(())
    }

    /// Waits, at most 10 s, until the screen shows `text`.
    pub(crate) fn shows(&self, text: &str) -> Outcome {
        let what = format!("the terminal shows {text:?}");
        eventually(&what, Duration::from_secs(10), || {
            Ok(self.text().contains(text))
        })
        .map_err(|error| format!("{error}; it shows {:?}", self.text()).into())
    }
}

/// A new terminal: the screen, and the other side as a file.
pub(crate) fn pair() -> Outcome<(Screen, File)> {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let slave = nix::fcntl::open(
        ptsname_r(&master)?.as_str(),
        OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC,
        nix::sys::stat::Mode::empty(),
    )?;
    // PtyMaster closes its descriptor itself: duplicate it into a plain one.
    let own = nix::unistd::dup(&master)?;
    Ok((Screen::watch(own), File::from(slave)))
}

/// A console socket: listens at `path` for one descriptor.
#[derive(Debug)]
pub(crate) struct ConsoleSocket {
    pub(crate) path: PathBuf,
    arrived: mpsc::Receiver<Result<(OwnedFd, String), String>>,
}

impl ConsoleSocket {
    /// Listens at `path`, which may be longer than a socket address: its directory is opened then.
    pub(crate) fn listen(path: &Path) -> Outcome<Self> {
        let listener = match UnixListener::bind(path) {
            Ok(listener) => listener,
            Err(_) => {
                use std::os::fd::AsRawFd;
                let dir = File::open(path.parent().ok_or("no directory")?)?;
                let name = path
                    .file_name()
                    .ok_or("no name")?
                    .to_string_lossy()
                    .into_owned();
                UnixListener::bind(format!("/proc/self/fd/{}/{name}", dir.as_raw_fd()))?
            }
        };
        let (sender, arrived) = mpsc::channel();
        std::thread::spawn(move || {
            sender.send(receive(&listener).map_err(|error| error.to_string()))
        });
        Ok(ConsoleSocket {
            path: path.to_path_buf(),
            arrived,
        })
    }

    /// The path as an argument.
    pub(crate) fn arg(&self) -> &str {
        self.path.to_str().unwrap_or_default()
    }

    /// The descriptor that arrived within 5 s, and the text that came with it.
    pub(crate) fn terminal(&self) -> Outcome<(OwnedFd, String)> {
        let answer = self.arrived.recv_timeout(Duration::from_secs(5));
        Ok(answer.map_err(|_| "no terminal arrived on the console socket")??)
    }
}

fn receive(listener: &UnixListener) -> Outcome<(OwnedFd, String)> {
    let (socket, _) = listener.accept()?;
    let mut text = [0; 256];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(
        &socket,
        &mut [IoSliceMut::new(&mut text)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    let count = descriptors.len();
    let words = String::from_utf8_lossy(text.get(..got.bytes).unwrap_or_default()).into_owned();
    match (descriptors.pop(), count) {
        (Some(descriptor), 1) => Ok((descriptor, words)),
        _ => Err(format!("{count} descriptors on the console socket, with {words:?}").into()),
    }
}
