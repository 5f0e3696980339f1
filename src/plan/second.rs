//! A second process in a container that lives (`orbital exec`): the container's own configuration with
//! another process in it.
//!
//! The process is the one of config.json with the words of the command line as its arguments, or the one
//! of `--process`. Whatever confines is the container's where the process says nothing of it: a caller
//! that leaves capabilities or labels out must not get more than the container has.

use super::birth::{self, Birth, Kind};
use super::cgroup::{Group, Need, Relative};
use super::facts::Facts;
use super::scheduling::{self, Cpus};
use super::{Plan, caps, console, labels, limits, process, rdt, root, seccomp, tuning, user};
use crate::cli::{Changes, Create, Switch};
use crate::error::Result;
use crate::spec::{Bundle, capability};
use oci_spec::runtime::{Capabilities, LinuxCapabilities, Process, Spec};

/// A second process, decided.
#[derive(Debug)]
pub struct Second {
    /// The container's plan as far as such a process needs it, with this process in the place of the first.
    pub plan: Plan,
    /// `CLONE_NEW*` flags of the container's namespaces, all joined from its first process.
    pub namespaces: u32,
    /// Where the runtime runs until the process is born.
    pub cpus_before: Option<Box<Cpus>>,
    /// Where the process runs.
    pub cpus: Option<Box<Cpus>>,
}

/// The process of config.json with other arguments.
#[must_use]
pub fn like_the_first(spec: &Spec, command: &[String]) -> Option<Process> {
    let mut process = spec.process().clone()?;
    process.set_args(Some(command.to_vec()));
    // A first process with a terminal says nothing of a second one.
    process.set_terminal(None);
    process.set_console_size(None);
    Some(process)
}

/// The process of `--process`, as confined as the container where it says nothing of that.
#[must_use]
pub fn as_confined(spec: &Spec, mut given: Process) -> Process {
    let Some(first) = spec.process() else {
        return given;
    };
    if given.capabilities().is_none() {
        given.set_capabilities(first.capabilities().clone());
    }
    if given.no_new_privileges().is_none() {
        given.set_no_new_privileges(first.no_new_privileges());
    }
    let has_text = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    if !has_text(given.apparmor_profile()) {
        given.set_apparmor_profile(first.apparmor_profile().clone());
    }
    if !has_text(given.selinux_label()) {
        given.set_selinux_label(first.selinux_label().clone());
    }
    if given.rlimits().as_ref().is_none_or(Vec::is_empty) {
        given.set_rlimits(first.rlimits().clone());
    }
    if given.oom_score_adj().is_none() {
        given.set_oom_score_adj(first.oom_score_adj());
    }
    if given.scheduler().is_none() {
        given.set_scheduler(first.scheduler().clone());
    }
    if given.io_priority().is_none() {
        given.set_io_priority(*first.io_priority());
    }
    if given.exec_cpu_affinity().is_none() {
        given.set_exec_cpu_affinity(first.exec_cpu_affinity().clone());
    }
    given
}

/// What the flags say, on top.
#[must_use]
pub fn changed(mut process: Process, changes: &Changes) -> Process {
    if changes.terminal == Switch::Given {
        process.set_terminal(Some(true));
    }
    if changes.no_new_privs == Switch::Given {
        process.set_no_new_privileges(Some(true));
    }
    if let Some(cwd) = &changes.cwd {
        process.set_cwd(cwd.clone());
    }
    if let Some(profile) = &changes.apparmor {
        process.set_apparmor_profile(Some(profile.clone()));
    }
    if let Some(label) = &changes.label {
        process.set_selinux_label(Some(label.clone()));
    }
    if !changes.env.is_empty() {
        let mut env = process.env().clone().unwrap_or_default();
        env.extend(changes.env.iter().cloned());
        process.set_env(Some(env));
    }
    identify(&mut process, changes);
    if !changes.capabilities.is_empty() {
        let sets = process.capabilities().clone().unwrap_or_else(none);
        process.set_capabilities(Some(with(sets, &changes.capabilities)));
    }
    process
}

fn identify(process: &mut Process, changes: &Changes) {
    let mut user = process.user().clone();
    if let Some((uid, gid)) = changes.user {
        user.set_uid(uid);
        user.set_gid(gid.unwrap_or(user.gid()));
    }
    if !changes.groups.is_empty() {
        let mut groups = user.additional_gids().clone().unwrap_or_default();
        groups.extend(&changes.groups);
        user.set_additional_gids(Some(groups));
    }
    process.set_user(user);
}

/// The types' own default has some.
fn none() -> LinuxCapabilities {
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(None)
        .set_permitted(None)
        .set_effective(None)
        .set_inheritable(None)
        .set_ambient(None);
    sets
}

/// Each name in the bounding, permitted and effective sets, and ambient where it is inheritable: never
/// inheritable by this alone (CVE-2022-29162).
fn with(mut sets: LinuxCapabilities, names: &[String]) -> LinuxCapabilities {
    let named = names.iter().filter_map(|name| capability::named(name));
    for one in named {
        let more = |set: &Option<Capabilities>| {
            let mut set = set.clone().unwrap_or_default();
            set.insert(one);
            Some(set)
        };
        sets.set_bounding(more(sets.bounding()));
        sets.set_permitted(more(sets.permitted()));
        sets.set_effective(more(sets.effective()));
        let inheritable = sets.inheritable().as_ref();
        if inheritable.is_some_and(|set| set.contains(&one)) {
            sets.set_ambient(more(sets.ambient()));
        }
    }
    sets
}

/// Decides the second process. `bundle` is the container's with that process in it.
///
/// # Errors
/// As [`super::plan`], of the members that such a process has to do with.
pub fn plan(bundle: &Bundle, facts: &Facts, request: &Create) -> Result<Second> {
    let spec = &bundle.spec;
    // Its first process was warned of all of this.
    let mut warned = Vec::new();
    let mut warnings = Vec::new();
    let birth = birth::plan(spec, facts, &mut warned)?;
    let [cpus_before, cpus] = match spec.process() {
        Some(process) => scheduling::exec_cpus(process)?,
        None => [None, None],
    };
    let plan = Plan {
        id: request.id.clone(),
        bundle: bundle.path.clone(),
        oci_version: spec.version().clone(),
        annotations: std::collections::BTreeMap::new(),
        root: root::plan(spec, &birth, facts, &bundle.path, request.entry)?,
        mounts: Vec::new(),
        mount_label: None,
        devices: super::devices::Devices::default(),
        masks: super::masks::Masks::default(),
        sysctls: Vec::new(),
        names: tuning::Names {
            host: None,
            domain: None,
            ..tuning::names(spec, &birth, &mut warned)?
        },
        scheduling: scheduling::plan(spec, &mut warnings)?,
        labels: labels::plan(spec)?,
        net_devices: Vec::new(),
        rdt: rdt::plan(spec, request)?,
        console: console::plan(spec, request)?,
        process: process::plan(spec, request)?,
        user: user::plan(spec, &birth)?,
        caps: caps::plan(spec, &birth, facts, &mut warnings)?,
        seccomp: seccomp::plan(spec, facts, &mut warned)?,
        limits: limits::plan(spec)?,
        cgroup: no_group(),
        hooks: super::hooks::Hooks::default(),
        warnings,
        birth,
    };
    Ok(Second {
        namespaces: namespaces(&plan.birth),
        plan,
        cpus_before,
        cpus,
    })
}

fn namespaces(birth: &Birth) -> u32 {
    birth.own.iter().fold(0, |flags, kind| flags | kind.flag())
}

/// The group is there already, and the record knows it.
fn no_group() -> Group {
    Group {
        path: String::new(),
        relative: Relative::ToRoot,
        pointer: crate::error::Pointer::default(),
        need: Need::Unwanted,
        settings: Vec::new(),
        devices: Vec::new(),
        owner: None,
        scope: None,
        warnings: Vec::new(),
    }
}

impl Second {
    /// Namespaces that the runtime joins before the clone: the pid namespace, which is for children, and
    /// for a user the user namespace, without which they may not join any. The rest is the child's.
    #[must_use]
    pub fn joined_by_parent(&self, facts: &Facts) -> u32 {
        use super::facts::Privilege;
        let kinds = match facts.privilege {
            Privilege::Root => Kind::Pid.flag(),
            Privilege::User => Kind::Pid.flag() | Kind::User.flag(),
        };
        self.namespaces & kinds
    }
}

#[cfg(test)]
mod tests;
