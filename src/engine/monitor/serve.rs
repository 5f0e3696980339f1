//! The loop: output to the log and to those who look on, input and signals from them, until the first process
//! has ended.

use super::log::{Log, Stream};
use super::peers::Peers;
use super::streams::Streams;
use crate::engine::wire::{Frame, MOST};
use crate::error::{Error, Object, Result};
use crate::sys::{Call, Fault, pidfd, socket};
use rustix::event::{PollFd, PollFlags, poll};
use std::os::fd::{AsFd, OwnedFd};

/// What runs, and what serves it.
#[derive(Debug)]
pub(super) struct Launched {
    pub(super) pid: i32,
    pub(super) pidfd: OwnedFd,
    pub(super) listener: OwnedFd,
    pub(super) streams: Streams,
    pub(super) log: Log,
}

/// What a descriptor is polled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Ended,
    Arrived,
    Out,
    Err,
    Hungry,
    Peer(usize),
}

/// Serves to the end, and gives the exit status.
///
/// # Errors
/// As poll(2) and waitid(2).
pub(super) fn serve(launched: &mut Launched, peers: &mut Peers) -> Result<i32> {
    let pid = launched.pid;
    let told = |fault: Fault| Error::new("watch the container", Object::Process(pid), fault.into());
    loop {
        for event in wait(launched, peers).map_err(told)? {
            match event {
                Event::Ended => {
                    let end = pidfd::wait(launched.pidfd.as_fd()).map_err(told)?;
                    last_words(launched, peers);
                    return Ok(end.status());
                }
                Event::Arrived => {
                    if let Ok(peer) = socket::accept(&launched.listener) {
                        peers.add(peer);
                    }
                }
                Event::Out => copy(launched, peers, Stream::Out),
                Event::Err => copy(launched, peers, Stream::Err),
                Event::Hungry => launched.streams.drain(),
                Event::Peer(index) => hear(launched, peers, index),
            }
        }
        peers.forget_gone();
    }
}

fn wait(launched: &Launched, peers: &Peers) -> std::result::Result<Vec<Event>, Fault> {
    let mut events = vec![Event::Ended, Event::Arrived];
    let mut polled = vec![
        PollFd::new(&launched.pidfd, PollFlags::IN),
        PollFd::new(&launched.listener, PollFlags::IN),
    ];
    let streams = &launched.streams;
    if !peers.are_full() {
        for (event, stream) in [(Event::Out, &streams.out), (Event::Err, &streams.err)] {
            if let Some(stream) = stream {
                events.push(event);
                polled.push(PollFd::new(stream, PollFlags::IN));
            }
        }
    }
    if let Some(input) = streams.input().filter(|_| streams.has_waiting()) {
        events.push(Event::Hungry);
        polled.push(PollFd::new(input, PollFlags::OUT));
    }
    for (index, peer) in peers.all.iter().enumerate() {
        // While the program does not take its input, no more of it is read.
        let mut flags = if streams.has_waiting() {
            PollFlags::empty()
        } else {
            PollFlags::IN
        };
        if peer.has_waiting() {
            flags |= PollFlags::OUT;
        }
        if flags.is_empty() {
            continue;
        }
        events.push(Event::Peer(index));
        polled.push(PollFd::new(&peer.socket, flags));
    }
    match poll(&mut polled, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(errno) => {
            return Err(Fault {
                call: Call::Poll,
                errno: errno.raw_os_error(),
            });
        }
    }
    let ready = polled
        .iter()
        .zip(events)
        .filter(|(fd, _)| !fd.revents().is_empty());
    let mut found: Vec<Event> = ready.map(|(_, event)| event).collect();
    // What was written before the end comes before it.
    found.sort_by_key(|event| *event == Event::Ended);
    Ok(found)
}

/// One read of a stream; its end closes it.
fn copy(launched: &mut Launched, peers: &mut Peers, stream: Stream) {
    let mut buffer = [0; MOST - 1];
    let source = match stream {
        Stream::Out => &mut launched.streams.out,
        Stream::Err => &mut launched.streams.err,
    };
    let Some(bytes) = source.as_ref().map(|source| read(source, &mut buffer)) else {
        return;
    };
    match bytes {
        Read::Some(length) => {
            let bytes = buffer.get(..length).unwrap_or_default();
            launched.log.write(stream, bytes);
            peers.tell(match stream {
                Stream::Out => Frame::Output(bytes),
                Stream::Err => Frame::Error(bytes),
            });
        }
        Read::Later => {}
        Read::End => *source = None,
    }
}

enum Read {
    Some(usize),
    Later,
    End,
}

fn read(source: &OwnedFd, buffer: &mut [u8]) -> Read {
    match rustix::io::read(source, buffer) {
        Ok(0) => Read::End,
        Ok(length) => Read::Some(length),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Read::Later,
        // A terminal whose other side is closed answers EIO.
        Err(_) => Read::End,
    }
}

/// What was written and not read when the first process ended.
fn last_words(launched: &mut Launched, peers: &mut Peers) {
    for stream in [Stream::Out, Stream::Err] {
        let mut turns = 0;
        loop {
            let source = match stream {
                Stream::Out => &launched.streams.out,
                Stream::Err => &launched.streams.err,
            };
            let Some(source) = source else {
                break;
            };
            let mut now = [PollFd::new(source, PollFlags::IN)];
            let none = rustix::event::Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            // A process that goes on writing after the first one's end is not waited for.
            if !poll(&mut now, Some(&none)).is_ok_and(|ready| ready > 0) || turns > 4096 {
                break;
            }
            turns += 1;
            copy(launched, peers, stream);
        }
    }
    launched.log.close();
}

/// What somebody who looks on has to say.
pub(super) fn hear(launched: &mut Launched, peers: &mut Peers, index: usize) {
    let mut buffer = [0; MOST];
    let Some(peer) = peers.all.get_mut(index) else {
        return;
    };
    peer.send();
    while !launched.streams.has_waiting() {
        match peer.receive(&mut buffer) {
            Some(Frame::Input(bytes)) => launched.streams.feed(bytes),
            Some(Frame::Resize(rows, columns)) => launched.streams.resize(rows, columns),
            // The process may end at this moment, ignored.
            Some(Frame::Signal(number)) => drop(pidfd::signal(&launched.pidfd, number)),
            Some(_) => {}
            None => return,
        }
    }
}
