//! The monitor: one small process beside each running container, as conmon is for podman.
//!
//! ```text
//!  front ══ frames ══▶ monitor ──calls──▶ orbital create, start, delete
//!                         ║ pipes or a terminal, log.json, record.json, the socket `attach`
//!                         ▼
//!                     the container's first process, whose parent it becomes
//! ```
//!
//! It outlives its front, holds the container's streams and root file system, writes the log, and records the
//! end; with `--rm` it removes all. Killed, it leaves a container that runs on and that `rm -f` removes whole.
//! What it does not do: decide what was asked for (that is in the record), or speak to anybody but by frames.

/// From the record to a running program.
mod launch;

/// Its network.
pub(crate) mod net;

/// A user's network namespace, before there is a container in it.
pub(crate) mod holder;

/// Its standard streams.
mod streams;

/// Those who look on.
mod peers;

/// What it wrote, as docker's json-file.
pub(crate) mod log;

/// The loop.
mod serve;

/// The end: tidied, recorded, told.
pub(crate) mod end;

use super::container::record::{Born, Record};
use super::container::shelf::Shelf;
use super::places::Places;
use super::wire::Frame;
use super::{Failed, Outcome, inside, rootfs};
use crate::error::{Error, Object, Result};
use crate::sys::{process, socket};
use nix::sys::signal::{SigSet, Signal};
use peers::Peers;
use serde_json::json;
use std::os::fd::{AsFd, OwnedFd};

/// The verb by which the engine calls itself.
pub(crate) const VERB: &str = "monitor";

/// Runs the container of this id to its end. Standard input is the socket to whoever started it.
///
/// # Errors
/// None that anybody would see: failures go to the front by a frame, and into the record.
pub(crate) fn monitor(id: &str, places: &Places) -> Outcome {
    let front = std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| Error::io("take the socket", "standard input", "fcntl", &error))?;
    let shelf = Shelf::new(places);
    let mut peers = Peers::default();
    peers.add(front);
    let outcome = life(&shelf, id, &mut peers);
    if let Err(failed) = &outcome {
        let report = told(failed);
        // With --rm there is no record any more, ignored.
        let _ = shelf.change(id, |record| {
            report["line"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut record.life.error)
        });
        peers.tell(Frame::Failed(report.to_string().as_bytes()));
    }
    peers.flush();
    Ok(0)
}

fn life(shelf: &Shelf, id: &str, peers: &mut Peers) -> std::result::Result<(), Failed> {
    stand_alone()?;
    inside::enter_shared(shelf)?;
    let own = Born::of(process::own_pid());
    let mut record = shelf.change(id, |record| {
        record.life.monitor = own;
        record.life.error.clear();
        record.life.finished.clear();
        record.life.started.clear();
        record.life.process = None;
    })?;
    // Before the mounts are our own: the file that keeps a network namespace is the host's to see.
    let host = rootfs::Mounts::remember();
    let mut launched = match launch::launch(shelf, &mut record, peers) {
        Ok(launched) => launched,
        Err(failed) => {
            host.return_to();
            end::finish(shelf, id, i32::from(failed.status));
            return Err(failed);
        }
    };
    peers.tell(Frame::Started);
    let status = serve::serve(&mut launched, peers)?;
    drop(launched);
    host.return_to();
    end::finish(shelf, id, status);
    peers.tell(Frame::Ended(status));
    Ok(())
}

/// A session of its own; signals meant for the front's terminal or shell do not end it; orphans of the
/// container become its children, so that it learns how the first process ends.
fn stand_alone() -> Result<()> {
    let told = |what: &str, errno: nix::errno::Errno| {
        Error::io(
            what,
            "monitor",
            "prctl",
            &std::io::Error::from_raw_os_error(errno as i32),
        )
    };
    // Whoever leads a session already has what it wants, ignored.
    let _ = process::new_session();
    nix::sys::prctl::set_child_subreaper(true).map_err(|errno| told("adopt orphans", errno))?;
    let mut held = SigSet::empty();
    for signal in [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGPIPE,
    ] {
        held.add(signal);
    }
    held.thread_block()
        .map_err(|errno| told("hold signals back", errno))
}

/// A failure as it travels to the front.
fn told(failed: &Failed) -> serde_json::Value {
    let report = failed.error.report();
    let words = match &report.object {
        Object::Nothing => String::new(),
        object => object.words().unwrap_or_default(),
    };
    let also: Vec<String> = report.also.iter().map(Error::one_line).collect();
    json!({
        "status": failed.status,
        "doing": report.doing,
        "at": words,
        "cause": report.cause.to_string(),
        "hint": report.hint,
        "also": also,
        "line": failed.error.one_line(),
    })
}

/// A socket at which more fronts may arrive.
fn listen(shelf: &Shelf, record: &Record) -> Result<OwnedFd> {
    let path = shelf.socket(&record.id);
    // That of an earlier life, ignored where there was none.
    let _ = std::fs::remove_file(&path);
    socket::listen(&path).map_err(|fault| Error::file("listen for those who attach", path, fault))
}
