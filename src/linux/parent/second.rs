//! The column beside a second process, until its program has begun.

use super::{hear, listener};
use crate::cgroup::Cgroup;
use crate::error::{Error, Object, Result};
use crate::linux::birth::Born;
use crate::linux::failure::Kind;
use crate::linux::gates::{self, Arrival};
use crate::linux::{explain, second};
use crate::plan::Plan;

/// Returns when the program has begun. `state` writes the container's state document, for a seccomp agent.
///
/// # Errors
/// A step of the child, told by its twelve bytes; the end of a child that said nothing.
pub fn attend(
    plan: &Plan,
    born: &Born,
    group: Option<&Cgroup>,
    state: &dyn Fn() -> Vec<u8>,
) -> Result<()> {
    let heard = hear(plan, born, group, &[Kind::Ready, Kind::Listening])?;
    if heard.kind == Kind::Listening {
        listener::hand_over(plan, born, &heard, &state())?;
        hear(plan, born, group, &[Kind::Ready])?;
    }
    let last = gates::next(&born.gate);
    match last.map_err(|fault| Error::new(second::DOING, Object::Nothing, fault.into()))? {
        // Closed by execve.
        Arrival::Closed => Ok(()),
        Arrival::Record(record) => Err(explain::record(plan, &record, None)),
    }
}
