//! `events --stats`: what a container uses, in runc's JSON, beside the kernel's own files.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, eventually, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

const V2: &[Need] = &[Need::Root, Need::CgroupV2];
const MEMORY: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("memory")];
const CPU: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("cpu")];
const PIDS: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("pids")];
const IO: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("io")];
const HUGETLB: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("hugetlb")];

/// crun has no such verb.
const NO_VERB: (&str, &str) = ("crun", "has no events");

pub(super) const CASES: &[Case] = &[
    Case::new("stats-are-one-line", one_line)
        .needs(V2)
        .deviates(&[NO_VERB]),
    Case::new("stats-have-all-members", members)
        .needs(V2)
        .deviates(&[NO_VERB]),
    Case::new("processor-time-is-the-kernels", processor)
        .needs(V2)
        .deviates(&[NO_VERB]),
    Case::new("waiting-is-the-kernels", pressure)
        .needs(&[Need::Root, Need::CgroupV2, Need::File("/proc/pressure/cpu")])
        .deviates(&[NO_VERB, ("runc", "1.1 has no pressure")]),
    Case::new("processes-are-counted", count)
        .needs(V2)
        .deviates(&[NO_VERB]),
    Case::new("limit-of-processes", pids_limit)
        .needs(PIDS)
        .deviates(&[NO_VERB]),
    Case::new("memory-and-its-limit", memory)
        .needs(MEMORY)
        .deviates(&[NO_VERB]),
    Case::new("swap-counts-memory-too", swap)
        .needs(MEMORY)
        .deviates(&[NO_VERB, ("runc", "1.1 adds the limits of one only")]),
    Case::new("throttling", throttling)
        .needs(CPU)
        .deviates(&[NO_VERB]),
    Case::new("devices", devices).needs(IO).deviates(&[NO_VERB]),
    Case::new("huge-pages", huge_pages)
        .needs(HUGETLB)
        .deviates(&[NO_VERB]),
    Case::new("of-a-created-one", created)
        .needs(V2)
        .deviates(&[NO_VERB]),
    Case::new("of-a-paused-one", paused)
        .needs(V2)
        .deviates(&[NO_VERB]),
    Case::new("a-stopped-one-is-refused", stopped)
        .needs(V2)
        .deviates(&[NO_VERB]),
    Case::new("an-unknown-one-is-refused", |lab| {
        let said = lab
            .call(&["events", "--stats", &lab.id("nobody")])
            .refused()?;
        mentions("the refusal", &said.err, &["does not exist"])
    })
    .deviates(&[NO_VERB]),
];

fn stats(lab: &Lab, container: &Container<'_>) -> Outcome<Value> {
    let said = lab.call(&["events", "--stats", &container.id]).ok()?;
    let mut line: Value =
        serde_json::from_str(&said.out).map_err(|error| format!("{error}: {said}"))?;
    Ok(line["data"].take())
}

fn kernels(container: &Container<'_>, file: &str) -> Outcome<String> {
    let path = probe::cgroup_dir(container.pid)?.join(file);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn key(text: &str, key: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .find(|(name, _)| *name == key)
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn between(what: &str, low: u64, value: u64, high: u64) -> Outcome {
    ensure!(
        low <= value && value <= high,
        "{what}: {value} is not between {low} and {high}"
    );
    Ok(())
}

fn one_line(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let said = lab.call(&["events", "--stats", &container.id]).ok()?;
    same("lines", said.out.lines().count(), 1)?;
    let start = format!(
        "{{\"type\":\"stats\",\"id\":\"{}\",\"data\":{{",
        container.id
    );
    ensure!(said.out.starts_with(&start), "it begins otherwise: {said}");
    ensure!(said.out.ends_with("}\n"), "it ends otherwise: {said}");
    container.end()
}

fn members(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let data = stats(lab, &container)?;
    for member in [
        "/cpu/usage/kernel",
        "/cpu/usage/user",
        "/cpu/throttling",
        "/cpuset/cpu_exclusive",
        "/memory/usage/limit",
        "/memory/usage/failcnt",
        "/memory/swap/limit",
        "/memory/kernel/limit",
        "/memory/kernelTCP/limit",
        "/pids",
        "/blkio",
        "/hugetlb",
        "/intel_rdt",
    ] {
        ensure!(data.pointer(member).is_some(), "no {member} in {data}");
    }
    ensure!(
        data.get("network_interfaces").is_some(),
        "no network_interfaces in {data}"
    );
    container.end()
}

fn processor(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh(
            "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; echo done; while :; do sleep 1; done",
        );
    })?;
    container.wrote("done")?;
    let low = kernels(&container, "cpu.stat")?;
    let data = stats(lab, &container)?;
    let high = kernels(&container, "cpu.stat")?;
    let usage = &data["cpu"]["usage"];
    for (member, name) in [
        ("total", "usage_usec"),
        ("user", "user_usec"),
        ("kernel", "system_usec"),
    ] {
        between(
            member,
            key(&low, name) * 1000,
            number(&usage[member]),
            key(&high, name) * 1000,
        )?;
    }
    ensure!(
        number(&usage["total"]) > 100_000,
        "it used no time: {usage}"
    );
    container.end()
}

fn pressure(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh("(while :; do :; done) & (while :; do :; done) & (while :; do :; done) & echo ready; wait");
    })?;
    container.wrote("ready")?;
    let total = |text: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with("some "))
            .unwrap_or_default();
        line.rsplit_once("total=")
            .and_then(|(_, total)| total.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let low = total(&kernels(&container, "cpu.pressure")?);
    let data = stats(lab, &container)?;
    let high = total(&kernels(&container, "cpu.pressure")?);
    between(
        "cpu",
        low,
        number(&data["cpu"]["psi"]["some"]["total"]),
        high,
    )?;
    for place in ["/cpu", "/memory", "/blkio"] {
        let psi = data.pointer(&format!("{place}/psi"));
        for line in ["some", "full"] {
            for member in ["avg10", "avg60", "avg300", "total"] {
                let value = psi.map(|psi| &psi[line][member]);
                ensure!(
                    value.is_some_and(Value::is_number),
                    "no {place}/psi/{line}/{member} in {data}"
                );
            }
        }
    }
    container.end()
}

fn count(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh("sleep 71 & sleep 72 & echo ready; wait");
    })?;
    container.wrote("ready")?;
    let data = stats(lab, &container)?;
    same("processes", number(&data["pids"]["current"]), 3)?;
    same("limit", number(&data["pids"]["limit"]), 0)?;
    container.end()
}

fn pids_limit(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/linux/resources/pids", json!({"limit": 25}));
    })?;
    let data = stats(lab, &container)?;
    same("pids", &data["pids"], &json!({"current": 1, "limit": 25}))?;
    container.end()
}

fn memory(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/linux/resources/memory", json!({"limit": 67_108_864}))
            .sh(
                "x=$(head -c 300000 /dev/zero | tr '\\0' a); echo ready; while :; do sleep 1; done",
            );
    })?;
    container.wrote("ready")?;
    let data = stats(lab, &container)?;
    let usage = &data["memory"]["usage"];
    same("limit", number(&usage["limit"]), 67_108_864)?;
    let current: u64 = kernels(&container, "memory.current")?.trim().parse()?;
    between("usage", current / 2, number(&usage["usage"]), current * 2)?;
    let peak =
        kernels(&container, "memory.peak").map_or(0, |text| text.trim().parse().unwrap_or(0));
    ensure!(
        peak == 0
            || number(&usage["max"]) >= number(&usage["usage"])
            || data["memory"]["usage"]["max"].is_null(),
        "the most it used is less than it uses: {usage}"
    );
    let text = kernels(&container, "memory.stat")?;
    let raw = data["memory"]["raw"].as_object().ok_or("no raw")?;
    same("members of raw", raw.len(), text.lines().count())?;
    between("anon", 300_000, number(&raw["anon"]), 67_108_864)?;
    same(
        "cache",
        number(&data["memory"]["cache"]),
        number(&raw["file"]),
    )?;
    container.end()
}

fn swap(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set(
            "/linux/resources/memory",
            json!({"limit": 67_108_864, "swap": 100_663_296}),
        );
    })?;
    let data = stats(lab, &container)?;
    if probe::cgroup_dir(container.pid)?
        .join("memory.swap.max")
        .exists()
    {
        same(
            "limit",
            number(&data["memory"]["swap"]["limit"]),
            100_663_296,
        )?;
        ensure!(
            number(&data["memory"]["swap"]["usage"]) > 0,
            "no usage: {data}"
        );
    }
    container.end()
}

fn throttling(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set(
            "/linux/resources/cpu",
            json!({"quota": 2000, "period": 10_000}),
        )
        .sh("while :; do :; done");
    })?;
    eventually("it is throttled", Duration::from_secs(20), || {
        Ok(key(&kernels(&container, "cpu.stat")?, "nr_throttled") > 2)
    })?;
    let data = stats(lab, &container)?;
    let throttling = &data["cpu"]["throttling"];
    for member in ["periods", "throttledPeriods", "throttledTime"] {
        ensure!(number(&throttling[member]) > 2, "{member} in {throttling}");
    }
    container.end()
}

/// Each device of the kernel's file is there, with no more than the file says afterwards.
fn devices(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/linux/resources/blockIO", json!({"weight": 100}))
            .set("/root/readonly", json!(false))
            .sh("dd if=/dev/zero of=/big bs=1M count=4 conv=fsync 2>/dev/null; echo done; while :; do sleep 1; done");
    })?;
    container.wrote("done")?;
    let data = stats(lab, &container)?;
    for line in kernels(&container, "io.stat")?.lines() {
        let (device, values) = line.split_once(' ').unwrap_or((line, ""));
        let (major, minor) = device.split_once(':').ok_or("no device")?;
        for (word, list, op) in [
            ("rbytes", "ioServiceBytesRecursive", "Read"),
            ("wbytes", "ioServiceBytesRecursive", "Write"),
            ("rios", "ioServicedRecursive", "Read"),
            ("wios", "ioServicedRecursive", "Write"),
        ] {
            let most = values
                .split(' ')
                .find_map(|pair| pair.strip_prefix(word)?.strip_prefix('='));
            let Some(most) = most.and_then(|most| most.parse::<u64>().ok()) else {
                continue;
            };
            let entries = data["blkio"][list].as_array().cloned().unwrap_or_default();
            let entry = entries.iter().find(|entry| {
                entry["op"] == op
                    && number(&entry["major"]).to_string() == major
                    && number(&entry["minor"]).to_string() == minor
            });
            let entry = entry.ok_or_else(|| format!("no {op} of {device} in {data}"))?;
            between(word, 0, number(&entry["value"]), most)?;
        }
    }
    container.end()
}

fn huge_pages(lab: &Lab) -> Outcome {
    let limits = json!([{"pageSize": "2MB", "limit": 4_194_304}]);
    let container = lab.started(|spec| {
        spec.set("/linux/resources/hugepageLimits", limits);
    })?;
    let data = stats(lab, &container)?;
    same("2MB", &data["hugetlb"]["2MB"], &json!({"failcnt": 0}))?;
    container.end()
}

fn created(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    same(
        "processes",
        number(&stats(lab, &container)?["pids"]["current"]),
        1,
    )?;
    container.end()
}

fn paused(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    lab.call(&["pause", &container.id]).ok()?;
    same(
        "processes",
        number(&stats(lab, &container)?["pids"]["current"]),
        1,
    )?;
    container.end()
}

fn stopped(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container.stop()?;
    for flag in ["--stats", "--interval=1s"] {
        let said = lab.call(&["events", flag, &container.id]).refused()?;
        mentions("the refusal", &said.err, &["not running"])?;
        same("standard output", said.out.as_str(), "")?;
    }
    container.delete()
}
