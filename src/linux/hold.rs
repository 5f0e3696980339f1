//! All that is opened, laid out and checked before birth, so that the child finds it: `held.rs`.

use super::ahead::Ahead;
use super::held::{Documents, Held, StartGate, Trace};
use super::hook::ReadyHook;
use super::labels;
use super::parent::hooks::open_outputs;
use super::parent::mounts::Namespaces;
use super::{ask, explain};
use crate::error::{Error, Object, Result};
use crate::plan::Plan;
use crate::plan::birth::Kind;
use crate::plan::mounts::{MountOp, Recursive, Source, SourceLink};
use crate::plan::process::Home;
use crate::plan::root::Opener;
use crate::sys::exec::Strings;
use crate::sys::mount::Depth;
use crate::sys::proc::Proc;
use crate::sys::{Fault, file, mount, path, socket};
use rustix::fs::{CWD, OFlags};
use std::os::fd::OwnedFd;
use std::rc::Rc;

/// What [`hold`] is given beside the plan.
#[derive(Debug)]
pub struct Seats {
    /// Gate E.
    pub start: StartGate,
    /// The connected console socket.
    pub console: Option<OwnedFd>,
    /// The network namespace that is made ahead: the runtime hands it over.
    pub network: Option<Ahead>,
    /// Report passed steps?
    pub trace: Trace,
    /// The root file system, where it has been laid in the runtime's own mount namespace.
    pub root: Option<OwnedFd>,
}

/// Opens everything; returns it with the parent's end of the gates.
///
/// # Errors
/// The place in config.json whose object cannot be opened.
pub fn hold(plan: &Plan, proc: Rc<Proc>, seats: Seats) -> Result<(Held, OwnedFd)> {
    check_mount_label(plan)?;
    let (ours, gate) = socket::pair().map_err(|fault| plain("make the gates", fault))?;
    let joins = plan.birth.joins.iter().map(open_namespace);
    let joins: Vec<OwnedFd> = joins.collect::<Result<_>>()?;
    check_mount_namespace(plan, &joins, &proc)?;
    let held = Held {
        gate,
        start: seats.start,
        root: match seats.root {
            None => open_root(plan)?,
            laid => laid,
        },
        network: seats.network,
        trees: open_sources(plan, &joins, &proc)?,
        proc,
        joins,
        console: seats.console,
        documents: open_documents(plan)?,
        create_container: plan
            .hooks
            .create_container
            .iter()
            .map(ReadyHook::new)
            .collect(),
        start_container: plan
            .hooks
            .start_container
            .iter()
            .map(ReadyHook::new)
            .collect(),
        confine: labels::check(&plan.labels)?,
        argv: Strings::new(plan.process.argv.clone()),
        envp: environment(plan),
        trace: seats.trace,
    };
    check_sysctls(plan, &held)?;
    Ok((held, ours))
}

/// The same for a second process in a container that lives: it finds everything mounted.
///
/// # Errors
/// A label that nobody would enforce.
pub fn hold_for_second(plan: &Plan, proc: Rc<Proc>, seats: Seats) -> Result<(Held, OwnedFd)> {
    let (ours, gate) = socket::pair().map_err(|fault| plain("make the gates", fault))?;
    let held = Held {
        gate,
        start: seats.start,
        proc,
        root: seats.root,
        network: None,
        trees: Vec::new(),
        joins: Vec::new(),
        console: seats.console,
        documents: None,
        create_container: Vec::new(),
        start_container: Vec::new(),
        confine: labels::check(&plan.labels)?,
        argv: Strings::new(plan.process.argv.clone()),
        envp: environment(plan),
        trace: seats.trace,
    };
    Ok((held, ours))
}

/// A label is refused where there is nobody to enforce it.
fn check_mount_label(plan: &Plan) -> Result<()> {
    if plan.mount_label.is_none() || ask::has_selinux() {
        return Ok(());
    }
    let why = "SELinux is not enabled on this host";
    let error = Error::refused("label the mounts", "/linux/mountLabel", why);
    Err(error.hint("leave it out; with podman and docker: --security-opt label=disable"))
}

fn plain(doing: &str, fault: Fault) -> Error {
    Error::new(doing, Object::Nothing, fault.into())
}

fn open_root(plan: &Plan) -> Result<Option<OwnedFd>> {
    if plan.root.opener == Opener::Child {
        return Ok(None);
    }
    let tree = mount::copy_tree(CWD, &plan.root.path, Depth::Tree);
    tree.map(Some).map_err(|fault| explain::root(plan, fault))
}

fn open_sources(plan: &Plan, joins: &[OwnedFd], proc: &Proc) -> Result<Vec<Option<OwnedFd>>> {
    let mut namespaces = Namespaces::default();
    let opened = plan.mounts.iter().map(|op| {
        let tree = open_source(plan, op)?;
        if let Some(tree) = &tree {
            namespaces.map(plan, op, tree, joins, proc)?;
        }
        Ok(tree)
    });
    opened.collect()
}

fn open_source(plan: &Plan, op: &MountOp) -> Result<Option<OwnedFd>> {
    let Source::Bind {
        path,
        recursive,
        link,
        opener: Opener::Parent,
        ..
    } = &op.source
    else {
        return Ok(None);
    };
    let depth = if *recursive == Recursive::Yes {
        Depth::Tree
    } else {
        Depth::One
    };
    let opened = match link {
        SourceLink::Follow => mount::copy_tree(CWD, path, depth),
        SourceLink::Itself | SourceLink::Copy => mount::copy_unfollowed(CWD, path, depth),
    };
    opened
        .map(Some)
        .map_err(|fault| explain::source(plan, op, fault))
}

fn open_namespace(join: &crate::plan::birth::Join) -> Result<OwnedFd> {
    let opened = file::open(CWD, &join.path, OFlags::RDONLY);
    opened.map_err(|fault| explain::join(join, fault))
}

fn open_documents(plan: &Plan) -> Result<Option<Documents>> {
    let hooks = &plan.hooks;
    if hooks.create_container.is_empty() && hooks.start_container.is_empty() {
        return Ok(None);
    }
    let make = |name| {
        file::memory(name).map_err(|fault| plain("make a file in memory for the hooks", fault))
    };
    Ok(Some(Documents {
        creating: make(c"state")?,
        created: make(c"state")?,
        output: make(c"output")?,
        files: open_outputs(&hooks.outputs)?,
    }))
}

fn environment(plan: &Plan) -> Strings {
    match plan.process.home {
        Home::Given => Strings::new(plan.process.envp.clone()),
        Home::FromPasswd => Strings::with_blank(plan.process.envp.clone(), c"HOME=/"),
    }
}

/// A sysctl is for a namespace of the container's own; one joined by path may turn out to be the host's.
fn check_sysctls(plan: &Plan, held: &Held) -> Result<()> {
    for sysctl in &plan.sysctls {
        for (join, fd) in plan.birth.joins.iter().zip(&held.joins) {
            if join.kind == sysctl.namespace && is_own(&held.proc, join.kind, fd)? {
                let why = format!(
                    "{} is the host's own {} namespace",
                    join.path.to_string_lossy(),
                    join.kind.name()
                );
                let error = Error::refused("write the sysctl", &sysctl.pointer, why);
                return Err(
                    error.hint("set it on the host, or give the container a namespace of its own")
                );
            }
        }
    }
    Ok(())
}

/// Pivoting in the namespace that the runtime is in would take the host's root away from everybody.
fn check_mount_namespace(plan: &Plan, joins: &[OwnedFd], proc: &Proc) -> Result<()> {
    for (join, fd) in plan.birth.joins.iter().zip(joins) {
        if join.kind == Kind::Mount && is_own(proc, join.kind, fd)? {
            let why = "it is the runtime's own, whose root would become the container's";
            let error = Error::refused("join the mount namespace", &join.pointer, why);
            return Err(error.hint("leave the mount namespace out of /linux/namespaces: then the container stays in it, with a root of its own"));
        }
    }
    Ok(())
}

/// Whether the descriptor shows the namespace that this process is in.
fn is_own(proc: &Proc, kind: Kind, fd: &OwnedFd) -> Result<bool> {
    let told = |fault| plain("compare the namespaces", fault);
    let own = proc.namespace(kind.file()).map_err(told)?;
    let (own, other) = (
        path::look(own).map_err(told)?,
        path::look(fd).map_err(told)?,
    );
    Ok((own.st_dev, own.st_ino) == (other.st_dev, other.st_ino))
}
