//! The least memory with which `/bin/true` still runs. Whatever a runtime itself needs in the container's group,
//! the container has to pay for, so a small limit is a good measure of it.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::bundle::Bundle;
use crate::case::{Case, Need};
use crate::check::{Outcome, ensure};
use crate::lab::Lab;

const MEMORY: &[Need] = &[Need::Root, Need::CgroupV2, Need::Controller("memory")];

pub(super) const CASES: &[Case] = &[Case::new("the-least-memory-for-true", least).needs(MEMORY)];

/// The kernel counts in pages, and in batches of 32 of them for each processor.
const GRAIN: u64 = 32 * 1024;

/// Somewhere up to this it runs.
const MOST: u64 = 64 << 20;

/// How often it must run, to be said to run.
const TIMES: u32 = 2;

fn found(lab: &Lab, name: &str, runtime: &Path) -> Outcome<u64> {
    let bundle = lab.bundle(|_| ())?;
    let runs = |grains: u64| runs(lab, runtime, &bundle, grains * GRAIN);
    // From little to more, as what fails fails at once.
    let (mut not, mut does) = (0, 1);
    while !runs(does)? {
        ensure!(does * GRAIN < MOST, "{name} needs more than {MOST} bytes");
        (not, does) = (does, does * 2);
    }
    // `not` does not do, `does` does; to a sixteenth.
    while does - not > 1.max(does / 16) {
        let middle = not.midpoint(does);
        match runs(middle)? {
            true => does = middle,
            false => not = middle,
        }
    }
    println!(
        "# {name}: /bin/true runs with a memory.max of {} KiB, no swap",
        does * GRAIN / 1024
    );
    Ok(does * GRAIN)
}

/// Whether it runs each time.
fn runs(lab: &Lab, runtime: &Path, bundle: &Bundle, limit: u64) -> Outcome<bool> {
    let mut spec = crate::spec::Spec::ordinary();
    spec.args(&["/bin/true"]).set(
        "/linux/resources/memory",
        json!({"limit": limit, "swap": limit}),
    );
    bundle.write(&spec)?;
    for _ in 0..TIMES {
        let id = lab.id("least");
        let said = lab
            .call(&["run", "--bundle", bundle.arg(), &id])
            .program(runtime)
            .root(&lab.dir.join(format!("state-{}", name_of(runtime))))
            .say()?;
        if !said.status.success() {
            // Some leave a container behind that could not be.
            let _ = lab
                .call(&["delete", "--force", &id])
                .program(runtime)
                .root(&lab.dir.join(format!("state-{}", name_of(runtime))))
                .say()?;
            return Ok(false);
        }
    }
    Ok(true)
}

fn name_of(runtime: &Path) -> String {
    let name = runtime.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Where a program of the host's is.
fn program(name: &str) -> Option<PathBuf> {
    let places = ["/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin", "/sbin"];
    let mut places = places.iter().map(|folder| Path::new(folder).join(name));
    places.find(|path| path.exists())
}

/// Of orbital it is promised that it needs no more than crun.
fn least(lab: &Lab) -> Outcome {
    let measure = || found(lab, &lab.runtime.name, &lab.runtime.path);
    let mut ours = measure()?;
    let Some(crun) = program("crun").filter(|_| lab.runtime.name == "orbital") else {
        return Ok(());
    };
    let mut cruns = found(lab, "crun", &crun)?;
    // Whose page it is that one too many is taken for, is chance.
    for _ in 0..2 {
        if ours > cruns {
            ours = ours.min(measure()?);
            cruns = cruns.max(found(lab, "crun", &crun)?);
        }
    }
    ensure!(
        ours <= cruns,
        "{} needs {ours} bytes and crun {cruns}",
        lab.runtime.name
    );
    match program("runc") {
        Some(runc) => found(lab, "runc", &runc).map(drop),
        None => Ok(()),
    }
}
