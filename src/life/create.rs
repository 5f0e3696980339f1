//! `orbital create`: everything up to the moment before the container's program.

use crate::backend::make::{self, Ahead, Terminal, Work};
use crate::backend::{Born, Group, Plan, protect};
use crate::cli::{Create, Verbosity};
use crate::error::Result;
use crate::plan::work::Starter;
use crate::spec;
use crate::state::undo::Undo;
use crate::state::{Home, Record, Seat, pid_file};
use std::cell::{Cell, OnceCell};
use std::mem::ManuallyDrop;
use std::rc::Rc;

/// A container that waits at gate E.
#[derive(Debug)]
pub struct Created {
    /// Its directory, locked.
    pub seat: Seat,
    /// Its record, as it is on disk.
    pub record: Record,
    /// Its process.
    pub born: Born,
    /// Its group, open.
    pub group: Option<Group>,
    /// Its plan.
    pub plan: Plan,
    /// What is not to be undone any more: to be let go when nobody waits.
    pub spent: Undo<'static>,
}

/// Makes a container and leaves it waiting. Returns what the specification says to warn of.
///
/// # Errors
/// The first thing that could not be done; nothing is left behind then.
pub fn create(request: &Create, home: &Home, verbosity: Verbosity) -> Result<Vec<String>> {
    protect::protect()?;
    let mut created = make(request, home, verbosity, Starter::Later, None)?;
    let warnings = std::mem::take(&mut created.plan.warnings);
    // The process ends now, and its end takes all of it apart at once.
    std::mem::forget(created);
    Ok(warnings)
}

/// The same for whoever goes on with it. `terminal` takes the end at which the terminal's master will arrive, where
/// there is a terminal and it does not go to `--console-socket`.
///
/// # Errors
/// As [`create`].
pub fn make(
    request: &Create,
    home: &Home,
    verbosity: Verbosity,
    starter: Starter,
    terminal: Option<&OnceCell<Terminal>>,
) -> Result<Created> {
    // Not taken apart afterwards: the arena has no use for single blocks (`sys/heap.rs`).
    let bundle = ManuallyDrop::new(make::bundle(request)?);
    let ahead = make::ahead(&bundle);
    let host = make::host(request.manager)?;
    let mut plan = make::plan(&bundle, &host, request)?;
    if starter == Starter::Ourselves {
        make::has_program(&plan).map_err(|error| bundle.explain(error))?;
    }
    if verbosity == Verbosity::Debug {
        plan.warnings.extend(spec::names::misspelt(&bundle.raw));
    }
    let mut undo = Undo::default();
    let work = Work {
        plan: &plan,
        config: &bundle.raw,
        request,
        host,
        starter,
        verbosity,
    };
    match build(&work, home, terminal, ahead, &mut undo) {
        Ok((seat, record, born, group)) => Ok(Created {
            seat,
            record,
            born,
            group,
            plan,
            spent: undo,
        }),
        Err(error) => Err(undo.after(error).quoting(&bundle.raw)),
    }
}

/// From the name to gate D. Every trace that is left is registered for undo on the line after.
fn build(
    work: &Work<'_>,
    home: &Home,
    terminal: Option<&OnceCell<Terminal>>,
    ahead: Ahead,
    undo: &mut Undo<'static>,
) -> Result<(Seat, Record, Born, Option<Group>)> {
    let mut wanted = make::wanted(work, terminal, ahead)?;

    // Take the name, and write down which place will be ours before it exists.
    let seat = home.reserve(&work.plan.id)?;
    undo.push(removing(&seat));
    let mut record = make::record(work, &mut wanted)?;
    seat.begin(&record)?;
    let was_born = Rc::new(Cell::new(false));
    undo.push(poststop(record.clone(), was_born.clone()));

    // A cgroup or a job, with its limits, before anybody is in it.
    let place = make::place(work, &wanted, &mut record, undo)?;

    // Open what the child needs, and give birth.
    let born = make::give_birth(work, &mut wanted, &seat, place.as_ref(), undo)?;
    undo.push(make::ending(&born));
    was_born.set(true);
    let place = make::settle(work, &mut wanted, place, &born, &mut record, undo)?;

    // The other column; then what is there now is made known, and may outlive us.
    let record = make::attend(work, &seat, place.as_ref(), &born, &record)?;
    seat.publish()?;
    make::hand_out(wanted, &born)?;
    pid_file::write(work.request.pid_file.as_deref(), born.pid)?;
    make::remembered(&born)?;
    Ok((seat, record, born, place))
}

type Step = Box<dyn FnOnce() -> Result<()>>;

pub(super) fn removing(seat: &Seat) -> Step {
    let path = seat.path.clone();
    Box::new(move || crate::state::dir::remove(&path))
}

/// The hooks for a container that is no more; a failure is only worth a warning (config.md, "Poststop").
pub(super) fn poststop(record: Record, was_born: Rc<Cell<bool>>) -> Step {
    Box::new(move || {
        if was_born.get() {
            // The failure that led here has the one record of the log; --debug shows these too.
            super::delete::poststop(&record)
                .iter()
                .for_each(|warning| tracing::warn!("{warning}"));
        }
        Ok(())
    })
}
