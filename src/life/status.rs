//! Record and kernel → status: what a container is at this moment, for every verb that needs to know.

use crate::backend::look::{self, Host};
use crate::error::Result;
use crate::state::{Record, Seat, Status, status};

/// A container as it is at this moment.
pub(super) type Now = status::Now<Host>;

/// Reads the record and asks the kernel.
///
/// # Errors
/// A record that is not ours; a kernel that does not answer.
pub(super) fn now(seat: &Seat) -> Result<Now> {
    let host = look::host()?;
    let record = seat.record()?;
    let status = of(seat, record.as_ref(), &host)?;
    let process = record.as_ref().and_then(|record| record.process);
    let pid = process.map_or(0, |process| process.pid);
    Ok(Now {
        record,
        status,
        pid,
        host,
    })
}

/// What the container is at this moment.
///
/// # Errors
/// A kernel that does not answer.
pub(super) fn of(seat: &Seat, record: Option<&Record>, host: &Host) -> Result<Status> {
    let Some(record) = record else {
        return Ok(if seat.is_locked() {
            Status::Creating
        } else {
            Status::Stopped
        });
    };
    let Some(process) = record.process else {
        // A `create` that was killed left this; its child ended itself at the next gate.
        return Ok(if seat.is_locked() {
            Status::Creating
        } else {
            Status::Stopped
        });
    };
    Ok(look::lives(host, record, process)?.unwrap_or(Status::Stopped))
}
