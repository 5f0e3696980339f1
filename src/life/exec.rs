//! `orbital exec`: a second process in a container that lives.

use super::{Verb, check, not_for_exec, status};
use crate::backend;
use crate::cli::{Exec, Paused, Verbosity};
use crate::error::Result;
use crate::state::{Home, Status};

/// Runs a process. The status to exit with is its own, 128 and the signal for a signalled one; 0 for a
/// detached one. With it what the specification says to warn of.
///
/// # Errors
/// A container that does not live; whatever keeps the process from its program. Nothing of it is left then.
pub fn exec(request: &Exec, home: &Home, verbosity: Verbosity) -> Result<(i32, Vec<String>)> {
    backend::protect::protect()?;
    let doing = format!("execute a process in {}", request.id);
    let seat = home.find(&doing, &request.id)?;
    let now = status::now(&seat)?;
    let waits = request.paused == Paused::Wait && now.status == Status::Paused;
    if !waits {
        check(Verb::Exec, &request.id, now.status, now.pid)?;
    }
    let ended = || not_for_exec(&request.id, Status::Stopped);
    backend::exec::exec(request, &seat, now, &ended, verbosity)
}
