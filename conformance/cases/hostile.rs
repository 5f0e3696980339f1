//! Images that lie about where a path leads. The runtime may refuse them or do its work inside
//! the image; the canary, checked after every case, tells when it was led out (SECURITY R1–R4).

use std::fs;

use crate::bundle::Bundle;
use crate::case::Case;
use crate::check::{Outcome, ensure, same};
use crate::lab::Lab;
use crate::spec::Spec;

pub(super) const CASES: &[Case] = &[
    Case::new("absolute-link-at-a-target-stays-inside", absolute_link),
    Case::new("dot-dot-in-a-target-stays-inside", dot_dot),
    Case::new("dot-dot-link-at-a-target-stays-inside", dot_dot_link),
    Case::new("link-in-the-middle-of-a-target", middle_link),
    Case::new("dangling-link-makes-nothing-outside", dangling),
    Case::new("link-loop-is-an-error", link_loop),
    Case::new("proc-is-a-link", |lab| special_is_link(lab, "proc")),
    Case::new("sys-is-a-link", |lab| special_is_link(lab, "sys")),
    Case::new("dev-is-a-link", |lab| special_is_link(lab, "dev")).deviates(&[(
        "runc",
        "1.1 makes ptmx and the links of /dev outside (CVE-2026-41579)",
    )]),
    Case::new("proc-is-a-link-inside-the-image", proc_link_inside),
    Case::new("dev-pts-is-a-link", |lab| {
        part_of_dev(lab, "dev/pts", "canary")
    }),
    Case::new("dev-shm-is-a-link", |lab| {
        part_of_dev(lab, "dev/shm", "canary")
    }),
    Case::new("dev-null-is-a-link", |lab| {
        part_of_dev(lab, "dev/null", "canary/song")
    }),
    Case::new("dev-zero-is-a-link", |lab| {
        part_of_dev(lab, "dev/zero", "canary/song")
    }),
    Case::new("dev-fd-is-a-link", |lab| {
        part_of_dev(lab, "dev/fd", "canary")
    }),
    Case::new("dev-ptmx-is-a-link", |lab| {
        part_of_dev(lab, "dev/ptmx", "canary/song")
    }),
    Case::new("dev-null-as-a-plain-file-masks-nothing", null_is_file).deviates(&[
        ("runc", "1.1 masks with the image's file (CVE-2025-31133)"),
        ("crun", "sends the streams to the image's file"),
    ]),
    Case::new("etc-passwd-is-a-fifo", passwd_fifo).deviates(&[
        ("runc", "waits for ever for a writer"),
        ("crun", "waits for ever for a writer"),
    ]),
    Case::new("etc-passwd-is-huge", passwd_huge),
    Case::new("etc-passwd-is-a-link-to-the-host", passwd_link),
    Case::new("targets-of-odd-kinds", odd_targets),
    Case::new("cwd-is-a-link-out", cwd_link),
    Case::new("program-is-a-link-out", program_link),
    Case::new("device-below-a-link-out", device_link),
    Case::new("a-volume-with-a-link-out", volume_link),
    Case::new("a-mount-on-proc-is-refused", over_proc).deviates(&[("crun", "mounts it")]),
    Case::new("the-root-itself-is-a-link", root_link),
];

/// Creates, starts, looks once, deletes: any refusal will do. Gives the output if it ran.
fn try_life(lab: &Lab, bundle: &Bundle) -> Outcome<Option<String>> {
    let id = lab.id("odd");
    let said = lab.call(&["run", "--bundle", bundle.arg(), &id]).say()?;
    ensure!(!said.err.contains("panicked"), "panicked: {said}");
    lab.call(&["delete", "--force", &id]).ok()?;
    Ok(said.status.success().then_some(said.out))
}

/// A volume with a mark, the bundle that mounts it at `target`, and its script.
fn marked(lab: &Lab, target: &str, script: &str) -> Outcome<Bundle> {
    let folder = lab.folder("volume")?;
    fs::write(folder.join("mark"), "the volume\n")?;
    lab.bundle(|spec| {
        spec.bind(&folder.to_string_lossy(), target, &["bind"])
            .sh(script);
    })
}

fn absolute_link(lab: &Lab) -> Outcome {
    let bundle = marked(lab, "/dest", "cat /srv/mark")?;
    fs::create_dir(bundle.rootfs().join("srv"))?;
    bundle.link("dest", "/srv")?;
    if let Some(out) = try_life(lab, &bundle)? {
        same("the link's target inside", out.as_str(), "the volume\n")?;
    }
    Ok(())
}

fn dot_dot(lab: &Lab) -> Outcome {
    let canary = lab.canary();
    let target = format!("/../../../../../../../..{}", canary.display());
    let bundle = marked(lab, &target, &format!("cat {}/mark", canary.display()))?;
    if let Some(out) = try_life(lab, &bundle)? {
        same("the target inside", out.as_str(), "the volume\n")?;
    }
    Ok(())
}

fn dot_dot_link(lab: &Lab) -> Outcome {
    let canary = lab.canary();
    let bundle = marked(lab, "/dest/below", "true")?;
    bundle.link(
        "dest",
        &format!("../../../../../../../../../..{}", canary.display()),
    )?;
    try_life(lab, &bundle).map(drop)
}

fn middle_link(lab: &Lab) -> Outcome {
    let bundle = marked(lab, "/a/b/c", "true")?;
    fs::create_dir(bundle.rootfs().join("a"))?;
    bundle.link("a/b", &lab.canary().to_string_lossy())?;
    try_life(lab, &bundle).map(drop)
}

fn dangling(lab: &Lab) -> Outcome {
    let nowhere = lab.canary().join("made-by-the-runtime");
    for target in ["/dest", "/dest/below"] {
        let bundle = marked(lab, target, "true")?;
        bundle.link("dest", &nowhere.to_string_lossy())?;
        try_life(lab, &bundle)?;
    }
    let file = lab.file("source", "x\n")?;
    let bundle = lab.bundle(|spec| {
        spec.bind(&file.to_string_lossy(), "/dest", &["bind"])
            .args(&["true"]);
    })?;
    bundle.link("dest", &nowhere.to_string_lossy())?;
    try_life(lab, &bundle).map(drop)
}

fn link_loop(lab: &Lab) -> Outcome {
    let bundle = marked(lab, "/one", "true")?;
    bundle.link("one", "two")?;
    bundle.link("two", "one")?;
    lab.refuse_in(&bundle).map(drop)
}

/// CVE-2019-19921, CVE-2023-27561: the mount's target must be a real directory of the image.
fn special_is_link(lab: &Lab, name: &str) -> Outcome {
    for target in [
        lab.canary().display().to_string(),
        format!("../../../../../../../..{}", lab.canary().display()),
    ] {
        let bundle = lab.bundle(|spec| {
            spec.args(&["true"]);
        })?;
        bundle.link(name, &target)?;
        try_life(lab, &bundle)?;
    }
    Ok(())
}

/// A link to another directory of the image: nothing may be mounted where masks do not reach.
fn proc_link_inside(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("grep -c ' /else ' /proc/self/mountinfo /else/self/mountinfo 2>/dev/null; wc -c < /else/keys; true");
    })?;
    fs::create_dir(bundle.rootfs().join("else"))?;
    bundle.link("proc", "/else")?;
    let said = lab
        .call(&["create", "--bundle", bundle.arg(), &lab.id("odd")])
        .say()?;
    ensure!(!said.status.success(), "a proc that is a link was accepted");
    Ok(())
}

/// Without a mount at /dev, its parts are the image's own.
pub(super) fn no_dev(spec: &mut Spec) {
    for place in ["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"] {
        spec.no_mount(place);
    }
    spec.mount(
        "/dev/pts",
        "devpts",
        "devpts",
        &["newinstance", "ptmxmode=0666", "mode=0620"],
    );
    spec.mount("/dev/shm", "tmpfs", "shm", &["mode=1777"]);
}

fn part_of_dev(lab: &Lab, part: &str, target: &str) -> Outcome {
    let target = lab.dir.join(target);
    let bundle = lab.bundle(|spec| {
        no_dev(spec);
        spec.args(&["true"]);
    })?;
    bundle.link(part, &target.to_string_lossy())?;
    try_life(lab, &bundle).map(drop)
}

/// CVE-2025-31133: a mask that is bound from the image's own /dev/null shows what it should hide.
fn null_is_file(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        no_dev(spec);
        spec.push("/linux/maskedPaths", serde_json::json!("/etc/secret"))
            .sh("cat /etc/secret; wc -c < /proc/keys");
    })?;
    bundle.file("etc/secret", "secret\n")?;
    bundle.file("dev/null", "not the device\n")?;
    if let Some(out) = try_life(lab, &bundle)? {
        same("what the masks show", out.as_str(), "0\n")?;
    }
    Ok(())
}

/// Whoever opens it without care waits for ever.
fn passwd_fifo(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("echo ran");
    })?;
    let passwd = bundle.rootfs().join("etc/passwd");
    fs::remove_file(&passwd)?;
    nix::unistd::mkfifo(&passwd, nix::sys::stat::Mode::from_bits_truncate(0o666))?;
    let (mut command, _) = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("fifo")])
        .through(&["timeout", "-s", "KILL", "5"])
        .command()?;
    let status = lab.spawn(&mut command)?.wait()?;
    ensure!(
        status.code() != Some(137) && status.code().is_some(),
        "it hangs on a fifo: {status}"
    );
    Ok(())
}

fn passwd_huge(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.sh("echo ran");
    })?;
    let file = fs::File::options()
        .write(true)
        .open(bundle.rootfs().join("etc/passwd"))?;
    file.set_len(1 << 40)?;
    let (mut command, _) = lab
        .call(&["run", "--bundle", bundle.arg(), &lab.id("huge")])
        .through(&["timeout", "-s", "KILL", "5"])
        .command()?;
    let status = lab.spawn(&mut command)?.wait()?;
    ensure!(
        status.code() != Some(137) && status.code().is_some(),
        "it reads a sparse terabyte: {status}"
    );
    Ok(())
}

fn passwd_link(lab: &Lab) -> Outcome {
    let folder = lab.folder("outside")?;
    fs::write(
        folder.join("passwd"),
        "root:x:0:0:root:/of-the-host:/bin/sh\n",
    )?;
    let bundle = lab.bundle(|spec| {
        spec.sh("echo $HOME");
    })?;
    bundle.link("etc/passwd", &folder.join("passwd").to_string_lossy())?;
    if let Some(out) = try_life(lab, &bundle)? {
        ensure!(
            !out.contains("of-the-host"),
            "the host's file was read: {out:?}"
        );
    }
    Ok(())
}

fn odd_targets(lab: &Lab) -> Outcome {
    let source = lab.file("source", "x\n")?;
    let bundle = lab.bundle(|spec| {
        for target in ["/odd/fifo", "/odd/socket", "/odd/device"] {
            spec.bind(&source.to_string_lossy(), target, &["bind"]);
        }
        spec.sh("cat /odd/fifo /odd/socket /odd/device");
    })?;
    let odd = bundle.rootfs().join("odd");
    fs::create_dir(&odd)?;
    nix::unistd::mkfifo(
        &odd.join("fifo"),
        nix::sys::stat::Mode::from_bits_truncate(0o666),
    )?;
    let _listener = std::os::unix::net::UnixListener::bind(odd.join("socket"))?;
    lab.host(&[
        "mknod",
        &odd.join("device").to_string_lossy(),
        "c",
        "1",
        "5",
    ])?;
    if let Some(out) = try_life(lab, &bundle)? {
        same("what is mounted", out.as_str(), "x\nx\nx\n")?;
    }
    Ok(())
}

fn cwd_link(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/process/cwd", serde_json::json!("/work/made"))
            .sh("cat ../song song 2>/dev/null; true");
    })?;
    bundle.link("work", &lab.canary().to_string_lossy())?;
    if let Some(out) = try_life(lab, &bundle)? {
        same("what is read there", out.as_str(), "")?;
    }
    Ok(())
}

fn program_link(lab: &Lab) -> Outcome {
    let outside = lab.file("outside", "#!/bin/sh\necho of the host\n")?;
    let bundle = lab.bundle(|spec| {
        spec.args(&["/bin/program"]);
    })?;
    bundle.link("bin/program", &outside.to_string_lossy())?;
    lab.refuse_in(&bundle).map(drop)
}

fn device_link(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        let path = "/opt/way/device";
        spec.push("/linux/devices", serde_json::json!({"path": path, "type": "c", "major": 1, "minor": 3, "fileMode": 438, "uid": 0, "gid": 0}));
        spec.args(&["true"]);
    })?;
    bundle.link("opt/way", &lab.canary().to_string_lossy())?;
    try_life(lab, &bundle).map(drop)
}

/// A volume that two containers share holds a link where the second wants to mount.
fn volume_link(lab: &Lab) -> Outcome {
    let volume = lab.folder("volume")?;
    std::os::unix::fs::symlink(lab.canary(), volume.join("way"))?;
    let bundle = lab.bundle(|spec| {
        spec.bind(&volume.to_string_lossy(), "/mnt", &["bind"]);
        spec.mount("/mnt/way", "tmpfs", "tmpfs", &[])
            .mount("/mnt/way/deep", "tmpfs", "tmpfs", &[]);
        spec.args(&["true"]);
    })?;
    try_life(lab, &bundle).map(drop)
}

/// CVE-2019-16884: a volume over /proc would make the runtime's own writes there worthless.
fn over_proc(lab: &Lab) -> Outcome {
    let volume = lab.folder("volume")?;
    let path = volume.to_string_lossy();
    lab.refuse(|spec| {
        spec.bind(&path, "/proc", &["bind"]);
    })?;
    lab.refuse(|spec| {
        spec.bind(&path, "/proc/self", &["bind"]);
    })
    .map(drop)
}

/// A root that is a link is the caller's to choose: it is followed or refused.
fn root_link(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.set("/root/path", serde_json::json!("link"))
            .sh("echo ran");
    })?;
    std::os::unix::fs::symlink("rootfs", bundle.dir.join("link"))?;
    if let Some(out) = try_life(lab, &bundle)? {
        same("output", out.as_str(), "ran\n")?;
    }
    Ok(())
}
