//! Making a container on Linux, act by act, in the order of `life/create.rs`.

use super::ahead;
use super::birth::{self, Born};
use super::failure::Kind;
use super::group::{self, Asked};
use super::held::StartGate;
use super::hold::{Seats, hold};
use super::parent::laid::{self, Root};
use super::parent::{self, net, rdt};
use super::taker::{self, Taker};
use super::{ask, protect};
use crate::cgroup::{Cgroup, apply, devices, place};
use crate::cli::{Create, Manager};
use crate::error::{Error, Result};
use crate::plan::annotations::PIDFD_RECEIVER;
use crate::plan::cgroup::Moment;
use crate::plan::console::{self, Console};
use crate::plan::facts::Facts;
use crate::plan::work::Starter;
use crate::plan::{self, Plan, process};
use crate::spec::{self, Bundle};
use crate::state::undo::Undo;
use crate::state::{Record, Seat, oci};
use crate::sys::proc::Proc;
use crate::sys::socket;
use std::cell::OnceCell;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

/// The end at which a terminal's master arrives.
pub type Terminal = OwnedFd;

/// The host, asked once.
#[derive(Debug)]
pub struct Host {
    proc: Rc<Proc>,
    facts: Facts,
}

/// Asks it.
///
/// # Errors
/// A /proc that cannot be trusted or read.
pub fn host(manager: Manager) -> Result<Host> {
    let proc = Rc::new(ask::trust_proc()?);
    let facts = ask::ask(&proc, manager)?;
    Ok(Host { proc, facts })
}

/// The bundle, read.
///
/// # Errors
/// As [`spec::load`].
pub fn bundle(request: &Create) -> Result<Bundle> {
    spec::load(&request.bundle)
}

/// What is made beside the planning: its network namespace.
pub type Ahead = Option<ahead::Ahead>;

/// Begins to make it.
#[must_use]
pub fn ahead(bundle: &Bundle) -> Ahead {
    ahead::begin(&bundle.spec)
}

/// Whether there is a program that could be started at once.
///
/// # Errors
/// There is none.
pub fn has_program(plan: &Plan) -> Result<()> {
    match plan.process.argv.is_empty() {
        true => Err(process::missing()),
        false => Ok(()),
    }
}

/// Decides what the container is.
///
/// # Errors
/// As [`plan::plan`].
pub fn plan(bundle: &Bundle, host: &Host, request: &Create) -> Result<Plan> {
    plan::plan(bundle, &host.facts, request)
}

/// What a container is made from.
pub type Work<'a> = plan::work::Work<'a, Plan, Host>;

/// What is connected before anything is made.
#[derive(Debug)]
pub struct Wanted<'a> {
    console: Option<OwnedFd>,
    pidfd_socket: Option<Taker<'a>>,
    systemd: Option<Asked<'a>>,
    network: Ahead,
    root: Option<Root>,
}

/// Connects it: what cannot be had is known before anything is made.
///
/// # Errors
/// A terminal that nobody takes; sockets where nobody listens; a systemd that does not answer.
pub fn wanted<'a>(
    work: &Work<'a>,
    terminal: Option<&OnceCell<Terminal>>,
    network: Ahead,
) -> Result<Wanted<'a>> {
    Ok(Wanted {
        console: console(work, terminal)?,
        pidfd_socket: pidfd_socket(work)?,
        systemd: group::asked(&work.plan.cgroup)?,
        network,
        root: None,
    })
}

/// The record that says which group will be the container's, before it exists; and the folder of what it notifies.
///
/// # Errors
/// As mkdir(2); a place in the cgroup tree that cannot be found.
pub fn record(work: &Work<'_>, wanted: &mut Wanted<'_>) -> Result<Record> {
    if let Some(notify) = &work.request.inherited.notify {
        make_folder(&notify.folder)?;
    }
    let path = place::path(&work.plan.cgroup, &work.host.proc)?;
    let mut record = Record::new(work.plan, work.host.facts.uid, path);
    wanted.root = laid::open(work.plan)?;
    record.laid = wanted.root.as_ref().map(|root| root.id);
    Ok(record)
}

/// A cgroup, with its limits, before anybody is in it; nothing yet where systemd makes it.
///
/// # Errors
/// A group that cannot be made or limited.
pub fn place(
    work: &Work<'_>,
    wanted: &Wanted<'_>,
    record: &mut Record,
    undo: &mut Undo<'static>,
) -> Result<Option<Cgroup>> {
    let (plan, proc) = (work.plan, &*work.host.proc);
    group::before_birth(&plan.cgroup, proc, wanted.systemd.as_ref(), record, undo)
}

/// Opens what the child needs, and gives birth.
///
/// # Errors
/// What cannot be opened; as clone3(2).
pub fn give_birth(
    work: &Work<'_>,
    wanted: &mut Wanted<'_>,
    seat: &Seat,
    group: Option<&Cgroup>,
    undo: &mut Undo<'static>,
) -> Result<Born> {
    let start = start_gate(work, seat)?;
    let root = wanted.root.take();
    if let Some(root) = &root {
        let id = root.id;
        undo.push(move || laid::remove(&id));
        root.attach(work.plan)?;
    }
    let seats = Seats {
        start,
        console: wanted.console.take(),
        network: wanted.network.take(),
        trace: work.verbosity.into(),
        root: root.map(|root| root.tree),
    };
    let (held, gate) = hold(work.plan, Rc::clone(&work.host.proc), seats)?;
    birth::give_birth(work.plan, held, gate, group.map(|group| group.dir.as_fd()))
}

/// What can only be done around a process that is there: systemd's group, devices and shares of the machine's.
///
/// # Errors
/// What systemd or the kernel refuses.
pub fn settle(
    work: &Work<'_>,
    wanted: &mut Wanted<'_>,
    group: Option<Cgroup>,
    born: &Born,
    record: &mut Record,
    undo: &mut Undo<'static>,
) -> Result<Option<Cgroup>> {
    let (plan, proc) = (work.plan, &*work.host.proc);
    let group = group::after_birth(plan, group, wanted.systemd.take(), born.pid, proc, record)?;
    hand_over(record, plan, born.pid, proc, undo)?;
    Ok(group)
}

/// The other column, to gate D. What the child need not wait for is done while it mounts, on another core: nothing
/// of the container's runs before gate C, so the device filter is early enough if it is there by then.
///
/// # Errors
/// As [`parent::attend`].
pub fn attend(
    work: &Work<'_>,
    seat: &Seat,
    group: Option<&Cgroup>,
    born: &Born,
    record: &Record,
) -> Result<Record> {
    let (plan, proc) = (work.plan, &*work.host.proc);
    let document = |status: &str| {
        oci::document(record, born.pid, status)
            .to_string()
            .into_bytes()
    };
    let before_go = || {
        if let Some(group) = group {
            devices::attach(group, &plan.cgroup.devices, proc)?;
            apply::write_all(group, &plan.cgroup.settings, Moment::AfterBirth)?;
        }
        Ok(())
    };
    let meanwhile = || {
        let process = Some(super::look::identify(proc, born.pid)?);
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
    parent::attend(plan, born, proc, group, &document, before_go, meanwhile)
}

/// Sends the process to whoever wants it as a descriptor.
///
/// # Errors
/// As sendmsg(2).
pub fn hand_out(wanted: Wanted<'_>, born: &Born) -> Result<()> {
    taker::send_process(wanted.pidfd_socket, born)
}

/// Tells the child that it is remembered, and may outlive us.
///
/// # Errors
/// As [`parent::tell`].
pub fn remembered(born: &Born) -> Result<()> {
    parent::tell(born, Kind::Remembered)
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
fn console(work: &Work<'_>, terminal: Option<&OnceCell<Terminal>>) -> Result<Option<OwnedFd>> {
    match (work.plan.console, terminal, &work.request.console_socket) {
        (Console::Streams, ..) => Ok(None),
        (Console::Terminal { .. }, Some(end), _) => {
            let (ours, theirs) = super::foreground::ends()?;
            // Set once: this is the one place, and it runs once.
            let _ = end.set(ours);
            Ok(Some(theirs))
        }
        (Console::Terminal { .. }, None, Some(path)) => taker::of_terminal(path).map(Some),
        (Console::Terminal { .. }, None, None) => {
            let hint = "name the socket that takes it with --console-socket, use orbital run, or set \"terminal\": false";
            Err(console::nobody_takes_it().hint(hint))
        }
    }
}

/// Where the process is to be sent as a descriptor.
fn pidfd_socket<'a>(work: &Work<'a>) -> Result<Option<Taker<'a>>> {
    let annotation = || work.plan.annotations.get(PIDFD_RECEIVER).map(Path::new);
    taker::of_process(work.request.pidfd_socket.as_deref().or_else(annotation))
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

/// How to end the process again.
pub fn ending(born: &Born) -> impl FnOnce() -> Result<()> + 'static {
    let pidfd = Rc::clone(&born.pidfd);
    move || {
        birth::end(&pidfd);
        Ok(())
    }
}

impl Record {
    /// The group as it was really made, or none.
    pub(super) fn keep_group(&mut self, group: Option<&Cgroup>) {
        self.cgroup = group.map(|group| group.path.clone());
        self.cgroup_made = group.map(|group| group.made.clone()).unwrap_or_default();
    }
}
