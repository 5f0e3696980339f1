//! The clone: one process, in its namespaces and its cgroup from its first moment (`plan/birth.rs`
//! has the table of the three rows).

use super::failure::{Failure, Kind as Word, Miss, NO_ITEM, Record};
use super::gates::{self, Arrival};
use super::held::Held;
use super::hook::Files;
use super::step::Step;
use super::{child, explain, protect};
use crate::cgroup::in_first_user_namespace;
use crate::error::{Cause, Error, Object, Result};
use crate::plan::Plan;
use crate::plan::birth::{Joiner, Kind, UserNamespace};
use crate::sys::clone::{Birth, Side, clone3};
use crate::sys::process::{self, Dumpable};
use crate::sys::{Call, Fault, file, pidfd};
use rustix::fs::{CWD, OFlags};
use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// A child that waits at gate A.
#[derive(Debug)]
pub struct Born {
    /// Its pid in our pid namespace.
    pub pid: i32,
    /// Its pidfd; whoever would end it in a failure shares it.
    pub pidfd: Rc<OwnedFd>,
    /// Our end of the gates.
    pub gate: OwnedFd,
    /// Our copies of the child's descriptors: its end of the gates must be closed before we listen at ours, and
    /// the child need not wait for that.
    pub copies: RefCell<Option<Held>>,
    /// The memory files around the hooks that run in it.
    pub documents: Option<super::held::Documents>,
}

/// Gives birth to the container's process. `cgroup` is the group it is born into.
///
/// # Errors
/// A namespace that cannot be joined, by its pointer; what clone3(2) answered.
pub fn give_birth(
    plan: &Plan,
    held: Held,
    gate: OwnedFd,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<Born> {
    if plan.birth.joins.iter().any(|join| join.by != Joiner::Child) {
        // Whoever lives in a joined pid namespace sees the child at once: it inherits this.
        process::set_dumpable(Dumpable::No)
            .map_err(|fault| plain("hide from the joined namespaces", fault))?;
    }
    let documents = duplicate_documents(&held)?;
    let (pid, pidfd, copies) =
        if plan.birth.user == UserNamespace::Joined || !comes_back(plan, &held) {
            let (pid, pidfd) = by_helper(plan, held, gate.as_fd(), cgroup)?;
            (pid, pidfd, None)
        } else {
            let (pid, pidfd, copies) = directly(plan, held, &gate, cgroup)?;
            (pid, pidfd, Some(copies))
        };
    Ok(Born {
        pid,
        pidfd: Rc::new(pidfd),
        gate,
        copies: RefCell::new(copies),
        documents,
    })
}

/// Whether this process may return from the namespaces that the plan has it join. From another user namespace than the
/// machine's first one it may not: those that it lives in are not its own, as in a rootless engine's; setns(2), EPERM.
fn comes_back(plan: &Plan, held: &Held) -> bool {
    let mut joins = plan.birth.joins.iter();
    !joins.any(|join| join.by == Joiner::Parent) || in_first_user_namespace(&held.proc)
}

/// The parent keeps the memory files too: it fills them when the pid is known.
fn duplicate_documents(held: &Held) -> Result<Option<super::held::Documents>> {
    let Some(documents) = &held.documents else {
        return Ok(None);
    };
    let copy = |fd: &OwnedFd| {
        fd.try_clone()
            .map_err(|error| Error::io("keep a file in memory", "memfd", "fcntl", &error))
    };
    Ok(Some(super::held::Documents {
        creating: copy(&documents.creating)?,
        created: copy(&documents.created)?,
        output: copy(&documents.output)?,
        files: Files::default(),
    }))
}

/// Rows one and two: join what the child is to share, clone, return to where we were.
fn directly(
    plan: &Plan,
    held: Held,
    gate: &OwnedFd,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<(i32, OwnedFd, Held)> {
    let away = Away::join(plan, &held)?;
    let made = match held.network {
        Some(_) => u64::from(Kind::Network.flag()),
        None => 0,
    };
    let birth = Birth {
        flags: plan.birth.clone_flags & !made,
        cgroup,
    };
    match clone3(&birth) {
        Ok(Side::Child) => in_child(plan, held, gate),
        Ok(Side::Parent(pid, pidfd)) => {
            let born = (pid, pidfd);
            away.come_back().inspect_err(|_| end(&born.1))?;
            Ok((born.0, born.1, held))
        }
        Err(fault) => {
            let error = explain::clone(plan, fault);
            Err(match away.come_back() {
                Ok(()) => error,
                Err(second) => error.also([second]),
            })
        }
    }
}

/// In the child the parent's end of the gates must be closed, or the child would keep itself waiting
/// for a parent that is gone. Nothing else of the parent's is dropped: the process executes or exits.
fn in_child(plan: &Plan, held: Held, gate: &OwnedFd) -> ! {
    // Closed by number: the owner belongs to the parent's copy of this memory.
    let _ = gates::forget(gate);
    if let Some(ahead) = &held.network {
        let _ = ahead.forget();
    }
    let _ = protect::settle();
    child::begin(plan, held)
}

/// Ends a child that is not to go on, and reaps it.
pub fn end(child: &OwnedFd) {
    // It may have ended by itself, and been reaped on the way to an error, ignored.
    let _ = pidfd::signal(child, libc::SIGKILL);
    let _ = pidfd::wait(child.as_fd());
}

/// Row three: a helper joins the user namespace, from which the runtime could not return, then the
/// others, and makes the child as its own sibling. It also does the parent's part where that could not return.
fn by_helper(
    plan: &Plan,
    held: Held,
    gate: BorrowedFd<'_>,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<(i32, OwnedFd)> {
    match clone3(&Birth { flags: 0, cgroup }).map_err(|fault| explain::clone(plan, fault))? {
        Side::Child => {
            let _ = gates::forget(gate);
            help(plan, held)
        }
        Side::Parent(_, helper) => {
            drop(held);
            let arrival = gates::next(gate).map_err(|fault| plain("hear from the helper", fault));
            // It has exited or is about to; its status says nothing that its record does not, ignored.
            let _ = pidfd::wait(helper.as_fd());
            match arrival? {
                Arrival::Record(Record {
                    kind: Word::Born,
                    errno: pid,
                    ..
                }) => Ok((
                    pid,
                    pidfd::open(pid).map_err(|fault| plain("open the child's pidfd", fault))?,
                )),
                Arrival::Record(record) => Err(explain::record(plan, &record, None)),
                Arrival::Closed => Err(plain(
                    "hear from the helper",
                    Fault {
                        call: Call::Recvmsg,
                        errno: libc::EPIPE,
                    },
                )),
            }
        }
    }
}

/// The helper. It reports a failed join, or the pid, and exits.
fn help(plan: &Plan, held: Held) -> ! {
    crate::sys::heap::seal();
    let joins = held.joins_of(plan, Joiner::Helper);
    for (index, kind, fd) in joins.chain(held.joins_of(plan, Joiner::Parent)) {
        if let Err(fault) = process::join(fd.as_fd(), kind) {
            let item = u16::try_from(index).unwrap_or(NO_ITEM);
            report(
                &held,
                Failure {
                    step: Step::Join,
                    miss: Miss {
                        item,
                        part: NO_ITEM,
                        fault,
                    },
                }
                .into(),
            );
            process::exit_now(1);
        }
    }
    let birth = Birth {
        flags: plan.birth.clone_flags | libc::CLONE_PARENT as u64,
        cgroup: None,
    };
    match clone3(&birth) {
        Ok(Side::Child) => child::begin(plan, held),
        Ok(Side::Parent(pid, _)) => {
            report(
                &held,
                Record {
                    errno: pid,
                    ..Record::gate(Word::Born)
                },
            );
            process::exit_now(0)
        }
        Err(fault) => {
            report(
                &held,
                Failure {
                    step: Step::Join,
                    miss: fault.into(),
                }
                .into(),
            );
            process::exit_now(1)
        }
    }
}

fn report(held: &Held, record: Record) {
    // A parent that is gone needs no report, ignored.
    let _ = gates::announce(&held.gate, record);
}

/// Namespaces that the runtime has left for the moment of the clone.
struct Away {
    home: Vec<(u32, OwnedFd)>,
    directory: Option<OwnedFd>,
}

impl Away {
    fn join(plan: &Plan, held: &Held) -> Result<Away> {
        let mut away = Away {
            home: Vec::new(),
            directory: None,
        };
        for (index, kind, fd) in held.joins_of(plan, Joiner::Parent) {
            let Some(join) = plan.birth.joins.get(index) else {
                continue;
            };
            let at = |fault| explain::join(join, fault);
            if join.kind == Kind::Mount {
                away.directory = Some(file::open(CWD, c".", OFlags::PATH).map_err(at)?);
            }
            let own = held.proc.namespace(join.kind.file()).map_err(at)?;
            if let Err(fault) = process::join(fd.as_fd(), kind) {
                let error = explain::join(join, fault);
                return Err(match away.come_back() {
                    Ok(()) => error,
                    Err(second) => error.also([second]),
                });
            }
            away.home.push((kind, own));
        }
        Ok(away)
    }

    fn come_back(self) -> Result<()> {
        for (kind, own) in self.home.into_iter().rev() {
            process::join(own.as_fd(), kind)
                .map_err(|fault| plain("return to the runtime's own namespaces", fault))?;
        }
        match self.directory {
            Some(directory) => process::enter(directory)
                .map_err(|fault| plain("return to the working directory", fault)),
            None => Ok(()),
        }
    }
}

fn plain(doing: &str, fault: Fault) -> Error {
    Error::new(doing, Object::Nothing, Cause::from(fault))
}
