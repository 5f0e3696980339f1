//! What the README.md of each example tells a newcomer to type.

use std::fs;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::case::{Body, Case, Need};
use crate::check::{Outcome, ensure};
use crate::lab::Lab;
use crate::readmes;

const NEEDS: &[Need] = &[Need::OrbitalOnly, Need::Root, Need::CgroupV2];

/// The case of the checkout's own README.md, where there is one.
const TOP: &str = "the-project";

/// A case for each folder of `bundle-examples/` that has a README.md, and one for the project's own.
pub(crate) fn all() -> Vec<(String, Case)> {
    let mut names: Vec<String> = fs::read_dir(checkout().join("bundle-examples"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("README.md").exists())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "broken")
        .collect();
    names.sort();
    if checkout().join("README.md").exists() {
        names.push(TOP.to_owned());
    }
    let case = |name: String| {
        // The list of cases lives as long as the program.
        let name: &'static str = name.leak();
        let needs = needs(name).leak();
        let case = Case {
            name,
            needs,
            deviates: &[],
            run: Body::Of(name, execute),
        };
        (format!("readmes/{name}"), case)
    };
    let here = Case::new("every-example-has-one", every_example).needs(&[Need::OrbitalOnly]);
    let mut cases = vec![(format!("readmes/{}", here.name), here)];
    cases.extend(names.into_iter().map(case));
    cases
}

/// What none of a README.md's blocks can do without.
fn needs(name: &str) -> Vec<Need> {
    let mut needs = NEEDS.to_vec();
    let markdown = fs::read_to_string(readme(name)).unwrap_or_default();
    // A README.md that cannot be read is told of when it is executed.
    let blocks = readmes::blocks(&markdown).unwrap_or_default();
    let mut blocks = blocks
        .iter()
        .filter(|block| block.runner != readmes::Runner::Nobody);
    let Some(first) = blocks.next() else {
        return needs;
    };
    let common = first
        .needs
        .iter()
        .filter(|need| blocks.clone().all(|block| block.needs.contains(need)));
    let need = |word: &'static str| match word.starts_with('/') {
        true => Need::File(word),
        false => Need::Controller(word),
    };
    needs.extend(common.map(|word| need(word.clone().leak())));
    needs
}

fn readme(name: &str) -> PathBuf {
    match name {
        TOP => checkout().join("README.md"),
        _ => checkout()
            .join("bundle-examples")
            .join(name)
            .join("README.md"),
    }
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Each folder is an example with a README.md of its own, and the list of them names it.
fn every_example(_: &Lab) -> Outcome {
    let examples = checkout().join("bundle-examples");
    let list = fs::read_to_string(examples.join("README.md"))?;
    let mut count = 0;
    for entry in fs::read_dir(&examples)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            count += 1;
            ensure!(
                entry.path().join("README.md").exists(),
                "{name} has no README.md"
            );
            ensure!(
                list.contains(&format!("[{name}]({name})")),
                "bundle-examples/README.md does not name {name}"
            );
        }
    }
    ensure!(count > 5, "only {count} examples in {}", examples.display());
    Ok(())
}

/// Executes one README.md in a copy of the examples, with a `/run` of its own.
fn execute(lab: &Lab, name: &str) -> Outcome {
    let stage = lab.folder("stage")?;
    let examples = stage.join("bundle-examples");
    copy_examples(lab, &examples)?;
    let folder = if name == TOP {
        fs::copy(checkout().join("README.md"), stage.join("README.md"))?;
        stage
    } else {
        examples.join(name)
    };
    let wanted: Vec<String> = match name {
        TOP => Vec::new(),
        _ => vec![folder.to_string_lossy().into_owned()],
    };
    let busybox = format!("BUSYBOX={}", lab.busybox.display());
    let script = examples.join("make-rootfs");
    let script = script.to_string_lossy();
    let mut words = vec!["env", &busybox, &script];
    words.extend(wanted.iter().map(String::as_str));
    lab.host(&words)?;
    mount(
        Some("run"),
        "/run",
        Some("tmpfs"),
        MsFlags::empty(),
        Some("mode=755"),
    )?;
    // It waits for its own children.
    lab.reaper.pause();
    let outcome = readmes::execute(&folder, &lab.runtime.path);
    lab.reaper.resume();
    let left: Vec<_> = fs::read_dir("/run/orbital")
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    umount2("/run", MntFlags::MNT_DETACH)?;
    let ran = outcome?;
    ensure!(ran.ran > 0, "no block could run here: {:?}", ran.skipped);
    ensure!(left.is_empty(), "containers are left: {left:?}");
    Ok(())
}

/// The examples as they are in the repository: a root that is there was made for others.
fn copy_examples(lab: &Lab, to: &Path) -> Outcome {
    let from = checkout().join("bundle-examples");
    let script = "mkdir -p \"$2\" && cd \"$1\" && tar -c --exclude=./*/rootfs --exclude=./*/rootfs.new . | tar -x -C \"$2\"";
    lab.host(&[
        "sh",
        "-c",
        script,
        "sh",
        &from.to_string_lossy(),
        &to.to_string_lossy(),
    ])?;
    Ok(())
}
