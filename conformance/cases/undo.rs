//! Failures and interruptions: whatever the moment, `delete --force` leaves nothing, and what
//! failed by itself needs not even that. The leak check after each case is the judge.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::bundle::Bundle;
use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, eventually};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;
use crate::spec::Spec;

pub(super) const CASES: &[Case] = &[
    Case::new("killed-during-create", killed_create)
        .deviates(&[("runc", "leaves the cgroup"), ("crun", "leaves the cgroup")]),
    Case::new(
        "killed-during-create-with-a-user-namespace",
        killed_create_user,
    )
    .needs(&[Need::Root, Need::UserNs])
    .deviates(&[("runc", "leaves the cgroup"), ("crun", "leaves the cgroup")]),
    Case::new("killed-during-create-among-the-hosts-mounts", |lab| {
        killed_in(lab, |spec| {
            super::shared_mounts::among(spec);
        })
    })
    .deviates(&[
        ("runc", "leaves the cgroup and the mounts"),
        ("crun", "leaves the cgroup and the mounts"),
    ]),
    Case::new("killed-during-start", killed_start),
    Case::new("killed-during-run", killed_run)
        .deviates(&[("runc", "leaves the cgroup"), ("crun", "leaves the cgroup")]),
    Case::new("killed-during-delete", killed_delete).deviates(&[("runc", "leaves the cgroup")]),
    Case::new("killed-while-a-hook-runs", |lab| {
        stopped_in_hook(lab, Signal::SIGKILL)
    })
    .deviates(&[("runc", "leaves the cgroup"), ("crun", "leaves the cgroup")]),
    Case::new("terminated-while-a-hook-runs", |lab| {
        stopped_in_hook(lab, Signal::SIGTERM)
    })
    .deviates(&[("runc", "1.1 leaves a cgroup now and then")]),
    Case::new("interrupted-while-a-hook-runs", |lab| {
        stopped_in_hook(lab, Signal::SIGINT)
    })
    .deviates(&[("runc", "1.1 leaves a cgroup now and then")]),
    Case::new("init-killed-while-it-waits", init_killed),
    Case::new("each-kind-of-failure-leaves-nothing", each_failure)
        .deviates(&[("crun", "1.28 leaves the cgroup after a bad namespace")]),
    Case::new("the-id-is-free-after-each-kind", free_after_each),
    Case::new("failures-one-after-another", many_failures),
];

/// Ends the runtime by SIGKILL after `delay`, unless it has ended before.
fn cut_short(lab: &Lab, args: &[&str], delay: Duration) -> Outcome {
    let (mut command, _) = lab.call(args).command()?;
    let begin = Instant::now();
    let mut child = lab.spawn(&mut command)?;
    while begin.elapsed() < delay {
        if child.poll()?.is_some() {
            return Ok(());
        }
        std::hint::spin_loop();
    }
    child.signal(Signal::SIGKILL);
    child.wait().map(drop)
}

/// After `delete --force` no process of this case and no cgroup of it may be there.
fn gone(lab: &Lab, id: &str, delay: Duration) -> Outcome {
    lab.call(&["delete", "--force", id])
        .ok()
        .map_err(|error| format!("after {delay:?}: {error}"))?;
    let own = std::process::id().cast_signed();
    let quiet = eventually("no process is left", Duration::from_secs(2), || {
        Ok(probe::descendants(own).is_empty())
    });
    quiet.map_err(|error| {
        format!(
            "killed after {delay:?}: {error}: {:?}",
            probe::descendants(own)
        )
    })?;
    let cgroups = probe::cgroups_with(id);
    ensure!(
        cgroups.is_empty(),
        "killed after {delay:?}: left {cgroups:?}"
    );
    let state = lab.root().join(id);
    ensure!(
        !state.exists(),
        "killed after {delay:?}: left {}",
        state.display()
    );
    Ok(())
}

/// Tries of growing delay, up to a bit more than the whole of an undisturbed `create`.
fn tries(lab: &Lab, bundle: &Bundle) -> Outcome<Vec<Duration>> {
    let id = lab.id("whole");
    let begin = Instant::now();
    lab.call(&["create", "--bundle", bundle.arg(), &id]).ok()?;
    let whole = begin.elapsed();
    lab.call(&["delete", "--force", &id]).ok()?;
    Ok((0..60_u32).map(|number| whole * number / 50).collect())
}

fn killed_in(lab: &Lab, edit: impl FnOnce(&mut Spec)) -> Outcome {
    let bundle = lab.bundle(edit)?;
    for delay in tries(lab, &bundle)? {
        let id = lab.id("cut");
        cut_short(lab, &["create", "--bundle", bundle.arg(), &id], delay)?;
        gone(lab, &id, delay)?;
    }
    Ok(())
}

fn killed_create(lab: &Lab) -> Outcome {
    killed_in(lab, |_| ())
}

fn killed_create_user(lab: &Lab) -> Outcome {
    killed_in(lab, |spec| {
        spec.user_namespace(100_000, 65536);
    })
}

fn killed_start(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    for number in 0..60_u64 {
        let container = Container::create(lab, &bundle, &lab.id("cut"))?;
        let delay = Duration::from_micros(number * 100);
        cut_short(lab, &["start", &container.id], delay)?;
        gone(lab, &container.id, delay)?;
    }
    Ok(())
}

fn killed_run(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    for number in 0..60_u64 {
        let (id, delay) = (lab.id("cut"), Duration::from_micros(number * 250));
        cut_short(lab, &["run", "--bundle", bundle.arg(), &id], delay)?;
        gone(lab, &id, delay)?;
    }
    Ok(())
}

fn killed_delete(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    for number in 0..60_u64 {
        let container = Container::create(lab, &bundle, &lab.id("cut"))?;
        let delay = Duration::from_micros(number * 100);
        cut_short(lab, &["delete", "--force", &container.id], delay)?;
        gone(lab, &container.id, delay)?;
    }
    Ok(())
}

/// The hook outlives a killed runtime, as any child would; it ends soon by itself.
fn stopped_in_hook(lab: &Lab, signal: Signal) -> Outcome {
    let mark = lab.scratch("mark");
    let bundle = lab.bundle(|spec| {
        spec.hook(
            "createRuntime",
            &format!("touch '{}'; exec sleep 1", mark.display()),
        );
    })?;
    let id = lab.id("hook");
    let (mut command, _) = lab
        .call(&["create", "--bundle", bundle.arg(), &id])
        .command()?;
    let mut child = lab.spawn(&mut command)?;
    eventually("the hook runs", Duration::from_secs(10), || {
        Ok(mark.exists())
    })?;
    child.signal(signal);
    child.wait()?;
    gone(lab, &id, Duration::ZERO)
}

fn init_killed(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(container.pid), Signal::SIGKILL)?;
    container.until("stopped")?;
    lab.call(&["start", &container.id]).refused()?;
    gone(lab, &container.id, Duration::ZERO)
}

/// Ways to fail, in the order in which a create meets them.
fn failures() -> Vec<(&'static str, Edit)> {
    early_failures()
        .into_iter()
        .chain(late_failures())
        .collect()
}

/// What is done to config.json.
type Edit = fn(&mut Spec);

/// Those up to the mounts.
fn early_failures() -> Vec<(&'static str, Edit)> {
    fn on(pointer: &'static str, value: serde_json::Value, spec: &mut Spec) {
        spec.set(pointer, value);
    }
    vec![
        ("args", |spec| on("/process/args", json!([]), spec)),
        ("root", |spec| on("/root/path", json!("no-such-root"), spec)),
        ("namespace path", |spec| {
            spec.join("network", "/no/such/path");
        }),
        ("namespace type", |spec| {
            spec.join("network", "/proc/self/ns/uts");
        }),
        ("mount source", |spec| {
            spec.bind("/no/such/source", "/mnt", &["bind"]);
        }),
        ("mount type", |spec| {
            spec.mount("/mnt", "nosuchfs", "x", &[]);
        }),
        ("mount data", |spec| {
            spec.mount("/mnt", "tmpfs", "x", &["size=much"]);
        }),
        ("later mount", |spec| {
            spec.mount("/a", "tmpfs", "x", &[])
                .mount("/b", "tmpfs", "x", &["no-such-option"]);
        }),
        ("device", |spec| {
            spec.push(
                "/linux/devices",
                json!({"path": "/proc/x", "type": "c", "major": 1, "minor": 3}),
            );
        }),
    ]
}

/// Those that come after the mounts.
fn late_failures() -> Vec<(&'static str, Edit)> {
    fn on(pointer: &'static str, value: serde_json::Value, spec: &mut Spec) {
        spec.set(pointer, value);
    }
    vec![
        ("prestart", |spec| {
            spec.hook("prestart", "exit 1");
        }),
        ("createRuntime", |spec| {
            spec.hook("createRuntime", "exit 1");
        }),
        ("createContainer", |spec| {
            spec.hook("createContainer", "exit 1");
        }),
        ("sysctl", |spec| {
            on(
                "/linux/sysctl",
                json!({"net.ipv4.no_such_thing": "1"}),
                spec,
            )
        }),
        ("sysctl value", |spec| {
            on(
                "/linux/sysctl",
                json!({"net.ipv4.ip_forward": "perhaps"}),
                spec,
            )
        }),
        ("rlimit", |spec| {
            on(
                "/process/rlimits",
                json!([{"type": "RLIMIT_NOFILE", "soft": 9, "hard": 3}]),
                spec,
            )
        }),
        ("cwd", |spec| on("/process/cwd", json!("/etc/passwd"), spec)),
        ("program", |spec| {
            spec.args(&["/no/such/program"]);
        }),
        ("console", |spec| on("/process/terminal", json!(true), spec)),
    ]
}

fn each_failure(lab: &Lab) -> Outcome {
    for (word, edit) in failures() {
        lab.refuse(edit)
            .map_err(|error| format!("{word}: {error}"))?;
        let own = std::process::id().cast_signed();
        let quiet = eventually("no process is left", Duration::from_secs(1), || {
            Ok(probe::descendants(own).is_empty())
        });
        quiet.map_err(|error| format!("{word}: {error}: {:?}", probe::descendants(own)))?;
        let cgroups = probe::cgroups_with(lab.tag());
        ensure!(cgroups.is_empty(), "{word}: left {cgroups:?}");
        let left = std::fs::read_dir(lab.root()).map(|entries| {
            entries
                .flatten()
                .filter(|e| e.file_name().to_string_lossy().contains(lab.tag()))
                .count()
        });
        ensure!(left.unwrap_or(0) == 0, "{word}: left a state directory");
    }
    Ok(())
}

fn free_after_each(lab: &Lab) -> Outcome {
    let id = lab.id("same");
    for (word, edit) in failures() {
        let bundle = lab.bundle(edit)?;
        lab.call(&["create", "--bundle", bundle.arg(), &id])
            .refused()
            .map_err(|error| format!("{word}: {error}"))?;
    }
    let good = lab.bundle(|_| ())?;
    let container = Container::create(lab, &good, &id)?;
    container.start()?;
    container.end()
}

fn many_failures(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["/no/such/program"]);
    })?;
    for _ in 0..40 {
        lab.call(&["create", "--bundle", bundle.arg(), &lab.id("bad")])
            .refused()?;
    }
    Ok(())
}
