//! Resources (config-linux.md, "Control groups") as a list of (file, value) for cgroup v2, and device rules.
//!
//! config.json speaks of cgroup v1; what v2 calls otherwise is translated as runc and crun do, so
//! that one config.json means the same under each. What v2 has no counterpart for is refused where
//! the container would be less confined than asked for, else ignored with a warning.

/// `/linux/cgroupsPath`: where the group is.
mod path;

/// `/linux/resources/memory`, `/pids`, `/hugepageLimits`.
mod memory;

/// `/linux/resources/cpu`.
mod cpu;

/// `/linux/resources/blockIO`, `/rdma`.
mod io;

/// `/linux/resources/unified`: v2 files by name.
mod unified;

/// `/linux/resources/devices`: who may open and make which device.
mod devices;

/// To whom the group is handed over.
mod owner;

/// Other limits for a container that lives.
pub mod update;

/// `/linux/cgroupsPath` for systemd.
mod unit;

/// What systemd is told of the group.
pub mod properties;

/// Values of D-Bus.
pub mod variant;

#[cfg(test)]
mod tests;

use crate::cli::{Create, Manager};
use crate::error::{Error, Pointer, Result};
use crate::plan::birth::Birth;
use crate::plan::facts::{Facts, Instance, Privilege};
use oci_spec::runtime::{LinuxResources, Spec};

/// One file to write in the container's group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name, such as `memory.max`.
    pub file: String,
    /// What to write.
    pub value: String,
    /// The controller it belongs to, such as `memory`; `None` for `cgroup.*` files.
    pub controller: Option<String>,
    /// What to do on a kernel that has no such file.
    pub otherwise: Otherwise,
    /// Where the value comes from.
    pub pointer: Pointer,
}

/// When a setting is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// While the group is empty, so that nothing ever runs without it.
    BeforeBirth,
    /// When the container's process is in it and waits: the kernel lets nobody be born under it.
    AfterBirth,
}

impl Setting {
    /// When to write it. A limit of no tasks forbids birth in the group (clone3(2), EAGAIN), but not to be
    /// in it: written afterwards it is the limit that was asked for, and the process can make no other.
    #[must_use]
    pub fn moment(&self) -> Moment {
        match (self.file.as_str(), self.value.trim()) {
            ("pids.max", "0") => Moment::AfterBirth,
            _ => Moment::BeforeBirth,
        }
    }
}

/// What to do where the kernel has no file of a setting's name, although it has the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// The container cannot be as asked for.
    Fail,
    /// Nothing is lost: without the file the kernel behaves as the value asks.
    Ignore,
    /// Another file means the same.
    Write {
        /// Its name.
        file: String,
        /// What to write there.
        value: String,
    },
}

/// `b`, `c` or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// Both.
    All,
    /// Block devices.
    Block,
    /// Character devices.
    Character,
}

/// Allow or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The access is permitted.
    Allow,
    /// It answers EPERM.
    Deny,
}

/// One rule; of all that match, the last one decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceRule {
    /// Allow or deny.
    pub verdict: Verdict,
    /// Block, character or both.
    pub kind: DeviceKind,
    /// Major number; `None` for any.
    pub major: Option<u32>,
    /// Minor number; `None` for any.
    pub minor: Option<u32>,
    /// Bits of `BPF_DEVCG_ACC_*`: 1 mknod, 2 read, 4 write.
    pub access: u8,
}

/// What is to be done about cgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without a group the container must not be: limits or a path are asked for.
    Required,
    /// Nothing was asked for, and the caller may not be allowed to make one: go on without.
    Wished,
    /// The container stays in its caller's group (`--cgroup-manager disabled`).
    Unwanted,
}

/// The container's place in the cgroup tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Path below the hierarchy's root, without a leading slash: `cgroupsPath`, else the container's id.
    pub path: String,
    /// Whether `path` is below the caller's own group instead (a relative `cgroupsPath`, or a user's default).
    pub relative: Relative,
    /// `/linux/cgroupsPath`, or where the first limit stands.
    pub pointer: Pointer,
    /// Whether it must be.
    pub need: Need,
    /// Files to write, in order.
    pub settings: Vec<Setting>,
    /// Device rules in order, orbital's own defaults at the end; empty where no filter can be loaded.
    pub devices: Vec<DeviceRule>,
    /// The unit that systemd is to make it as; `None` where orbital makes it.
    pub scope: Option<Scope>,
    /// The host's user id that the group is handed over to; `None` where it stays its maker's.
    pub owner: Option<u32>,
    /// Members of `/linux/resources` that cgroup v2 has no counterpart for, as sentences for the log.
    pub warnings: Vec<String>,
}

/// A unit of systemd's that is the container's group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whose systemd makes it.
    pub instance: Instance,
    /// Its name, such as `libpod-12ab.scope`.
    pub unit: String,
    /// Its properties, without the process.
    pub properties: Vec<properties::Property>,
}

/// Where a cgroup path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relative {
    /// At the root of the hierarchy.
    ToRoot,
    /// At the caller's own group.
    ToCaller,
}

/// Decides the group of the container.
///
/// The device rules are planned for every caller that is root, with or without a user namespace:
/// the parent loads the filter, not the child. A user may not load any.
///
/// # Errors
/// A path that leaves the tree, a value that no kernel takes, a limit that cgroup v2 cannot express.
pub fn plan(spec: &Spec, birth: &Birth, facts: &Facts, request: &Create) -> Result<Group> {
    let linux = spec.linux().as_ref();
    let given = linux.and_then(|linux| linux.cgroups_path().as_ref());
    let mut wanted = Wanted::default();
    if let Some(resources) = linux.and_then(|linux| linux.resources().as_ref()) {
        wanted.read(resources, &Pointer::from("/linux/resources"))?;
    }
    let given = given.map(std::path::PathBuf::as_path);
    let mut unit = None;
    let place = match request.manager {
        Manager::Systemd => unit.insert(unit::plan(given, &request.id, facts)?).place(),
        Manager::Cgroupfs | Manager::Disabled => path::plan(given, &request.id, facts)?,
    };
    let need = wanted.need(&place, request.manager)?;
    let devices = match facts.privilege {
        Privilege::Root if need != Need::Unwanted => {
            devices::plan(linux.and_then(|linux| linux.resources().as_ref()))?
        }
        _ => Vec::new(),
    };
    let pointer = match (place.origin, wanted.settings.first()) {
        (path::Origin::Default, Some(first)) => first.pointer.clone(),
        _ => Pointer::from("/linux/cgroupsPath"),
    };
    let Wanted { settings, warnings } = wanted;
    let path::Place { path, relative, .. } = place;
    let owner = match need {
        Need::Unwanted => None,
        Need::Required | Need::Wished => owner::plan(spec, birth, facts),
    };
    let annotations = spec.annotations().as_ref();
    let scope = unit
        .map(|unit| {
            scope(
                unit,
                &request.id,
                facts.systemd,
                &settings,
                &devices,
                annotations,
            )
        })
        .transpose()?;
    Ok(Group {
        path,
        relative,
        pointer,
        need,
        settings,
        devices,
        scope,
        owner,
        warnings,
    })
}

/// The unit with all that systemd is told of it.
fn scope(
    unit: unit::Unit,
    id: &str,
    instance: Instance,
    settings: &[Setting],
    devices: &[DeviceRule],
    annotations: Option<&std::collections::HashMap<String, String>>,
) -> Result<Scope> {
    Ok(Scope {
        properties: properties::plan(id, &unit, instance, settings, devices, annotations)?,
        instance,
        unit: unit.name,
    })
}

/// What `/linux/resources` asks for, as it is gathered.
#[derive(Debug, Default)]
struct Wanted {
    settings: Vec<Setting>,
    warnings: Vec<String>,
}

impl Wanted {
    /// In an order that the kernel takes; `unified` last, since it may overrule the others.
    fn read(&mut self, resources: &LinuxResources, at: &Pointer) -> Result<()> {
        if let Some(pids) = resources.pids() {
            memory::pids(pids, &at.at("pids"), self)?;
        }
        if let Some(memory) = resources.memory() {
            memory::memory(memory, &at.at("memory"), self)?;
        }
        if let Some(block) = resources.block_io() {
            io::block(block, &at.at("blockIO"), self)?;
        }
        if let Some(cpu) = resources.cpu() {
            cpu::plan(cpu, &at.at("cpu"), self)?;
        }
        if let Some(limits) = resources.hugepage_limits() {
            memory::hugepages(limits, &at.at("hugepageLimits"), self)?;
        }
        if let Some(rdma) = resources.rdma() {
            io::rdma(rdma, &at.at("rdma"), self)?;
        }
        if let Some(network) = resources.network() {
            let asked = network.class_id().is_some_and(|class| class != 0)
                || network
                    .priorities()
                    .as_ref()
                    .is_some_and(|list| !list.is_empty());
            if asked {
                self.warn(
                    &at.at("network"),
                    "cgroup v2 has no network classes or priorities",
                );
            }
        }
        if let Some(unified) = resources.unified() {
            unified::plan(unified, &at.at("unified"), self)?;
        }
        // Not all are written at one moment, and still the last one counts.
        if let Some(last) = self.settings.iter().rposition(|one| one.file == "pids.max") {
            let mut index = 0;
            self.settings.retain(|one| {
                index += 1;
                one.file != "pids.max" || index == last + 1
            });
        }
        Ok(())
    }

    fn need(&self, place: &path::Place, manager: Manager) -> Result<Need> {
        match (manager, self.settings.first()) {
            (Manager::Disabled, Some(first)) => {
                let why = "a limit needs a cgroup, and --cgroup-manager disabled asks for none";
                Err(
                    Error::refused(format!("set {}", first.file), &first.pointer, why)
                        .hint("leave out the limits, or use --cgroup-manager cgroupfs"),
                )
            }
            (Manager::Disabled, None) => Ok(Need::Unwanted),
            (Manager::Systemd, _) => Ok(Need::Required),
            (_, None) if place.origin == path::Origin::Default => Ok(Need::Wished),
            _ => Ok(Need::Required),
        }
    }

    /// One file of a controller, which every kernel with that controller has.
    fn set(&mut self, file: &str, value: impl ToString, pointer: Pointer) {
        self.set_or(file, value, Otherwise::Fail, pointer);
    }

    /// The same, for a file that some kernels lack.
    fn set_or(&mut self, file: &str, value: impl ToString, otherwise: Otherwise, pointer: Pointer) {
        let controller = file.split('.').next().filter(|name| *name != "cgroup");
        let controller = controller.map(str::to_owned);
        let (file, value) = (file.to_owned(), value.to_string());
        self.settings.push(Setting {
            file,
            value,
            controller,
            otherwise,
            pointer,
        });
    }

    fn warn(&mut self, pointer: &Pointer, why: &str) {
        self.warnings
            .push(format!("{} is ignored: {why}", pointer.as_str()));
    }
}

/// A limit in bytes or in things as v2 writes it: -1 is `max`.
///
/// # Errors
/// Any other negative number.
fn limit(value: i64, file: &str, pointer: &Pointer) -> Result<String> {
    match value {
        -1 => Ok("max".to_owned()),
        0.. => Ok(value.to_string()),
        _ => {
            let why = "a limit is a number from 0 on, or -1 for none";
            Err(Error::refused(format!("set {file}"), pointer, why))
        }
    }
}
