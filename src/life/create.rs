//! `orbital create`: everything up to the moment before the container's program.

use super::group;
use super::undo::Undo;
use crate::cgroup::{Cgroup, apply, devices, place};
use crate::cli::{Create, Verbosity};
use crate::error::{Error, Object, Result};
use crate::linux::ahead::{self, Ahead};
use crate::linux::birth::{Born, give_birth};
use crate::linux::failure::Kind;
use crate::linux::held::{Seats, StartGate, Trace, hold};
use crate::linux::parent::{attend, laid, net, rdt, tell};
use crate::linux::{ask, protect};
use crate::plan::annotations::PIDFD_RECEIVER;
use crate::plan::cgroup::Moment;
use crate::plan::console::Console;
use crate::plan::{Plan, plan, process};
use crate::spec;
use crate::state::{Home, Record, Seat, oci, status};
use crate::sys::proc::Proc;
use crate::sys::{pidfd, socket};
use rustix::net::SocketType;
use std::cell::{Cell, OnceCell};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
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
    pub group: Option<Cgroup>,
    /// Its plan.
    pub plan: Plan,
    /// What is not to be undone any more: to be let go when nobody waits.
    pub spent: Undo<'static>,
}

/// Who will open gate E.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starter {
    /// A later `orbital start`, at a socket in the container's directory.
    Later,
    /// This invocation (`run`), on the connection of the other gates.
    Ourselves,
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
    terminal: Option<&OnceCell<OwnedFd>>,
) -> Result<Created> {
    // Not taken apart afterwards: the arena has no use for single blocks (`sys/heap.rs`).
    let bundle = ManuallyDrop::new(spec::load(&request.bundle)?);
    let network = ahead::begin(&bundle.spec);
    let proc = Rc::new(ask::trust_proc()?);
    let facts = ask::ask(&proc, request.manager)?;
    let mut plan = plan(&bundle, &facts, request)?;
    if starter == Starter::Ourselves && plan.process.argv.is_empty() {
        return Err(process::missing());
    }
    let trace = if verbosity == Verbosity::Debug {
        plan.warnings.extend(spec::names::misspelt(&bundle.raw));
        Trace::On
    } else {
        Trace::Off
    };
    let mut undo = Undo::default();
    let work = Work {
        plan: &plan,
        config: &bundle.raw,
        request,
        proc,
        owner: facts.uid,
        starter,
        trace,
    };
    match build(&work, home, terminal, network, &mut undo) {
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

/// What [`build`] works from.
struct Work<'a> {
    plan: &'a Plan,
    config: &'a [u8],
    request: &'a Create,
    proc: Rc<Proc>,
    owner: u32,
    starter: Starter,
    trace: Trace,
}

/// From the name to gate D. Every trace that is left is registered for undo on the line after.
fn build(
    work: &Work<'_>,
    home: &Home,
    terminal: Option<&OnceCell<OwnedFd>>,
    network: Option<Ahead>,
    undo: &mut Undo<'static>,
) -> Result<(Seat, Record, Born, Option<Cgroup>)> {
    let plan = work.plan;
    let proc = &*work.proc;
    let console = console(work, terminal)?;
    let pidfd_socket = pidfd_socket(work)?;
    let systemd = group::asked(&plan.cgroup)?;

    // Take the name, and write down which group will be ours before it exists.
    let seat = home.reserve(&plan.id)?;
    undo.push(removing(&seat));
    if let Some(notify) = &work.request.inherited.notify {
        make_folder(&notify.folder)?;
    }
    let mut record = Record::new(plan, work.owner, place::path(&plan.cgroup, proc)?);
    let root = laid::open(plan)?;
    record.laid = root.as_ref().map(|root| root.id);
    seat.begin(&record)?;
    let was_born = Rc::new(Cell::new(false));
    undo.push(poststop(record.clone(), was_born.clone()));

    // A cgroup, with its limits, before anybody is in it.
    let group = group::before_birth(&plan.cgroup, proc, systemd.as_ref(), &mut record, undo)?;

    // Open what the child needs, and give birth.
    let start = start_gate(work, &seat)?;
    if let Some(root) = &root {
        let id = root.id;
        undo.push(move || laid::remove(&id));
        root.attach(plan)?;
    }
    let (held, gate) = hold(
        plan,
        Rc::clone(&work.proc),
        Seats {
            start,
            console,
            network,
            trace: work.trace,
            root: root.map(|root| root.tree),
        },
    )?;
    let born = give_birth(
        plan,
        held,
        gate,
        group.as_ref().map(|group| group.dir.as_fd()),
    )?;
    undo.push(ending(&born));
    was_born.set(true);
    let group = group::after_birth(plan, group, systemd, born.pid, proc, &mut record)?;
    hand_over(&mut record, plan, born.pid, proc, undo)?;

    // The other column; then what is there now is made known, and may outlive us. What the child need
    // not wait for is done while it mounts, on another core: nothing of the container's runs before
    // gate C, so the device filter is early enough if it is there by then.
    let document = |status: &str| {
        oci::document(&record, born.pid, status)
            .to_string()
            .into_bytes()
    };
    let before_go = || {
        if let Some(group) = &group {
            devices::attach(group, &plan.cgroup.devices, proc)?;
            apply::write_all(group, &plan.cgroup.settings, Moment::AfterBirth)?;
        }
        Ok(())
    };
    let meanwhile = || {
        let process = Some(status::identify(proc, born.pid)?);
        let record = Record {
            process,
            ..record.clone()
        };
        seat.keep_config(work.config)?;
        seat.draft(&record)?;
        // The child has been told to go on, and nobody waits for us now. It goes with this process else, ignored.
        let _ = protect::settle();
        Ok(record)
    };
    let record = attend(
        plan,
        &born,
        proc,
        group.as_ref(),
        &document,
        before_go,
        meanwhile,
    )?;
    seat.publish()?;
    send_pidfd(pidfd_socket, &born)?;
    write_pid_file(work.request.pid_file.as_deref(), born.pid)?;
    tell(&born, Kind::Remembered)?;
    Ok((seat, record, born, group))
}

/// What belongs to the machine and not to a namespace: shares of caches, network devices.
fn hand_over(
    record: &mut Record,
    plan: &Plan,
    pid: i32,
    proc: &Proc,
    undo: &mut Undo<'static>,
) -> Result<()> {
    if let Some(rdt) = &plan.rdt {
        record.resctrl_made = rdt::join(rdt, &rdt::mounted(rdt)?, pid)?;
        let made = record.resctrl_made.clone();
        undo.push(move || rdt::remove(&made));
    }
    for device in &plan.net_devices {
        let given = net::give(device, pid, proc)?;
        // While the child lives: a virtual device would end with its namespace.
        undo.push(move || given.take_back());
    }
    Ok(())
}

/// Where the terminal's master goes.
fn console(work: &Work<'_>, terminal: Option<&OnceCell<OwnedFd>>) -> Result<Option<OwnedFd>> {
    let pointer = "/process/terminal";
    match (work.plan.console, terminal, &work.request.console_socket) {
        (Console::Streams, _, None) => Ok(None),
        (Console::Streams, _, Some(_)) => {
            let why = "--console-socket is for a process with a terminal, and this one has none";
            Err(Error::refused("use the console socket", pointer, why)
                .hint("set \"terminal\": true, or leave --console-socket out"))
        }
        (Console::Terminal { .. }, Some(end), _) => {
            let (ours, theirs) = socket::pair().map_err(|fault| {
                let doing = "make a socket for the terminal";
                Error::new(doing, Object::Nothing, fault.into())
            })?;
            // Set once: this is the one place, and it runs once.
            let _ = end.set(ours);
            Ok(Some(theirs))
        }
        (Console::Terminal { .. }, None, Some(path)) => {
            let connected = socket::connect(path, SocketType::STREAM);
            connected
                .map(Some)
                .map_err(|fault| Error::file("connect to the console socket", path, fault))
        }
        (Console::Terminal { .. }, None, None) => {
            let why = "cannot allocate tty if orbital will detach without setting console socket";
            Err(Error::refused("give the process a terminal", pointer, why)
                .hint("name the socket that takes it with --console-socket, use orbital run, or set \"terminal\": false"))
        }
    }
}

/// Where the process is to be sent as a descriptor.
fn pidfd_socket<'a>(work: &Work<'a>) -> Result<Option<(&'a Path, OwnedFd)>> {
    let annotation = || work.plan.annotations.get(PIDFD_RECEIVER).map(Path::new);
    connect_pidfd_socket(work.request.pidfd_socket.as_deref().or_else(annotation))
}

/// The socket at `path`, connected before there is a process to send.
///
/// # Errors
/// As connect(2).
pub(super) fn connect_pidfd_socket(path: Option<&Path>) -> Result<Option<(&Path, OwnedFd)>> {
    let Some(path) = path else { return Ok(None) };
    let connected = socket::connect(path, SocketType::STREAM);
    let told = |fault| Error::file("connect to the pidfd socket", path, fault);
    Ok(Some((path, connected.map_err(told)?)))
}

/// Sends the process's descriptor, where somebody wants it.
///
/// # Errors
/// As sendmsg(2).
pub(super) fn send_pidfd(socket: Option<(&Path, OwnedFd)>, born: &Born) -> Result<()> {
    let Some((path, socket)) = socket else {
        return Ok(());
    };
    // The word beside it is runc's.
    socket::send_descriptor(socket, b"standard", born.pidfd.as_fd())
        .map(drop)
        .map_err(|fault| Error::file("send the pidfd", path, fault))
}

/// The folder that is bound into the container for the socket that it notifies.
fn make_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().mode(0o755).create(folder);
    made.map_err(|error| Error::io("make the folder of notify.sock", folder, "mkdir", &error))
}

fn start_gate(work: &Work<'_>, seat: &Seat) -> Result<StartGate> {
    match work.starter {
        Starter::Later => Ok(StartGate::Listener(listen(seat)?)),
        Starter::Ourselves => Ok(StartGate::Connection),
    }
}

fn listen(seat: &Seat) -> Result<OwnedFd> {
    let path = seat.start_socket();
    socket::listen(&path).map_err(|fault| Error::file("listen for start", path, fault))
}

/// Writes the pid as decimal digits without a line end, in one act (CALLERS: a pid file exists only
/// after success, and is never seen half written).
pub(super) fn write_pid_file(path: Option<&Path>, pid: i32) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let fresh = path.with_file_name(name);
    let written =
        std::fs::write(&fresh, pid.to_string()).and_then(|()| std::fs::rename(&fresh, path));
    written.map_err(|error| Error::io("write the pid file", path, "openat", &error))
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

fn ending(born: &Born) -> Step {
    let pidfd = Rc::clone(&born.pidfd);
    Box::new(move || {
        // It may have ended by itself, and been reaped on the way to the error, ignored.
        let _ = pidfd::signal(&pidfd, libc::SIGKILL);
        let _ = pidfd::wait(pidfd.as_fd());
        Ok(())
    })
}

impl Record {
    /// The group as it was really made, or none.
    pub(super) fn keep_group(&mut self, group: Option<&Cgroup>) {
        self.cgroup = group.map(|group| group.path.clone());
        self.cgroup_made = group.map(|group| group.made.clone()).unwrap_or_default();
    }
}
