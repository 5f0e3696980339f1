//! `orbital state`: what the container is at this moment.

use crate::error::{Error, Result};
use crate::state::{Home, oci, status};
use crate::sys::proc::Proc;

/// The state document (runtime.md, "Query State"), as pretty JSON.
///
/// # Errors
/// A container that does not exist, or whose record is not ours.
pub fn state(id: &str, home: &Home) -> Result<String> {
    let seat = home.find(&format!("tell the state of {id}"), id)?;
    let proc = Proc::open().map_err(|fault| Error::file("trust /proc", "/proc", fault))?;
    let record = seat.record()?;
    let now = status::of(&seat, record.as_ref(), &proc)?;
    match record {
        Some(record) => Ok(format!("{:#}", oci::state(&record, now))),
        None => Err(Error::container(
            format!("tell the state of {id}"),
            id,
            format!("it is {} and has no record yet", now.word()),
        )),
    }
}
