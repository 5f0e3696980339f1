//! A runtime that is root in a user namespace only, as in an outer container: it may make no nodes of
//! devices, load no filter, and not undo what the host has decided about a mount.

use std::fs;

use serde_json::json;

use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, mentions, same};
use crate::lab::Lab;
use crate::probe;
use crate::runtime::Said;
use crate::spec::Spec;

const NEEDS: &[Need] = &[Need::Root, Need::UserNs];

pub(super) const CASES: &[Case] = &[
    Case::new("devices-are-the-hosts", devices).needs(NEEDS),
    Case::new("an-extra-device-is-the-hosts", extra_device).needs(NEEDS),
    Case::new("another-device-of-that-path-is-refused", other_device)
        .needs(NEEDS)
        .deviates(&[
            ("crun", "takes whatever has the path"),
            ("runc", "takes whatever has the path"),
        ]),
    Case::new("locked-flags-of-a-volume-stay", locked)
        .needs(NEEDS)
        .deviates(&[(
            "runc",
            "1.1 drops the locked flags and is refused by the kernel",
        )]),
    Case::new("what-is-locked-cannot-be-undone", locked_read_only).needs(NEEDS),
    Case::new("joined-namespaces-of-the-nest", joined).needs(NEEDS),
    Case::new(
        "joined-namespaces-and-a-user-namespace-of-its-own",
        joined_with_new_user,
    )
    .needs(NEEDS),
    Case::new("a-namespace-that-cannot-be-joined", joined_of_the_host).needs(NEEDS),
];

/// Its first 65536 ids are those of the host; the rest are nobody's.
const NEST: &str = r#"
go=$(mktemp -u) && mkfifo "$go"
unshare --user --mount sh -c 'read line <"$0" && exec "$@"' "$go" "$@" &
pid=$!
until [ "$(readlink /proc/$pid/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done
echo 0 0 65536 >/proc/$pid/uid_map
echo 0 0 65536 >/proc/$pid/gid_map
echo >"$go"
rm "$go"
wait $pid
"#;

/// `run` by such a runtime, of a container without a user namespace of its own.
fn nested(lab: &Lab, script: &str, edit: impl FnOnce(&mut Spec)) -> Outcome<Said> {
    let bundle = lab.bundle(|spec| {
        spec.no_namespace("network")
            .no_mount("/sys")
            .no_mount("/sys/fs/cgroup")
            .remove("/linux/resources")
            .sh(script);
        edit(spec);
    })?;
    let id = lab.id("nested");
    lab.call(&["run", "--bundle", bundle.arg(), &id])
        .through_sh(NEST)
        .say()
}

fn devices(lab: &Lab) -> Outcome {
    let script = "echo x > /dev/null && head -c 2 /dev/zero | wc -c; stat -c '%F %t:%T' /dev/null; readlink /dev/ptmx";
    let said = nested(lab, script, |_| ())?;
    let want = "2\ncharacter special file 1:3\npts/ptmx\n";
    same("output", said.out.as_str(), want)
}

fn extra_device(lab: &Lab) -> Outcome {
    let said = nested(lab, "stat -c '%F %t:%T' /dev/kmsg", |spec| {
        spec.push(
            "/linux/devices",
            json!({"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11}),
        );
    })?;
    same("output", said.out.as_str(), "character special file 1:b\n")
}

/// The path says /dev/kmsg, the numbers say /dev/mem: not the one for the other.
fn other_device(lab: &Lab) -> Outcome {
    let said = nested(lab, "true", |spec| {
        spec.push(
            "/linux/devices",
            json!({"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 1}),
        );
    })?;
    ensure!(!said.status.success(), "it was made: {said}");
    contains("the refusal", &said.err, "/dev/kmsg")
}

/// A host mount with these flags, at a path with a file in it, while `f` works.
fn mounted<T>(lab: &Lab, flags: &str, f: impl FnOnce(&str) -> Outcome<T>) -> Outcome<T> {
    let folder = lab.folder("host")?;
    let path = folder.to_string_lossy().into_owned();
    lab.host(&["mount", "-t", "tmpfs", "outer", &path])?;
    fs::write(folder.join("file"), "here\n")?;
    let options = format!("remount,{flags}");
    lab.host(&["mount", "-o", &options, &path])?;
    let outcome = f(&path);
    lab.host(&["umount", &path])?;
    outcome
}

fn locked(lab: &Lab) -> Outcome {
    let script = "cat /mnt/file; cat /proc/self/mountinfo";
    let said = mounted(lab, "nosuid,nodev,noexec", |path| {
        nested(lab, script, |spec| {
            spec.bind(path, "/mnt", &["bind", "ro"]);
        })
    })?;
    contains("output", &said.out, "here\n")?;
    let mount = probe::mounted(&said.out, "/mnt")?;
    for option in ["ro", "nosuid", "nodev", "noexec"] {
        ensure!(mount.has(option), "no {option}: {mount:?}");
    }
    Ok(())
}

/// Whatever a runtime does about `rw` here, the container must not write.
fn locked_read_only(lab: &Lab) -> Outcome {
    let said = mounted(lab, "ro", |path| {
        nested(lab, "touch /mnt/x || echo refused", |spec| {
            spec.bind(path, "/mnt", &["bind", "rw"]);
        })
    })?;
    if said.status.success() {
        return same("output", said.out.as_str(), "refused\n");
    }
    mentions(
        "the refusal",
        &said.err,
        &["not permitted", "permission denied"],
    )
}

/// What the runtime of the nest joins: namespaces of the nest, which files keep, as a rootless engine has it. Its own are
/// the host's, so that it may not return to them.
const KEPT: &str = r#"mount -t tmpfs none "$KEPT" && touch "$KEPT/net" "$KEPT/uts" "$KEPT/ipc" &&
unshare --net="$KEPT/net" --uts="$KEPT/uts" --ipc="$KEPT/ipc" \
    sh -c "ip link set lo mtu 1234; echo kept >/proc/sys/kernel/hostname" && exec "#;

/// `run` in the nest, in the network, UTS and IPC namespaces that are kept at these paths.
fn in_kept(lab: &Lab, net: Option<&str>, edit: impl FnOnce(&mut Spec)) -> Outcome<Said> {
    let folder = lab.folder("kept")?.to_string_lossy().into_owned();
    let bundle = lab.bundle(|spec| {
        spec.no_mount("/sys")
            .no_mount("/sys/fs/cgroup")
            .no_mount("/dev/mqueue")
            .remove("/linux/resources")
            .remove("/hostname")
            .sh("hostname; ip link show lo | grep -o 'mtu [0-9]*'")
            .join("network", net.unwrap_or(&format!("{folder}/net")))
            .join("uts", &format!("{folder}/uts"))
            .join("ipc", &format!("{folder}/ipc"));
        edit(spec);
    })?;
    let id = lab.id("nested");
    let nest = NEST.replace("exec ", KEPT);
    lab.call(&["run", "--bundle", bundle.arg(), &id])
        .through_sh(&format!("export KEPT='{folder}'\n{nest}"))
        .say()
}

fn joined(lab: &Lab) -> Outcome {
    let said = in_kept(lab, None, |_| ())?;
    ensure!(said.status.success(), "{said}");
    same("output", said.out.as_str(), "kept\nmtu 1234\n")
}

fn joined_with_new_user(lab: &Lab) -> Outcome {
    let said = in_kept(lab, None, |spec| {
        spec.user_namespace(0, 65536);
    })?;
    ensure!(said.status.success(), "{said}");
    same("output", said.out.as_str(), "kept\nmtu 1234\n")
}

/// Nobody in the nest has rights over the host's network.
fn joined_of_the_host(lab: &Lab) -> Outcome {
    let file = lab.scratch("net");
    fs::write(&file, "")?;
    let path = file.to_string_lossy().into_owned();
    lab.host(&["mount", "--bind", "/proc/self/ns/net", &path])?;
    let said = in_kept(lab, Some(&path), |_| ());
    lab.host(&["umount", &path])?;
    let said = said?;
    ensure!(!said.status.success(), "it was joined: {said}");
    mentions(
        "the refusal",
        &said.err,
        &["not permitted", "permission denied"],
    )
}
