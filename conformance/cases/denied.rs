//! The runtime watched by a tracer: which calls it makes, and what becomes of a container where the kernel, or
//! a filter around the runtime, denies one of them.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use crate::bundle::Bundle;
use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, same};
use crate::lab::Lab;
use crate::probe;

const NEEDS: &[Need] = &[Need::Root, Need::Program("strace"), Need::OrbitalOnly];

pub(super) const CASES: &[Case] = &[
    Case::new("a-call-that-is-missing", |lab| each(lab, "ENOSYS")).needs(NEEDS),
    Case::new("a-call-that-is-forbidden", |lab| each(lab, "EPERM")).needs(NEEDS),
    Case::new("no-call-names-what-is-in-the-image", names).needs(NEEDS),
    Case::new("no-descriptor-is-born-without-close-on-exec", close_on_exec).needs(NEEDS),
];

/// Calls that older kernels lack, or outer containers deny, and those that confine.
const CALLS: &[&str] = &[
    "bpf",
    "capset",
    "close_range",
    "clone3",
    "fsconfig",
    "fsmount",
    "fsopen",
    "keyctl",
    "memfd_create",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "openat2",
    "pidfd_open",
    "pidfd_send_signal",
    "pivot_root",
    "seccomp",
    "setgroups",
    "sethostname",
    "setns",
    "setresuid",
    "setsid",
    "statx",
    "umount2",
    "unshare",
];

/// What a program sees of its confinement.
const SEEN: &str = "
    id; cat /proc/self/cgroup | grep '^0:'; grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status
    wc -c < /proc/keys; touch /proc/sys/kernel/hostname /made 2>&1; hostname; set -- /proc/[0-9]*; echo $#; ls /proc/self/fd
    mkdir /tmp/forbidden 2>&1; for n in cgroup ipc mnt net pid uts; do [ $(readlink /proc/self/ns/$n) != HOST_$n ] || echo the hosts $n; done";

fn confined(lab: &Lab) -> Outcome<Bundle> {
    let mut script = SEEN.to_owned();
    for name in ["cgroup", "ipc", "mnt", "net", "pid", "uts"] {
        script = script.replace(&format!("HOST_{name}"), &probe::own_namespace(name)?);
    }
    lab.bundle(|spec| {
        spec.sh(&script)
            .set("/root/readonly", json!(true))
            .set("/process/user", json!({"uid": 1000, "gid": 1000, "additionalGids": [7]}))
            .set("/linux/seccomp", json!({"defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]}));
    })
}

/// With any of the calls answered by `errno` the container is what it is with all of them, or there is none.
fn each(lab: &Lab, errno: &str) -> Outcome {
    let bundle = confined(lab)?;
    let id = lab.id("same");
    let run = ["run", "--bundle", bundle.arg(), &id];
    let whole = lab.call(&run).ok()?.out;
    for call in CALLS {
        let inject = format!("inject={call}:error={errno}");
        let file = lab.scratch("trace").to_string_lossy().into_owned();
        let tracer = [
            "timeout",
            "-s",
            "KILL",
            "20",
            "strace",
            "-f",
            "-o",
            &file,
            "-e",
            &format!("trace={call}"),
            "-e",
            &inject,
        ];
        let said = lab.call(&run).through(&tracer).say()?;
        ensure!(
            said.code() != 137 && !said.err.contains("panicked"),
            "without {call}: {said}"
        );
        if said.out.is_empty() {
            ensure!(
                said.code() == 1 && said.err.starts_with("error: cannot"),
                "without {call}: {said}"
            );
        } else {
            same(
                &format!("what is seen without {call}"),
                said.out.as_str(),
                whole.as_str(),
            )?;
        }
        lab.call(&["delete", "--force", &id]).ok()?;
    }
    Ok(())
}

/// The lines of a trace that are the runtime's own: the program and its children are left out.
fn traced(lab: &Lab, calls: &str) -> Outcome<(Bundle, Vec<String>)> {
    let source = lab.folder("source")?;
    let bundle = lab.bundle(|spec| {
        spec.bind(&source.to_string_lossy(), "/new/volume", &["bind"])
            .mount("/new/tmpfs", "tmpfs", "tmpfs", &["tmpcopyup"])
            .set("/process/cwd", json!("/new/cwd"))
            .args(&["/bin/true"]);
    })?;
    let file = lab.scratch("trace");
    let name = file.to_string_lossy().into_owned();
    let what = format!("trace={calls},execve");
    let tracer = [
        "timeout", "-s", "KILL", "30", "strace", "-f", "-s", "4096", "-o", &name, "-e", &what,
    ];
    let id = lab.id("traced");
    let call = lab.call(&["run", "--bundle", bundle.arg(), &id]);
    call.through(&tracer).ok()?;
    let text = fs::read_to_string(&file)?;
    let mut programs = BTreeSet::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let pid = line.split(' ').next().unwrap_or_default().to_owned();
        if line.contains("execve(\"/bin/true\"") {
            programs.insert(pid);
        } else if !programs.contains(&pid) {
            lines.push(line.to_owned());
        }
    }
    ensure!(
        lines.len() > 20 && !programs.is_empty(),
        "a trace of {} lines",
        lines.len()
    );
    Ok((bundle, lines))
}

/// R2: the root is opened by its path once or twice; what lies in it is reached by descriptors alone.
fn names(lab: &Lab) -> Outcome {
    let (bundle, lines) = traced(lab, "%file,mount,move_mount,open_tree")?;
    let inside = format!("{}/", bundle.rootfs().display());
    let named: Vec<_> = lines.iter().filter(|line| line.contains(&inside)).collect();
    ensure!(named.is_empty(), "by a path: {named:?}");
    let by_path = [
        "mount(", "chmod(", "chown(", "lchown(", "mknod(", "mkdir(", "symlink(",
    ];
    let old = |line: &&String| {
        let call = line
            .split_once(' ')
            .map_or("", |(_, call)| call.trim_start());
        by_path.iter().any(|name| call.starts_with(name)) && call.contains("\"/new")
    };
    let old: Vec<_> = lines.iter().filter(old).collect();
    ensure!(old.is_empty(), "by a path inside: {old:?}");
    Ok(())
}

/// R9: between a descriptor's birth and a flag set later another thread or child could inherit it.
fn close_on_exec(lab: &Lab) -> Outcome {
    let births = "open,openat,openat2,socket,socketpair,pipe,pipe2,dup,memfd_create,fsopen,fsmount,open_tree,epoll_create,epoll_create1,accept,accept4,eventfd2,signalfd4,timerfd_create,inotify_init1";
    let (_, lines) = traced(lab, births)?;
    let bare = |line: &&String| {
        let failed =
            line.contains(" = -1 ") || line.contains("unfinished") || line.contains("resumed");
        let other = ["execve(", "+++", "---"]
            .iter()
            .any(|word| line.contains(word));
        !failed && !other && !line.contains("CLOEXEC")
    };
    let bare: Vec<_> = lines.iter().filter(bare).collect();
    ensure!(bare.is_empty(), "born without it: {bare:?}");
    Ok(())
}
