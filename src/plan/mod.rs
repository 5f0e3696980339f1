//! config.json as decided: everything checked, everything ready.
//!
//! [`plan`] is pure: the specification, what was asked of the host once ([`facts::Facts`]) and what
//! was typed ([`crate::cli::Create`]) go in; a [`Plan`] or one clear error comes out. No file, clock,
//! environment or system call. What the child needs is made here as C strings, flags and bytes, each
//! with the pointer of the place in config.json that it came from. What this folder does *not* do:
//! open a descriptor, or ask the kernel whether something will work.

/// What the host can do, asked once; a literal in tests.
pub mod facts;

/// A plan with what was asked for beside it.
pub mod work;

/// Text of config.json as C strings.
pub mod cstrings;

/// Which process makes or joins which namespace.
#[cfg(target_os = "linux")]
pub mod birth;

/// Offsets of a new time namespace.
#[cfg(target_os = "linux")]
pub mod clocks;

/// User and group mappings, as the bytes of uid_map and gid_map.
#[cfg(target_os = "linux")]
pub mod idmap;

/// The root file system.
#[cfg(target_os = "linux")]
pub mod root;

/// Mount options: one table from words to flags.
#[cfg(target_os = "linux")]
pub mod options;

/// `/mounts` as ordered operations.
#[cfg(target_os = "linux")]
pub mod mounts;

/// Device nodes and the links beside them.
#[cfg(target_os = "linux")]
pub mod devices;

/// Masked and read-only paths.
#[cfg(target_os = "linux")]
pub mod masks;

/// Arguments, environment, working directory and the candidates for the program's path.
#[cfg(target_os = "linux")]
pub mod process;

/// Ids, groups, umask.
#[cfg(target_os = "linux")]
pub mod user;

/// Capability names as five bit sets.
#[cfg(target_os = "linux")]
pub mod caps;

/// The seccomp filter.
#[cfg(target_os = "linux")]
pub mod seccomp;

/// Resource limits of the process.
#[cfg(target_os = "linux")]
pub mod limits;

/// Sysctls, host name, domain name, personality.
#[cfg(target_os = "linux")]
pub mod tuning;

/// Lists of CPUs and memory nodes.
#[cfg(target_os = "linux")]
pub mod cpulist;

/// CPU, disk and memory: who gets how much of which.
#[cfg(target_os = "linux")]
pub mod scheduling;

/// AppArmor and SELinux.
#[cfg(target_os = "linux")]
pub mod labels;

/// Network devices to move.
#[cfg(target_os = "linux")]
pub mod net;

/// Shares of caches and memory bandwidth.
#[cfg(target_os = "linux")]
pub mod rdt;

/// The terminal.
#[cfg(target_os = "linux")]
pub mod console;

/// Resources as a list of (file, value), and the device rules.
#[cfg(target_os = "linux")]
pub mod cgroup;

/// Hooks: argument vectors, environments, time limits.
pub mod hooks;

/// The plan of a Job Object, made on every host.
pub mod job;

/// Annotations that are obeyed.
pub mod annotations;

/// What the caller's surroundings add.
#[cfg(target_os = "linux")]
pub mod inherited;

/// A second process in a container that lives.
#[cfg(target_os = "linux")]
pub mod second;

/// Ready-made inputs for the tests.
#[cfg(test)]
#[cfg(target_os = "linux")]
pub(crate) mod sample;

#[cfg(target_os = "linux")]
use crate::{cli::Create, error::Result, spec::Bundle};
#[cfg(target_os = "linux")]
use std::{collections::BTreeMap, path::PathBuf};

/// A container, decided. Parent and child share it; neither changes it.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub struct Plan {
    /// The container's id.
    pub id: String,
    /// The bundle directory, absolute.
    pub bundle: PathBuf,
    /// `/ociVersion`, for the state document.
    pub oci_version: String,
    /// `/annotations`, in order of their keys.
    pub annotations: BTreeMap<String, String>,
    /// Namespaces, and who makes or joins them.
    pub birth: birth::Birth,
    /// The root file system.
    pub root: root::Root,
    /// The mounts, in order.
    pub mounts: Vec<mounts::MountOp>,
    /// The SELinux label of new file systems, with that of the masks.
    pub mount_label: Option<mounts::Label>,
    /// Device nodes and links.
    pub devices: devices::Devices,
    /// Read-only and masked paths.
    pub masks: masks::Masks,
    /// Sysctls, in order of their names.
    pub sysctls: Vec<tuning::Sysctl>,
    /// Host name, domain name, personality.
    pub names: tuning::Names,
    /// Scheduler, I/O priority, memory policy.
    pub scheduling: scheduling::Scheduling,
    /// AppArmor profile and SELinux label.
    pub labels: labels::Labels,
    /// Network devices to move, in order of their names.
    pub net_devices: Vec<net::NetDevice>,
    /// Shares of caches and memory bandwidth, or none.
    pub rdt: Option<rdt::Rdt>,
    /// The terminal, or none.
    pub console: console::Console,
    /// The process.
    pub process: process::Process,
    /// Its ids.
    pub user: user::User,
    /// Its capabilities.
    pub caps: caps::Sets,
    /// Its seccomp filter, or none.
    pub seccomp: Option<seccomp::Filter>,
    /// Its resource limits.
    pub limits: Vec<limits::Limit>,
    /// Where it lives in the cgroup tree, and with which limits.
    pub cgroup: cgroup::Group,
    /// Programs to run at points of the life.
    pub hooks: hooks::Hooks,
    /// Things that the specification says to warn of.
    pub warnings: Vec<String>,
}

/// Decides everything that can be decided before the container exists.
///
/// # Errors
/// The first thing in config.json that is invalid, impossible on this host or not supported, with its pointer.
#[cfg(target_os = "linux")]
pub fn plan(bundle: &Bundle, facts: &facts::Facts, request: &Create) -> Result<Plan> {
    decide(bundle, facts, request).map_err(|error| bundle.explain(error))
}

/// The planners, in order: members of the plan are decided as they stand here.
#[cfg(target_os = "linux")]
fn decide(bundle: &Bundle, facts: &facts::Facts, request: &Create) -> Result<Plan> {
    let spec = &*inherited::with_inherited(&bundle.spec, request);
    let mut warnings = bundle.warnings.clone();

    // What the container has of its own decides what everything below may be.
    let birth = birth::plan(spec, facts, &mut warnings)?;

    // What it sees.
    let root = root::plan(spec, &birth, facts, &bundle.path, request.entry)?;
    let mounts = mounts::plan(spec, &birth, facts, &bundle.path, &mut warnings)?;
    let devices = devices::plan(spec, &birth)?;
    let masks = masks::plan(spec)?;
    birth::may_mount(&birth)?;

    // What runs in it, and how much of the machine it gets.
    let process = process::plan(spec, request)?;
    let cgroup = cgroup::plan(spec, &birth, facts, request)?;
    warnings.extend(cgroup.warnings.iter().cloned());

    Ok(Plan {
        id: request.id.clone(),
        bundle: bundle.path.clone(),
        oci_version: spec.version().clone(),
        annotations: spec.annotations().clone().into_iter().flatten().collect(),
        sysctls: tuning::sysctls(spec, &birth)?,
        names: tuning::names(spec, &birth, &mut warnings)?,
        scheduling: scheduling::plan(spec, &mut warnings)?,
        labels: labels::plan(spec)?,
        net_devices: net::plan(spec, &birth, facts)?,
        rdt: rdt::plan(spec, request)?,
        console: console::plan(spec, request)?,
        user: user::plan(spec, &birth)?,
        caps: caps::plan(spec, &birth, facts, &mut warnings)?,
        seccomp: seccomp::plan(spec, facts, &mut warnings)?,
        limits: limits::plan(spec)?,
        hooks: hooks::plan(spec, &process.envp)?,
        mount_label: mounts::label(spec)?,
        birth,
        root,
        mounts,
        devices,
        masks,
        process,
        cgroup,
        warnings,
    })
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
