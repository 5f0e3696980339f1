//! The plan of a job, told: in words for people, as JSON for programs and for golden files.

use super::limits::{Cpu, Limits};
use super::{Job, Process, User};
use crate::plan::hooks::{Hook, Hooks};
use serde_json::{Value, json};
use std::fmt::Write;

/// What this container is, and each act of making it.
#[must_use]
pub fn text(job: &Job) -> String {
    let mut text = format!(
        "The container {} is a Job Object: its processes live and end together, and share what they may use.\n\
         It is no wall: they see the machine's own files, network and registry.\n\n",
        job.id
    );
    let mut line = |what: &str, how: String| {
        let _ = writeln!(text, "  {what:<12}{how}");
    };
    line("make", "a named job (CreateJobObjectW)".to_owned());
    for (what, how) in limits(&job.limits) {
        line(what, how);
    }
    for (kind, hooks) in before(&job.hooks) {
        for hook in hooks {
            line(kind, format!("run {}", hook.path.to_string_lossy()));
        }
    }
    for (what, how) in birth(&job.process) {
        line(what, how);
    }
    line(
        "lifetime",
        "the process holds the job: when it ends, so do all others".to_owned(),
    );
    line("start", "resume its first thread (ResumeThread)".to_owned());
    line(
        "kill",
        "TERM asks (WM_CLOSE, Ctrl-Break); KILL is TerminateJobObject".to_owned(),
    );
    for warning in &job.warnings {
        let _ = writeln!(text, "\nwarning: {warning}");
    }
    text
}

fn birth(process: &Process) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        (
            "birth",
            format!(
                "{} in {}, suspended, in the job (CreateProcessW)",
                process.command_line, process.cwd
            ),
        ),
        (
            "environment",
            format!(
                "{} variables; SystemRoot is added where it is missing",
                process.env.len()
            ),
        ),
        (
            "user",
            match &process.user {
                User::Caller => "the caller".to_owned(),
                User::Service(service) => {
                    format!("NT AUTHORITY\\{}, by a token of its own", service.name())
                }
                User::Named(name) => format!("{name}, who must be the caller"),
            },
        ),
    ];
    if let Some(size) = process.terminal {
        let how = format!(
            "a pseudo-console of {} columns and {} rows",
            size.columns, size.rows
        );
        lines.push(("terminal", how));
    }
    lines
}

fn limits(limits: &Limits) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(memory) = limits.memory {
        lines.push((
            "memory",
            format!("{memory} bytes committed (JOB_OBJECT_LIMIT_JOB_MEMORY)"),
        ));
    }
    if let Some(processes) = limits.processes {
        lines.push((
            "processes",
            format!("{processes} at a time (JOB_OBJECT_LIMIT_ACTIVE_PROCESS)"),
        ));
    }
    match limits.cpu {
        Some(Cpu::AtMost(rate)) => lines.push((
            "cpu",
            format!("{rate} of 10000 cycles, a hard cap (CPU rate control)"),
        )),
        Some(Cpu::Weight(weight)) => {
            lines.push(("cpu", format!("weight {weight} of 9 (CPU rate control)")))
        }
        None => {}
    }
    for one in &limits.affinity {
        lines.push((
            "affinity",
            format!("processors {:#x} of group {}", one.mask, one.group),
        ));
    }
    if let Some(io) = limits.io {
        let rate = |number: i64| match number {
            0 => "any number of".to_owned(),
            number => number.to_string(),
        };
        lines.push((
            "storage",
            format!(
                "{} operations and {} bytes a second (I/O rate control)",
                rate(io.iops),
                rate(io.bps)
            ),
        ));
    }
    lines
}

fn before(hooks: &Hooks) -> [(&'static str, &[Hook]); 3] {
    [
        ("prestart", &hooks.prestart),
        ("createRuntime", &hooks.create_runtime),
        ("createContainer", &hooks.create_container),
    ]
}

/// Every field. The bundle's own path is left out, so that two hosts write the same.
#[must_use]
pub fn json(job: &Job) -> Value {
    let process = &job.process;
    json!({
        "id": job.id,
        "ociVersion": job.oci_version,
        "platform": "windows",
        "annotations": job.annotations,
        "process": {
            "commandLine": process.command_line,
            "program": process.program,
            "namedAt": process.pointer.as_str(),
            "cwd": process.cwd,
            "env": process.env,
            "terminal": process.terminal.map(|size| json!({"columns": size.columns, "rows": size.rows})),
            "user": match &process.user {
                User::Caller => json!("the caller"),
                User::Service(service) => json!(format!("NT AUTHORITY\\{}", service.name())),
                User::Named(name) => json!(name),
            },
        },
        "job": {
            "memory": job.limits.memory,
            "processes": job.limits.processes,
            "cpu": match job.limits.cpu {
                Some(Cpu::AtMost(rate)) => json!({"atMost": rate, "of": 10_000}),
                Some(Cpu::Weight(weight)) => json!({"weight": weight, "of": 9}),
                None => Value::Null,
            },
            "affinity": job.limits.affinity.iter().map(|one| json!({"group": one.group, "mask": one.mask})).collect::<Vec<_>>(),
            "storage": job.limits.io.map(|io| json!({"iops": io.iops, "bps": io.bps})),
        },
        "hooks": {
            "prestart": hooks(&job.hooks.prestart),
            "createRuntime": hooks(&job.hooks.create_runtime),
            "createContainer": hooks(&job.hooks.create_container),
            "startContainer": hooks(&job.hooks.start_container),
            "poststart": hooks(&job.hooks.poststart),
            "poststop": hooks(&job.hooks.poststop),
        },
        "warnings": job.warnings,
    })
}

fn hooks(hooks: &[Hook]) -> Vec<Value> {
    let told = |hook: &Hook| {
        let text = |one: &std::ffi::CString| one.to_string_lossy().into_owned();
        json!({
            "path": text(&hook.path),
            "args": hook.argv.iter().map(text).collect::<Vec<_>>(),
            "env": hook.envp.iter().map(text).collect::<Vec<_>>(),
            "timeout": hook.timeout,
            "at": hook.pointer.as_str(),
        })
    };
    hooks.iter().map(told).collect()
}
