//! Those who look on. Nobody is waited for, until what somebody has not read yet is too much: then the
//! container's output waits.

use crate::engine::wire::Frame;
use crate::sys::socket;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;

/// Frames that wait for one reader before the container's output waits too.
const MOST_WAITING: usize = 64;

/// One of them.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) socket: OwnedFd,
    shown: Shown,
    queue: VecDeque<Vec<u8>>,
    gone: bool,
}

/// Whether somebody wants the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    All,
    OnlyTheEnd,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Peers {
    pub(super) all: Vec<Peer>,
}

impl Peers {
    /// One more. It sees no output until it asks.
    pub(super) fn add(&mut self, socket: OwnedFd) {
        // A socket that cannot be told not to block would only be slower, ignored.
        let _ = fcntl_setfl(&socket, OFlags::NONBLOCK);
        self.all.push(Peer {
            socket,
            shown: Shown::OnlyTheEnd,
            queue: VecDeque::new(),
            gone: false,
        });
    }

    /// Sends a frame to all: output only to those who want it.
    pub(super) fn tell(&mut self, frame: Frame<'_>) {
        let is_output = matches!(frame, Frame::Output(_) | Frame::Error(_));
        for peer in &mut self.all {
            if !is_output || peer.shown == Shown::All {
                peer.queue.push_back(frame.to_bytes());
                peer.send();
            }
        }
        self.all.retain(|peer| !peer.gone);
    }

    /// Whether the container's output has to wait for a reader.
    pub(super) fn are_full(&self) -> bool {
        self.all.iter().any(|peer| peer.queue.len() > MOST_WAITING)
    }

    /// Waits until all have what was sent to them, or are gone.
    pub(super) fn flush(&mut self) {
        loop {
            for peer in &mut self.all {
                peer.send();
            }
            self.all.retain(|peer| !peer.gone && !peer.queue.is_empty());
            if self.all.is_empty() {
                return;
            }
            let mut polled: Vec<PollFd<'_>> = self
                .all
                .iter()
                .map(|peer| PollFd::new(&peer.socket, PollFlags::OUT))
                .collect();
            let limit = Timespec {
                tv_sec: 5,
                tv_nsec: 0,
            };
            // An interruption is another turn, ignored.
            let _ = poll(&mut polled, Some(&limit));
        }
    }
}

impl Peer {
    /// Whether something waits to be sent.
    pub(super) fn has_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Sends what the socket takes.
    pub(super) fn send(&mut self) {
        while let Some(first) = self.queue.front() {
            match socket::send(&self.socket, first) {
                Ok(()) => drop(self.queue.pop_front()),
                Err(fault) if fault.errno == libc::EAGAIN => return,
                Err(_) => {
                    self.gone = true;
                    return;
                }
            }
        }
    }

    /// The next frame it has sent; none where nothing waits. One that has left is marked.
    pub(super) fn receive<'b>(&mut self, buffer: &'b mut [u8]) -> Option<Frame<'b>> {
        match socket::receive(&self.socket, buffer) {
            Ok(0) => self.gone = true,
            Ok(length) => {
                let frame = Frame::read(buffer.get(..length).unwrap_or_default());
                if frame == Some(Frame::Attach) {
                    self.shown = Shown::All;
                }
                return frame;
            }
            Err(fault) if fault.errno == libc::EAGAIN => {}
            Err(_) => self.gone = true,
        }
        None
    }
}

impl Peers {
    /// Forgets those who have left.
    pub(super) fn forget_gone(&mut self) {
        self.all.retain(|peer| !peer.gone);
    }
}
