//! Where each kind of hook runs, and at which moment of the container's making and unmaking.

use serde_json::json;

use super::hooks::{read, shared};
use crate::case::Case;
use crate::check::{Outcome, contains, ensure, same};
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("prestart-runs-outside", |lab| outside(lab, "prestart")),
    Case::new("poststart-runs-outside", |lab| outside(lab, "poststart")),
    Case::new("poststop-runs-outside", |lab| outside(lab, "poststop")),
    Case::new("five-kinds-are-found-on-the-host", found_on_the_host),
    Case::new("start-container-is-found-inside", found_inside),
    Case::new("prestart-comes-before-pivot-root", |lab| {
        before_pivot(lab, "prestart")
    }),
    Case::new("create-runtime-comes-before-pivot-root", |lab| {
        before_pivot(lab, "createRuntime")
    }),
    Case::new(
        "create-container-comes-before-pivot-root",
        still_the_hosts_root,
    ),
    Case::new("start-container-runs-at-start-only", start_container_moment),
    Case::new("poststop-runs-after-the-container-is-gone", after_the_end),
];

/// The namespaces of the hook are the caller's.
fn outside(lab: &Lab, kind: &str) -> Outcome {
    let (folder, path) = shared(lab)?;
    let container = lab.started(|spec| {
        spec.hook(
            kind,
            &format!("cat > /dev/null; for n in mnt net uts ipc pid cgroup; do readlink /proc/self/ns/$n; done > {path}/ns"),
        );
    })?;
    container.stop()?;
    container.delete()?;
    let places = read(&folder, "ns")?;
    for name in ["mnt", "net", "uts", "ipc", "pid", "cgroup"] {
        contains(name, &places, &probe::own_namespace(name)?)?;
    }
    Ok(())
}

/// A program that only the host has.
fn found_on_the_host(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let program = lab.file(
        "hook",
        &format!("#!/bin/sh\ncat > /dev/null\necho $1 >> {path}/log\n"),
    )?;
    let kinds = [
        "prestart",
        "createRuntime",
        "createContainer",
        "poststart",
        "poststop",
    ];
    let container = lab.started(|spec| {
        spec.bind(&path, &path, &["bind"]);
        for kind in kinds {
            spec.push(
                &format!("/hooks/{kind}"),
                json!({"path": program.to_string_lossy(), "args": ["hook", kind],
                       "env": ["PATH=/usr/bin:/bin"]}),
            );
        }
    })?;
    container.stop()?;
    container.delete()?;
    let log = read(&folder, "log")?;
    same("log", log.lines().collect::<Vec<_>>(), kinds.to_vec())
}

/// A program that only the container has; the one of the same path on the host is another.
fn found_inside(lab: &Lab) -> Outcome {
    let program = lab.file("hook", "#!/bin/sh\necho of the host > /tmp/who\n")?;
    let path = program.to_string_lossy().into_owned();
    let bundle = lab.bundle(|spec| {
        spec.sh("cat /tmp/who");
        spec.push("/hooks/startContainer", json!({"path": path}));
    })?;
    bundle.file(
        path.trim_start_matches('/'),
        "#!/bin/sh\ncat > /dev/null\necho of the container > /tmp/who\n",
    )?;
    same(
        "who ran",
        lab.run_in(&bundle)?.out.as_str(),
        "of the container\n",
    )
}

/// The container's process has its namespaces, and still sees the host's files.
fn before_pivot(lab: &Lab, kind: &str) -> Outcome {
    let (folder, path) = shared(lab)?;
    let canary = lab.canary();
    let container = lab.create(|spec| {
        let script = format!(
            "pid=$(sed 's/.*\"pid\" *: *\\([0-9]*\\).*/\\1/' | grep -x '[0-9]*' | sed 1q); \
             {{ readlink /proc/$pid/ns/mnt; test -e /proc/$pid/root{}/song && echo before; }} > {path}/seen",
            canary.display()
        );
        spec.hook(kind, &script);
    })?;
    let seen = read(&folder, "seen")?;
    let mount = probe::namespace(container.pid, "mnt")?;
    same(
        "mount namespace and root of the container's process",
        seen.lines().collect::<Vec<_>>(),
        vec![mount.as_str(), "before"],
    )?;
    container.end()
}

/// This one runs inside, and sees the host's files itself.
fn still_the_hosts_root(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let song = lab.canary().join("song");
    let container = lab.create(|spec| {
        spec.bind(&path, &path, &["bind"]).hook(
            "createContainer",
            &format!(
                "cat {} - > {path}/all; head -n 1 {path}/all > {path}/seen",
                song.display()
            ),
        );
    })?;
    same(
        "the host's file",
        read(&folder, "seen")?.as_str(),
        "the host's own\n",
    )?;
    container.end()
}

fn start_container_moment(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("cat /tmp/log").push(
            "/hooks/startContainer",
            json!({"path": "/bin/sh", "args": ["sh", "-c", "cat > /dev/null; echo hook > /tmp/log"]}),
        );
    })?;
    let log = bundle.rootfs().join("tmp/log");
    let container = crate::container::Container::create(lab, &bundle, &lab.id("moment"))?;
    ensure!(!log.exists(), "startContainer ran at create");
    container.start()?;
    same("log", container.finish()?.as_str(), "hook\n")?;
    container.end()
}

fn after_the_end(lab: &Lab) -> Outcome {
    let (folder, path) = shared(lab)?;
    let group = format!("/{}-gone", lab.tag());
    let place = probe::cgroup_mount().join(group.trim_start_matches('/'));
    let container = lab.started(|spec| {
        spec.set("/linux/cgroupsPath", json!(group)).hook(
            "poststop",
            &format!(
                "cat > /dev/null; test -d {} && echo its cgroup is there > {path}/log || echo gone > {path}/log",
                place.display()
            ),
        );
    })?;
    ensure!(place.is_dir(), "no cgroup {}", place.display());
    container.stop()?;
    container.delete()?;
    same("what it saw", read(&folder, "log")?.as_str(), "gone\n")
}
