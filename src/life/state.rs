//! `orbital state`: what the container is at this moment.

use super::status::{self, Now};
use crate::error::{Error, Result};
use crate::state::{Home, oci};

/// The state document (runtime.md, "Query State"), as pretty JSON.
///
/// # Errors
/// A container that does not exist, or whose record is not ours.
pub fn state(id: &str, home: &Home) -> Result<String> {
    let seat = home.find(&format!("tell the state of {id}"), id)?;
    let Now { record, status, .. } = status::now(&seat)?;
    match record {
        Some(record) => Ok(format!("{:#}", oci::state(&record, status))),
        None => Err(Error::container(
            format!("tell the state of {id}"),
            id,
            format!("it is {} and has no record yet", status.word()),
        )),
    }
}
