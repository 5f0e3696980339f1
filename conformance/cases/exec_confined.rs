//! A second process is confined as the first one is: filter, capabilities, no_new_privs, labels, devices;
//! and brings nothing of the host with it.

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;
use crate::spec::Spec;

const APPARMOR: &[Need] = &[
    Need::Root,
    Need::File("/sys/kernel/security/apparmor/profiles"),
    Need::Program("apparmor_parser"),
];

pub(super) const CASES: &[Case] = &[
    Case::new("the-seccomp-filter-is-the-firsts", filter)
        .deviates(&[("crun", "leaves no_new_privs out unless it is asked for")]),
    Case::new("the-seccomp-filter-is-in-force", filter_works),
    Case::new("the-seccomp-filter-with-a-process-file", filter_of_file),
    Case::new("capabilities-are-the-firsts", capabilities)
        .deviates(&[("crun", "leaves no_new_privs out unless it is asked for")]),
    Case::new("cap-adds-and-is-never-inheritable", cap).deviates(&[(
        "crun",
        "gives those of the flags instead of the container's",
    )]),
    Case::new("capabilities-of-a-process-file", capabilities_of_file),
    Case::new("a-process-file-without-capabilities", no_capabilities)
        .deviates(&[("crun", "gives none at all, which is less")]),
    Case::new("no-new-privileges-is-the-firsts", no_new_privileges)
        .deviates(&[("crun", "leaves it out unless it is asked for")]),
    Case::new("no-new-privs-by-flag", no_new_privs),
    Case::new(
        "a-process-file-that-is-silent-about-no-new-privileges",
        silent_file,
    )
    .deviates(&[
        ("runc", "takes silence for false"),
        ("crun", "takes silence for false"),
    ]),
    Case::new("the-profile-is-the-firsts", apparmor).needs(APPARMOR),
    Case::new("a-profile-by-flag", apparmor_flag).needs(APPARMOR),
    Case::new("a-profile-without-the-module", no_apparmor)
        .needs(&[Need::Root, Need::NoFile("/sys/kernel/security/apparmor")])
        .deviates(&[("crun", "passes over it"), ("runc", "passes over it")]),
    Case::new("masks-and-read-only-root-hold", masks),
];

fn profile(spec: &mut Spec) -> &mut Spec {
    spec.set("/linux/seccomp", json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}],
    }))
}

const STATUS: &str = "grep -E '^(Seccomp|NoNewPrivs|Cap)' /proc/self/status";

/// These lines of the first process's, as the host sees them.
fn of_first(container: &Container<'_>) -> Outcome<String> {
    let status = probe::proc_file(container.pid, "status")?;
    let begins = |line: &&str| {
        ["Seccomp", "NoNewPrivs", "Cap"]
            .iter()
            .any(|word| line.starts_with(word))
    };
    Ok(status
        .lines()
        .filter(begins)
        .map(|line| format!("{line}\n"))
        .collect())
}

fn as_the_first(lab: &Lab, edit: impl FnOnce(&mut Spec)) -> Outcome {
    let container = lab.started(edit)?;
    container.inside(&[], "true")?;
    // The first process must be its program by now.
    crate::check::eventually(
        "the program runs",
        std::time::Duration::from_secs(5),
        || Ok(probe::proc_file(container.pid, "comm")?.trim() == "sleep"),
    )?;
    same(
        "status",
        container.inside(&[], STATUS)?,
        of_first(&container)?,
    )?;
    container.end()
}

fn filter(lab: &Lab) -> Outcome {
    for quiet in [true, false] {
        as_the_first(lab, |spec| {
            profile(spec).set("/process/noNewPrivileges", json!(quiet));
        })?;
    }
    Ok(())
}

fn filter_works(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        profile(spec);
    })?;
    let said = container.exec(&[], &["mkdir", "/tmp/x"]).say()?;
    contains("mkdir", &said.err, "Operation not supported")?;
    container.end()
}

fn process(args: &[&str], more: Value) -> Value {
    let mut process =
        json!({"user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bin"], "args": args});
    if let (Some(process), Some(more)) = (process.as_object_mut(), more.as_object()) {
        process.extend(more.clone());
    }
    process
}

/// The status lines of a process described in a file.
fn status_of(lab: &Lab, container: &Container<'_>, more: Value) -> Outcome<String> {
    let file = lab.file("process", &process(&["sh", "-c", STATUS], more).to_string())?;
    Ok(container
        .exec(&["-p", &file.to_string_lossy()], &[])
        .ok()?
        .out)
}

fn filter_of_file(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        profile(spec);
    })?;
    let status = status_of(lab, &container, json!({"noNewPrivileges": true}))?;
    same("Seccomp", probe::field(&status, "Seccomp")?.as_str(), "2")?;
    same(
        "Seccomp_filters",
        probe::field(&status, "Seccomp_filters")?.as_str(),
        "1",
    )?;
    container.end()
}

fn capabilities(lab: &Lab) -> Outcome {
    as_the_first(lab, |spec| {
        spec.capabilities(&["CAP_CHOWN", "CAP_NET_RAW"]);
    })?;
    as_the_first(lab, |spec| {
        spec.remove("/process/capabilities");
    })?;
    as_the_first(lab, |spec| {
        let names = json!(["CAP_NET_RAW", "CAP_KILL"]);
        spec.set("/process/user", json!({"uid": 1000, "gid": 1000}));
        spec.set("/process/capabilities", json!({
            "bounding": names, "effective": names, "permitted": names, "inheritable": names, "ambient": ["CAP_NET_RAW"]}));
    })
}

fn set(status: &str, name: &str) -> Outcome<u64> {
    Ok(u64::from_str_radix(&probe::field(status, name)?, 16)?)
}

/// CVE-2022-29162.
fn cap(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.capabilities(&["CAP_CHOWN"]);
    })?;
    let status = container.inside(&["--cap", "CAP_KILL", "--cap", "CAP_NET_RAW"], STATUS)?;
    let all = 1 | 1 << 5 | 1 << 13;
    for (name, wanted) in [
        ("CapInh", 0),
        ("CapPrm", all),
        ("CapEff", all),
        ("CapBnd", all),
        ("CapAmb", 0),
    ] {
        same(name, set(&status, name)?, wanted)?;
    }
    container.end()
}

fn capabilities_of_file(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.capabilities(&["CAP_CHOWN"]);
    })?;
    let some = json!(["CAP_KILL"]);
    let sets = json!({"bounding": some, "permitted": some, "effective": some});
    let status = status_of(lab, &container, json!({"capabilities": sets}))?;
    for name in ["CapPrm", "CapEff", "CapBnd"] {
        same(name, set(&status, name)?, 1 << 5)?;
    }
    container.end()
}

fn no_capabilities(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.capabilities(&["CAP_CHOWN"]);
    })?;
    let status = status_of(lab, &container, json!({}))?;
    for name in ["CapPrm", "CapEff", "CapBnd"] {
        same(name, set(&status, name)?, 1)?;
    }
    container.end()
}

fn no_new_privileges(lab: &Lab) -> Outcome {
    for value in [true, false] {
        as_the_first(lab, |spec| {
            spec.set("/process/noNewPrivileges", json!(value));
        })?;
    }
    Ok(())
}

fn no_new_privs(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/process/noNewPrivileges", json!(false));
    })?;
    let status = container.inside(&["--no-new-privs"], STATUS)?;
    same(
        "NoNewPrivs",
        probe::field(&status, "NoNewPrivs")?.as_str(),
        "1",
    )?;
    container.end()
}

fn silent_file(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/process/noNewPrivileges", json!(true));
    })?;
    let status = status_of(lab, &container, json!({}))?;
    same(
        "NoNewPrivs",
        probe::field(&status, "NoNewPrivs")?.as_str(),
        "1",
    )?;
    container.end()
}

fn load(lab: &Lab) -> Outcome<String> {
    let name = lab.id("profile");
    let rules = "file, capability, network, mount, umount, signal, ptrace, deny /tmp/secret rw,";
    let file = lab.file(
        "profile",
        &format!("profile {name} flags=(attach_disconnected) {{ {rules} }}\n"),
    )?;
    lab.host(&[
        "apparmor_parser",
        "--replace",
        "--skip-cache",
        &file.to_string_lossy(),
    ])?;
    Ok(name)
}

fn apparmor(lab: &Lab) -> Outcome {
    let name = load(lab)?;
    let container = lab.started(|spec| {
        spec.set("/process/apparmorProfile", json!(name))
            .set("/root/readonly", json!(false));
    })?;
    let script = "cat /proc/self/attr/current; echo x > /tmp/secret || echo denied";
    let out = container.inside(&[], script)?;
    contains("its profile", &out, &format!("{name} (enforce)"))?;
    contains("what it may", &out, "denied")?;
    let file = lab.file(
        "process",
        &process(&["cat", "/proc/self/attr/current"], json!({})).to_string(),
    )?;
    let out = container
        .exec(&["-p", &file.to_string_lossy()], &[])
        .ok()?
        .out;
    contains("the profile of a process file's", &out, &name)?;
    container.end()
}

fn apparmor_flag(lab: &Lab) -> Outcome {
    let name = load(lab)?;
    let container = lab.started(|_| ())?;
    let out = container.inside(&["--apparmor", &name], "cat /proc/self/attr/current")?;
    contains("its profile", &out, &name)?;
    container
        .exec(&["--apparmor", "no-such-profile"], &["true"])
        .refused()?;
    container.end()
}

fn no_apparmor(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container
        .exec(&["--apparmor", "some-profile"], &["true"])
        .refused()?;
    container.end()
}

fn masks(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.set("/root/readonly", json!(true))
            .set("/linux/maskedPaths", json!(["/etc/passwd"]));
    })?;
    let out = container.inside(&[], "cat /etc/passwd; touch /x 2>/dev/null || echo denied")?;
    same("what it may", out.as_str(), "denied\n")?;
    container.end()
}
