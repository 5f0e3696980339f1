use crate::cli::{Create, Manager};
use crate::plan::cgroup::plan as group;
use crate::plan::facts::{Facts, Instance};
use crate::plan::sample;
use serde_json::{Value, json};

fn told(instance: Instance, linux: Value, annotations: Value) -> Result<Vec<String>, String> {
    let facts = Facts {
        systemd: instance,
        ..sample::root()
    };
    let members = json!({"linux": linux, "annotations": annotations});
    let spec = crate::plan::root::tests::spec(members);
    let birth = crate::plan::birth::plan(&spec, &facts, &mut Vec::new()).unwrap();
    let request = Create {
        manager: Manager::Systemd,
        ..Create::of("web".into(), "/b".into())
    };
    let scope = group(&spec, &birth, &facts, &request)
        .map_err(|error| error.one_line())?
        .scope
        .unwrap();
    let line = |property: &super::Property| {
        let (name, value) = (&property.name, &property.value);
        format!(
            "{name}={value} {} {}",
            value.signature(),
            property.pointer.as_str()
        )
    };
    Ok(scope.properties.iter().map(line).collect())
}

/// The properties beside those of every scope and of devices, without their places.
fn limits(resources: Value) -> Vec<String> {
    let all = told(Instance::User, json!({"resources": resources}), json!({})).unwrap();
    let short = |line: &String| line.rsplit_once(' ').unwrap().0.to_owned();
    all.iter().skip(9).map(short).collect()
}

#[test]
fn every_scope() {
    let all = told(
        Instance::User,
        json!({"cgroupsPath": "machine.slice:libpod:1"}),
        json!({}),
    )
    .unwrap();
    let at = "/linux/cgroupsPath";
    let yes = |name: &str| format!("{name}=yes b {at}");
    assert_eq!(
        all,
        [
            format!("Description=orbital container web s {at}"),
            format!("Slice=machine.slice s {at}"),
            yes("Delegate"),
            format!("DefaultDependencies=no b {at}"),
            format!("CollectMode=inactive-or-failed s {at}"),
            yes("MemoryAccounting"),
            yes("CPUAccounting"),
            yes("IOAccounting"),
            yes("TasksAccounting"),
        ]
    );
}

#[test]
fn limits_by_systemds_names() {
    let memory =
        json!({"memory": {"limit": 64, "reservation": 32, "swap": 96}, "pids": {"limit": 20}});
    assert_eq!(
        limits(memory),
        [
            "TasksMax=20 t",
            "MemorySwapMax=32 t",
            "MemoryMax=64 t",
            "MemoryLow=32 t"
        ]
    );
    let none = json!({"memory": {"limit": -1}, "pids": {"limit": -1}});
    assert_eq!(
        limits(none),
        [
            "TasksMax=infinity t",
            "MemorySwapMax=infinity t",
            "MemoryMax=infinity t"
        ]
    );
    assert_eq!(limits(json!({"pids": {"limit": 0}})), ["TasksMax=1 t"]);
    assert_eq!(
        limits(json!({"cpu": {"shares": 1024, "cpus": "0-2,9", "mems": "0"}})),
        [
            "CPUWeight=100 t",
            "AllowedCPUs=7 2 ay",
            "AllowedMemoryNodes=1 ay"
        ]
    );
    assert_eq!(
        limits(json!({"blockIO": {"weight": 1000}})),
        ["IOWeight=10000 t"]
    );
    // What systemd does not know is for the kernel's files alone.
    assert_eq!(
        limits(json!({"cpu": {"idle": 1}, "hugepageLimits": [{"pageSize": "2MB", "limit": 1}]})),
        [""; 0]
    );
}

#[test]
fn time_per_second_is_rounded_up_to_percents() {
    for (cpu, each, period) in [
        (
            json!({"quota": 50_000, "period": 100_000}),
            "500000",
            "100000",
        ),
        (
            json!({"quota": 33_333, "period": 100_000}),
            "340000",
            "100000",
        ),
        (
            json!({"quota": 200_000, "period": 50_000}),
            "4000000",
            "50000",
        ),
        (json!({"period": 50_000}), "infinity", "50000"),
    ] {
        let expected = [
            format!("CPUQuotaPerSecUSec={each} t"),
            format!("CPUQuotaPeriodUSec={period} t"),
        ];
        assert_eq!(limits(json!({"cpu": cpu})), expected, "{cpu}");
    }
}

#[test]
fn unified_files_by_systemds_names_and_the_last_counts() {
    let both = json!({"memory": {"limit": 64}, "unified": {"memory.high": "48", "memory.max": "max", "cpu.max": "1000 10000"}});
    assert_eq!(
        limits(both),
        [
            "MemoryMax=64 t",
            "CPUQuotaPerSecUSec=100000 t",
            "CPUQuotaPeriodUSec=10000 t",
            "MemoryHigh=48 t",
            "MemoryMax=infinity t"
        ]
    );
}

/// The words of DevicePolicy and DeviceAllow.
fn devices(rules: Value) -> (String, String) {
    let all = told(
        Instance::System,
        json!({"resources": {"devices": rules}}),
        json!({}),
    )
    .unwrap();
    let value = |name: &str| {
        let line = all
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default()
            .split(" a(ss) ")
            .next()
            .unwrap()
            .split(" s ")
            .next()
            .unwrap()
            .to_owned()
    };
    (value("DevicePolicy"), value("DeviceAllow"))
}

#[test]
fn devices_as_the_filter_has_them() {
    let (policy, allowed) = devices(json!([
        {"allow": true, "type": "c", "major": 9, "minor": 9, "access": "r"},
        {"allow": false, "access": "rwm"},
        {"allow": true, "type": "b", "major": 8, "minor": 0, "access": "r"},
        {"allow": true, "type": "c", "major": 195, "access": "rw"},
        {"allow": false, "type": "c", "major": 195, "minor": 3, "access": "w"},
    ]));
    assert_eq!(policy, "strict");
    let given = "/dev/block/8:0 r char-195 rw block-* m char-* m ";
    assert!(allowed.starts_with(given), "{allowed}");
    assert!(
        allowed.contains(" /dev/char/1:3 rwm ") && allowed.contains(" char-136 rwm"),
        "{allowed}"
    );
    assert!(!allowed.contains("9:9"), "{allowed}");
}

#[test]
fn with_all_devices_allowed_systemd_asks_nothing() {
    let all = json!([{"allow": false, "access": "rwm"}, {"allow": true, "access": "rwm"}]);
    assert_eq!(devices(all), ("auto".to_owned(), String::new()));
}

fn annotated(name: &str, value: &str) -> Result<String, String> {
    let all = told(
        Instance::User,
        json!({}),
        json!({ name: value, "other": "x" }),
    )?;
    Ok(all[9..].join(", "))
}

#[test]
fn annotations_are_properties() {
    let at = "/annotations/org.systemd.property.";
    for (name, value, expected) in [
        (
            "TimeoutStopUSec",
            "uint64 5000000",
            "TimeoutStopUSec=5000000 t ",
        ),
        ("TimeoutStopSec", "5", "TimeoutStopUSec=5000000 t "),
        ("TimeoutStopSec", "uint64 5", "TimeoutStopUSec=5000000 t "),
        ("TimeoutStopSec", "1.5", "TimeoutStopUSec=1500000 t "),
        ("CollectMode", "'inactive'", "CollectMode=inactive s "),
        (
            "After",
            "['a.service', 'b.service']",
            "After=a.service b.service as ",
        ),
        ("KillSignal", "9", "KillSignal=9 i "),
    ] {
        let told = annotated(&format!("org.systemd.property.{name}"), value).unwrap();
        assert_eq!(told, format!("{expected}{at}{name}"), "{name}");
    }
    for (name, value, why) in [
        ("TimeoutStopSec", "soon", "\"soon\" is no number of seconds"),
        ("CollectMode", "inactive", "a text stands in quotes"),
        ("timeout", "1", "\"timeout\" is no name of a property"),
        ("", "1", "\"\" is no name of a property"),
        ("PIDs", "[1]", "PIDs is orbital's own to say"),
    ] {
        let told = annotated(&format!("org.systemd.property.{name}"), value).unwrap_err();
        let beginning = format!("cannot set the unit's property: config.json#{at}{name}");
        assert!(told.starts_with(&beginning) && told.contains(why), "{told}");
    }
}

/// What an update tells, and what it tells to take a limit away again.
#[test]
fn settings_that_systemd_knows() {
    let setting = |file: &str, value: &str| crate::plan::cgroup::Setting {
        file: file.to_owned(),
        value: value.to_owned(),
        controller: None,
        otherwise: crate::plan::cgroup::Otherwise::Fail,
        pointer: "/limit".into(),
    };
    let settings = [
        setting("memory.max", "max"),
        setting("cpu.max", "max 100000"),
        setting("hugetlb.2MB.max", "0"),
        setting("cpuset.cpus", ""),
        setting("cpuset.mems", "0-1"),
    ];
    let told = super::of_settings(&settings);
    let told: Vec<_> = told
        .iter()
        .map(|one| format!("{}={}", one.name, one.value))
        .collect();
    assert_eq!(
        told,
        [
            "MemoryMax=infinity",
            "CPUQuotaPerSecUSec=infinity",
            "CPUQuotaPeriodUSec=100000",
            "AllowedCPUs=",
            "AllowedMemoryNodes=3"
        ]
    );
}
