//! What the child holds: descriptors and arrays that are made before birth (`hold.rs`), because the child may make none.

use super::ahead::Ahead;
use super::hook::{Files, ReadyHook};
use super::labels::Confine;
use crate::cli::Verbosity;
use crate::plan::Plan;
use crate::plan::birth::Joiner;
use crate::sys::exec::Strings;
use crate::sys::proc::Proc;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// Whether the child reports the steps that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Only a failure is reported.
    Off,
    /// Each step.
    On,
}

impl From<Verbosity> for Trace {
    fn from(verbosity: Verbosity) -> Trace {
        match verbosity {
            Verbosity::Debug => Trace::On,
            Verbosity::Errors => Trace::Off,
        }
    }
}

/// Where gate E is.
#[derive(Debug)]
pub enum StartGate {
    /// At a listening socket in the container's directory (`create`).
    Listener(OwnedFd),
    /// On the same connection as the other gates (`run`).
    Connection,
}

/// What the child holds.
#[derive(Debug)]
pub struct Held {
    /// The child's end of the gates.
    pub gate: OwnedFd,
    /// Gate E.
    pub start: StartGate,
    /// The host's procfs, proved.
    pub proc: Rc<Proc>,
    /// The root file system's tree, where the parent had to open it; a second process's only where no mount
    /// namespace brings it along.
    pub root: Option<OwnedFd>,
    /// The network namespace that is made ahead: the runtime hands it over.
    pub network: Option<Ahead>,
    /// For each mount its source's tree, where the parent had to open it.
    pub trees: Vec<Option<OwnedFd>>,
    /// For each namespace to join its descriptor.
    pub joins: Vec<OwnedFd>,
    /// Where the terminal's master is to be sent.
    pub console: Option<OwnedFd>,
    /// The state document of hooks while creating and when created; empty until the pid is known.
    pub documents: Option<Documents>,
    /// createContainer hooks.
    pub create_container: Vec<ReadyHook>,
    /// startContainer hooks.
    pub start_container: Vec<ReadyHook>,
    /// Whether the AppArmor profile is written.
    pub confine: Confine,
    /// The process's arguments.
    pub argv: Strings,
    /// The process's environment.
    pub envp: Strings,
    /// Report passed steps?
    pub trace: Trace,
}

/// Memory files around the hooks that run in the container.
#[derive(Debug)]
pub struct Documents {
    /// stdin of createContainer hooks.
    pub creating: OwnedFd,
    /// stdin of startContainer hooks.
    pub created: OwnedFd,
    /// What the hooks print.
    pub output: OwnedFd,
    /// Where they print else.
    pub files: Files,
}

impl Documents {
    /// What the hooks have printed so far.
    #[must_use]
    pub fn printed(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }
}

impl Held {
    /// Descriptors of the namespaces that this process joins, with their kind and index.
    pub fn joins_of<'a>(
        &'a self,
        plan: &'a Plan,
        by: Joiner,
    ) -> impl DoubleEndedIterator<Item = (usize, u32, &'a OwnedFd)> {
        let all = plan.birth.joins.iter().zip(&self.joins).enumerate();
        all.filter(move |(_, (join, _))| join.by == by)
            .map(|(index, (join, fd))| (index, join.kind.flag(), fd))
    }
}
