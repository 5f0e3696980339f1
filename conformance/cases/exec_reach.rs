//! A second process brings nothing of the host with it, and is not looked into on its way.

use std::fs;

use serde_json::json;

use super::fds::MANY;
use crate::case::Case;
use crate::check::{Outcome, contains, ensure, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("only-three-descriptors", only_three),
    Case::new("preserved-descriptors", preserved),
    Case::new("cwd-through-a-descriptor", cwd_descriptor),
    Case::new("cwd-through-a-link-to-a-descriptor", cwd_link),
    Case::new("under-a-false-proc", false_proc).deviates(&[
        ("runc", "1.1 refuses to work without a real /proc"),
        ("crun", "sets no score"),
    ]),
    Case::new("an-interpreter-that-is-a-link-to-proc-self-exe", self_exe),
    Case::new("it-cannot-be-looked-into-before-its-program", not_dumpable),
];

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
