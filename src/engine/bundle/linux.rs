//! Namespaces, limits, devices, hidden paths.

use super::caps::Chosen;
use super::security::Security;
use super::{Ground, devices, merge, seccomp};
use crate::engine::container::record::Record;
use crate::engine::container::wish::{Limits, Switch, Wish};
use crate::engine::places::Who;
use crate::engine::runtime::has_systemd;
use crate::error::{Cause, Error, Object, Result};
use serde_json::{Map, Value, json};

/// What shows the container the hardware or lets it speak to the kernel past its namespaces; docker's and
/// podman's lists together.
const MASKED: [&str; 14] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/dev/block",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
];

const READ_ONLY: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// Kinds of namespaces that a flag of the same name is about.
const KINDS: [&str; 4] = ["pid", "ipc", "uts", "cgroup"];

/// `/linux`.
///
/// # Errors
/// A wrong limit, sysctl, device or profile.
pub(super) fn linux(
    record: &Record,
    ground: &Ground<'_>,
    security: &Security,
    caps: &Chosen,
) -> Result<Value> {
    let wish = &record.wish;
    let privileged = wish.has(Switch::Privileged);
    let mut linux = json!({
        "namespaces": namespaces(wish, ground)?,
        "resources": resources(wish, ground)?,
        "devices": devices::nodes(wish)?,
        "sysctl": sysctls(wish)?,
    });
    if !ground.ids.is_hosts() {
        merge(&mut linux, "uidMappings", json!(ground.ids.uids));
        merge(&mut linux, "gidMappings", json!(ground.ids.gids));
    }
    if has_systemd() {
        let path = format!("{}:orbital:{}", wish.cgroup_parent, record.id);
        merge(&mut linux, "cgroupsPath", json!(path));
    } else if ground.who == Who::Root || !wish.cgroup_parent.is_empty() {
        let name = format!("orbital-{}", record.id);
        let path = std::path::Path::new("/")
            .join(&wish.cgroup_parent)
            .join(name);
        merge(&mut linux, "cgroupsPath", json!(path));
    }
    if !privileged && !security.all_paths {
        let shown = |path: &&&str| !security.unmask.iter().any(|shown| shown == **path);
        let mut masked: Vec<&str> = MASKED.iter().filter(shown).copied().collect();
        masked.extend(security.mask.iter().map(String::as_str));
        let read_only: Vec<&str> = READ_ONLY.iter().filter(shown).copied().collect();
        merge(&mut linux, "maskedPaths", json!(masked));
        merge(&mut linux, "readonlyPaths", json!(read_only));
    }
    if !(privileged && security.seccomp.is_empty())
        && let Some(filter) = seccomp::filter(&security.seccomp, &caps.all)?
    {
        merge(&mut linux, "seccomp", filter);
    }
    if !security.label.is_empty() {
        merge(&mut linux, "mountLabel", json!(security.label));
    }
    if let Some(propagation) = propagation(wish) {
        merge(&mut linux, "rootfsPropagation", json!(propagation));
    }
    Ok(linux)
}

/// How the root has to propagate, where a mount is to be seen on the other side.
fn propagation(wish: &Wish) -> Option<&'static str> {
    let words = || wish.mounts.iter().flat_map(|mount| &mount.options);
    if words().any(|word| word.ends_with("shared")) {
        return Some("shared");
    }
    words()
        .any(|word| word.ends_with("slave"))
        .then_some("slave")
}

fn namespaces(wish: &Wish, ground: &Ground<'_>) -> Result<Vec<Value>> {
    let mut all = vec![json!({ "type": "mount" })];
    if !ground.ids.is_hosts() {
        all.push(json!({ "type": "user" }));
    }
    match &ground.network {
        None => {}
        Some(path) if path.as_os_str().is_empty() => all.push(json!({ "type": "network" })),
        Some(path) => all.push(json!({ "type": "network", "path": path })),
    }
    for kind in KINDS {
        let mode = wish.namespaces.get(kind).map_or("", String::as_str);
        match mode.split_once(':') {
            None if mode == "host" => {}
            Some(("ns", path)) => all.push(json!({ "type": kind, "path": path })),
            Some(("container", other)) => {
                let pid = ground.others.get(other).ok_or_else(|| {
                    Error::container("share a namespace", other, "it does not run")
                        .hint(format!("start it first: orbital start {other}"))
                })?;
                all.push(json!({ "type": kind, "path": format!("/proc/{pid}/ns/{kind}") }));
            }
            _ => all.push(json!({ "type": kind })),
        }
    }
    Ok(all)
}

fn resources(wish: &Wish, ground: &Ground<'_>) -> Result<Value> {
    let limits = &wish.limits;
    let mut resources = json!({ "devices": devices::rules(wish)? });
    for (name, part) in [
        ("memory", memory(limits)),
        ("cpu", cpu(limits)),
        ("pids", pids(limits, ground)),
        ("blockIO", devices::block(limits)?),
    ] {
        if !part.is_empty() {
            merge(&mut resources, name, Value::Object(part));
        }
    }
    if !limits.unified.is_empty() {
        merge(&mut resources, "unified", json!(limits.unified));
    }
    Ok(resources)
}

fn put<T: Into<Value>>(part: &mut Map<String, Value>, name: &str, value: Option<T>) {
    if let Some(value) = value {
        part.insert(name.to_owned(), value.into());
    }
}

fn memory(limits: &Limits) -> Map<String, Value> {
    let mut part = Map::new();
    // As much swap as memory, where nothing is said: docker's rule. The number counts both.
    let both = limits
        .memory
        .filter(|memory| *memory > 0)
        .map(|memory| memory.saturating_mul(2));
    put(&mut part, "limit", limits.memory);
    put(&mut part, "swap", limits.memory_swap.or(both));
    put(&mut part, "reservation", limits.memory_reservation);
    part
}

fn cpu(limits: &Limits) -> Map<String, Value> {
    let mut part = Map::new();
    put(&mut part, "shares", limits.cpu_shares);
    put(&mut part, "quota", limits.cpu_quota);
    put(&mut part, "period", limits.cpu_period);
    for (name, value) in [("cpus", &limits.cpuset_cpus), ("mems", &limits.cpuset_mems)] {
        put(
            &mut part,
            name,
            Some(value.clone()).filter(|value| !value.is_empty()),
        );
    }
    part
}

/// Processes of a container whom nobody gave a limit; podman's.
const USUAL_PIDS: i64 = 2048;

/// The usual limit is only for those who can have it: nobody asked for it.
fn pids(limits: &Limits, ground: &Ground<'_>) -> Map<String, Value> {
    let usual = || (ground.who == Who::Root && has_controller("pids")).then_some(USUAL_PIDS);
    let mut part = Map::new();
    match limits.pids {
        Some(given) if given <= 0 => put(&mut part, "limit", Some(-1)),
        given => put(&mut part, "limit", given.or_else(usual)),
    }
    part
}

fn has_controller(name: &str) -> bool {
    ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        .iter()
        .any(|root| {
            let listed =
                std::fs::read_to_string(format!("{root}/cgroup.controllers")).unwrap_or_default();
            listed.split_whitespace().any(|word| word == name)
        })
}

fn sysctls(wish: &Wish) -> Result<Map<String, Value>> {
    let mut all = Map::new();
    for sysctl in &wish.sysctls {
        let Some((name, value)) = sysctl.split_once('=') else {
            let why = Cause::Refused("there is no =".to_owned());
            return Err(
                Error::new("set a sysctl", Object::Argument(sysctl.clone()), why)
                    .hint("write it as --sysctl net.ipv4.ip_forward=1"),
            );
        };
        all.insert(name.trim().to_owned(), json!(value.trim()));
    }
    Ok(all)
}
