//! Groups that systemd makes: what it says of the unit, what the kernel's files say, and that neither
//! knows anything of it afterwards. `systemctl` is asked, as people ask it.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, eventually, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;
use crate::spec::Spec;

pub(super) const SYSTEMD: &[Need] = &[
    Need::Root,
    Need::CgroupV2,
    Need::File("/run/systemd/private"),
    Need::Program("systemctl"),
];

pub(super) const FLAG: &[&str] = &["--systemd-cgroup"];

/// To run a program as the user whose systemd runs on the machines that have one.
pub(super) const AS_USER: &[&str] = &[
    "setpriv",
    "--reuid",
    "1000",
    "--regid",
    "1000",
    "--clear-groups",
];

/// How long systemd may take to forget.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// 64 MiB.
const SOME: i64 = 67_108_864;

pub(super) const CASES: &[Case] = &[
    Case::new("the-container-is-a-scope-of-its-slice", scope).needs(SYSTEMD),
    Case::new("without-a-path-it-is-in-the-system-slice", usual).needs(SYSTEMD),
    Case::new("limits-are-systemds-and-the-kernels", limits).needs(SYSTEMD),
    Case::new("a-reload-changes-nothing", reload).needs(SYSTEMD),
    Case::new("what-systemd-does-not-know-is-written", unknown).needs(SYSTEMD),
    Case::new("devices-are-those-of-the-filter", devices).needs(SYSTEMD),
    Case::new("annotations-are-properties", annotations).needs(SYSTEMD),
    Case::new("a-letter-that-no-unit-may-have", odd)
        .needs(SYSTEMD)
        .deviates(&[
            ("runc", "passes it on, and systemd refuses"),
            ("crun", "passes it on, and systemd refuses"),
        ]),
    Case::new("a-failed-unit-of-its-name-is-reset", leftover).needs(SYSTEMD),
    Case::new("a-unit-in-use-is-refused-and-lives-on", in_use).needs(SYSTEMD),
    Case::new("a-failed-create-leaves-no-unit", failed).needs(SYSTEMD),
    Case::new("a-value-that-systemd-does-not-take", not_taken).needs(SYSTEMD),
    Case::new("the-end-of-the-process-ends-the-unit", ended).needs(SYSTEMD),
    Case::new("through-the-message-bus", by_bus).needs(SYSTEMD),
];

/// The bundle of a container that is to be `suite-ID.scope`.
pub(super) fn bundle(lab: &Lab, id: &str, edit: impl FnOnce(&mut Spec)) -> Outcome<Bundle> {
    lab.bundle(|spec| {
        spec.set(
            "/linux/cgroupsPath",
            json!(format!("machine.slice:suite:{id}")),
        );
        spec.args(&["sleep", "100"]);
        edit(spec);
    })
}

/// A started container whose group systemd has made, as `PREFIX-ID.scope`.
pub(super) fn made<'l>(
    lab: &'l Lab,
    edit: impl FnOnce(&mut Spec),
) -> Outcome<(Container<'l>, String)> {
    let id = lab.id("sd");
    let bundle = bundle(lab, &id, edit)?;
    let container = Container::create_after(lab, &bundle, &id, FLAG, &[])?;
    container.start()?;
    Ok((container, format!("suite-{id}.scope")))
}

/// A property of a unit, as systemctl prints it.
pub(super) fn shown(lab: &Lab, unit: &str, name: &str) -> Outcome<String> {
    let said = lab.host(&["systemctl", "show", "--value", "--property", name, unit])?;
    Ok(said.trim().to_owned())
}

/// Nobody knows of it any more.
pub(super) fn gone(lab: &Lab, unit: &str) -> Outcome {
    eventually("the unit to be forgotten", PATIENCE, || {
        Ok(shown(lab, unit, "LoadState")? == "not-found")
    })?;
    let left = probe::cgroups_with(unit);
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}

pub(super) fn over(lab: &Lab, container: &Container<'_>, unit: &str) -> Outcome {
    container.end()?;
    gone(lab, unit)
}

/// A file of the container's group.
pub(super) fn file(container: &Container<'_>, name: &str) -> Outcome<String> {
    let text = fs::read_to_string(probe::cgroup_dir(container.pid)?.join(name))?;
    Ok(text.trim().to_owned())
}

fn scope(lab: &Lab) -> Outcome {
    let (container, unit) = made(lab, |_| ())?;
    let place = format!("/machine.slice/{unit}");
    for (name, value) in [
        ("ActiveState", "active"),
        ("Slice", "machine.slice"),
        ("Delegate", "yes"),
        ("ControlGroup", place.as_str()),
    ] {
        same(name, shown(lab, &unit, name)?.as_str(), value)?;
    }
    contains(
        "the process's cgroup",
        &probe::cgroup(container.pid)?,
        &place,
    )?;
    // A cgroup namespace begins where it is, not where it was born.
    let inside = probe::proc_file(container.pid, "cgroup")?;
    contains("/proc/PID/cgroup", &inside, &place)?;
    over(lab, &container, &unit)
}

fn usual(lab: &Lab) -> Outcome {
    let id = lab.id("sd");
    let bundle = lab.bundle(|spec| {
        spec.remove("/linux/cgroupsPath").args(&["sleep", "100"]);
    })?;
    let container = Container::create_after(lab, &bundle, &id, FLAG, &[])?;
    let place = probe::cgroup(container.pid)?;
    let end = format!("-{id}.scope");
    ensure!(
        place.contains("/system.slice/") && place.ends_with(&end),
        "it is in {place}"
    );
    container.end()
}

fn resources() -> Value {
    json!({
        "memory": {"limit": SOME, "reservation": SOME / 2},
        "cpu": {"quota": 50_000, "period": 100_000, "shares": 1024, "cpus": "0"},
        "pids": {"limit": 20},
    })
}

/// The files of [`resources`].
const FILES: &[(&str, &str)] = &[
    ("memory.max", "67108864"),
    ("memory.low", "33554432"),
    ("cpu.max", "50000 100000"),
    ("cpuset.cpus", "0"),
    ("pids.max", "20"),
];

pub(super) fn limited(lab: &Lab) -> Outcome<(Container<'_>, String)> {
    made(lab, |spec| {
        spec.set("/linux/resources", resources());
    })
}

fn in_force(container: &Container<'_>) -> Outcome {
    for (name, value) in FILES {
        same(name, file(container, name)?.as_str(), *value)?;
    }
    Ok(())
}

fn limits(lab: &Lab) -> Outcome {
    let (container, unit) = limited(lab)?;
    in_force(&container)?;
    for (name, value) in [
        ("MemoryMax", "67108864"),
        ("MemoryLow", "33554432"),
        ("CPUQuotaPerSecUSec", "500ms"),
        ("AllowedCPUs", "0"),
        ("TasksMax", "20"),
    ] {
        same(name, shown(lab, &unit, name)?.as_str(), value)?;
    }
    over(lab, &container, &unit)
}

fn reload(lab: &Lab) -> Outcome {
    let (container, unit) = limited(lab)?;
    lab.host(&["systemctl", "daemon-reload"])?;
    in_force(&container)?;
    over(lab, &container, &unit)
}

fn unknown(lab: &Lab) -> Outcome {
    let (container, unit) = made(lab, |spec| {
        let files = json!({"memory.oom.group": "1", "cgroup.max.depth": "7"});
        spec.set("/linux/resources", json!({"unified": files}));
    })?;
    same(
        "memory.oom.group",
        file(&container, "memory.oom.group")?.as_str(),
        "1",
    )?;
    same(
        "cgroup.max.depth",
        file(&container, "cgroup.max.depth")?.as_str(),
        "7",
    )?;
    over(lab, &container, &unit)
}

/// systemd's filter and the runtime's are both asked: what one denies, is denied.
fn devices(lab: &Lab) -> Outcome {
    let (container, unit) = made(lab, |spec| {
        let rules = json!([
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "r"},
        ]);
        spec.set("/linux/resources", json!({"devices": rules}));
        spec.sh(
            "mknod /tmp/log c 1 11 && head -c0 /tmp/log && echo read; (: >/tmp/log) 2>/dev/null || echo not written; \
             mknod /tmp/mem c 1 1 && (head -c0 /tmp/mem) 2>/dev/null || echo no memory; echo x >/dev/null && echo ready; exec sleep 100",
        );
        for set in ["bounding", "effective", "permitted"] {
            spec.push(&format!("/process/capabilities/{set}"), json!("CAP_MKNOD"));
        }
    })?;
    container.wrote("ready")?;
    let heard = container.output()?;
    mentions(
        "the container's output",
        &heard,
        &["read", "not written", "no memory"],
    )?;
    same(
        "DevicePolicy",
        shown(lab, &unit, "DevicePolicy")?.as_str(),
        "strict",
    )?;
    contains("DeviceAllow", &shown(lab, &unit, "DeviceAllow")?, "1:11 r")?;
    over(lab, &container, &unit)
}

fn annotations(lab: &Lab) -> Outcome {
    let given = json!({
        "org.systemd.property.TimeoutStopUSec": "uint64 7000000",
        "org.systemd.property.After": "['multi-user.target']",
    });
    let (container, unit) = made(lab, |spec| {
        spec.set("/annotations", given);
    })?;
    same(
        "TimeoutStopUSec",
        shown(lab, &unit, "TimeoutStopUSec")?.as_str(),
        "7s",
    )?;
    contains("After", &shown(lab, &unit, "After")?, "multi-user.target")?;
    over(lab, &container, &unit)
}

fn odd(lab: &Lab) -> Outcome {
    let id = format!("{}+1", lab.id("sd"));
    let bundle = lab.bundle(|spec| {
        spec.remove("/linux/cgroupsPath").args(&["sleep", "100"]);
    })?;
    let container = Container::create_after(lab, &bundle, &id, FLAG, &[])?;
    let place = probe::cgroup(container.pid)?;
    ensure!(place.ends_with("\\x2b1.scope"), "it is in {place}");
    container.end()?;
    gone(lab, place.rsplit('/').next().unwrap_or_default())
}

/// A unit that has failed stays known, and its name taken, until somebody resets it.
fn leftover(lab: &Lab) -> Outcome {
    let id = lab.id("sd");
    let unit = format!("suite-{id}.scope");
    let script = format!(
        "systemd-run --quiet --scope --unit={unit} -p RuntimeMaxSec=1 sleep 100; systemctl is-failed {unit}"
    );
    same(
        "the unit",
        lab.host(&["sh", "-c", &script])?.trim(),
        "failed",
    )?;
    let bundle = bundle(lab, &id, |_| ())?;
    let container = Container::create_after(lab, &bundle, &id, FLAG, &[])?;
    same(
        "ActiveState",
        shown(lab, &unit, "ActiveState")?.as_str(),
        "active",
    )?;
    over(lab, &container, &unit)
}

fn in_use(lab: &Lab) -> Outcome {
    let (container, unit) = made(lab, |_| ())?;
    let other = lab.id("other");
    let said = lab.call(&[
        "--systemd-cgroup",
        "create",
        "--bundle",
        container.bundle.arg(),
        &other,
    ]);
    let said = said.refused()?;
    contains("the message", &said.err, &unit)?;
    same("the first one", container.status()?.as_str(), "running")?;
    same(
        "ActiveState",
        shown(lab, &unit, "ActiveState")?.as_str(),
        "active",
    )?;
    over(lab, &container, &unit)
}

fn failed(lab: &Lab) -> Outcome {
    let id = lab.id("sd");
    let bundle = bundle(lab, &id, |spec| {
        spec.args(&["/no/such/program"]);
    })?;
    let args = ["--systemd-cgroup", "create", "--bundle", bundle.arg(), &id];
    lab.call(&args).refused()?;
    gone(lab, &format!("suite-{id}.scope"))
}

fn not_taken(lab: &Lab) -> Outcome {
    let id = lab.id("sd");
    let bundle = bundle(lab, &id, |spec| {
        spec.set(
            "/annotations",
            json!({"org.systemd.property.CollectMode": "'sometimes'"}),
        );
    })?;
    let args = ["--systemd-cgroup", "create", "--bundle", bundle.arg(), &id];
    let said = lab.call(&args).refused()?;
    contains("the message", &said.err, "CollectMode")?;
    gone(lab, &format!("suite-{id}.scope"))
}

fn ended(lab: &Lab) -> Outcome {
    let (container, unit) = made(lab, |spec| {
        spec.args(&["true"]);
    })?;
    container.until("stopped")?;
    // Nobody waits for an answer that does not come, and is none the wiser.
    let before = Instant::now();
    container.delete()?;
    let took = before.elapsed();
    ensure!(took < PATIENCE, "delete took {took:?}");
    gone(lab, &unit)
}

/// Where systemd's own socket is out of reach, as in a container that is given the bus.
fn by_bus(lab: &Lab) -> Outcome {
    let id = lab.id("sd");
    let bundle = bundle(lab, &id, |_| ())?;
    let hide = "mount --bind /dev/null /run/systemd/private && exec \"$@\"";
    let call = |args: &[&str]| {
        let wrapper = [
            "unshare",
            "-m",
            "--propagation",
            "private",
            "sh",
            "-c",
            hide,
            "sh",
        ];
        lab.call(args).through(&wrapper).ok()
    };
    call(&["--systemd-cgroup", "create", "--bundle", bundle.arg(), &id])?;
    let unit = format!("suite-{id}.scope");
    same(
        "ActiveState",
        shown(lab, &unit, "ActiveState")?.as_str(),
        "active",
    )?;
    call(&["delete", "--force", &id])?;
    gone(lab, &unit)
}
