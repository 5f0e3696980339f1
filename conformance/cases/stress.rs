//! Many containers at a time, and a hostile process that exchanges directories for links while
//! they are made. Where time is short (CONFORMANCE_PATIENCE), they are fewer.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use crate::bundle::Bundle;
use crate::case::Case;
use crate::check::{Outcome, ensure, same, scaled};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("two-hundred-lives-sixteen-at-a-time", two_hundred)
        .deviates(&[("runc", "1.1 leaves a cgroup now and then")]),
    Case::new("fifty-at-once-stay-apart", fifty),
    Case::new("a-hundred-processes-in-one-container", hundred_execs),
    Case::new("one-id-from-many-sides", one_id).deviates(&[
        ("runc", "1.1 has no lock: a start may wait for ever"),
        (
            "crun",
            "has no lock: a create and a delete may break each other",
        ),
    ]),
    Case::new("list-while-containers-come-and-go", list_meanwhile).deviates(&[
        ("runc", "1.1 fails when one goes"),
        ("crun", "fails when one goes"),
    ]),
    Case::new("race-for-a-mount-target", |lab| {
        race(lab, "mnt/target", "/mnt/target/deep", 200)
    })
    .deviates(&[("runc", "1.1 makes directories outside (CVE-2024-45310)")]),
    Case::new("race-for-the-parent-of-a-target", |lab| {
        race(lab, "mnt", "/mnt/inner/deep", 200)
    })
    .deviates(&[("runc", "1.1 makes directories outside (CVE-2024-45310)")]),
    Case::new("race-for-dev", |lab| race_part(lab, "dev"))
        .deviates(&[("runc", "1.1 makes directories outside (CVE-2024-45310)")]),
    Case::new("race-for-proc", |lab| race_part(lab, "proc")),
    Case::new("race-for-a-cwd", race_cwd),
    Case::new("race-for-a-mask", race_mask),
];

/// Runs `job` for 0…`count`, `threads` at a time; the first failure is the outcome.
pub(super) fn crowd(count: u32, threads: u32, job: impl Fn(u32) -> Outcome + Sync) -> Outcome {
    let next = AtomicU32::new(0);
    let work = || -> Outcome {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(());
            }
            job(number).map_err(|error| format!("container {number}: {error}"))?;
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a worker panicked")?)
    })
}

fn two_hundred(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    crowd(scaled(200), 16, |_| {
        let container = Container::create(lab, &bundle, &lab.id("many"))?;
        container.start()?;
        container.stop()?;
        container.delete()
    })
}

fn fifty(lab: &Lab) -> Outcome {
    let (bundle, count) = (lab.bundle(|_| ())?, scaled(50));
    let containers = (0..count)
        .map(|_| Container::create(lab, &bundle, &lab.id("both")))
        .collect::<Outcome<Vec<_>>>()?;
    crowd(count, 8, |number| {
        containers
            .get(number as usize)
            .map_or(Ok(()), Container::start)
    })?;
    same("listed", lab.list()?.len(), count as usize)?;
    let mut spaces: Vec<_> = containers
        .iter()
        .map(|c| probe::namespace(c.pid, "mnt"))
        .collect::<Outcome<_>>()?;
    spaces.sort();
    spaces.dedup();
    same("mount namespaces", spaces.len(), count as usize)?;
    crowd(count, 8, |number| {
        containers
            .get(number as usize)
            .map_or(Ok(()), Container::end)
    })
}

/// A hundred `exec` at the same moment, each with its own status.
fn hundred_execs(lab: &Lab) -> Outcome {
    let container = lab.started(|_| ())?;
    let begun: Vec<_> = (0..scaled(100).cast_signed())
        .map(|number| {
            let script = format!("echo number {number}; exit {number}");
            let (mut command, file) = container.exec(&[], &["sh", "-c", &script]).command()?;
            Ok((number, lab.spawn(&mut command)?, file))
        })
        .collect::<Outcome<Vec<_>>>()?;
    for (number, mut child, file) in begun {
        let said = crate::runtime::Said::read(child.wait()?, file)?;
        same("status", said.code(), number)?;
        same(
            "output",
            said.out.as_str(),
            format!("number {number}\n").as_str(),
        )?;
        same("standard error", said.err.as_str(), "")?;
    }
    same("processes", container.processes()?.len(), 1)?;
    container.end()
}

/// Whatever meets whatever: no verb may hang or panic, and at the end the id is free.
fn one_id(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let id = lab.id("one");
    crowd(scaled(160), 8, |number| {
        let args: &[&str] = match number % 5 {
            0 | 1 => &["create", "--bundle", bundle.arg(), &id],
            2 => &["start", &id],
            3 => &["state", &id],
            _ => &["delete", "--force", &id],
        };
        let said = lab.call(args).say()?;
        ensure!(
            said.status.code().is_some() && !said.err.contains("panicked"),
            "{args:?}: {said}"
        );
        Ok(())
    })?;
    lab.call(&["delete", "--force", &id]).ok()?;
    Container::create(lab, &bundle, &id)?.end()
}

/// A container that goes while the list is made is no error of the list's.
fn list_meanwhile(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|_| ())?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let lister = scope.spawn(|| -> Outcome {
            while !done.load(Ordering::Relaxed) {
                lab.list()?;
            }
            Ok(())
        });
        let result = crowd(scaled(40), 4, |_| {
            Container::create(lab, &bundle, &lab.id("brief"))?.end()
        });
        done.store(true, Ordering::Relaxed);
        lister.join().map_err(|_| "the lister panicked")??;
        result
    })
}

/// Exchanges the file or directory `dir` and the link `link` as fast as it can while `work` runs.
pub(super) fn exchanging(dir: &Path, link: &Path, work: impl FnOnce() -> Outcome) -> Outcome {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let racer = scope.spawn(|| -> Outcome {
            while !done.load(Ordering::Relaxed) {
                renameat2(AT_FDCWD, dir, AT_FDCWD, link, RenameFlags::RENAME_EXCHANGE)?;
            }
            Ok(())
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        racer.join().map_err(|_| "the racer panicked")??;
        result
    })
}

/// Creates containers while `part` of the image is at times a link to the canary. They may fail.
pub(super) fn creates(lab: &Lab, bundle: &Bundle, part: &str, count: u32) -> Outcome {
    let place: PathBuf = bundle.rootfs().join(part);
    let link = bundle.rootfs().join("the-link");
    std::os::unix::fs::symlink(lab.canary(), &link)?;
    fs::create_dir_all(&place)?;
    creates_while(lab, bundle, (&place, &link), count)
}

/// The same while these two are exchanged, the second of which leads to the canary.
pub(super) fn creates_while(
    lab: &Lab,
    bundle: &Bundle,
    (place, link): (&Path, &Path),
    count: u32,
) -> Outcome {
    let before = probe::fingerprint(&lab.canary())?;
    exchanging(place, link, || {
        crowd(scaled(count), 2, |_| {
            let id = lab.id("race");
            let said = lab.call(&["run", "--bundle", bundle.arg(), &id]).say()?;
            ensure!(!said.err.contains("panicked"), "panicked: {said}");
            lab.call(&["delete", "--force", &id]).ok().map(drop)
        })
    })?;
    ensure!(
        probe::fingerprint(&lab.canary())? == before,
        "the host's canary tree has changed"
    );
    Ok(())
}

fn race(lab: &Lab, part: &str, target: &str, count: u32) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.mount(target, "tmpfs", "tmpfs", &[]).args(&["true"]);
    })?;
    creates(lab, &bundle, part, count)
}

fn race_part(lab: &Lab, part: &str) -> Outcome {
    let bundle = lab.bundle(|spec| {
        if part == "dev" {
            spec.no_mount("/dev").no_mount("/dev/mqueue");
        }
        spec.args(&["true"]);
    })?;
    creates(lab, &bundle, part, 120)
}

fn race_cwd(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/cwd", serde_json::json!("/work/made"))
            .sh("cat ../song song 2>/dev/null; true");
    })?;
    creates(lab, &bundle, "work", 120)
}

fn race_mask(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.push("/linux/maskedPaths", serde_json::json!("/secret/inner"))
            .push("/linux/readonlyPaths", serde_json::json!("/secret"));
        spec.args(&["true"]);
    })?;
    creates(lab, &bundle, "secret", 120)
}
