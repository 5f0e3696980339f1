//! `delete`: when it is refused, what it removes, and that `--force` always ends well.

use std::fs;

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, mentions, same};
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("running-is-refused", running),
    Case::new("stopped-frees-everything", stopped),
    Case::new("created-leaves-nothing", created),
    Case::new("force-ends-a-running-one", force_running),
    Case::new("force-ends-a-created-one", force_created),
    Case::new("force-of-an-unknown-id-is-silent", force_unknown),
    Case::new("unknown-id-is-refused", unknown)
        .deviates(&[("crun", "names the missing directory instead")]),
    Case::new("twice-is-refused", twice),
    Case::new("the-id-is-free-again", free_again),
    Case::new("the-bundle-stays", bundle_stays),
    Case::new("the-bundle-may-be-gone", bundle_gone),
    Case::new("force-ends-a-frozen-one", force_frozen).needs(&[Need::Root, Need::CgroupV2]),
    Case::new("force-ends-what-init-left", force_orphans)
        .needs(&[Need::Root, Need::CgroupV2])
        .deviates(&[("runc", "1.1 kills what is left but leaves the cgroup")]),
    Case::new("flag-force-may-follow-the-id", flag_after_id),
];

/// "Attempting to delete a container that is not stopped MUST have no effect" (runtime.md, "Delete").
fn running(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    lab.call(&["delete", &container.id]).refused()?;
    same("status afterwards", container.status()?, "running")?;
    ensure!(
        fs::exists(format!("/proc/{}", container.pid))?,
        "it was killed all the same"
    );
    container.end()
}

fn stopped(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let cgroup = probe::cgroup_dir(container.pid)?;
    container.stop()?;
    container.delete()?;
    ensure!(
        !cgroup.exists(),
        "the cgroup {} is still there",
        cgroup.display()
    );
    ensure!(lab.list()?.is_empty(), "list still knows it");
    Ok(())
}

/// The standard refuses it, runc and crun end the container: either way nothing is half done.
fn created(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    let said = lab.call(&["delete", &container.id]).say()?;
    if said.status.success() {
        lab.call(&["state", &container.id]).refused()?;
        return Ok(());
    }
    same("status afterwards", container.status()?, "created")?;
    container.start()?;
    container.end()
}

fn force_running(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.sh("trap '' TERM; while :; do sleep 0.1; done");
    })?;
    let said = lab.call(&["delete", "--force", &container.id]).ok()?;
    same("what it says", said.out + &said.err, "")?;
    lab.call(&["state", &container.id]).refused().map(drop)
}

fn force_created(lab: &Lab) -> Outcome {
    let container = lab.create(|_| ())?;
    lab.call(&["delete", "--force", &container.id]).ok()?;
    lab.call(&["state", &container.id]).refused().map(drop)
}

fn force_unknown(lab: &Lab) -> Outcome {
    let said = lab.call(&["delete", "--force", &lab.id("nobody")]).ok()?;
    same("what it says", said.out + &said.err, "")
}

fn unknown(lab: &Lab) -> Outcome {
    let said = lab.call(&["delete", &lab.id("nobody")]).refused()?;
    mentions("the refusal", &said.err, &["does not exist"])
}

fn twice(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    container.stop()?;
    container.delete()?;
    lab.call(&["delete", &container.id]).refused()?;
    container.end()
}

fn free_again(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    for _ in 0..3 {
        container.end()?;
        lab.call(&["create", "--bundle", container.bundle.arg(), &container.id])
            .ok()?;
        container.start()?;
    }
    container.end()
}

fn bundle_stays(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/root/readonly", serde_json::json!(true))
            .args(&["true"]);
    })?;
    // What mounts need below the root file system is made by the first life.
    lab.run_in(&bundle)?;
    let before = probe::fingerprint(&bundle.dir)?;
    lab.run_in(&bundle)?;
    ensure!(
        probe::fingerprint(&bundle.dir)? == before,
        "the bundle has changed"
    );
    Ok(())
}

fn bundle_gone(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    fs::remove_dir_all(&container.bundle.dir)?;
    same("status", container.status()?, "running")?;
    lab.call(&["kill", &container.id, "KILL"]).ok()?;
    container.until("stopped")?;
    container.end()
}

fn force_frozen(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    fs::write(probe::cgroup_dir(container.pid)?.join("cgroup.freeze"), "1")?;
    container.until("paused")?;
    container.end()
}

fn force_orphans(lab: &Lab) -> Outcome {
    let container = lab.started(|spec| {
        spec.no_namespace("pid")
            .sh("(setsid sleep 99 &); sleep 0.1");
    })?;
    container.until("stopped")?;
    container.end()
}

fn flag_after_id(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    lab.call(&["delete", "-f", &container.id]).ok().map(drop)
}
