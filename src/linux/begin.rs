//! The last gate, opened from the outside: by a later `orbital start`, or by the `run` that made the container.

use super::birth::Born;
use super::failure::{Kind, Record as Bytes};
use super::gates::{self, Arrival};
use super::step::Step;
use super::{ask, explain};
use crate::cli::{Create, Manager};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::state::{Record, Seat};
use crate::sys::{Fault, socket};
use rustix::net::SocketType;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What a container without a process is told.
#[must_use]
pub fn missing() -> Error {
    crate::plan::process::missing()
}

/// The gate of a container that another invocation has made.
///
/// # Errors
/// As connect(2).
pub fn reach(seat: &Seat, _: &Record, doing: &str) -> Result<OwnedFd> {
    let path = seat.start_socket();
    socket::connect(&path, SocketType::SEQPACKET).map_err(|fault| Error::file(doing, &path, fault))
}

/// Opens it, and returns when the program has begun.
///
/// # Errors
/// A startContainer hook that failed; a program that could not be executed.
pub fn later(gate: OwnedFd, _: &Seat, record: &Record) -> Result<()> {
    open_gate(gate, &|bytes, output| self::told(record, bytes, output))
}

/// The same for a container of this invocation's.
///
/// # Errors
/// As [`later`].
pub fn ourselves(born: &Born, plan: &Plan, _: &Seat, record: &Record) -> Result<()> {
    let told = |bytes: &_, _: Option<BorrowedFd<'_>>| {
        let printed = born.documents.as_ref();
        explain::record(plan, bytes, printed.map(super::held::Documents::printed))
    };
    let quoted = |error: Error| match crate::spec::load(&record.bundle) {
        Ok(bundle) => error.quoting(&bundle.raw),
        Err(_) => error,
    };
    open_gate(&born.gate, &told).map_err(quoted)
}

/// Words for a failure, beside which there may be what hooks have printed.
type Explain<'a> = dyn Fn(&Bytes, Option<BorrowedFd<'_>>) -> Error + 'a;

/// Opens gate E and waits for what comes: the connection that closes when the program begins, or a failure.
///
/// # Errors
/// The failed step, as `explain` tells it; what socket calls answered.
fn open_gate(gate: impl AsFd, explain: &Explain<'_>) -> Result<()> {
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
