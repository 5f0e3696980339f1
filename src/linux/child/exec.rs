//! The program: found, waited for, executed.

use super::hook;
use crate::linux::failure::{Failure, Kind, Miss, Of, Record};
use crate::linux::gates;
use crate::linux::held::{Held, StartGate};
use crate::linux::step::Step;
use crate::plan::Plan;
use crate::sys::{Call, Fault, exec, process, socket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// The first candidate that this user may execute here; its index in the plan.
pub fn find(p: &Plan) -> Result<usize, Miss> {
    if p.process.argv.is_empty() {
        // There is none, and `start` will say so.
        return Ok(0);
    }
    let mut worst = Fault {
        call: Call::Faccessat,
        errno: libc::ENOENT,
    };
    for (index, candidate) in p.process.candidates.iter().enumerate() {
        match exec::may_execute(candidate) {
            Ok(()) => return Ok(index),
            // Of all reasons the one that is not mere absence tells most.
            Err(fault) if worst.errno == libc::ENOENT => worst = fault,
            Err(_) => {}
        }
    }
    Err(worst.into())
}

/// Closes everything but what is left to do needs, and marks that to be closed by execve: neither the
/// caller's descriptors nor ours into the host wait with this process. And lets signals end that wait: here, as a
/// seccomp filter follows.
pub fn close_on_exec(p: &Plan, h: &Held, root: &OwnedFd) -> Result<(), Fault> {
    process::end_on_signals();
    close_what_is_left(p, h, root)
}

/// The same for a process that signals end anyhow.
pub fn close_what_is_left(p: &Plan, h: &Held, root: &OwnedFd) -> Result<(), Fault> {
    if super::seccomp::is_early(p) {
        // The others are closed already: by a call that the filter may not know.
        exec::close_copy(root)?;
        return exec::close_copy(&*h.proc);
    }
    let gate = h.gate.as_raw_fd();
    close_all(p, h, [gate, gate])
}

/// The same before an early filter, but for what the steps between need.
pub fn close_before_filter(p: &Plan, h: &Held, root: &OwnedFd) -> Result<(), Fault> {
    if super::seccomp::is_early(p) {
        close_all(p, h, [root.as_raw_fd(), h.proc.as_fd().as_raw_fd()])
    } else {
        Ok(())
    }
}

fn close_all(p: &Plan, h: &Held, also: [i32; 2]) -> Result<(), Fault> {
    let first = 3 + p.process.preserve_fds;
    let listener = match &h.start {
        StartGate::Listener(listener) => listener.as_raw_fd(),
        StartGate::Connection => h.gate.as_raw_fd(),
    };
    let gate = h.gate.as_raw_fd();
    let file = |fd: &Option<OwnedFd>| fd.as_ref().map_or(gate, AsRawFd::as_raw_fd);
    let [input, output, out, err] = match &h.documents {
        Some(documents) => [
            documents.created.as_raw_fd(),
            documents.output.as_raw_fd(),
            file(&documents.files.stdout),
            file(&documents.files.stderr),
        ],
        None => [gate; 4],
    };
    let [one, other] = also;
    let mut kept = [gate, listener, input, output, out, err, one, other];
    exec::close_all_but(first, &mut kept)?;
    exec::close_on_exec_from(first)
}

/// Gate D, both ways: the parent's answer means that the record is on disk, so that we may outlive it.
pub fn ready(h: &Held) -> Result<(), Fault> {
    gates::report(&h.gate, Record::gate(Kind::Ready))?;
    gates::pass(&h.gate, Kind::Remembered)
}

/// Gate E. Returns the connection of whoever starts us, where that is not our parent.
pub fn wait_for_start(h: &Held) -> Result<Option<OwnedFd>, Fault> {
    match &h.start {
        StartGate::Connection => gates::pass(&h.gate, Kind::Start).map(|()| None),
        StartGate::Listener(listener) => loop {
            let caller = socket::accept(listener)?;
            // Somebody who connects and says nothing (a `start` that was killed) does not start us.
            if gates::pass(&caller, Kind::Start).is_ok() {
                return Ok(Some(caller));
            }
        },
    }
}

/// The last two steps. Returns only if one failed.
pub fn last(p: &Plan, h: &Held, program: usize) -> Failure {
    if let Err(miss) = hook::start_container(h) {
        return Failure {
            step: Step::StartContainer,
            miss,
        };
    }
    let fault = match p.process.candidates.get(program) {
        Some(path) => exec::replace(path, &h.argv, &h.envp),
        None => Fault {
            call: Call::Execve,
            errno: libc::ENOENT,
        },
    };
    let miss = Err::<(), Fault>(fault).of(program).err();
    Failure {
        step: Step::Execute,
        miss: miss.unwrap_or(Miss::from(fault)),
    }
}

/// Tells a failure to whoever started us; on success execve closes that connection, which says so.
pub fn tell(h: &Held, caller: Option<OwnedFd>, failure: Failure) -> Failure {
    let told = match &caller {
        Some(caller) => gates::report(caller, failure.into()),
        None => gates::report(&h.gate, failure.into()),
    };
    // Whoever started us may be gone; then nobody is left to be told, ignored.
    let _ = told;
    // After the failure itself: a filter may end us here. `create`, where it still is, has a copy of its own.
    if let (Step::StartContainer, Some(caller), Some(documents)) =
        (failure.step, &caller, &h.documents)
    {
        let _ = socket::send_descriptor(caller, &[0], documents.output.as_fd());
    }
    failure
}
