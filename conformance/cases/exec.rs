//! A second process: in which status it may be, how its end is told, where it is born.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, eventually, mentions, patience, same};
use crate::lab::Lab;
use crate::probe;

const CGROUP: &[Need] = &[Need::Root, Need::CgroupV2];
pub(super) const CASES: &[Case] = &[
    Case::new("it-is-in-every-namespace-of-the-first", namespaces),
    Case::new("it-sees-the-first-process", sees_init),
    Case::new("in-a-created-container", in_created),
    Case::new("the-exit-status-is-its-own", exit_status),
    Case::new("a-signal-is-128-and-its-number", signalled),
    Case::new("what-it-prints-comes-out", output),
    Case::new("it-reads-standard-input", input),
    Case::new("in-a-stopped-container-it-is-refused", in_stopped),
    Case::new("in-none-it-is-refused", in_none).deviates(&[("crun", "exits with 1")]),
    Case::new("in-a-paused-one-it-is-refused", in_paused).needs(CGROUP),
    Case::new("ignore-paused-waits-for-the-thaw", ignore_paused)
        .needs(CGROUP)
        .deviates(&[("crun", "has no such flag")]),
    Case::new("a-missing-program-is-255-in-callers-words", missing)
        .deviates(&[("crun", "exits with 1")]),
    Case::new("a-file-that-is-no-program", no_program).deviates(&[("crun", "exits with 1")]),
    Case::new("detached-it-goes-on", detached),
    Case::new("a-failed-one-writes-no-pid-file", no_pid_file),
    Case::new("signals-are-handed-on", hands_on),
    Case::new("it-ends-with-the-container", ends_together),
    Case::new("with-the-bundle-gone", bundle_gone)
        .deviates(&[("runc", "1.1 reads the bundle again")]),
    Case::new("nothing-to-run-is-refused", nothing),
];

fn namespaces(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let out = container.inside(
        &[],
        "for n in cgroup ipc mnt net pid uts user; do readlink /proc/self/ns/$n; done",
    )?;
    let kinds = ["cgroup", "ipc", "mnt", "net", "pid", "uts", "user"];
    let found: Vec<&str> = out.lines().collect();
    let wanted = kinds
        .iter()
        .map(|kind| probe::namespace(container.pid, kind))
        .collect::<Outcome<Vec<_>>>()?;
    same(
        "namespaces",
        found,
        wanted.iter().map(String::as_str).collect::<Vec<_>>(),
    )?;
    container.end()
}

fn sees_init(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.args(&["sleep", "4321"]);
    })?;
    let out = container.inside(&[], "tr '\\0' ' ' < /proc/1/cmdline; echo; pwd; hostname")?;
    contains("what it sees", &out, "sleep 4321")?;
    container.end()
}

fn in_created(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    same(
        "output",
        container.inside(&[], "echo early")?.as_str(),
        "early\n",
    )?;
    same("status", container.status()?.as_str(), "created")?;
    container.start()?;
    container.end()
}

fn exit_status(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for status in [0, 1, 7, 126, 255] {
        let said = container
            .exec(&[], &["sh", "-c", &format!("exit {status}")])
            .say()?;
        same("status", said.code(), status)?;
    }
    container.end()
}

fn signalled(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for (signal, status) in [("KILL", 137), ("TERM", 143)] {
        let script = format!("kill -{signal} $$; sleep 9");
        same(
            signal,
            container.exec(&[], &["sh", "-c", &script]).say()?.code(),
            status,
        )?;
    }
    container.end()
}

fn output(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let said = container
        .exec(&[], &["sh", "-c", "echo out; echo err >&2"])
        .ok()?;
    same("standard output", said.out.as_str(), "out\n")?;
    same("standard error", said.err.as_str(), "err\n")?;
    container.end()
}

fn input(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let file = fs::File::open(lab.file("input", "a line\n")?)?;
    let said = container.exec(&[], &["cat"]).stdin(file).ok()?;
    same("what cat gives back", said.out.as_str(), "a line\n")?;
    container.end()
}

fn in_stopped(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container.stop()?;
    let said = container.exec(&[], &["true"]).refused()?;
    mentions("the refusal", &said.err, &["stopped", "not running"])?;
    container.delete()
}

fn in_none(lab: &Lab) -> Outcome {
    let said = lab.call(&["exec", &lab.id("none"), "true"]).refused()?;
    contains("the refusal", &said.err, "does not exist")?;
    same("status", said.code(), 255)
}

fn freeze(pid: i32, word: &str) -> Outcome {
    let dir = probe::cgroup_dir(pid)?;
    fs::write(dir.join("cgroup.freeze"), word)?;
    eventually("the freezer has done it", Duration::from_secs(5), || {
        let events = fs::read_to_string(dir.join("cgroup.events"))?;
        Ok(events.contains(&format!("frozen {word}")))
    })
}

fn in_paused(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    freeze(container.pid, "1")?;
    let said = container.exec(&[], &["true"]).refused()?;
    contains("the refusal", &said.err, "paused")?;
    freeze(container.pid, "0")?;
    container.exec(&[], &["true"]).ok()?;
    container.end()
}

fn ignore_paused(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    freeze(container.pid, "1")?;
    let (mut command, file) = container
        .exec(&["--ignore-paused"], &["echo", "late"])
        .command()?;
    let mut child = lab.spawn(&mut command)?;
    std::thread::sleep(Duration::from_millis(300));
    same(
        "output while frozen",
        fs::read_to_string(&file)?.as_str(),
        "",
    )?;
    freeze(container.pid, "0")?;
    ensure!(
        child.wait()?.success(),
        "exec did not end well after the thaw"
    );
    same(
        "output after the thaw",
        fs::read_to_string(&file)?.as_str(),
        "late\n",
    )?;
    container.end()
}

fn missing(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for (program, words) in [
        (
            "nope",
            ["executable file not found in $PATH", "executable file"],
        ),
        (
            "/nope",
            ["no such file or directory", "No such file or directory"],
        ),
    ] {
        let said = container.exec(&[], &[program]).refused()?;
        same("status", said.code(), 255)?;
        mentions("the refusal", &said.err, &words)?;
    }
    container.end()
}

fn no_program(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for program in ["/etc/passwd", "/etc"] {
        let said = container.exec(&[], &[program]).refused()?;
        same("status", said.code(), 255)?;
        mentions(
            "the refusal",
            &said.err,
            &["permission denied", "Permission denied", "is a directory"],
        )?;
    }
    container.end()
}

fn detached(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let file = lab.scratch("pid");
    let name = file.to_string_lossy();
    container
        .exec(&["--detach", "--pid-file", &name], &["sleep", "1234"])
        .ok()?;
    let text = fs::read_to_string(&file)?;
    let pid: i32 = text
        .parse()
        .map_err(|_| format!("the pid file has {text:?}"))?;
    eventually("the program runs", Duration::from_secs(5), || {
        Ok(probe::proc_file(pid, "cmdline")?.contains("1234"))
    })?;
    same(
        "its pid namespace",
        probe::namespace(pid, "pid")?,
        probe::namespace(container.pid, "pid")?,
    )?;
    container.end()
}

fn no_pid_file(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let file = lab.scratch("pid");
    let name = file.to_string_lossy();
    container
        .exec(&["-d", "--pid-file", &name], &["/nope"])
        .refused()?;
    ensure!(
        !file.exists(),
        "there is a pid file of a process that never was"
    );
    container.end()
}

fn hands_on(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let script = "trap 'echo told; exit 5' TERM; echo ready; while :; do sleep 0.1; done";
    let (mut command, file) = container.exec(&[], &["sh", "-c", script]).command()?;
    let mut child = lab.spawn(&mut command)?;
    eventually("it is ready", Duration::from_secs(5), || {
        Ok(fs::read_to_string(&file)?.contains("ready"))
    })?;
    child.signal(nix::sys::signal::Signal::SIGTERM);
    same("status", child.wait()?.code(), Some(5))?;
    contains("output", &fs::read_to_string(&file)?, "told")?;
    container.end()
}

fn ends_together(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let begun = Instant::now();
    let (mut command, file) = container
        .exec(&[], &["sh", "-c", "echo ready; exec sleep 99"])
        .command()?;
    let mut child = lab.spawn(&mut command)?;
    eventually("it is ready", Duration::from_secs(5), || {
        Ok(fs::read_to_string(&file)?.contains("ready"))
    })?;
    container.stop()?;
    same("status", child.wait()?.code(), Some(137))?;
    ensure!(
        begun.elapsed() < Duration::from_secs(30) * patience(),
        "it went on for too long"
    );
    container.delete()
}

fn bundle_gone(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.push("/process/env", json!("FROM=the first"));
    })?;
    fs::rename(&container.bundle.dir, lab.scratch("elsewhere"))?;
    same(
        "output",
        container.inside(&[], "echo $FROM")?.as_str(),
        "the first\n",
    )?;
    container.end()
}

fn nothing(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container.exec(&[], &[]).refused()?;
    container.exec(&[], &[""]).refused()?;
    container.end()
}
