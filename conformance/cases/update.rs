//! `update`: where the limits are read, and what stays. The limits of memory and processors are in
//! `update_limits`, refusals in `update_refused`.

use std::fs;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

const V2: &[Need] = &[Need::Root, Need::CgroupV2];
const OURS: &[Need] = &[Need::OrbitalOnly, Need::Root, Need::CgroupV2];
const HUGETLB: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("hugetlb")];
const OUR_HUGETLB: &[Need] = &[
    Need::OrbitalOnly,
    Need::Root,
    Need::CgroupV2,
    Need::Controller("hugetlb"),
];

pub(super) const CASES: &[Case] = &[
    Case::new("from-standard-input", from_stdin).needs(V2),
    Case::new("from-a-file", from_file).needs(V2),
    Case::new("what-is-absent-stays", absent).needs(V2),
    Case::new("of-nothing-changes-nothing", nothing).needs(V2),
    Case::new("null-is-absent", null)
        .needs(V2)
        .deviates(&[("runc", "1.1 panics")]),
    Case::new("names-of-any-case-are-read", any_case)
        .needs(V2)
        .deviates(&[(
            "crun",
            "knows the names as they are written in the specification",
        )]),
    Case::new("a-created-one-can-be-updated", created).needs(V2),
    Case::new("a-paused-one-stays-paused", paused).needs(V2),
    Case::new("devices-stay-as-they-are", devices).needs(V2),
    Case::new("old-flags-of-kernel-memory-are-taken", old_flags)
        .needs(V2)
        .deviates(&[("crun", "refuses them on cgroup v2")]),
    Case::new("huge-pages", huge_pages)
        .needs(HUGETLB)
        .deviates(&[("runc", "1.1 does not update them")]),
    Case::new("a-controller-is-given-when-it-is-needed", given)
        .needs(HUGETLB)
        .deviates(&[
            ("runc", "1.1 does not update them"),
            ("crun", "leaves the group above"),
        ]),
    Case::new("a-refusal-takes-back-what-was-written", taken_back).needs(OUR_HUGETLB),
    Case::new("beside-a-file-other-limits-are-ignored", beside).needs(OURS),
];

/// A file of the container's group.
pub(super) fn file(container: &Container<'_>, name: &str) -> Outcome<String> {
    let path = probe::cgroup_dir(container.pid)?.join(name);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.trim().to_owned())
}

/// That its cgroup's file says this.
fn holds(container: &Container<'_>, name: &str, value: &str) -> Outcome {
    same(name, file(container, name)?.as_str(), value)
}

/// A limit that every host has.
fn depth(levels: u8) -> Value {
    json!({"unified": {"cgroup.max.depth": levels.to_string()}})
}

/// `update --resources -` with this text.
pub(super) fn fed(lab: &Lab, container: &Container<'_>, limits: &Value) -> Outcome {
    let input = fs::File::open(lab.file("limits", &limits.to_string())?)?;
    let call = lab.call(&["update", "--resources", "-", &container.id]);
    call.stdin(input).ok().map(drop)
}

fn from_stdin(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    fed(lab, &container, &depth(3))?;
    holds(&container, "cgroup.max.depth", "3")?;
    container.end()
}

fn from_file(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let limits = lab.file("limits", r#"{"unified": {"cgroup.max.descendants": "7"}}"#)?;
    let limits = limits.display().to_string();
    lab.call(&["update", "-r", &limits, &container.id]).ok()?;
    holds(&container, "cgroup.max.descendants", "7")?;
    container.end()
}

fn absent(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    fed(lab, &container, &depth(3))?;
    fed(
        lab,
        &container,
        &json!({"unified": {"cgroup.max.descendants": "7"}}),
    )?;
    holds(&container, "cgroup.max.depth", "3")?;
    holds(&container, "cgroup.max.descendants", "7")?;
    container.end()
}

fn nothing(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/linux/resources/unified", json!({"cgroup.max.depth": "3"}));
    })?;
    fed(lab, &container, &json!({}))?;
    fed(lab, &container, &json!({"memory": {}, "cpu": {}}))?;
    holds(&container, "cgroup.max.depth", "3")?;
    container.end()
}

fn null(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let nulls = json!({"memory": {"limit": null}, "cpu": null, "pids": null, "unified": {"cgroup.max.depth": "3"}});
    fed(lab, &container, &nulls)?;
    holds(&container, "cgroup.max.depth", "3")?;
    container.end()
}

/// Callers of Go's decoder rely on it.
fn any_case(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    fed(
        lab,
        &container,
        &json!({"Unified": {"cgroup.max.depth": "3"}}),
    )?;
    holds(&container, "cgroup.max.depth", "3")?;
    container.end()
}

fn created(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    fed(lab, &container, &depth(3))?;
    holds(&container, "cgroup.max.depth", "3")?;
    container.end()
}

fn paused(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    lab.call(&["pause", &container.id]).ok()?;
    fed(lab, &container, &depth(3))?;
    same("status", container.status()?, "paused")?;
    holds(&container, "cgroup.freeze", "1")?;
    container.end()
}

fn devices(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh("while :; do head -c1 /dev/zero >/dev/null && echo fine || echo denied; sleep 0.01; done");
    })?;
    container.wrote("fine")?;
    let none = json!({"devices": [{"allow": false, "access": "rwm"}], "unified": {"cgroup.max.depth": "3"}});
    for _ in 0..3 {
        fed(lab, &container, &none)?;
    }
    let before = container.output()?.len();
    crate::check::eventually("it goes on", std::time::Duration::from_secs(10), || {
        Ok(container.output()?.len() > before + 20)
    })?;
    ensure!(
        !container.output()?.contains("denied"),
        "a device was taken away"
    );
    container.end()
}

fn old_flags(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let line = [
        "update",
        "--kernel-memory",
        "64m",
        "--kernel-memory-tcp=64m",
        &container.id,
    ];
    lab.call(&line).ok()?;
    container.end()
}

fn huge(limit: i64) -> Value {
    json!([{"pageSize": "2MB", "limit": limit}])
}

fn huge_pages(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/linux/resources/hugepageLimits", huge(8_388_608));
    })?;
    fed(lab, &container, &json!({"hugepageLimits": huge(4_194_304)}))?;
    holds(&container, "hugetlb.2MB.max", "4194304")?;
    fed(lab, &container, &json!({"hugepageLimits": huge(-1)})).or_else(|_| {
        fed(
            lab,
            &container,
            &json!({"unified": {"hugetlb.2MB.max": "max"}}),
        )
    })?;
    holds(&container, "hugetlb.2MB.max", "max")?;
    container.end()
}

fn given(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/linux/cgroupsPath", json!(format!("/{}-way/c", lab.tag())));
    })?;
    fed(lab, &container, &json!({"hugepageLimits": huge(4_194_304)}))?;
    holds(&container, "hugetlb.2MB.max", "4194304")?;
    container.end()
}

fn taken_back(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/linux/resources/unified", json!({"cgroup.max.depth": "5"}))
            .set("/linux/resources/hugepageLimits", huge(8_388_608));
    })?;
    let limits = json!({"hugepageLimits": huge(4_194_304),
        "unified": {"cgroup.max.depth": "3", "hugetlb.2MB.max": "nonsense"}});
    let input = fs::File::open(lab.file("limits", &limits.to_string())?)?;
    let said = lab
        .call(&["update", "-r", "-", &container.id])
        .stdin(input)
        .refused()?;
    contains(
        "the refusal",
        &said.err,
        "standard input#/unified/hugetlb.2MB.max",
    )?;
    holds(&container, "cgroup.max.depth", "5")?;
    holds(&container, "hugetlb.2MB.max", "8388608")?;
    container.end()
}

fn beside(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let limits = lab.file("limits", r#"{"unified": {"cgroup.max.depth": "3"}}"#)?;
    let limits = limits.display().to_string();
    let line = ["update", "-r", &limits, "--memory", "64m", &container.id];
    let said = lab.call(&line).ok()?;
    contains("the warning", &said.err, "--memory 64m is ignored")?;
    holds(&container, "cgroup.max.depth", "3")?;
    container.end()
}
