//! An ordinary user's containers: one id mapped, no cgroup, no root anywhere.

use serde_json::{Value, json};

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, mentions, same};
use crate::lab::{Lab, USER};
use crate::probe;
use crate::spec::Spec;

const NEEDS: &[Need] = &[Need::Root, Need::UserNs, Need::Program("setpriv")];

pub(super) const CASES: &[Case] = &[
    Case::new("root-of-a-user-namespace", nested_root)
        .needs(NEEDS)
        .deviates(&[("runc", "1.1 wants --rootless here")]),
    Case::new("run", run).needs(NEEDS),
    Case::new("exit-code", exit_code).needs(NEEDS),
    Case::new("whole-life", whole_life).needs(NEEDS),
    Case::new("the-map-is-the-single-id", map).needs(NEEDS),
    Case::new("setgroups-is-denied", setgroups).needs(NEEDS),
    Case::new("files-belong-to-the-user", files).needs(NEEDS),
    Case::new("own-network", network).needs(NEEDS),
    Case::new("devices-work", devices).needs(NEEDS),
    Case::new("masks-and-read-only-root", masks).needs(NEEDS),
    Case::new("hooks", hooks).needs(NEEDS),
    Case::new("state-directory-by-default-is-the-users", default_root).needs(NEEDS),
    Case::new("another-users-id-is-refused", foreign_map).needs(NEEDS),
    Case::new("without-a-user-namespace-is-refused", no_user_namespace)
        .needs(NEEDS)
        .deviates(&[("crun", "adds a user namespace of its own accord")]),
    Case::new("a-read-only-volume-with-locked-flags", locked_flags)
        .needs(NEEDS)
        .deviates(&[(
            "runc",
            "1.1 drops the locked flags and is refused by the kernel",
        )]),
];

/// What a script prints in a container of the ordinary user's.
fn look(lab: &Lab, script: &str, edit: impl FnOnce(&mut Spec)) -> Outcome<String> {
    let bundle = lab.user_bundle(|spec| {
        spec.sh(script);
        edit(spec);
    })?;
    let said = lab
        .user_call(&["run", "--bundle", bundle.arg(), &lab.id("user")])?
        .ok()?;
    Ok(said.out)
}

fn run(lab: &Lab) -> Outcome {
    same(
        "output",
        look(lab, "id -u; echo $$", |_| ())?.as_str(),
        "0\n1\n",
    )
}

fn exit_code(lab: &Lab) -> Outcome {
    let bundle = lab.user_bundle(|spec| {
        spec.sh("exit 7");
    })?;
    let said = lab
        .user_call(&["run", "--bundle", bundle.arg(), &lab.id("user")])?
        .say()?;
    same("exit code", said.code(), 7)
}

fn whole_life(lab: &Lab) -> Outcome {
    let bundle = lab.user_bundle(|_| ())?;
    let id = lab.id("user");
    lab.user_call(&["create", "--bundle", bundle.arg(), &id])?
        .ok()?;
    let status = || -> Outcome<Value> {
        Ok(serde_json::from_str(
            &lab.user_call(&["state", &id])?.ok()?.out,
        )?)
    };
    same("status", status()?["status"].as_str(), Some("created"))?;
    lab.user_call(&["start", &id])?.ok()?;
    let state = status()?;
    same("status", state["status"].as_str(), Some("running"))?;
    let pid = i32::try_from(state["pid"].as_i64().unwrap_or_default())?;
    let uid = probe::field(&probe::proc_file(pid, "status")?, "Uid")?;
    same("uids outside", uid, format!("{USER} {USER} {USER} {USER}"))?;
    lab.user_call(&["kill", &id, "KILL"])?.ok()?;
    crate::check::eventually("status stopped", std::time::Duration::from_secs(5), || {
        Ok(status()?["status"] == "stopped")
    })?;
    lab.user_call(&["delete", &id])?.ok().map(drop)
}

fn map(lab: &Lab) -> Outcome {
    let out = look(lab, "cat /proc/self/uid_map /proc/self/gid_map", |_| ())?;
    let want = format!("0 {USER} 1 0 {USER} 1");
    same(
        "maps",
        out.split_whitespace().collect::<Vec<_>>().join(" "),
        want,
    )
}

fn setgroups(lab: &Lab) -> Outcome {
    same(
        "setgroups",
        look(lab, "cat /proc/self/setgroups", |_| ())?.trim(),
        "deny",
    )
}

fn files(lab: &Lab) -> Outcome {
    use std::os::unix::fs::MetadataExt;
    let bundle = lab.user_bundle(|spec| {
        spec.sh("echo x > /root/new; stat -c %u /root/new");
    })?;
    let said = lab
        .user_call(&["run", "--bundle", bundle.arg(), &lab.id("user")])?
        .ok()?;
    same("owner inside", said.out.trim(), "0")?;
    same(
        "owner outside",
        bundle.rootfs().join("root/new").metadata()?.uid(),
        USER,
    )
}

fn network(lab: &Lab) -> Outcome {
    let out = look(
        lab,
        "ls /sys/class/net | wc -l; grep -c lo: /proc/net/dev; wc -l < /proc/net/dev",
        |spec| {
            spec.push("/linux/namespaces", json!({"type": "network"}));
        },
    )?;
    // /proc/net/dev has two lines of header.
    let lines: Vec<_> = out.split_whitespace().skip(1).collect();
    same("loopback, lines", lines, vec!["1", "3"])
}

fn devices(lab: &Lab) -> Outcome {
    let out = look(
        lab,
        "echo x > /dev/null && head -c 3 /dev/zero | wc -c; : < /dev/urandom && echo fine",
        |_| (),
    )?;
    same("output", out.as_str(), "3\nfine\n")
}

fn masks(lab: &Lab) -> Outcome {
    let out = look(
        lab,
        "touch /x 2>/dev/null || echo refused; wc -c < /etc/passwd; wc -c < /proc/keys",
        |spec| {
            spec.set("/root/readonly", json!(true))
                .push("/linux/maskedPaths", json!("/etc/passwd"));
        },
    )?;
    same("output", out.as_str(), "refused\n0\n0\n")
}

fn hooks(lab: &Lab) -> Outcome {
    let file = lab.scratch("log");
    look(lab, "true", |spec| {
        spec.hook("createRuntime", &format!("id -u >> {}", file.display()));
        spec.hook("poststop", &format!("id -u >> {}", file.display()));
    })?;
    let log = std::fs::read_to_string(&file)?;
    // A hook runs in the runtime's namespace; a runtime that is in a user namespace of its own is root there.
    ensure!(log.lines().count() == 2, "hooks wrote {log:?}");
    Ok(())
}

fn default_root(lab: &Lab) -> Outcome {
    let bundle = lab.user_bundle(|_| ())?;
    let id = lab.id("user");
    lab.user_call(&["create", "--bundle", bundle.arg(), &id])?
        .bare()
        .ok()?;
    let home = lab.home(USER);
    let found = std::fs::read_dir(&home)?
        .flatten()
        .any(|entry| entry.path().join(&id).exists());
    lab.user_call(&["delete", "--force", &id])?.bare().ok()?;
    ensure!(found, "no directory of the container below XDG_RUNTIME_DIR");
    let bare = lab.user_call(&["state", &id])?.bare().refused()?;
    mentions(
        "the refusal",
        &bare.err,
        &["does not exist", "no such file"],
    )
}

fn foreign_map(lab: &Lab) -> Outcome {
    let bundle = lab.user_bundle(|spec| {
        spec.set(
            "/linux/uidMappings",
            json!([{"containerID": 0, "hostID": 0, "size": 1}]),
        );
    })?;
    lab.user_call(&["create", "--bundle", bundle.arg(), &lab.id("user")])?
        .refused()
        .map(drop)
}

fn no_user_namespace(lab: &Lab) -> Outcome {
    let bundle = lab.user_bundle(|spec| {
        spec.no_namespace("user")
            .remove("/linux/uidMappings")
            .remove("/linux/gidMappings");
    })?;
    lab.user_call(&["create", "--bundle", bundle.arg(), &lab.id("user")])?
        .refused()
        .map(drop)
}

/// The host's flags on a mount are locked for a user namespace: a bind must keep them, not fail.
fn locked_flags(lab: &Lab) -> Outcome {
    let folder = lab.folder("host")?;
    let path = folder.to_string_lossy().into_owned();
    lab.host(&[
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "nosuid,nodev,noexec,mode=777",
        "locked",
        &path,
    ])?;
    std::fs::write(folder.join("file"), "here\n")?;
    let out = look(
        lab,
        "cat /mnt/file; touch /mnt/x 2>/dev/null || echo refused",
        |spec| {
            spec.bind(&path, "/mnt", &["bind", "ro"]);
        },
    );
    lab.host(&["umount", &path])?;
    same("output", out?.as_str(), "here\nrefused\n")
}

/// Whoever calls is root only of a user namespace that denies setgroups: there are no nodes to be made and
/// no groups to be given up.
fn nested_root(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("id -u; echo gone > /dev/null && echo null; head -c 4 /dev/zero | wc -c; hostname; cat /proc/self/setgroups")
            .remove("/linux/resources")
            .remove("/process/rlimits")
            .no_namespace("cgroup")
            .no_mount("/sys/fs/cgroup")
            // Its group 5 is not mapped here.
            .no_mount("/dev/pts");
    })?;
    let said = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("nested")])
        .through(&["unshare", "-Urmpf", "--mount-proc"])
        .ok()?;
    let lines: Vec<&str> = said.out.lines().collect();
    same("user", lines.first(), Some(&"0"))?;
    same("devices", lines.get(1..3), Some(&["null", "4"][..]))?;
    same("setgroups", lines.last(), Some(&"deny"))
}
