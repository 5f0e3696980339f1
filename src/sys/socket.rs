//! Records over SEQPACKET sockets, and descriptors beside them (SCM_RIGHTS); unix(7).

use super::{At, Call, Fault};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Two ends of one connection; socketpair(2).
///
/// # Errors
/// EMFILE and the like.
pub fn pair() -> Result<(OwnedFd, OwnedFd), Fault> {
    rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .at(Call::Socketpair)
}

/// Sends one record; a reader that is gone is EPIPE, not a signal.
///
/// # Errors
/// As sendmsg(2).
pub fn send(socket: impl AsFd, record: &[u8]) -> Result<(), Fault> {
    rustix::io::retry_on_intr(|| rustix::net::send(&socket, record, SendFlags::NOSIGNAL))
        .at(Call::Sendmsg)
        .map(drop)
}

/// Receives one record into `buffer`; 0 bytes mean that the other end is closed. By read(2), as a seccomp
/// filter may be in force that denies the calls for sockets.
///
/// # Errors
/// As recvmsg(2).
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<usize, Fault> {
    super::file::read_once(socket, buffer)
}

/// Sends one descriptor with a few bytes beside it; returns how many of them went with it.
///
/// # Errors
/// As sendmsg(2).
pub fn send_descriptor(
    socket: impl AsFd,
    bytes: &[u8],
    descriptor: BorrowedFd<'_>,
) -> Result<usize, Fault> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    rustix::net::sendmsg(
        socket,
        &[IoSlice::new(bytes)],
        &mut control,
        SendFlags::NOSIGNAL,
    )
    .at(Call::Sendmsg)
}

/// Sends all of `bytes` over a stream.
///
/// # Errors
/// As sendmsg(2).
pub fn send_all(socket: impl AsFd, bytes: &[u8]) -> Result<(), Fault> {
    let mut sent = 0;
    while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
        let more = || rustix::net::send(&socket, rest, SendFlags::NOSIGNAL);
        sent += rustix::io::retry_on_intr(more).at(Call::Sendmsg)?;
    }
    Ok(())
}

/// Receives one record and the descriptor beside it, if there is one.
///
/// # Errors
/// As recvmsg(2).
pub fn receive_descriptor(
    socket: impl AsFd,
    buffer: &mut [u8],
) -> Result<(usize, Option<OwnedFd>), Fault> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut iov = [IoSliceMut::new(buffer)];
    let message = rustix::io::retry_on_intr(|| {
        rustix::net::recvmsg(&socket, &mut iov, &mut control, RecvFlags::CMSG_CLOEXEC)
    })
    .at(Call::Recvmsg)?;
    let mut found = None;
    for ancillary in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = ancillary {
            found = descriptors.last().or(found);
        }
    }
    Ok((message.bytes, found))
}

/// Waits until something can be received, or the other end is closed, for at most `seconds`; poll(2). True when so.
///
/// # Errors
/// As poll(2).
pub fn speaks_within(socket: impl AsFd, seconds: i64) -> Result<bool, Fault> {
    use rustix::event::{PollFd, PollFlags, Timespec};
    let limit = Timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    };
    let mut polled = [PollFd::new(&socket, PollFlags::IN)];
    rustix::io::retry_on_intr(|| rustix::event::poll(&mut polled, Some(&limit)))
        .at(Call::Poll)
        .map(|ready| ready > 0)
}

/// Connects to the socket at `path`, however long: a path beyond 107 bytes goes by its directory's
/// descriptor (unix(7), sun_path).
///
/// # Errors
/// ENOENT, ECONNREFUSED where nobody listens, EPROTOTYPE for a socket of another kind.
pub fn connect(path: &Path, kind: SocketType) -> Result<OwnedFd, Fault> {
    let socket = rustix::net::socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)
        .at(Call::Socket)?;
    with_address(path, |address| {
        rustix::net::connect(&socket, address).at(Call::Connect)
    })?;
    Ok(socket)
}

/// Listens at the new path `path` for one SEQPACKET connection.
///
/// # Errors
/// EADDRINUSE where the name exists, ENOENT, EACCES.
pub fn listen(path: &Path) -> Result<OwnedFd, Fault> {
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .at(Call::Socket)?;
    with_address(path, |address| {
        rustix::net::bind(&socket, address).at(Call::Bind)
    })?;
    rustix::net::listen(&socket, 1).at(Call::Listen)?;
    Ok(socket)
}

/// Connects to the DGRAM socket of this abstract name; unix(7).
///
/// # Errors
/// ECONNREFUSED where nobody has it.
pub fn connect_abstract(name: &[u8]) -> Result<OwnedFd, Fault> {
    let kind = SocketType::DGRAM;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)
        .at(Call::Socket)?;
    let address = rustix::net::SocketAddrUnix::new_abstract_name(name).at(Call::Connect)?;
    rustix::net::connect(&socket, &address).at(Call::Connect)?;
    Ok(socket)
}

/// Receives datagrams at the new path `path`.
///
/// # Errors
/// EADDRINUSE where the name exists, ENOENT, EACCES.
pub fn bind_datagram(path: &Path) -> Result<OwnedFd, Fault> {
    let kind = SocketType::DGRAM;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)
        .at(Call::Socket)?;
    with_address(path, |address| {
        rustix::net::bind(&socket, address).at(Call::Bind)
    })?;
    Ok(socket)
}

/// Waits for a connection; accept4(2).
///
/// # Errors
/// As accept4(2).
pub fn accept(listener: impl AsFd) -> Result<OwnedFd, Fault> {
    rustix::io::retry_on_intr(|| rustix::net::accept_with(&listener, SocketFlags::CLOEXEC))
        .at(Call::Accept)
}

fn with_address<T>(
    path: &Path,
    act: impl FnOnce(&rustix::net::SocketAddrUnix) -> Result<T, Fault>,
) -> Result<T, Fault> {
    use rustix::fs::{CWD, Mode, OFlags};
    use std::os::fd::AsRawFd;
    if let Ok(address) = rustix::net::SocketAddrUnix::new(path) {
        return act(&address);
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Fault {
            call: Call::Connect,
            errno: libc::EINVAL,
        });
    };
    let directory = rustix::fs::openat(
        CWD,
        directory,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .at(Call::Openat)?;
    let short = format!("/proc/self/fd/{}/{}", directory.as_raw_fd(), name.display());
    act(&rustix::net::SocketAddrUnix::new(short).at(Call::Connect)?)
}
