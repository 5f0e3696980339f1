//! `orbital start`: open the last gate.

use super::notify::Proxy;
use super::{Verb, check};
use crate::cli::{Create, Manager};
use crate::error::{Error, Result};
use crate::linux::failure::{Kind, Record as Bytes};
use crate::linux::gates::{self, Arrival};
use crate::linux::parent::hooks;
use crate::linux::step::Step;
use crate::linux::{ask, explain};
use crate::plan::{Plan, process};
use crate::state::record::Program;
use crate::state::status::{self, Now};
use crate::state::{Home, Record, Seat, oci};
use crate::sys::{Fault, socket};
use rustix::net::SocketType;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Lets the container's program begin, and returns when it has.
///
/// # Errors
/// A container that is not created, or was created without a process; a startContainer or poststart hook that failed, which ends the
/// container; a program that could not be executed.
pub fn start(id: &str, home: &Home) -> Result<()> {
    let doing = format!("start {id}");
    let seat = home.take(&doing, id)?;
    let Now {
        record,
        status,
        pid,
        proc,
    } = status::now(&seat)?;
    check(Verb::Start, id, status, pid)?;
    let Some(record) = record else {
        return Err(Error::container(doing, id, "it has no record"));
    };
    if record.program == Program::Missing {
        // It waits for what can never come: it is stopped, for `delete` to remove.
        return Err(process::missing().also(super::delete::end(&record, &proc).err()));
    }

    let folder = seat.path.join(crate::state::dir::NOTIFY);
    let notify = super::notify::found(&folder);
    let proxy = notify.as_ref().map(Proxy::open).transpose()?;
    let path = seat.start_socket();
    let gate = socket::connect(&path, SocketType::SEQPACKET)
        .map_err(|fault| Error::file(&doing, &path, fault))?;
    open_gate(gate, &|bytes, output| told(&record, bytes, output))
        .or_else(|error| super::delete::after_failure(&seat, &record, error))?;
    poststart(&seat, &record)?;
    // Others may look at the container and end it while it comes up.
    drop(seat);
    proxy.map_or(Ok(()), |proxy| proxy.wait(pid))
}

/// Words for a failure, beside which there may be what hooks have printed.
type Explain<'a> = dyn Fn(&Bytes, Option<BorrowedFd<'_>>) -> Error + 'a;

/// Opens gate E and waits for what comes: the connection that closes when the program begins, or a failure.
///
/// # Errors
/// The failed step, as `explain` tells it; what socket calls answered.
pub fn open_gate(gate: impl AsFd, explain: &Explain<'_>) -> Result<()> {
    let plain = |fault: Fault| {
        Error::new(
            "open the last gate",
            crate::error::Object::Nothing,
            fault.into(),
        )
    };
    gates::announce(&gate, Bytes::gate(Kind::Start)).map_err(plain)?;
    loop {
        match gates::next(&gate).map_err(plain)? {
            Arrival::Closed => return Ok(()),
            Arrival::Record(bytes) if bytes.kind == Kind::Passed => {}
            Arrival::Record(bytes) => {
                let output = printed(&gate, &bytes);
                return Err(explain(&bytes, output.as_ref().map(AsFd::as_fd)));
            }
        }
    }
}

/// What follows a failed startContainer hook: the file that it printed to, unless a filter kept it back.
fn printed(gate: impl AsFd, bytes: &Bytes) -> Option<OwnedFd> {
    if Step::from_number(bytes.step) != Some(Step::StartContainer) {
        return None;
    }
    let (_, file) = socket::receive_descriptor(gate, &mut [0]).ok()?;
    file
}

/// Runs the poststart hooks; one that fails ends the container (config.md, "Poststart").
///
/// # Errors
/// The hook that failed.
pub fn poststart(seat: &Seat, record: &Record) -> Result<()> {
    let pid = record.process.map_or(0, |process| process.pid);
    let document = oci::document(record, pid, "running").to_string();
    let list: Vec<_> = record
        .poststart
        .iter()
        .map(crate::state::record::Kept::hook)
        .collect();
    let ran = record.hook_outputs().and_then(|outputs| {
        let document = document.as_bytes();
        hooks::run_in(&list, "poststart", &record.bundle, document, &outputs)
    });
    ran.or_else(|error| super::delete::after_failure(seat, record, error))
}

/// The plan is not kept: whoever created the container has gone. It is made again from the bundle, only
/// to tell the failure; where that is no longer possible, the step alone is told.
fn told(record: &Record, bytes: &Bytes, output: Option<BorrowedFd<'_>>) -> Error {
    match plan_again(record) {
        Ok((plan, raw)) => explain::record(&plan, bytes, output).quoting(&raw),
        Err(_) => {
            let step = Step::from_number(bytes.step);
            let fault = Fault {
                call: crate::sys::Call::from_number(bytes.call),
                errno: bytes.errno,
            };
            let words = step.map_or("open the last gate", Step::words);
            Error::new(
                words,
                crate::error::Object::Container(record.id.clone()),
                fault.into(),
            )
        }
    }
}

fn plan_again(record: &Record) -> Result<(Plan, Vec<u8>)> {
    let bundle = crate::spec::load(&record.bundle)?;
    let manager = match record.unit {
        Some(_) => Manager::Systemd,
        None => Manager::Cgroupfs,
    };
    let request = Create {
        manager,
        ..Create::of(record.id.clone(), record.bundle.clone())
    };
    let facts = ask::ask(&ask::trust_proc()?, manager)?;
    let plan = crate::plan::plan(&bundle, &facts, &request)?;
    Ok((plan, bundle.raw))
}
