//! A second process is confined as the first one is: filter, capabilities, no_new_privs, labels, devices;
//! and brings nothing of the host with it.

use std::fs;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, same};
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
    Case::new("only-three-descriptors", only_three),
    Case::new("preserved-descriptors", preserved),
    Case::new("cwd-through-a-descriptor", cwd_descriptor),
    Case::new("cwd-through-a-link-to-a-descriptor", cwd_link),
    Case::new("under-a-false-proc", false_proc).deviates(&[
        ("runc", "1.1 refuses to work without a real /proc"),
        ("crun", "sets no score"),
    ]),
    Case::new("an-interpreter-that-is-a-link-to-proc-self-exe", self_exe),
    Case::new("masks-and-read-only-root-hold", masks),
    Case::new("it-cannot-be-looked-into-before-its-program", not_dumpable),
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

/// Opens many descriptors, in a shell, that whoever is executed inherits.
const MANY: &str = "exec 3</etc/passwd 4</etc 5</ 6</proc 7</dev 8</etc/group 9</tmp; exec \"$@\"";

fn only_three(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let said = container
        .exec(&[], &["ls", "/proc/self/fd"])
        .through_sh(MANY)
        .ok()?;
    // 3 is the directory that ls reads.
    same(
        "descriptors",
        said.out.split_whitespace().collect::<Vec<_>>(),
        vec!["0", "1", "2", "3"],
    )?;
    container.end()
}

fn preserved(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let said = container
        .exec(
            &["--preserve-fds", "2"],
            &["sh", "-c", "ls /proc/$$/fd; head -c 4 <&3"],
        )
        .through_sh(MANY)
        .ok()?;
    contains("descriptors", &said.out, "0\n1\n2\n3\n4\n")?;
    contains("what 3 leads to", &said.out, "root")?;
    ensure!(!said.out.contains("5\n"), "descriptors: {said}");
    container.end()
}

/// CVE-2024-21626.
fn cwd_descriptor(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for number in 3..24 {
        reaches(lab, &container, &format!("/proc/self/fd/{number}"))?;
    }
    container.end()
}

fn cwd_link(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    for number in 3..12 {
        bundle.link(&format!("link{number}"), &format!("/proc/self/fd/{number}"))?;
    }
    let container = Container::create(lab, &bundle, &lab.id("link"))?;
    container.start()?;
    for number in 3..12 {
        reaches(lab, &container, &format!("/link{number}"))?;
    }
    container.end()
}

fn reaches(lab: &Lab, container: &Container<'_>, cwd: &str) -> Outcome {
    let dir = lab.dir.to_string_lossy();
    let said = container
        .exec(&["--cwd", cwd], &["sh", "-c", "cat canary/song ../canary/song ../../canary/song; pwd; true"])
        .through_sh(&format!("exec 3<'{dir}' 4<'{dir}' 5<'{dir}' 6<'{dir}' 7<'{dir}' 8<'{dir}' 9<'{dir}'; exec \"$@\""))
        .say()?;
    ensure!(
        !said.out.contains("the host's own"),
        "cwd {cwd} leads to the host: {said}"
    );
    Ok(())
}

/// A /proc of the image's own, with files where the kernel's would be: nothing is written there, and the
/// process is what it should be (CVE-2019-16884, CVE-2025-52881).
fn false_proc(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.no_mount("/proc")
            .set("/process/oomScoreAdj", json!(123))
            .set("/root/readonly", json!(false));
        spec.remove("/linux/maskedPaths")
            .remove("/linux/readonlyPaths");
    })?;
    for name in ["attr/exec", "oom_score_adj", "setgroups", "sessionid"] {
        bundle.file(&format!("proc/self/{name}"), "untouched")?;
    }
    bundle.link("proc/thread-self", "self")?;
    let container = Container::create(lab, &bundle, &lab.id("false"))?;
    container.start()?;
    let pid_file = lab.scratch("pid");
    container
        .exec(
            &["-d", "--pid-file", &pid_file.to_string_lossy()],
            &["sleep", "99"],
        )
        .ok()?;
    let pid: i32 = fs::read_to_string(&pid_file)?.trim().parse()?;
    same(
        "its real score",
        probe::proc_file(pid, "oom_score_adj")?.trim(),
        "123",
    )?;
    for name in ["attr/exec", "oom_score_adj", "setgroups", "sessionid"] {
        let text = fs::read_to_string(bundle.rootfs().join("proc/self").join(name))?;
        same(name, text.as_str(), "untouched")?;
    }
    container.end()
}

/// CVE-2019-5736.
fn self_exe(lab: &Lab) -> Outcome {
    let before = fs::read(&lab.runtime.path)?;
    let bundle = lab.bundle(|_| ())?;
    bundle.link("bin/evil", "/proc/self/exe")?;
    bundle.file("bin/script", "#!/proc/self/exe\n")?;
    let container = Container::create(lab, &bundle, &lab.id("self"))?;
    container.start()?;
    let attack = "for i in 1 2 3 4 5 6 7 8 9; do for f in /proc/[0-9]*/exe; do echo x >> $f; done; done 2>/dev/null";
    container.exec(&["-d"], &["sh", "-c", attack]).ok()?;
    for program in ["/bin/evil", "/bin/script", "/proc/self/exe"] {
        let said = container.exec(&[], &[program, "--version"]).say()?;
        ensure!(!said.err.contains("panicked"), "{program}: {said}");
    }
    ensure!(
        fs::read(&lab.runtime.path)? == before,
        "the runtime's own file was changed"
    );
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

/// CVE-2016-9962: a hostile process of the container's looks at whoever comes in. What it can read of it
/// before the program begins is nothing: neither its descriptors nor its memory.
fn not_dumpable(lab: &Lab) -> Outcome {
    let script = r#"
        runtime() { case "$(tr '\0' ' ' < $1/cmdline)" in *' exec '*|*' init '*) return 0;; *) return 1;; esac; }
        echo ready
        while :; do
            for p in /proc/[0-9]*; do
                [ $p = /proc/1 ] || { runtime $p && seen=$(ls $p/root/ $p/fd/0) && runtime $p && echo leaked $seen; }
            done 2>/dev/null
        done"#;
    let container = lab.started(|spec| {
        spec.sh(script).capabilities(&["CAP_KILL"]);
    })?;
    container.wrote("ready")?;
    for _ in 0..60 {
        container.exec(&[], &["true"]).ok()?;
    }
    let out = container.output()?;
    ensure!(!out.contains("leaked"), "it was looked into: {out}");
    container.end()
}
