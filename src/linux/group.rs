//! The container's group on its way into the world: made before the birth by orbital, or after it by
//! systemd (`cgroup/systemd` says in which order, and why).

use super::end;
use crate::cgroup::systemd::{self, bus::Bus};
use crate::cgroup::{Cgroup, apply, delegate, place};
use crate::error::Result;
use crate::plan::Plan;
use crate::plan::cgroup::{Group, Moment, Scope};
use crate::state::Record;
use crate::state::undo::Undo;
use crate::sys::proc::Proc;
use std::cell::Cell;
use std::rc::Rc;

/// systemd, where it is to make the group.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    bus: Bus,
    scope: &'a Scope,
    /// Whether it has been asked to: a unit of this name may be somebody else's until then.
    begun: Rc<Cell<bool>>,
}

/// Connects to systemd, where it is to make the group: what cannot be asked is known before anything is made.
pub(super) fn asked(group: &Group) -> Result<Option<Asked<'_>>> {
    let Some(scope) = &group.scope else {
        return Ok(None);
    };
    Ok(Some(Asked {
        bus: Bus::connect(scope.instance)?,
        scope,
        begun: Rc::default(),
    }))
}

/// A cgroup, with its limits, before anybody is in it; nothing yet where systemd makes it.
pub(super) fn before_birth(
    group: &Group,
    proc: &Proc,
    asked: Option<&Asked<'_>>,
    record: &mut Record,
    undo: &mut Undo<'static>,
) -> Result<Option<Cgroup>> {
    if let Some(asked) = asked {
        let (record, begun) = (record.clone(), Rc::clone(&asked.begun));
        undo.push(move || match begun.get() {
            true => end::remove_group(&record),
            false => Ok(()),
        });
        return Ok(None);
    }
    let made = place::make(group, proc)?;
    record.keep_group(made.as_ref());
    let unmade = record.clone();
    undo.push(move || unmade.group()?.map_or(Ok(()), |group| group.undo()));
    if let Some(made) = &made {
        apply::write_all(made, &group.settings, Moment::BeforeBirth)?;
        hand_over(group, made)?;
    }
    Ok(made)
}

/// Where systemd is to make the group, has it make it around process `pid`, which waits at gate A.
pub(super) fn after_birth(
    plan: &Plan,
    made: Option<Cgroup>,
    asked: Option<Asked<'_>>,
    pid: i32,
    proc: &Proc,
    record: &mut Record,
) -> Result<Option<Cgroup>> {
    let Some(mut asked) = asked else {
        return Ok(made);
    };
    let group = &plan.cgroup;
    let starting = systemd::ask(&mut asked.bus, asked.scope, pid)?;
    asked.begun.set(true);
    systemd::wait(&mut asked.bus, asked.scope, &starting)?;
    let made = place::of_process(group, asked.scope, pid, proc)?;
    record.keep_group(Some(&made));
    apply::write_all(&made, &group.settings, Moment::BeforeBirth)?;
    hand_over(group, &made)?;
    Ok(Some(made))
}

fn hand_over(group: &Group, made: &Cgroup) -> Result<()> {
    match group.owner {
        Some(owner) => delegate::hand_over(made, owner),
        None => Ok(()),
    }
}
