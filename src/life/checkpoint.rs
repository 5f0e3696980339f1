//! `orbital checkpoint`: write a running container to disk, and remove it.

use super::status::{self, Now};
use super::{Verb, check, delete};
use crate::backend::{checkpoint, end};
use crate::cli::Checkpoint;
use crate::cli::checkpoint::{Extent, LEAVE_RUNNING};
use crate::error::{Error, Result};
use crate::state::Home;

/// Writes it to disk. Unless it is to go on, it is removed then; what its poststop hooks complain of is returned.
///
/// # Errors
/// A container that does not run; what the platform cannot do, or could not, after which the container goes on.
pub fn checkpoint(request: &Checkpoint, home: &Home) -> Result<Vec<String>> {
    let doing = format!("checkpoint {}", request.id);
    let witness = checkpoint::witness(request)?;
    let seat = home.take(&doing, &request.id)?;
    let Now {
        record,
        status,
        pid,
        host,
    } = status::now(&seat)?;
    check(Verb::Checkpoint, &request.id, status, pid)?;
    let Some(record) = record else {
        return Err(Error::container(doing, &request.id, "it has no record"));
    };
    checkpoint::write(request, witness, &seat, &record, &host)?;
    if request.extent == Extent::Memory || request.images.has(LEAVE_RUNNING) {
        return Ok(Vec::new());
    }
    // Its processes were killed once they were written; what is left is what delete removes.
    end::end(&record, &host)?;
    delete::bury(&seat, &record)
}
