//! Limits that are felt: not what a file of the kernel's says, but what a program can no longer do.
//!
//! Times and rates are those of the kernel's own accounts over some seconds of the clock, so that a slow or
//! busy machine stretches both alike. A measurement beside the mark is made again: a limit that is
//! wrong is wrong each time.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, eventually, same, skip};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;
use crate::spec::Spec;

const MEMORY: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("memory")];
const CPU: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("cpu")];
const BOTH: &[Need] = &[
    Need::Root,
    Need::CgroupV2,
    Need::Controller("cpu"),
    Need::Controller("cpuset"),
];
const CPUSET: &[Need] = &[
    Need::Root,
    Need::CgroupV2,
    Need::Controller("cpuset"),
    Need::File("/sys/devices/system/cpu/cpu1"),
];
const PIDS: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("pids")];
const IO: &[Need] = &[
    Need::Root,
    Need::CgroupV2,
    Need::Controller("io"),
    Need::Program("losetup"),
];
const PAGES: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
const HUGETLB: &[Need] = &[
    Need::Root,
    Need::CgroupV2,
    Need::Controller("hugetlb"),
    Need::File(PAGES),
];

/// How long a rate is measured.
const WINDOW: Duration = Duration::from_secs(4);

/// How often.
const MOST_WINDOWS: u32 = 4;

/// What never ends and always wants a processor.
const BUSY: &str = "while :; do :; done";

pub(super) const CASES: &[Case] = &[
    Case::new("a-hog-of-memory-is-killed-at-its-limit", hog).needs(MEMORY),
    Case::new(
        "the-killed-one-is-stopped-and-its-group-tells-why",
        hog_in_background,
    )
    .needs(MEMORY),
    Case::new("what-is-below-the-limit-lives", modest).needs(MEMORY),
    Case::new("a-fork-bomb-ends-at-its-limit", bomb).needs(PIDS),
    Case::new("half-a-processor-is-half-a-processor", quota).needs(CPU),
    Case::new("a-fifth-of-a-processor-by-an-update", quota_later).needs(CPU),
    Case::new("three-times-the-weight-is-three-times-the-time", weights).needs(BOTH),
    Case::new("a-program-runs-only-where-it-may", pinned).needs(CPUSET),
    Case::new("a-writer-is-as-slow-as-its-device-may-be", writer).needs(IO),
    Case::new("huge-pages-end-at-their-limit", huge).needs(HUGETLB),
];

/// A number in a flat-keyed file of a group.
fn key(group: &std::path::Path, file: &str, name: &str) -> Outcome<u64> {
    let text = fs::read_to_string(group.join(file))?;
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    found.ok_or_else(|| format!("no {name} in {file}: {text:?}").into())
}

/// 32 MiB and no swap.
fn small(spec: &mut Spec) -> &mut Spec {
    let limit = json!({"limit": 33_554_432, "swap": 33_554_432});
    spec.set("/linux/resources/memory", limit)
}

/// As the program itself, not as a child of the shell: the kernel ends the one that is too large.
const EATS_A_LOT: [&str; 5] = [
    "dd",
    "if=/dev/zero",
    "of=/dev/null",
    "bs=99000000",
    "count=1",
];

fn hog(lab: &Lab) -> Outcome {
    let said = lab.run(|spec| {
        small(spec).args(&EATS_A_LOT);
    })?;
    // 128 and SIGKILL.
    same("the exit status", said.code(), 137)
}

fn hog_in_background(lab: &Lab) -> Outcome {
    let container = lab.create(|spec| {
        small(spec).args(&EATS_A_LOT);
    })?;
    let group = probe::cgroup_dir(container.pid)?;
    container.start()?;
    container.until("stopped")?;
    let killed = key(&group, "memory.events", "oom_kill")?;
    ensure!(killed > 0, "memory.events counts no oom_kill");
    let peak = fs::read_to_string(group.join("memory.peak"));
    if let Ok(peak) = peak {
        let peak: u64 = peak.trim().parse()?;
        ensure!(peak <= 33_554_432, "it has used {peak} bytes");
    }
    container.delete()
}

fn modest(lab: &Lab) -> Outcome {
    let said = lab.run(|spec| {
        let eats = [
            "dd",
            "if=/dev/zero",
            "of=/dev/null",
            "bs=16000000",
            "count=1",
        ];
        small(spec).args(&eats);
    })?;
    same("the exit status", said.code(), 0)
}

fn bomb(lab: &Lab) -> Outcome {
    const MOST: u64 = 20;
    let container = lab.create(|spec| {
        spec.set("/linux/resources/pids", json!({"limit": MOST}))
            // A shell that is refused a fork ends, and its bomb with it. awk goes on, and sets off another.
            .args(&[
                "awk",
                r#"BEGIN { for (;;) system("bomb() { bomb | bomb & }; (bomb) 2>/dev/null") }"#,
            ]);
    })?;
    let group = probe::cgroup_dir(container.pid)?;
    container.start()?;
    eventually("the limit refuses ten", Duration::from_secs(20), || {
        let now: u64 = fs::read_to_string(group.join("pids.current"))?
            .trim()
            .parse()?;
        ensure!(now <= MOST, "{now} processes");
        Ok(key(&group, "pids.events", "max")? >= 10)
    })?;
    if let Ok(peak) = fs::read_to_string(group.join("pids.peak")) {
        let peak: u64 = peak.trim().parse()?;
        ensure!(peak <= MOST, "there were {peak} processes");
    }
    // Nobody outside is hindered.
    same(
        "another one",
        lab.look("echo fine", |_| ())?.as_str(),
        "fine\n",
    )?;
    container.end()
}

/// `wanted` within ten percent, in one window of some.
fn about(what: &str, wanted: f64, mut measure: impl FnMut() -> Outcome<f64>) -> Outcome {
    let mut found = Vec::new();
    for _ in 0..MOST_WINDOWS {
        let rate = measure()?;
        if (rate / wanted - 1.0).abs() <= 0.1 {
            return Ok(());
        }
        found.push(rate);
    }
    Err(format!("{what}: expected {wanted} within 10 %, found {found:?}").into())
}

fn busy<'l>(lab: &'l Lab, resources: &Value) -> Outcome<(Container<'l>, PathBuf)> {
    let container = lab.create(|spec| {
        for (name, value) in resources.as_object().into_iter().flatten() {
            spec.set(&format!("/linux/resources/{name}"), value.clone());
        }
        spec.sh(BUSY);
    })?;
    let group = probe::cgroup_dir(container.pid)?;
    Ok((container, group))
}

/// Microseconds of processors that the group has had.
fn used(group: &std::path::Path) -> Outcome<f64> {
    Ok(key(group, "cpu.stat", "usage_usec")? as f64)
}

/// Processors that the group gets, as a fraction.
fn share(group: &std::path::Path) -> Outcome<f64> {
    let (before, begin) = (used(group)?, Instant::now());
    std::thread::sleep(WINDOW);
    Ok((used(group)? - before) / begin.elapsed().as_secs_f64() / 1e6)
}

fn quota(lab: &Lab) -> Outcome {
    let limits = json!({"cpu": {"quota": 50_000, "period": 100_000}});
    let (container, group) = busy(lab, &limits)?;
    container.start()?;
    about("the share of a processor", 0.5, || share(&group))?;
    container.end()
}

fn quota_later(lab: &Lab) -> Outcome {
    let (container, group) = busy(lab, &json!({}))?;
    container.start()?;
    let flags = ["--cpu-quota", "20000", "--cpu-period", "100000"];
    let args = [&["update"][..], &flags, &[&container.id]].concat();
    lab.call(&args).ok()?;
    about("the share of a processor", 0.2, || share(&group))?;
    container.end()
}

/// Two that want the same processor, and nobody else in their group.
fn weights(lab: &Lab) -> Outcome {
    let one = |name: &str, weight: &str| {
        let container = lab.create(|spec| {
            spec.set(
                "/linux/cgroupsPath",
                json!(format!("/{}-scales/{name}", lab.tag())),
            )
            .set("/linux/resources/cpu", json!({"cpus": "0"}))
            .set("/linux/resources/unified", json!({"cpu.weight": weight}))
            .sh(BUSY);
        })?;
        let group = probe::cgroup_dir(container.pid)?;
        Outcome::Ok((container, group))
    };
    let (heavy, light) = (one("heavy", "300")?, one("light", "100")?);
    heavy.0.start()?;
    light.0.start()?;
    let ratio = || {
        let before = (used(&heavy.1)?, used(&light.1)?);
        std::thread::sleep(WINDOW);
        let after = (used(&heavy.1)?, used(&light.1)?);
        Outcome::Ok((after.0 - before.0) / (after.1 - before.1))
    };
    about("heavy to light", 3.0, ratio)?;
    heavy.0.end()?;
    light.0.end()?;
    let _ = fs::remove_dir(probe::cgroup_mount().join(format!("{}-scales", lab.tag())));
    Ok(())
}

/// The processor that it ran on last; proc_pid_stat(5), field 39.
fn processor(pid: i32) -> Outcome<u32> {
    let stat = probe::proc_file(pid, "stat")?;
    let (_, rest) = stat.rsplit_once(") ").ok_or("no name")?;
    Ok(rest.split(' ').nth(36).ok_or("too short")?.parse()?)
}

fn pinned(lab: &Lab) -> Outcome {
    for (list, number) in [("1", 1), ("0", 0)] {
        let (container, _) = busy(lab, &json!({"cpu": {"cpus": list}}))?;
        container.start()?;
        let status = probe::proc_file(container.pid, "status")?;
        let allowed = probe::field(&status, "Cpus_allowed_list")?;
        same("Cpus_allowed_list", allowed.as_str(), list)?;
        for _ in 0..20 {
            same("the processor", processor(container.pid)?, number)?;
            std::thread::sleep(Duration::from_millis(20));
        }
        container.end()?;
    }
    Ok(())
}

/// A block device of the lab's own, which goes with its file.
fn disk(lab: &Lab) -> Outcome<(String, String)> {
    let file = lab.scratch("disk");
    fs::File::create(&file)?.set_len(16 << 20)?;
    let path = file.to_string_lossy();
    let disk = lab
        .host(&["losetup", "--find", "--show", &path])?
        .trim()
        .to_owned();
    let name = disk.rsplit('/').next().unwrap_or_default();
    let numbers = fs::read_to_string(format!("/sys/class/block/{name}/dev"))?;
    Ok((disk, numbers.trim().to_owned()))
}

/// Bytes that the group has written to the device.
fn written(group: &std::path::Path, numbers: &str) -> Outcome<f64> {
    let text = fs::read_to_string(group.join("io.stat"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(numbers));
    let number = line.and_then(|line| {
        let mut words = line.split(' ');
        words.find_map(|word| word.strip_prefix("wbytes=")?.parse().ok())
    });
    Ok(number.unwrap_or(0.0))
}

fn writer(lab: &Lab) -> Outcome {
    let (disk, numbers) = disk(lab)?;
    let outcome = writes(lab, &numbers);
    lab.host(&["losetup", "--detach", &disk])?;
    outcome
}

fn writes(lab: &Lab, numbers: &str) -> Outcome {
    const RATE: u32 = 524_288;
    let (major, minor) = numbers.split_once(':').ok_or("no device numbers")?;
    let (major, minor): (u32, u32) = (major.parse()?, minor.parse()?);
    let make = |limits: Value| {
        let container = lab.create(|spec| {
            let node = json!({"path": "/dev/disk", "type": "b", "major": major, "minor": minor, "fileMode": 0o666});
            let rule = json!({"allow": true, "type": "b", "major": major, "minor": minor, "access": "rwm"});
            spec.push("/linux/devices", node)
                .push("/linux/resources/devices", rule)
                .set("/linux/resources/blockIO", limits)
                .sh("while :; do dd if=/dev/zero of=/dev/disk bs=65536 count=128 oflag=direct 2>/dev/null; done");
        })?;
        container.start()?;
        let group = probe::cgroup_dir(container.pid)?;
        Outcome::Ok((container, group))
    };
    let rate = |group: &std::path::Path| {
        let (before, begin) = (written(group, numbers)?, Instant::now());
        std::thread::sleep(WINDOW);
        Outcome::Ok((written(group, numbers)? - before) / begin.elapsed().as_secs_f64())
    };
    // Without a limit it is quicker, or the rest would prove nothing.
    let (free, group) = make(json!({}))?;
    let quick = rate(&group)?;
    let is_quicker = quick > 3.0 * f64::from(RATE);
    ensure!(is_quicker, "{quick} bytes/s without a limit");
    free.end()?;
    let limit = json!({"throttleWriteBpsDevice": [{"major": major, "minor": minor, "rate": RATE}]});
    let (slow, group) = make(limit)?;
    about("bytes/s", f64::from(RATE), || rate(&group))?;
    slow.end()
}

/// Two pages may be had, the third may not. The machine gets some to give first, and loses them again.
fn huge(lab: &Lab) -> Outcome {
    let before = fs::read_to_string(PAGES)?;
    let more = before.trim().parse::<u64>()? + 6;
    fs::write(PAGES, more.to_string())?;
    let outcome = takes_pages(
        lab,
        fs::read_to_string(PAGES)?.trim().parse::<u64>()? >= more,
    );
    fs::write(PAGES, before.trim())?;
    outcome
}

fn takes_pages(lab: &Lab, has_pages: bool) -> Outcome {
    if !has_pages {
        return skip("this machine has no huge pages to give");
    }
    let container = lab.create(|spec| {
        let limit = json!([{"pageSize": "2MB", "limit": 4_194_304}]);
        spec.set("/linux/resources/hugepageLimits", limit)
            .mount("/huge", "hugetlbfs", "hugetlbfs", &["pagesize=2M"])
            .sh("fallocate -l 4194304 /huge/a && echo two; fallocate -l 2097152 /huge/b 2>&1 || echo enough; while :; do sleep 1; done");
    })?;
    let group = probe::cgroup_dir(container.pid)?;
    container.start()?;
    container.wrote("enough")?;
    ensure!(
        container.output()?.contains("two\n"),
        "it got no pages at all"
    );
    let refused = key(&group, "hugetlb.2MB.events", "max")?;
    ensure!(refused > 0, "hugetlb.2MB.events counts no refusal");
    let now = fs::read_to_string(group.join("hugetlb.2MB.current"))?;
    same("hugetlb.2MB.current", now.trim(), "4194304")?;
    container.end()
}
