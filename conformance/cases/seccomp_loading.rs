//! The seccomp filter in force: when it is loaded, what it is told, and what happens when it is too strict.
//! The agent of the cases with SCMP_ACT_NOTIFY is `seccomp_loading/agent.py`.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, eventually, mentions, same};
use crate::lab::Lab;
use crate::probe;
use crate::spec::Spec;

pub(super) const CASES: &[Case] = &[
    Case::new("with-no-new-privileges", |lab| in_force(lab, true)),
    Case::new("without-no-new-privileges", |lab| in_force(lab, false)),
    Case::new("for-a-user-without-capabilities", for_a_user),
    Case::new("an-argument-decides", argument),
    Case::new("the-hook-inside-is-judged-too", start_hook),
    Case::new("without-sockets", without_sockets).needs(&[Need::Root, Need::OrbitalOnly]),
    Case::new("a-profile-older-than-the-runtimes-calls", |lab| {
        old(lab, false)
    })
    .deviates(OLD_RUNC),
    Case::new("the-same-with-no-new-privileges", |lab| old(lab, true)),
    Case::new("an-agent-answers", |lab| {
        agent(lab, &["mkdir", "mkdirat"], true)
    })
    .needs(AGENTS),
    Case::new("an-agent-answers-without-no-new-privileges", |lab| {
        agent(lab, &["mkdir", "mkdirat"], false)
    })
    .needs(AGENTS),
    Case::new("an-agent-is-asked-about-the-runtimes-own-calls", |lab| {
        agent(
            lab,
            &["mkdir", "mkdirat", "sendmsg", "sendto", "close", "execve"],
            true,
        )
    })
    .needs(AGENTS),
    Case::new("an-agents-connection-is-closed-after-the-state", closed)
        .needs(AGENTS)
        .deviates(&[
            ("runc", "1.1 keeps it open as long as it runs"),
            ("crun", "keeps it open as long as it runs"),
        ]),
    Case::new("no-agent", no_agent),
    Case::new("a-filter-that-kills-the-runtime", kills).needs(&[Need::Root, Need::OrbitalOnly]),
    Case::new("a-filter-that-denies-what-the-runtime-needs", denies)
        .needs(&[Need::Root, Need::OrbitalOnly]),
];

const OLD_RUNC: &[(&str, &str)] = &[(
    "runc",
    "1.1 asks for its working directory under the filter",
)];

/// What answers the kernel's questions; see its own words.
const AGENT: &str = include_str!("seccomp_loading/agent.py");

/// What the cases with an agent need.
const AGENTS: &[Need] = &[Need::Root, Need::Program("python3")];

/// mkdir answers ENODATA, which it never does by itself.
const ODD_ERRNO: u32 = 61;

fn without_mkdir() -> Value {
    json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": ODD_ERRNO}],
    })
}

fn filtered(spec: &mut Spec, filter: Value, no_new_privileges: bool) {
    spec.set("/linux/seccomp", filter)
        .set("/process/noNewPrivileges", json!(no_new_privileges));
}

const TRY: &str = "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status; mkdir /tmp/x 2>&1 || true";

fn judge(out: &str, no_new_privileges: bool) -> Outcome {
    same("Seccomp", probe::field(out, "Seccomp")?.as_str(), "2")?;
    let bit = if no_new_privileges { "1" } else { "0" };
    same("NoNewPrivs", probe::field(out, "NoNewPrivs")?.as_str(), bit)?;
    contains("mkdir", out, "No data available")
}

fn in_force(lab: &Lab, no_new_privileges: bool) -> Outcome {
    let out = lab.look(TRY, |spec| {
        filtered(spec, without_mkdir(), no_new_privileges)
    })?;
    judge(&out, no_new_privileges)
}

/// CAP_SYS_ADMIN, which loads a filter without no_new_privs, is gone when the program runs.
fn for_a_user(lab: &Lab) -> Outcome {
    let out = lab.look(TRY, |spec| {
        filtered(spec, without_mkdir(), false);
        spec.set("/process/user", json!({"uid": 1000, "gid": 1000}))
            .set("/process/capabilities", json!({}));
    })?;
    judge(&out, false)
}

fn argument(lab: &Lab) -> Outcome {
    // The mode is the second argument of one, and the third of the others.
    let rule = |names: &[&str], index: u32| {
        let args = json!([{"index": index, "value": 0o777, "op": "SCMP_CMP_EQ"}]);
        json!({"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": ODD_ERRNO, "args": args})
    };
    let rules = [rule(&["chmod"], 1), rule(&["fchmodat", "fchmodat2"], 2)];
    let filter = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules});
    let script = "touch /tmp/x; chmod 700 /tmp/x; chmod 777 /tmp/x 2>&1 || stat -c %a /tmp/x";
    let out = lab.look(script, |spec| {
        spec.mount("/tmp", "tmpfs", "tmpfs", &[]);
        filtered(spec, filter, true);
    })?;
    contains("chmod 777", &out, "No data available")?;
    same("the mode", out.lines().last(), Some("700"))
}

/// It runs between create and the program, with the filter that is in force by then.
fn start_hook(lab: &Lab) -> Outcome {
    let script = "exec > /tmp/hook 2>&1; grep ^Seccomp: /proc/self/status";
    let out = lab.look("cat /tmp/hook", |spec| {
        filtered(spec, without_mkdir(), true);
        spec.mount("/tmp", "tmpfs", "tmpfs", &[]).set(
            "/hooks/startContainer",
            json!([{"path": "/bin/sh", "args": ["sh", "-c", script]}]),
        );
    })?;
    same(
        "Seccomp of the hook",
        probe::field(&out, "Seccomp")?.as_str(),
        "2",
    )
}

/// A program without a network needs no calls for sockets, and the runtime must not need them for it.
fn without_sockets(lab: &Lab) -> Outcome {
    let names = [
        "socket", "connect", "sendto", "sendmsg", "recvfrom", "recvmsg", "bind", "listen",
        "shutdown",
    ];
    let filter = json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": names, "action": "SCMP_ACT_KILL_PROCESS"}],
    });
    let out = lab.look("echo alive", |spec| filtered(spec, filter, true))?;
    same("the program", out.trim(), "alive")
}

/// A profile from before some calls were there denies them, with EPERM at that: what the runtime wants of them
/// it must want before, or do by others.
fn old(lab: &Lab, no_new_privileges: bool) -> Outcome {
    let names = [
        "openat2",
        "faccessat2",
        "close_range",
        "clone3",
        "getcwd",
        "mount_setattr",
        "fsopen",
        "pidfd_open",
    ];
    let filter = json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": 1}],
    });
    let out = lab.look(
        "echo $HOME; ls -d ../etc; ls /proc/self/fd | wc -l",
        |spec| {
            filtered(spec, filter, no_new_privileges);
            spec.set("/process/cwd", json!("/tmp"))
                .set("/process/user", json!({"uid": 1000, "gid": 1000}));
        },
    )?;
    // The shell's three streams and the directory that ls reads.
    same(
        "HOME, the directory and the descriptors",
        out.as_str(),
        "/home/ana\n../etc\n4\n",
    )
}

fn notifying(socket: &str, names: &[&str]) -> Value {
    json!({
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": socket, "listenerMetadata": "for the agent",
        "syscalls": [{"names": names, "action": "SCMP_ACT_NOTIFY"}],
    })
}

fn agent(lab: &Lab, names: &[&str], no_new_privileges: bool) -> Outcome {
    let said = answered(lab, names, no_new_privileges)?;
    let mut lines = said.lines();
    same("descriptors", lines.next(), Some("1"))?;
    let state: Value = serde_json::from_str(lines.next().ok_or("no state")?)?;
    same("fds", &state["fds"], &json!(["seccompFd"]))?;
    same("metadata", &state["metadata"], &json!("for the agent"))?;
    same("the status", &state["state"]["status"], &json!("creating"))?;
    same("the two pids", &state["pid"], &state["state"]["pid"])?;
    ensure!(state["pid"].is_u64(), "no pid: {state}");
    for member in [
        "/ociVersion",
        "/state/ociVersion",
        "/state/id",
        "/state/bundle",
    ] {
        ensure!(
            state.pointer(member).is_some_and(Value::is_string),
            "{member}: {state}"
        );
    }
    Ok(())
}

fn closed(lab: &Lab) -> Outcome {
    let said = answered(lab, &["mkdir", "mkdirat"], true)?;
    same("the connection", said.lines().last(), Some("closed"))
}

/// What the agent says of a container whose mkdir it has answered.
fn answered(lab: &Lab, names: &[&str], no_new_privileges: bool) -> Outcome<String> {
    let socket = lab.scratch("agent").to_string_lossy().into_owned();
    let said = lab.scratch("said");
    let mut command = Command::new("python3");
    command
        .args(["-c", AGENT, &socket])
        .stdout(fs::File::create(&said)?);
    let mut agent = lab.spawn(&mut command)?;
    eventually("the agent", Duration::from_secs(10), || {
        Ok(fs::exists(&socket)?)
    })?;
    let out = lab.look("mkdir /tmp/x 2>&1 || true", |spec| {
        filtered(spec, notifying(&socket, names), no_new_privileges);
    })?;
    contains("mkdir, as the agent answers", &out, "No data available")?;
    let status = agent.wait()?;
    ensure!(status.success(), "the agent: {status}");
    Ok(fs::read_to_string(&said)?)
}

fn no_agent(lab: &Lab) -> Outcome {
    let socket = lab.scratch("nobody").to_string_lossy().into_owned();
    let said = lab.refuse(|spec| filtered(spec, notifying(&socket, &["mkdir"]), true))?;
    mentions("the error", &said.err, &["seccomp"])
}

fn kills(lab: &Lab) -> Outcome {
    for name in ["write", "read", "accept4", "execve"] {
        let rule = json!({"names": [name], "action": "SCMP_ACT_KILL_PROCESS"});
        let filter = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]});
        let said = lab.refuse(|spec| filtered(spec, filter, true))?;
        mentions(
            "the error",
            &said.err,
            &["/linux/seccomp", "SIGSYS", "hint", name],
        )?;
    }
    Ok(())
}

fn denies(lab: &Lab) -> Outcome {
    for name in ["write", "read", "accept4", "execve"] {
        let rule = json!({"names": [name], "action": "SCMP_ACT_ERRNO"});
        let filter = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]});
        let said = lab.refuse(|spec| filtered(spec, filter, true))?;
        mentions("the error", &said.err, &["/linux/seccomp", "hint", name])?;
    }
    Ok(())
}
