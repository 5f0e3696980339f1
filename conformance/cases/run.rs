//! `run`: the foreground life, its exit code, its signals, its streams.

use std::fs::File;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::case::Case;
use crate::check::{Outcome, ensure, eventually, same};
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("exit-code-is-the-programs", exit_code),
    Case::new("a-signal-becomes-128-plus-its-number", signal_code),
    Case::new("a-kill-from-outside-becomes-137", killed_from_outside),
    Case::new("nothing-stays-after-the-end", nothing_stays),
    Case::new("streams-are-passed", streams),
    Case::new("stdin-may-be-closed", closed_stdin)
        .deviates(&[("crun", "1.28 dies of SIGSEGV after the container's end")]),
    Case::new("signals-are-forwarded", forwarded),
    Case::new("detach-returns-at-once", detached),
    Case::new("keep-leaves-a-stopped-container", kept),
    Case::new("large-output-arrives-whole", large_output),
    Case::new("orphans-inside-are-collected-with-the-container", orphans),
];

fn exit_code(lab: &Lab) -> Outcome {
    for code in [0, 1, 7, 126, 255] {
        let said = lab.run(|spec| {
            spec.sh(&format!("exit {code}"));
        })?;
        same("exit code", said.code(), code)?;
    }
    Ok(())
}

/// Without a pid namespace a program may end itself by any signal.
fn signal_code(lab: &Lab) -> Outcome {
    for (name, code) in [("KILL", 137), ("TERM", 143), ("USR1", 138)] {
        let said = lab.run(|spec| {
            spec.no_namespace("pid")
                .sh(&format!("kill -{name} $$; sleep 5"));
        })?;
        same(&format!("exit code after SIG{name}"), said.code(), code)?;
    }
    Ok(())
}

fn killed_from_outside(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let id = lab.id("fore");
    let (mut command, _) = lab
        .call(&["run", "--bundle", bundle.arg(), &id])
        .command()?;
    let mut child = lab.spawn(&mut command)?;
    running(lab, &id)?;
    lab.call(&["kill", &id, "KILL"]).ok()?;
    same("exit code", child.wait()?.code(), Some(137))
}

/// Waits until `id` runs.
fn running(lab: &Lab, id: &str) -> Outcome {
    eventually("the container runs", Duration::from_secs(10), || {
        let said = lab.call(&["state", id]).say()?;
        Ok(said.status.success() && said.out.contains("\"running\""))
    })
}

fn nothing_stays(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("exit 3");
    })?;
    let id = lab.id("once");
    lab.call(&["run", "--bundle", bundle.arg(), &id]).say()?;
    ensure!(lab.list()?.is_empty(), "list still knows a container");
    lab.call(&["state", &id]).refused()?;
    // The id is free again.
    let again = lab.call(&["run", "--bundle", bundle.arg(), &id]).say()?;
    same("exit code the second time", again.code(), 3)
}

fn streams(lab: &Lab) -> Outcome {
    let input = lab.file("input", "from the caller\n")?;
    let bundle = lab.bundle(|spec| {
        spec.sh("cat; echo to the side >&2");
    })?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("io")])
        .stdin(File::open(input)?)
        .ok()?;
    same("standard output", said.out.as_str(), "from the caller\n")?;
    same("standard error", said.err.as_str(), "to the side\n")
}

fn closed_stdin(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("echo fine");
    })?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("closed")])
        .through_sh("exec \"$@\" 0<&-")
        .ok()?;
    same("standard output", said.out.as_str(), "fine\n")
}

fn forwarded(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("trap 'echo got USR1' USR1; trap 'echo got TERM; exit 9' TERM; echo ready; while :; do sleep 0.02; done");
    })?;
    let id = lab.id("fore");
    let (mut command, out) = lab
        .call(&["run", "--bundle", bundle.arg(), &id])
        .command()?;
    let mut child = lab.spawn(&mut command)?;
    let wrote = |text: &str| {
        eventually(&format!("output {text:?}"), Duration::from_secs(10), || {
            Ok(std::fs::read_to_string(&out)?.contains(text))
        })
    };
    wrote("ready")?;
    child.signal(Signal::SIGUSR1);
    wrote("got USR1")?;
    child.signal(Signal::SIGTERM);
    wrote("got TERM")?;
    same("exit code", child.wait()?.code(), Some(9))
}

fn detached(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let id = lab.id("aside");
    let pid_file = lab.scratch("pid");
    lab.call(&[
        "run",
        "--detach",
        "--bundle",
        bundle.arg(),
        "--pid-file",
        &pid_file.to_string_lossy(),
        &id,
    ])
    .ok()?;
    running(lab, &id)?;
    let pid: i32 = std::fs::read_to_string(&pid_file)?.trim().parse()?;
    // The gate is open; on a busy machine the program may come a moment later.
    eventually("the name of init is sleep", Duration::from_secs(5), || {
        let status = probe::proc_file(pid, "status")?;
        Ok(probe::field(&status, "Name")? == "sleep")
    })?;
    lab.call(&["delete", "--force", &id]).ok().map(drop)
}

fn kept(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("exit 4");
    })?;
    let id = lab.id("kept");
    let said = lab
        .call(&["run", "--keep", "--bundle", bundle.arg(), &id])
        .say()?;
    same("exit code", said.code(), 4)?;
    let state = lab.call(&["state", &id]).ok()?;
    ensure!(
        state.out.contains("\"stopped\""),
        "expected it to be stopped, found {state}"
    );
    lab.call(&["delete", &id]).ok().map(drop)
}

fn large_output(lab: &Lab) -> Outcome {
    let said = lab.run(|spec| {
        spec.sh("dd if=/dev/zero bs=64k count=64 2>/dev/null | tr '\\0' x");
    })?;
    same("bytes of output", said.out.len(), 64 * 64 * 1024)
}

fn orphans(lab: &Lab) -> Outcome {
    let out = lab.look(
        "for i in 1 2 3; do (sleep 50 &); done; sleep 0.2; ps | grep -c 'sleep 5[0]$'",
        |_| (),
    )?;
    same("sleepers seen inside", out.trim(), "3")
}
