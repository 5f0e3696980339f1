//! What CRIU asks in the course of a restore, and what is done before it goes on.

use super::Work;
use crate::error::{Error, Object, Result};
use crate::linux::criu::mend;
use crate::linux::criu::talk::Question;
use crate::linux::look;
use crate::linux::parent::net::Given;
use crate::linux::parent::{hooks, rdt};
use crate::state::{Record, Seat, oci};
use crate::sys::socket;
use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, OwnedFd};

/// What questions are answered with.
pub(super) struct Answers<'a> {
    pub(super) work: &'a Work<'a>,
    /// Where the container is made known.
    pub(super) seat: &'a Seat,
    /// Who takes the terminal's master, if it is not for us.
    pub(super) console: Option<&'a OwnedFd>,
    /// Set when hooks may have run.
    pub(super) hooked: &'a Cell<bool>,
    /// The network devices that were moved in.
    pub(super) given: &'a RefCell<Vec<Given>>,
}

impl Answers<'_> {
    /// Does what belongs to this point; `record` learns of the process. Other points are passed by.
    ///
    /// # Errors
    /// As each act; CRIU gives up then.
    pub(super) fn give(&self, question: Question, record: &mut Record) -> Result<()> {
        let work = self.work;
        tracing::debug!("criu is at {}", question.script);
        match question.script.as_str() {
            "setup-namespaces" => {
                let moved = mend::network(&work.plan, question.pid, &work.proc)?;
                self.given.replace(moved);
                self.hooked.set(true);
                self.hooks(record, question.pid)
            }
            "orphan-pts-master" => self.hand_on(question.descriptor),
            "post-restore" => {
                mend::seal(&work.plan, question.pid, &work.proc)?;
                self.remember(record, question.pid)
            }
            _ => Ok(()),
        }
    }

    /// The namespaces are there, and nothing of the container's runs.
    fn hooks(&self, record: &Record, pid: i32) -> Result<()> {
        let plan = &self.work.plan;
        let document = oci::document(record, pid, "creating").to_string();
        let run = |list, kind| hooks::run(list, kind, plan, document.as_bytes());
        run(&plan.hooks.prestart, "prestart")?;
        run(&plan.hooks.create_runtime, "createRuntime")
    }

    /// The master of a terminal whose other end is in the container.
    fn hand_on(&self, master: Option<OwnedFd>) -> Result<()> {
        let Some(master) = master else {
            return Ok(());
        };
        let Some(console) = self.console else {
            self.work.terminal.replace(Some(master));
            return Ok(());
        };
        let sent = socket::send_descriptor(console, b"/dev/ptmx", master.as_fd());
        sent.map(drop)
            .map_err(|fault| Error::new("send the terminal", Object::Nothing, fault.into()))
    }

    /// Its processes are complete and wait: what is there is made known before they go on.
    fn remember(&self, record: &mut Record, pid: i32) -> Result<()> {
        let work = self.work;
        record.process = Some(look::identify(&work.proc, pid)?);
        if let Some(shares) = &work.plan.rdt {
            record.resctrl_made = rdt::join(shares, &rdt::mounted(shares)?, pid)?;
        }
        self.seat.keep_config(&work.bundle.raw)?;
        self.seat.draft(record)?;
        self.seat.publish()
    }
}
