//! A running container, written to disk by CRIU.

use crate::cgroup;
use crate::cli::Manager;
use crate::cli::checkpoint::{Checkpoint, Extent, LAZY_PAGES};
use crate::error::{Cause, Error, Object, Result};
use crate::linux::ask;
use crate::linux::criu::options::{self, Folders};
use crate::linux::criu::talk::{Criu, Feature, Kind, Question};
use crate::linux::criu::wire::Message;
use crate::linux::criu::{complaint, outside};
use crate::plan::{Plan, plan};
use crate::spec;
use crate::state::{Record, Seat};
use crate::sys::proc::Proc;
use crate::sys::{exec, file};
use std::os::fd::BorrowedFd;

/// Who is told when pages can be asked for.
pub type Witness = Option<BorrowedFd<'static>>;

/// The descriptor of `--status-fd`, which is the caller's to give.
///
/// # Errors
/// One that is not open for writing.
pub fn witness(request: &Checkpoint) -> Result<Witness> {
    request.status_fd.map(writable).transpose()
}

/// Writes it to disk; CRIU kills it then, unless it is to go on.
///
/// # Errors
/// No CRIU; what CRIU could not do, after which the container goes on.
pub fn write(
    request: &Checkpoint,
    witness: Witness,
    seat: &Seat,
    record: &Record,
    proc: &Proc,
) -> Result<()> {
    let work = Work {
        request,
        plan: planned(seat, record, proc)?,
        record,
        pid: record.process.map_or(0, |process| process.pid),
        proc,
        status_fd: witness,
    };
    work.carry_out(&format!("checkpoint {}", request.id))
}

/// What the container was made from, decided again.
fn planned(seat: &Seat, record: &Record, proc: &Proc) -> Result<Plan> {
    let bundle = spec::from_bytes(seat.config()?, record.bundle.clone())?;
    let manager = match (&record.cgroup, &record.unit) {
        (None, _) => Manager::Disabled,
        (Some(_), None) => Manager::Cgroupfs,
        (Some(_), Some(_)) => Manager::Systemd,
    };
    let request = crate::cli::Create {
        manager,
        ..crate::cli::Create::of(record.id.clone(), record.bundle.clone())
    };
    plan(&bundle, &ask::ask(proc, manager)?, &request)
}

fn writable(number: i32) -> Result<BorrowedFd<'static>> {
    let refused = |why: &str| {
        let object = Object::Argument(format!("--status-fd={number}"));
        let cause = Cause::Refused(why.to_owned());
        Err(Error::new("use the descriptor", object, cause))
    };
    match exec::inherited(number) {
        None => refused("no such descriptor is open"),
        Some(fd) if !file::is_writable(fd) => refused("it is not open for writing"),
        Some(fd) => Ok(fd),
    }
}

struct Work<'a> {
    request: &'a Checkpoint,
    plan: Plan,
    record: &'a Record,
    pid: i32,
    proc: &'a Proc,
    status_fd: Option<BorrowedFd<'static>>,
}

impl Work<'_> {
    fn carry_out(&self, doing: &str) -> Result<()> {
        let request = self.request;
        let folders = Folders::make(&request.images, "dump.log")?;
        let mut message = options::shared(
            Message::default(),
            &request.images,
            &folders,
            &self.record.annotations,
        )
        .number(options::PID, self.pid.into())
        .text(options::ROOT, self.plan.root.path.to_bytes());
        if let Some(group) = &self.record.cgroup {
            let path = group.to_string_lossy().into_owned();
            message = message.text(options::FREEZE_CGROUP, path);
        }
        message = self.memory(message)?;
        let kind = match request.extent {
            Extent::Memory => Kind::PreDump,
            Extent::All => Kind::Dump,
        };
        if request.extent == Extent::All {
            message = outside::at_dump(message, &self.plan, self.pid, self.proc)?;
            self.keep_streams()?;
        }
        let _as_mounted = cgroup::mounted::look();
        let criu = Criu::start(&[])?;
        if request.extent == Extent::Memory {
            criu.needs(Feature::Memory, "pre-dump")?;
        }
        if request.images.has(LAZY_PAGES) {
            criu.needs(Feature::LazyPages, LAZY_PAGES)?;
        }
        tracing::debug!("criu, process {}, writes the images", criu.pid());
        let dumped = criu.ask(kind, &message, &mut |question| self.answer(&question));
        dumped.map_err(|end| complaint::told(doing, &folders.log, end))
    }

    /// Where pages go, and what they build on.
    fn memory(&self, mut message: Message) -> Result<Message> {
        let request = self.request;
        if let Some((address, port)) = &request.page_server {
            let server = Message::default()
                .text(options::ADDRESS, address)
                .number(options::PORT, (*port).into());
            message = message.message(options::PAGE_SERVER, &server);
        }
        if request.parent.is_some() || request.extent == Extent::Memory {
            message = message.on(options::TRACK_MEMORY);
        }
        let Some(parent) = &request.parent else {
            return Ok(message);
        };
        let place = request.images.path.join(parent);
        if !place.is_dir() {
            let why = "there is no such folder, seen from --image-path".to_owned();
            let object = Object::Argument(format!("--parent-path={}", parent.display()));
            return Err(Error::new(
                "build on earlier images",
                object,
                Cause::Refused(why),
            ));
        }
        Ok(message.text(options::PARENT_IMAGES, parent.to_string_lossy().as_ref()))
    }

    /// What the streams came from, for whoever restores it.
    fn keep_streams(&self) -> Result<()> {
        let others = match self.record.group()? {
            Some(group) => group.processes()?,
            None => Vec::new(),
        };
        let streams = outside::streams(self.pid, &others, self.proc);
        let path = self.request.images.path.join(outside::DESCRIPTORS);
        let text = serde_json::Value::from(streams).to_string();
        std::fs::write(&path, text)
            .map_err(|error| Error::io("write down the streams", path, "openat", &error))
    }

    fn answer(&self, question: &Question) -> Result<()> {
        tracing::debug!("criu is at {}", question.script);
        if let ("status-ready", Some(fd)) = (question.script.as_str(), self.status_fd) {
            file::write_once(fd, &[0]).map_err(|fault| {
                Error::new("write to --status-fd", Object::Nothing, fault.into())
            })?;
        }
        Ok(())
    }
}
