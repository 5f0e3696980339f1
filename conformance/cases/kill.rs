//! `kill`: how signals are named, whom they reach, and when they are refused.

use std::time::Duration;

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, eventually, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("by-number", |lab| spelt(lab, "10")),
    Case::new("by-name", |lab| spelt(lab, "USR1")),
    Case::new("by-name-with-sig", |lab| spelt(lab, "SIGUSR1")),
    Case::new("by-lower-case-name", |lab| spelt(lab, "usr1"))
        .deviates(&[("crun", "knows upper-case names only")]),
    Case::new("by-realtime-name", realtime).deviates(&[("runc", "1.1 knows no SIGRTMIN names")]),
    Case::new("default-is-term", default_signal),
    Case::new("a-created-one-can-be-killed", created),
    Case::new("a-stopped-one-is-refused", stopped),
    Case::new("an-unknown-id-is-refused", unknown),
    Case::new("no-such-signal-is-refused", no_such_signal).deviates(&[("crun", "takes 9x for 9")]),
    Case::new("end-of-init-ends-the-pid-namespace", whole_namespace),
    Case::new("all-reaches-double-forked-ones", all).needs(&[Need::Root, Need::CgroupV2]),
    Case::new("all-in-the-hosts-pid-namespace", all_in_host_pids)
        .needs(&[Need::Root, Need::CgroupV2]),
    Case::new("all-after-init-has-gone", all_after_init).needs(&[Need::Root, Need::CgroupV2]),
    Case::new("flag-all-may-follow-the-id", flag_after_id),
];

/// A container that writes which signals it got.
fn listener(lab: &Lab) -> Outcome<Container<'_>> {
    let container = lab.started(|spec| {
        spec.sh(
            "trap 'echo got USR1' USR1; trap 'echo got TERM' TERM; trap 'echo got RT' 37; \
                 echo ready; while :; do sleep 0.02; done",
        );
    })?;
    container.wrote("ready")?;
    Ok(container)
}

fn spelt(lab: &Lab, signal: &str) -> Outcome {
    let container = listener(lab)?;
    container.kill(signal)?;
    container.wrote("got USR1")?;
    same("status", container.status()?, "running")?;
    container.end()
}

fn realtime(lab: &Lab) -> Outcome {
    for name in ["SIGRTMIN+3", "RTMIN+3"] {
        let container = listener(lab)?;
        container.kill(name)?;
        container.wrote("got RT")?;
        container.end()?;
    }
    Ok(())
}

fn default_signal(lab: &Lab) -> Outcome {
    let container = listener(lab)?;
    lab.call(&["kill", &container.id]).ok()?;
    container.wrote("got TERM")?;
    container.end()
}

fn created(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    container.stop()?;
    container.delete()
}

fn stopped(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container.stop()?;
    let said = lab.call(&["kill", &container.id, "KILL"]).refused()?;
    mentions(
        "the refusal",
        &said.err,
        &[
            "container not running",
            "process already finished",
            "no such process",
        ],
    )?;
    container.delete()
}

fn unknown(lab: &Lab) -> Outcome {
    let said = lab.call(&["kill", &lab.id("nobody"), "KILL"]).refused()?;
    mentions("the refusal", &said.err, &["does not exist"])
}

fn no_such_signal(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for signal in ["NOPE", "SIG", "999", "-5", "TERM1", "9x"] {
        let said = lab.call(&["kill", &container.id, signal]).say()?;
        ensure!(!said.status.success(), "the signal {signal:?} was accepted");
    }
    same("status", container.status()?, "running")?;
    container.end()
}

fn whole_namespace(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh("for i in 1 2 3; do setsid sleep 99 & done; echo ready; wait");
    })?;
    container.wrote("ready")?;
    container.stop()?;
    nobody(lab, "sleep")?;
    container.delete()
}

/// Waits until no descendant of this case is called `name`.
fn nobody(_: &Lab, name: &str) -> Outcome {
    let own = std::process::id().cast_signed();
    eventually(
        &format!("no process {name} is left"),
        Duration::from_secs(5),
        || Ok(!probe::descendants(own).values().any(|known| known == name)),
    )
}

/// A program that leaves children which have left its session and lost their parent.
const SCATTER: &str = "(setsid sh -c 'sleep 99 & sleep 98 &' &); sleep 0.2; echo ready";

fn all(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh(&format!("{SCATTER}; sleep 97"));
    })?;
    container.wrote("ready")?;
    ensure!(
        container.processes()?.len() >= 3,
        "expected three processes, found {:?}",
        container.processes()?
    );
    lab.call(&["kill", "--all", &container.id, "KILL"]).ok()?;
    container.until("stopped")?;
    nobody(lab, "sleep")?;
    container.delete()
}

fn all_in_host_pids(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.no_namespace("pid").sh(&format!("{SCATTER}; sleep 97"));
    })?;
    container.wrote("ready")?;
    lab.call(&["kill", "--all", &container.id, "KILL"]).ok()?;
    container.until("stopped")?;
    nobody(lab, "sleep")?;
    container.delete()
}

/// Without a pid namespace, children outlive init: `kill --all` and `delete` still find them.
fn all_after_init(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.no_namespace("pid").sh(SCATTER);
    })?;
    container.until("stopped")?;
    let own = std::process::id().cast_signed();
    let sleepers = || {
        probe::descendants(own)
            .values()
            .filter(|name| *name == "sleep")
            .count()
    };
    ensure!(
        sleepers() == 2,
        "expected two orphans, found {}",
        sleepers()
    );
    lab.call(&["kill", "--all", &container.id, "KILL"]).ok()?;
    nobody(lab, "sleep")?;
    container.delete()
}

fn flag_after_id(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    lab.call(&["kill", "-a", &container.id, "9"]).ok()?;
    container.until("stopped")?;
    container.delete()
}
