//! A second process in a container that lives (`orbital exec`).

use super::foreground::{self, Foreground, Terminal};
use super::look::{Host, alive};
use super::taker;
use crate::cgroup::{self, Cgroup};
use crate::cli::{Attendance, Create, Exec, Keyring, Manager, Verbosity};
use crate::error::{Error, Object, Result};
use crate::linux::birth::{self, Born};
use crate::linux::held::StartGate;
use crate::linux::hold::{Seats, hold_for_second};
use crate::linux::second::{Cradle, give_birth};
use crate::linux::{ask, parent};
use crate::plan::console::{self, Console};
use crate::plan::second::{Second, plan};
use crate::spec::{self, Bundle};
use crate::state::record::Came;
use crate::state::status::Now;
use crate::state::{Record, Seat, oci, pid_file};
use crate::sys::path::{self, Links};
use crate::sys::proc::Proc;
use crate::sys::{Fault, dir, pidfd};
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

/// What the request's process is made from.
mod words;

/// Runs a process. The status to exit with is its own, 128 and the signal for a signalled one; 0 for a
/// detached one. With it what the specification says to warn of. `ended` is what is told of a container that has.
///
/// # Errors
/// A container that does not live; whatever keeps the process from its program. Nothing of it is left then.
pub fn exec(
    request: &Exec,
    seat: &Seat,
    now: Now<Host>,
    ended: &dyn Fn() -> Error,
    verbosity: Verbosity,
) -> Result<(i32, Vec<String>)> {
    let living = find(request, seat, now, ended)?;
    let bundle = &living.bundle;
    let told = |error| words::placed(error, request, bundle);

    // Decide.
    let create = as_create(request, &living.record);
    let facts = ask::ask(&living.proc, Manager::Disabled)?;
    let mut second = plan(bundle, &facts, &create).map_err(told)?;
    second.namespaces |= clocks(&living);

    // From here on signals wait until they can be handed on.
    let watch = match request.attendance {
        Attendance::Foreground => Some(Foreground::begin()?),
        Attendance::Detached => None,
    };
    let (terminal, console) = console(request, &second).map_err(told)?;
    let pidfd_socket = taker::of_process(request.pidfd_socket.as_deref())?;

    // Give birth, and wait until it is its program.
    let work = Work {
        request,
        second: &second,
        verbosity,
    };
    let mut born = begin(&work, &living, &facts, console).map_err(told)?;
    let known = taker::send_process(pidfd_socket, &born)
        .and_then(|()| pid_file::write(request.pid_file.as_deref(), born.pid));
    known.inspect_err(|_| birth::end(&born.pidfd))?;

    let warnings = second.plan.warnings.clone();
    let Some(watch) = watch else {
        return Ok((0, warnings));
    };
    let terminal = Terminal::receive(terminal)?;
    let end = watch.attend(&mut born, terminal, None)?;
    Ok((end.status(), warnings))
}

/// A container that lives, and its configuration with the new process in it.
struct Living {
    record: Record,
    bundle: Bundle,
    init: OwnedFd,
    proc: Rc<Proc>,
}

fn find(request: &Exec, seat: &Seat, now: Now<Host>, ended: &dyn Fn() -> Error) -> Result<Living> {
    let doing = format!("execute a process in {}", request.id);
    let (record, proc) = (now.record, now.host);
    let Some((process, record)) = record.and_then(|record| Some((record.process?, record))) else {
        return Err(Error::container(doing, &request.id, "it has no record"));
    };
    // Opened before the process is proved to be the recorded one: the number may have been taken over.
    let init = match pidfd::open(process.pid) {
        Ok(init) => init,
        Err(Fault {
            errno: libc::ESRCH, ..
        }) => return Err(ended()),
        Err(fault) => {
            return Err(Error::new(
                doing,
                Object::Process(process.pid),
                fault.into(),
            ));
        }
    };
    if alive(&proc, process)?.is_none() {
        return Err(ended());
    }
    let bundle = spec::from_bytes(seat.config()?, record.bundle.clone())?;
    Ok(Living {
        bundle: words::with_process(bundle, request)?,
        record,
        init,
        proc: Rc::new(proc),
    })
}

/// The time namespace that CRIU has given to a container that asked for none, and whose clocks go on where they
/// stood; `CLONE_NEWTIME` or nothing.
fn clocks(living: &Living) -> u32 {
    let kind = crate::plan::birth::Kind::Time;
    let Some(process) = living
        .record
        .process
        .filter(|_| living.record.came == Came::Restored)
    else {
        return 0;
    };
    match living.proc.namespace_of(process.pid, kind.file()) {
        Ok(_) => kind.flag(),
        Err(_) => 0,
    }
}

/// The request in the words of the planners.
fn as_create(request: &Exec, record: &Record) -> Create {
    Create {
        console_socket: request.console_socket.clone(),
        pid_file: request.pid_file.clone(),
        preserve_fds: request.preserve_fds,
        keyring: match record.keyring {
            Some(_) => Keyring::New,
            None => Keyring::Inherit,
        },
        ..Create::of(request.id.clone(), record.bundle.clone())
    }
}

/// What [`begin`] works from.
struct Work<'a> {
    request: &'a Exec,
    second: &'a Second,
    verbosity: Verbosity,
}

/// From the container's group to the program.
fn begin(
    work: &Work<'_>,
    living: &Living,
    facts: &crate::plan::facts::Facts,
    console: Option<OwnedFd>,
) -> Result<Born> {
    let Living {
        record, init, proc, ..
    } = living;
    let group = group(work.request, record)?;
    // A group named by the caller is meant.
    let own = group.as_ref().filter(|_| work.request.cgroup.is_none());
    let nearer = || own.and_then(|group| of_init(group, record, proc));
    let seats = Seats {
        network: None,
        start: StartGate::Connection,
        console,
        trace: work.verbosity.into(),
        root: match &record.laid {
            Some(laid) => Some(parent::laid::find(laid)?),
            None => None,
        },
    };
    let (held, gate) = hold_for_second(&work.second.plan, Rc::clone(proc), seats)?;
    let cradle = Cradle {
        second: work.second,
        facts,
        proc,
        init: init.as_fd(),
        group: group.as_ref(),
    };
    let born = give_birth(&cradle, held, gate, &nearer)?;
    let state = || {
        let init = record.process.map_or(0, |process| process.pid);
        oci::document(record, init, "running")
            .to_string()
            .into_bytes()
    };
    parent::second::attend(&work.second.plan, &born, group.as_ref(), &state)
        .inspect_err(|_| birth::end(&born.pidfd))?;
    Ok(born)
}

/// The group to be born in: the container's own, or one below it; `None` where it stays in its caller's.
fn group(request: &Exec, record: &Record) -> Result<Option<Cgroup>> {
    let doing = "find the container's cgroup";
    let Some(path) = &record.cgroup else {
        let Some(below) = &request.cgroup else {
            return Ok(None);
        };
        let why = format!("the container has no cgroup of its own that {below} could be below");
        return Err(Error::container(doing, &record.id, why).hint("leave --cgroup out"));
    };
    let Some(group) = record.group()? else {
        let why = "it was removed while the container lives";
        let cause = crate::error::Cause::Refused(why.to_owned());
        return Err(Error::new(doing, Object::File(path.clone()), cause));
    };
    match &request.cgroup {
        None => Ok(Some(group)),
        Some(below) => one_below(&group, below).map(Some),
    }
}

fn one_below(group: &Cgroup, below: &str) -> Result<Cgroup> {
    let path = group.path.join(below);
    let told = |fault: Fault| {
        let error = Error::file("find the cgroup below the container's own", &path, fault);
        match fault.errno {
            libc::ENOENT => error.hint("make it first, in the container or on the host"),
            _ => error,
        }
    };
    let name = CString::new(below).unwrap_or_default();
    let dir = path::find(group.dir.as_fd(), &name, Links::Refuse).map_err(told)?;
    if !dir::is_cgroup2(&dir).map_err(told)? {
        return Err(told(Fault {
            call: crate::sys::Call::Fstatfs,
            errno: libc::ENOENT,
        }));
    }
    Ok(Cgroup {
        dir,
        path,
        made: Vec::new(),
    })
}

/// The group that the first process has moved to, below the one that was made for it.
fn of_init(group: &Cgroup, record: &Record, proc: &Proc) -> Option<Cgroup> {
    let own = cgroup::group_of(proc, record.process?.pid).ok()?;
    let path = cgroup::hierarchy()
        .ok()?
        .path
        .join(own.trim_start_matches('/'));
    let below = path != group.path && path.starts_with(&group.path);
    below.then(|| Cgroup::open(&path).ok().flatten()).flatten()
}

/// Our end of the terminal's way to us, and the end that the child sends the terminal through.
type Ends = (Option<OwnedFd>, Option<OwnedFd>);

fn console(request: &Exec, second: &Second) -> Result<Ends> {
    if second.plan.console == Console::Streams {
        return Ok((None, None));
    }
    match (&request.console_socket, request.attendance) {
        (Some(path), _) => Ok((None, Some(taker::of_terminal(path)?))),
        (None, Attendance::Foreground) => {
            let ends = foreground::ends()?;
            Ok((Some(ends.0), Some(ends.1)))
        }
        (None, Attendance::Detached) => Err(console::nobody_takes_it()),
    }
}
