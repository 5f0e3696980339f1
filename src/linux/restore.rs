//! A container brought back from its images by CRIU, act by act, in the order of `life/restore.rs`.

/// What CRIU asks in between.
mod answers;

use super::foreground::Terminal;
use super::group::{self, Asked};
use super::taker;
use crate::cgroup::{self, Cgroup, apply, devices, place};
use crate::cli::checkpoint::Restore;
use crate::cli::{Attendance, Create};
use crate::error::{Cause, Error, Object, Result};
use crate::linux::birth::Born;
use crate::linux::criu::options::{self, Folders};
use crate::linux::criu::talk::{Criu, Kind, Question};
use crate::linux::criu::wire::Message;
use crate::linux::criu::{complaint, outside, stage};
use crate::linux::parent::net::Given;
use crate::linux::{ask, end};
use crate::plan::cgroup::Moment;
use crate::plan::console::{self, Console};
use crate::plan::{Plan, plan};
use crate::spec::{self, Bundle};
use crate::state::record::Came;
use crate::state::undo::Undo;
use crate::state::{Record, Seat};
use crate::sys::proc::Proc;
use crate::sys::{pidfd, socket};
use answers::Answers;
use std::cell::{Cell, RefCell};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

/// What a container is brought back from.
#[derive(Debug)]
pub struct Work<'a> {
    /// What was typed.
    pub request: &'a Restore,
    /// The bundle.
    pub bundle: Bundle,
    /// Its plan.
    pub plan: Plan,
    proc: Proc,
    owner: u32,
    /// The terminal's master, where it is for us.
    terminal: RefCell<Option<OwnedFd>>,
}

/// Reads the bundle and decides, as for create.
///
/// # Errors
/// A bundle that is none, a plan that cannot be; a terminal that nobody takes.
pub fn work(request: &Restore) -> Result<Work<'_>> {
    let bundle = spec::load(&request.create.bundle)?;
    let proc = ask::trust_proc()?;
    let facts = ask::ask(&proc, request.create.manager)?;
    let plan = plan(&bundle, &facts, &request.create)?;
    check_terminal(request, &plan)?;
    Ok(Work {
        request,
        bundle,
        plan,
        proc,
        owner: facts.uid,
        terminal: RefCell::new(None),
    })
}

/// What is read and connected before anything is made.
#[derive(Debug)]
pub struct Wanted<'a> {
    streams: Vec<String>,
    console: Option<OwnedFd>,
    systemd: Option<Asked<'a>>,
}

/// Reads and connects it.
///
/// # Errors
/// Images that are none of ours; a socket where nobody listens; a systemd that does not answer.
pub fn wanted<'a>(work: &'a Work<'_>) -> Result<Wanted<'a>> {
    let console = work.request.create.console_socket.as_deref();
    Ok(Wanted {
        streams: work.streams()?,
        console: console.map(taker::of_terminal).transpose()?,
        systemd: group::asked(&work.plan.cgroup)?,
    })
}

/// The record that says which group will be the container's, before it exists.
///
/// # Errors
/// A place in the cgroup tree that cannot be found.
pub fn record(work: &Work<'_>) -> Result<Record> {
    let path = place::path(&work.plan.cgroup, &work.proc)?;
    let mut record = Record::new(&work.plan, work.owner, path);
    record.came = Came::Restored;
    Ok(record)
}

/// Has CRIU bring it back, into a group of its own; gives the record with the process in it. `is_there` is set when
/// there is something that poststop hooks could be about.
///
/// # Errors
/// What cannot be made or is refused; what CRIU could not do.
pub fn bring_back(
    work: &Work<'_>,
    wanted: &mut Wanted<'_>,
    seat: &Seat,
    mut record: Record,
    is_there: &Cell<bool>,
    undo: &mut Undo<'static>,
) -> Result<Record> {
    let (plan, proc) = (&work.plan, &work.proc);
    let systemd = wanted.systemd.take();
    let given = Rc::new(RefCell::new(Vec::new()));
    undo.push(giving_back(given.clone()));
    let group = group::before_birth(&plan.cgroup, proc, systemd.as_ref(), &mut record, undo)?;

    // CRIU, where the root is a mount point, and in the container's group: what it makes is born there.
    stage::make_points(plan)?;
    let (message, inherited) = outside::at_restore(work.said(), plan, &wanted.streams, proc)?;
    let _as_mounted = cgroup::mounted::look();
    let inherited: Vec<&OwnedFd> = inherited.iter().collect();
    let images = &work.request.images;
    let (criu, folders, root) = stage::within(&plan.root, &seat.path, proc, |root| {
        // It mounts below its working directory, which must be of the same namespace.
        let folders = Folders::open(images, "restore.log")?;
        Ok((Criu::start(&inherited)?, folders, root.to_owned()))
    })?;
    let message = options::shared(message, images, &folders, &plan.annotations);
    if let Some(group) = &group {
        group.take_in(criu.pid())?;
    }
    let group = group::after_birth(plan, group, systemd, criu.pid(), proc, &mut record)?;
    if let Some(group) = &group {
        devices::attach(group, &plan.cgroup.devices, proc)?;
    }
    let message = work.placed(message, &root, group.as_ref(), &criu)?;

    let answers = Answers {
        work,
        seat,
        console: wanted.console.as_ref(),
        hooked: is_there,
        given: &given,
    };
    let record = work.ask(&criu, &message, record, &answers, &folders)?;
    drop(criu);
    undo.push(ending(record.clone())?);
    if let Some(group) = &group {
        apply::write_all(group, &plan.cgroup.settings, Moment::AfterBirth)?;
    }
    Ok(record)
}

/// Its first process, to be attended like one that was born here, and its terminal where it is for us.
///
/// # Errors
/// A process that has ended already.
pub fn born(work: Work<'_>, record: &Record) -> Result<(Born, Option<Terminal>)> {
    let pid = record.process.map_or(0, |process| process.pid);
    let terminal = work.terminal.into_inner().map(Terminal::of);
    let told = |fault| {
        Error::new(
            "watch the process",
            Object::Process(pid),
            Cause::from(fault),
        )
    };
    let (gate, _) = socket::pair().map_err(told)?;
    let born = Born {
        pid,
        pidfd: pidfd::open(pid).map_err(told)?.into(),
        gate,
        copies: None.into(),
        documents: None,
    };
    Ok((born, terminal))
}

/// A terminal needs somebody at its other end.
fn check_terminal(request: &Restore, plan: &Plan) -> Result<()> {
    let Create { console_socket, .. } = &request.create;
    let is_alone = request.attendance == Attendance::Detached && console_socket.is_none();
    if plan.console == Console::Streams || !is_alone {
        return Ok(());
    }
    Err(console::nobody_takes_it())
}

impl Work<'_> {
    /// CRIU's work, in which it asks back; gives the record with the process in it.
    fn ask(
        &self,
        criu: &Criu,
        message: &Message,
        mut record: Record,
        answers: &Answers<'_>,
        folders: &Folders,
    ) -> Result<Record> {
        let doing = format!("restore {}", self.plan.id);
        let mut answer = |question: Question| answers.give(question, &mut record);
        let asked = criu.ask(Kind::Restore, message, &mut answer);
        asked.map_err(|end| complaint::told(&doing, &folders.log, end))?;
        if record.process.is_none() {
            let what = "criu restored no process".to_owned();
            return Err(Error::new(doing, Object::Nothing, Cause::Protocol(what)));
        }
        Ok(record)
    }

    /// What the first streams were when the images were written.
    fn streams(&self) -> Result<Vec<String>> {
        let path = self.request.images.path.join(outside::DESCRIPTORS);
        let bytes = std::fs::read(&path)
            .map_err(|error| Error::io("read what the streams were", &path, "openat", &error))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let cause = Cause::Json {
                line: error.line(),
                column: error.column(),
                what: "it is no array of texts".to_owned(),
            };
            Error::new("read what the streams were", Object::File(path), cause)
        })
    }

    fn said(&self) -> Message {
        let Restore {
            lsm_profile,
            lsm_mount_context,
            ..
        } = self.request;
        let mut message = Message::default()
            .on(options::AS_SIBLING)
            .on(options::EVASIVE_DEVICES);
        let given = [
            (options::LSM_PROFILE, lsm_profile),
            (options::LSM_MOUNT_CONTEXT, lsm_mount_context),
        ];
        for (field, text) in given {
            if let Some(text) = text {
                message = message.text(field, text);
            }
        }
        message
    }

    /// The rest, which is known when CRIU runs: where its root is, and its group.
    fn placed(
        &self,
        message: Message,
        root: &Path,
        group: Option<&Cgroup>,
        criu: &Criu,
    ) -> Result<Message> {
        let message = message.text(options::ROOT, root.to_string_lossy().as_ref());
        if group.is_none() {
            return Ok(message);
        }
        let path = cgroup::group_of(&self.proc, criu.pid())?;
        // Version 2 has no controller's name.
        Ok(message.message(options::CGROUP_ROOT, &options::pair("", path)))
    }
}

type Step = Box<dyn FnOnce() -> Result<()>>;

/// Network devices that were moved in.
fn giving_back(given: Rc<RefCell<Vec<Given>>>) -> Step {
    Box::new(move || given.take().iter().try_for_each(Given::take_back))
}

/// Ends what was restored, after a failure that came later.
fn ending(record: Record) -> Result<Step> {
    let proc = ask::trust_proc()?;
    Ok(Box::new(move || end::end(&record, &proc)))
}
