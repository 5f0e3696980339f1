//! The protocol between the runtime and the container's process: one table, both ends.
//!
//! | gate | from | record | says |
//! |---|---|---|---|
//! | A | parent | `Mapped` | ids, limits and scores are set |
//! | B | child | `Mounted` | all mounts, devices and the console are there; where hooks wait for it |
//! | C | parent | `Go` | prestart and createRuntime hooks have run; without any it is said before the mounts are there |
//! | – | child | `Network` | beside it a socket of the network namespace that it has made, by which the parent brings lo up |
//! | – | child, parent | `Listening`, `Taken` | the seccomp agent has its listener; where there is one |
//! | D | child | `Ready` | nothing is left but to be started |
//! | D | parent | `Remembered` | the record is on disk: outlive me |
//! | E | `start` | `Start` | run the startContainer hooks and the program |
//!
//! A network namespace that is made ahead comes on a socket of its own, from the thread that makes it (`ahead.rs`).
//!
//! Instead of any of its records the child may send `Failed`. A closed socket where a record was due
//! means that the other side died: the child then ends itself, the parent asks why. So until
//! `Remembered` nothing outlives a runtime that is killed.

use super::failure::{Kind, Record};
use crate::sys::{Call, Fault, file, socket};
use std::os::fd::{AsFd, OwnedFd};

/// What came through a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A record.
    Record(Record),
    /// The other side is gone.
    Closed,
}

/// Sends the record of a gate.
///
/// # Errors
/// EPIPE where the other side is gone.
pub fn announce(socket: impl AsFd, record: Record) -> Result<(), Fault> {
    socket::send(socket, &record.to_bytes())
}

/// The same from the child, whose seccomp filter may be in force: by write(2), which hardly a profile denies,
/// unlike the calls that are for sockets alone. With the other side gone SIGPIPE ends it, which is right too.
///
/// # Errors
/// EPIPE where the other side is gone; what a filter answers.
pub fn report(socket: impl AsFd, record: Record) -> Result<(), Fault> {
    file::write_once(socket, &record.to_bytes())
}

/// Waits for the next record.
///
/// # Errors
/// As read(2); EBADMSG for bytes that are no record.
pub fn next(socket: impl AsFd) -> Result<Arrival, Fault> {
    arrive(|buffer| socket::receive(&socket, buffer))
}

/// The same, with the descriptor beside the record, if there is one.
///
/// # Errors
/// As recvmsg(2), and as [`next`].
pub fn next_with_descriptor(socket: impl AsFd) -> Result<(Arrival, Option<OwnedFd>), Fault> {
    let mut beside = None;
    let arrival = arrive(|buffer| {
        let (length, descriptor) = socket::receive_descriptor(&socket, buffer)?;
        beside = descriptor;
        Ok(length)
    })?;
    Ok((arrival, beside))
}

fn arrive(mut receive: impl FnMut(&mut [u8]) -> Result<usize, Fault>) -> Result<Arrival, Fault> {
    let mut buffer = [0u8; 16];
    let mut received = receive(&mut buffer);
    if let Err(Fault {
        errno: libc::ECONNRESET,
        ..
    }) = received
    {
        // The peer ended with unread records in its queue, and that is told first and once; what it
        // had sent before is still there.
        received = receive(&mut buffer);
    }
    let length = match received {
        Ok(0)
        | Err(Fault {
            errno: libc::ECONNRESET,
            ..
        }) => return Ok(Arrival::Closed),
        Ok(length) => length,
        Err(fault) => return Err(fault),
    };
    let record = buffer.get(..length).and_then(Record::from_bytes);
    record.map(Arrival::Record).ok_or(Fault {
        call: Call::Read,
        errno: libc::EBADMSG,
    })
}

/// Waits in the child for a gate of this kind; a parent that is gone or says something else is ECANCELED.
///
/// # Errors
/// ECANCELED, and as [`next`].
pub fn pass(socket: impl AsFd, kind: Kind) -> Result<(), Fault> {
    if answer(socket)? == kind {
        return Ok(());
    }
    Err(AWAY)
}

/// The same, with the descriptor beside the record, if there is one.
///
/// # Errors
/// As [`pass`].
pub fn pass_with_descriptor(socket: impl AsFd, kind: Kind) -> Result<Option<OwnedFd>, Fault> {
    match next_with_descriptor(socket)? {
        (Arrival::Record(record), beside) if record.kind == kind => Ok(beside),
        _ => Err(AWAY),
    }
}

/// Waits in the child for what the parent answers.
///
/// # Errors
/// As [`pass`].
pub fn answer(socket: impl AsFd) -> Result<Kind, Fault> {
    match next(socket)? {
        Arrival::Record(record) => Ok(record.kind),
        Arrival::Closed => Err(AWAY),
    }
}

const AWAY: Fault = Fault {
    call: Call::Read,
    errno: libc::ECANCELED,
};

/// Closes the child's copy of the parent's end, so that a parent that dies closes the last one.
///
/// # Errors
/// As dup2(2).
pub fn forget(parents_end: impl AsFd) -> Result<(), Fault> {
    crate::sys::exec::close_copy(parents_end)
}

#[cfg(test)]
mod tests {
    use super::{Arrival, Kind, Record, announce, next};
    use crate::sys::socket;

    #[test]
    fn the_last_record_of_a_peer_that_ended_unasked_is_heard() {
        let (ours, theirs) = socket::pair().unwrap();
        announce(&ours, Record::gate(Kind::Go)).unwrap();
        announce(&theirs, Record::gate(Kind::Mounted)).unwrap();
        drop(theirs);
        let mounted = Arrival::Record(Record::gate(Kind::Mounted));
        assert_eq!(next(&ours).unwrap(), mounted);
        assert_eq!(next(&ours).unwrap(), Arrival::Closed);
    }
}
