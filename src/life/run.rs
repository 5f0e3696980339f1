//! `orbital run`: create, start, wait, delete, in one invocation.

use super::create::{Created, make};
use super::{delete, start};
use crate::backend::foreground::{Foreground, Terminal};
use crate::backend::notify::Proxy;
use crate::backend::{begin, protect};
use crate::cli::{Afterwards, Attendance, Create, Verbosity};
use crate::error::Result;
use crate::plan::work::Starter;
use crate::state::Home;
use std::cell::OnceCell;

/// Runs a container. The status to exit with is the process's own, 128 and the signal for a signalled
/// one; 0 for a detached one. With it what the specification says to warn of.
///
/// # Errors
/// Whatever keeps it from running; nothing is left behind then.
pub fn run(
    request: &Create,
    attendance: Attendance,
    afterwards: Afterwards,
    home: &Home,
    verbosity: Verbosity,
) -> Result<(i32, Vec<String>)> {
    protect::protect()?;
    if attendance == Attendance::Detached {
        let created = make(request, home, verbosity, Starter::Ourselves, None)?;
        let proxy = proxy(request, &created)?;
        begin(&created)?;
        if let Some(proxy) = proxy {
            proxy.wait(created.born.pid)?;
        }
        return Ok((0, created.plan.warnings));
    }
    // From here on signals wait until they can be handed on.
    let foreground = Foreground::begin()?;
    let ours = OnceCell::new();
    let terminal = request.console_socket.is_none().then_some(&ours);
    let mut created = make(request, home, verbosity, Starter::Ourselves, terminal)?;
    let terminal = Terminal::receive(ours.into_inner())?;
    let proxy = proxy(request, &created)?;
    begin(&created)?;
    std::mem::take(&mut created.spent).forget();
    let end = foreground.attend(&mut created.born, terminal, proxy);
    let mut warnings = std::mem::take(&mut created.plan.warnings);
    if afterwards == Afterwards::Delete {
        let group = created.group.take();
        warnings.extend(delete::bury_with(&created.seat, &created.record, group)?);
    }
    // The process ends now, and its end takes all of it apart at once.
    std::mem::forget(created);
    end.map(|end| (end.status(), warnings))
}

/// Both ends of the notification, where there is one; without them the container is not to be.
fn proxy(request: &Create, created: &Created) -> Result<Option<Proxy>> {
    let notify = request.inherited.notify.as_ref();
    let opened = notify.map(Proxy::open).transpose();
    opened.or_else(|error| {
        delete::after_failure(&created.seat, &created.record, error).map(|()| None)
    })
}

/// Opens gate E and runs the poststart hooks.
fn begin(created: &Created) -> Result<()> {
    let Created {
        seat,
        record,
        born,
        plan,
        ..
    } = created;
    let begun = begin::ourselves(born, plan, seat, record);
    begun.or_else(|error| delete::after_failure(seat, record, error))?;
    start::poststart(seat, record)
}
