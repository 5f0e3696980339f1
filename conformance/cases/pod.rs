//! A pod: containers that join the namespaces of another by path.

use std::fs;
use std::os::unix::net::UnixListener;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;

pub(super) const CASES: &[Case] = &[
    Case::new("join-network", |lab| join(lab, "network", "net")),
    Case::new("join-ipc", |lab| join(lab, "ipc", "ipc")),
    Case::new("join-uts", |lab| join(lab, "uts", "uts")),
    Case::new("join-pid", |lab| join(lab, "pid", "pid")),
    Case::new("join-cgroup", |lab| join(lab, "cgroup", "cgroup"))
        .needs(&[Need::Root, Need::CgroupV2]),
    Case::new("join-mount", join_mount),
    Case::new("join-all-of-a-pod", join_all),
    Case::new("join-pid-sees-the-others-processes", join_pid_sees),
    Case::new("join-user-and-the-rest", join_user)
        .needs(&[Need::Root, Need::UserNs])
        .deviates(&[(
            "runc",
            "1.1 wants mappings also for a joined user namespace",
        )]),
    Case::new("join-network-by-a-bound-path", join_bound),
    Case::new("a-joined-namespace-outlives-the-guest", outlives),
    Case::new("join-of-the-hosts-own-by-path", join_hosts),
    Case::new(
        "a-new-user-namespace-with-a-joined-network",
        new_user_joined_net,
    )
    .needs(&[Need::Root, Need::UserNs]),
];

/// The path of a process's namespace.
fn path(container: &Container<'_>, kind: &str) -> String {
    format!("/proc/{}/ns/{kind}", container.pid)
}

fn join(lab: &Lab, name: &str, kind: &str) -> Outcome {
    let host = lab.started(|_| ())?;
    let guest = lab.started(|spec| {
        spec.join(name, &path(&host, kind));
        if name == "uts" {
            spec.remove("/hostname");
        }
    })?;
    same(
        &format!("{name} namespace"),
        probe::namespace(guest.pid, kind)?,
        probe::namespace(host.pid, kind)?,
    )?;
    for (other, kind) in [("mount", "mnt"), ("ipc", "ipc"), ("network", "net")] {
        let joined = probe::namespace(guest.pid, kind)? == probe::namespace(host.pid, kind)?;
        ensure!(
            joined == (other == name),
            "after joining {name}, {other} shared: {joined}"
        );
    }
    guest.end()?;
    same("status of the first", host.status()?, "running")?;
    host.end()
}

/// A mount namespace with the host's files in it is joined, and what is there stays for others.
fn join_mount(lab: &Lab) -> Outcome {
    let mut keeper =
        lab.spawn(std::process::Command::new("unshare").args(["-m", "sleep", "99"]))?;
    let kind = || probe::namespace(keeper.pid().as_raw(), "mnt");
    let own = probe::own_namespace("mnt")?;
    crate::check::eventually(
        "a mount namespace",
        std::time::Duration::from_secs(5),
        || Ok(kind()? != own),
    )?;
    let namespace = kind()?;
    let guest = lab.create(|spec| {
        spec.join("mount", &format!("/proc/{}/ns/mnt", keeper.pid()));
    });
    keeper.signal(nix::sys::signal::Signal::SIGKILL);
    keeper.wait()?;
    let guest = guest?;
    same(
        "mount namespace",
        probe::namespace(guest.pid, "mnt")?,
        namespace,
    )?;
    guest.start()?;
    guest.end()
}

fn join_all(lab: &Lab) -> Outcome {
    let pause = lab.started(|_| ())?;
    let guest = |word: &str| {
        lab.started(|spec| {
            for (name, kind) in [
                ("network", "net"),
                ("ipc", "ipc"),
                ("uts", "uts"),
                ("pid", "pid"),
            ] {
                spec.join(name, &path(&pause, kind));
            }
            spec.remove("/hostname")
                .sh(&format!("hostname; echo {word}; exec sleep 99"));
        })
    };
    let (one, two) = (guest("one")?, guest("two")?);
    one.wrote("box\none\n")?;
    two.wrote("box\ntwo\n")?;
    for kind in ["net", "ipc", "uts", "pid"] {
        same(
            kind,
            probe::namespace(one.pid, kind)?,
            probe::namespace(two.pid, kind)?,
        )?;
    }
    one.end()?;
    same("status of the other", two.status()?, "running")?;
    two.end()?;
    pause.end()
}

fn join_pid_sees(lab: &Lab) -> Outcome {
    let host = lab.started(|spec| {
        spec.args(&["sleep", "4321"]);
    })?;
    let seen = lab.look(
        "cat /proc/1/cmdline | tr '\\0' ' '; echo; echo $$",
        |spec| {
            spec.join("pid", &path(&host, "pid"));
        },
    )?;
    contains("pid 1 of the joined namespace", &seen, "sleep 4321")?;
    ensure!(
        !seen.ends_with("\n1\n"),
        "the guest is pid 1 itself: {seen:?}"
    );
    host.end()
}

fn join_user(lab: &Lab) -> Outcome {
    let host = lab.started(|spec| {
        spec.user_namespace(100_000, 65536);
    })?;
    let guest = lab.started(|spec| {
        for (name, kind) in [
            ("user", "user"),
            ("network", "net"),
            ("ipc", "ipc"),
            ("uts", "uts"),
            ("pid", "pid"),
        ] {
            spec.join(name, &path(&host, kind));
        }
        spec.remove("/hostname");
    })?;
    for kind in ["user", "net", "ipc", "uts", "pid"] {
        same(
            kind,
            probe::namespace(guest.pid, kind)?,
            probe::namespace(host.pid, kind)?,
        )?;
    }
    let uid = probe::field(&probe::proc_file(guest.pid, "status")?, "Uid")?;
    same("uids outside", uid.as_str(), "100000 100000 100000 100000")?;
    guest.end()?;
    host.end()
}

/// A namespace kept by a bind mount, as network plug-ins keep it.
fn join_bound(lab: &Lab) -> Outcome {
    let keeper = lab.started(|_| ())?;
    let file = lab.file("netns", "")?;
    lab.host(&[
        "mount",
        "--bind",
        &path(&keeper, "net"),
        &file.to_string_lossy(),
    ])?;
    let namespace = probe::namespace(keeper.pid, "net")?;
    keeper.end()?;
    let guest = lab.started(|spec| {
        spec.join("network", &file.to_string_lossy());
    })?;
    same(
        "network namespace",
        probe::namespace(guest.pid, "net")?,
        namespace,
    )?;
    guest.end()?;
    lab.host(&["umount", &file.to_string_lossy()]).map(drop)
}

fn outlives(lab: &Lab) -> Outcome {
    let host = lab.started(|spec| {
        spec.sh("while [ ! -e /tmp/go ]; do sleep 0.02; done; echo still here; exec sleep 99");
    })?;
    let guest = lab.started(|spec| {
        spec.join("pid", &path(&host, "pid"))
            .join("network", &path(&host, "net"));
    })?;
    guest.stop()?;
    guest.delete()?;
    fs::write(host.bundle.rootfs().join("tmp/go"), "")?;
    host.wrote("still here")?;
    host.end()
}

fn join_hosts(lab: &Lab) -> Outcome {
    // A socket of the host's network namespace must be reachable by its abstract name's table.
    let socket = lab.scratch("sock");
    let _listener = UnixListener::bind(&socket)?;
    let container = lab.started(|spec| {
        spec.join("network", "/proc/self/ns/net").no_mount("/sys");
    })?;
    same(
        "network namespace",
        probe::namespace(container.pid, "net")?,
        probe::own_namespace("net")?,
    )?;
    container.end()
}

fn new_user_joined_net(lab: &Lab) -> Outcome {
    let host = lab.started(|_| ())?;
    let guest = lab.started(|spec| {
        spec.user_namespace(200_000, 65536)
            .join("network", &path(&host, "net"))
            .no_mount("/sys")
            .no_mount("/sys/fs/cgroup");
    })?;
    same(
        "network namespace",
        probe::namespace(guest.pid, "net")?,
        probe::namespace(host.pid, "net")?,
    )?;
    ensure!(
        probe::namespace(guest.pid, "user")? != probe::namespace(host.pid, "user")?,
        "no user namespace of its own"
    );
    guest.end()?;
    host.end()
}
